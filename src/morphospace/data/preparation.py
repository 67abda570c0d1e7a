"""What a person may ask of the preparation of a set."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from morphospace.data.items import SMALLEST_SIDE
from morphospace.errors import ArgumentError, did_you_mean
from morphospace.images import RESIZES, Resize
from morphospace.intensity import parse_intensity
from morphospace.interpretation import FRAMES, Frames, Interpretation

__all__ = ["Preparation", "parse_size", "rgb_of"]

_LARGEST_SIDE = 4096
_BEFORE = {"intensity": "file", "background": "white", "split_by": "pixels"}  # what version 0.1 did, and did not write


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """How pictures of any form become images of one, and how what is known of them is found.

    Attributes:
        size: (H, W) in pixels, each 4..4096. By default a set of one size of at most 128 a side keeps it; any
            other gets the middle one of its proportions and as many pixels as a square of 64.
        resize: "crop", "pad" or "fit", see :func:`morphospace.images.fit_image`.
        colour: "grey", "colour", or "auto": grey if all pictures looked at are.
        strict: refuse the set if a single file cannot be used.
        intensity: which values are black and white: "auto" by the values of the whole set, "full" for all that the
            files' samples can hold, "file" by each file alone, "LOW:HIGH" in values, "P%:P%" in percentiles.
        channels: the places from 1 of the samples that become grey (one) or red, green and blue (three).
        frames: which pages of stacks and frames of animations count: "first", "all" as a picture each, or their
            "max" or "mean" as one.
        background: what lies behind transparent pixels: "white", "black", "#RRGGBB", or "auto": white, unless the
            pictures themselves are.
        truncated: "keep" pictures whose file ends early, or "leave-out".
        label: the column of the table that has the labels.
        label_from: a regular expression; what its first group finds in a file's name is the label.
        group: the column whose equal values (a specimen, a patient) never lie on both sides of the split.
        split_by: "source" for the files themselves, "pixels" for the prepared images, as version 0.1 had it.
        interpretation: how samples become pixels, decided already, as for a space that exists; it takes the place of
            intensity, channels, frames, background and truncated.
    """

    size: tuple[int, int] | None = None
    resize: Resize = "crop"
    colour: Literal["auto", "grey", "colour"] = "auto"
    strict: bool = False
    intensity: str = "auto"
    channels: tuple[int, ...] | None = None
    frames: Frames = "first"
    background: str = "auto"
    truncated: Literal["leave-out", "keep"] = "leave-out"
    label: str | None = None
    label_from: str | None = None
    group: str | None = None
    split_by: Literal["source", "pixels"] = "source"
    interpretation: Interpretation | None = None

    def __post_init__(self) -> None:
        if self.size is not None and not all(SMALLEST_SIDE <= n <= _LARGEST_SIDE for n in self.size):
            raise ArgumentError(
                f"expected {SMALLEST_SIDE} to {_LARGEST_SIDE} pixels a side, got {self.size[0]}x{self.size[1]}.",
                argument="size",
            )
        for name, known in _CHOICES.items():
            value = getattr(self, name)
            if value not in known:
                raise ArgumentError(f'there is no "{value}". {did_you_mean(value, known)}', argument=name)
        parse_intensity(self.intensity)
        if self.channels is not None and (len(self.channels) not in (1, 3) or min(self.channels) < 1):
            got = ",".join(map(str, self.channels))
            raise ArgumentError(f"expected one place or three, from 1 on, like 1,2,3; got {got}.", argument="channels")
        if self.background not in ("auto", "white", "black") and not re.fullmatch("#[0-9a-fA-F]{6}", self.background):
            raise ArgumentError(
                f'expected auto, white, black, or a colour like #FFD700, got "{self.background}".',
                argument="background",
            )
        if self.label is not None and self.label_from is not None:
            raise ArgumentError("`label` and `label_from` both say where labels come from. Give one of them.")
        if self.label_from is not None:
            _check_pattern(self.label_from)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        known = None if self.interpretation is None else self.interpretation.to_json()
        values = asdict(replace(self, interpretation=None)) | {"interpretation": known}
        return values | {name: list(values[name]) for name in ("size", "channels") if values[name] is not None}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Preparation:
        """What :meth:`to_json` gave, of this version or an earlier one, which then did as it knew.

        Raises:
            ValueError: for other values.

        Example:
            >>> before = {"size": [8, 6], "resize": "crop", "colour": "auto", "strict": False}  # of version 0.1
            >>> Preparation.from_json(before).size, Preparation.from_json(before).split_by
            ((8, 6), 'pixels')
        """
        known = {**_BEFORE, **values}
        for name in ("size", "channels"):
            if known.get(name) is not None:
                known[name] = tuple(int(n) for n in known[name])
        if known.get("interpretation") is not None:
            known["interpretation"] = Interpretation.from_json(known["interpretation"])
        return cls(**known)


_CHOICES: dict[str, tuple[str, ...]] = {
    "resize": RESIZES,
    "colour": ("auto", "grey", "colour"),
    "frames": FRAMES,
    "truncated": ("leave-out", "keep"),
    "split_by": ("source", "pixels"),
}


def _check_pattern(pattern: str) -> None:
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise ArgumentError(f'"{pattern}" is no regular expression: {error}.', argument="label_from") from error
    if groups < 1:
        raise ArgumentError(
            f'expected a regular expression with a group in parentheses, like "([a-z]+)_", got "{pattern}".',
            argument="label_from",
        )


def rgb_of(background: str) -> tuple[int, int, int]:
    """Red, green and blue of a background that was decided on: white, black, or a colour like #FFD700.

    Example:
        >>> rgb_of("white"), rgb_of("#FFD700")
        ((255, 255, 255), (255, 215, 0))
    """
    text = {"white": "#ffffff", "black": "#000000"}.get(background, background)
    red, green, blue = bytes.fromhex(text[1:])
    return red, green, blue


def parse_size(text: str) -> tuple[int, int]:
    """``64`` or ``96x64`` (width x height) as (H, W).

    Example:
        >>> parse_size("96x64")
        (64, 96)
    """
    found = re.fullmatch(r"(\d{1,5})(?:x(\d{1,5}))?", text.strip().lower())
    if found is None:
        raise ArgumentError(f'expected pixels like 64, or WIDTHxHEIGHT like 96x64, got "{text}".', argument="size")
    height, width = int(found[2] or found[1]), int(found[1])
    Preparation(size=(height, width))  # refuses sizes out of range
    return height, width
