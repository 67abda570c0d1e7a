"""The options by which pictures become a set, the same in every verb that opens one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Optional, cast

import typer

from morphospace.errors import ArgumentError

if TYPE_CHECKING:
    from morphospace.data import Preparation

__all__ = ["PreparationOptions"]


@dataclass(frozen=True)
class PreparationOptions:
    """How pictures are brought to one form, as it was typed."""

    size: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it at run time
        typer.Option(
            "--size", metavar="WxH", help="Pixels of every image: 64, or 96x64. By default it follows the data."
        ),
    ] = None
    resize: Annotated[
        str, typer.Option("--resize", help="How pictures of another form fit: crop, pad, or fit (stretched).")
    ] = "crop"
    colour: Annotated[str, typer.Option("--colour", help="grey, colour, or auto: what the pictures are.")] = "auto"
    intensity: Annotated[
        str,
        typer.Option(
            "--intensity",
            metavar="RULE",
            help="Which values are black and white: auto (by the whole set), full (all that the files can hold), "
            "file (each by itself), LOW:HIGH, or percentiles like 1%:99%.",
        ),
    ] = "auto"
    channels: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--channels", metavar="1,2,3", help="Which samples become grey (one) or red, green, blue (three)."
        ),
    ] = None
    frames: Annotated[
        str,
        typer.Option("--frames", help="Of stacks and animations: first, all (a picture each), or their max or mean."),
    ] = "first"
    background: Annotated[
        str, typer.Option("--background", help="Behind transparent pixels: white, black, #RRGGBB, or auto.")
    ] = "auto"
    truncated: Annotated[
        str, typer.Option("--truncated", help="Pictures whose file ends early: leave-out, or keep what there is.")
    ] = "leave-out"
    label: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--label", metavar="COLUMN", help="The column of the table that has the labels."),
    ] = None
    label_from: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--label-from", metavar="REGEX", help="Labels from file names: what the first (group) finds."),
    ] = None
    group: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--group", metavar="COLUMN", help="Images of one value (specimen, patient) stay on one side of the split."
        ),
    ] = None
    strict: Annotated[bool, typer.Option("--strict", help="Refuse the set if a single file cannot be used.")] = False

    def preparation(self) -> Preparation:
        """What these options ask for, checked."""
        from morphospace.data import Preparation, parse_size

        return Preparation(
            size=None if self.size is None else parse_size(self.size),
            resize=cast("Any", self.resize),
            colour=cast("Any", self.colour),
            strict=self.strict,
            intensity=self.intensity,
            channels=None if self.channels is None else _places(self.channels),
            frames=cast("Any", self.frames),
            background=self.background,
            truncated=cast("Any", self.truncated),
            label=self.label,
            label_from=self.label_from,
            group=self.group,
        )


def _places(text: str) -> tuple[int, ...]:
    """``1,2,3`` as (1, 2, 3)."""
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise ArgumentError(
            f'expected one place or three, like 1 or 1,2,3, got "{text}".', argument="channels"
        ) from error
