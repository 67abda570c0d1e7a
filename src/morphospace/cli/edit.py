"""``morpho edit``: an image, or a folder of them, along concepts or to another class."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from morphospace.cli.arguments import DeviceOption, ForceOption, OutOption, SeedOption, SpaceArgument
from morphospace.cli.notes import note_typicality
from morphospace.cli.opening import folder_pictures, image_argument, open_space
from morphospace.cli.outputs import output_path
from morphospace.cli.screen import note
from morphospace.cli.verbs import Answer, command_line, verb
from morphospace.errors import ArgumentError

if TYPE_CHECKING:
    from morphospace.images import Images
    from morphospace.space import Space

__all__ = ["register"]

_MISSED = 0.1  # of a chance, or of the way of strength 1


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("edit", rich_help_panel="Edit")(verb(edit))


def edit(
    space: SpaceArgument,
    image: Annotated[
        str, typer.Argument(metavar="IMAGE", help="A picture file, an item like mnist:test/17, or a folder.")
    ],
    strengths: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--concept", metavar="NAME=STRENGTH", help="6=2.0; may be repeated."),
    ] = None,
    target: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--to", metavar="CLASS", help="The class that it is to be of."),
    ] = None,
    source: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--from", metavar="CLASS", help="The class that it is of; found if left out."),
    ] = None,
    strength: Annotated[float, typer.Option("--strength", help="How far towards --to: 1 is the whole way.")] = 1.0,
    until: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(
            "--until",
            metavar="[NAME=]TARGET",
            help="How far, in place of a strength: 6=90% until it is so likely a 6, slant=0.3 until it measures so "
            "much; 90% alone belongs to --to. May be repeated.",
        ),
    ] = None,
    keep: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--keep", metavar="NAME", help="A concept that is to stay as it is; may be repeated."),
    ] = None,
    keep_detail: Annotated[
        bool,
        typer.Option("--keep-detail", help="Add the change to the original picture instead of replacing it."),
    ] = False,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    out: OutOption = None,
    force: ForceOption = False,
) -> Answer:
    """Edit an image, or a folder of them, along concepts or to another class; beside one image lies a sheet."""
    targets = [_target(text) for text in until or ()]
    chance = [value for name, value in targets if not name]
    if not strengths and target is None and not targets:
        raise ArgumentError("expected --concept NAME=STRENGTH, --until NAME=TARGET or --to CLASS, got none of them.")
    if target is None and (source is not None or strength != 1.0):
        raise ArgumentError("--from and --strength belong to --to CLASS; --concept has its own, like 6=2.0.")
    if (target is None and chance) or len(chance) > 1:
        raise ArgumentError(
            "expected NAME=TARGET, like 6=90%; a share alone belongs to --to CLASS, once.", argument="until"
        )
    pairs = [_strength(text) for text in strengths or ()]
    _check_once("strengths", [name for name, _ in pairs])
    _check_once("until", [name for name, _ in targets if name])
    asked_strengths, wanted = dict(pairs), {name: value for name, value in targets if name}
    until_chance = chance[0] if chance else None
    asked: dict[str, Any] = {
        **({} if target is None else {"from": source, "to": target, "strength": strength}),
        "concepts": asked_strengths,
        "until": wanted,
        "chance": until_chance,
        "keep": keep or [],
    }
    move: dict[str, Any] = {
        "strengths": asked_strengths,
        "keep": keep or (),
        "until": wanted,
        "target": target,
        "source": source,
        "strength": strength,
        "chance": until_chance,
    }
    words = " ".join(
        [
            *([] if target is None else [f"to {target}"]),
            *(strengths or ()),
            *(f"until {text}" for text in until or ()),
            *(f"keep {name}" for name in keep or ()),
        ]
    )
    if (pictures := folder_pictures(image)) is not None:
        return _edit_folder(space, pictures, move, keep_detail, asked, words, seed, device, out, force)
    from morphospace.editing import edited as change

    path = output_path(out, "edit", ".png", force=force)
    sheet = output_path(path.with_name(f"{path.stem}-sheet.png"), "edit", ".png", force=force)
    found = open_space(space, device)
    original = image_argument(found, image)
    edited, moved, held = change(found, original, keep_detail=keep_detail, **move)
    typical = note_typicality(float(found.typicality(moved)[0]), "the edit")
    reads = _reads(held, edited, wanted)
    from morphospace.pictures import Picture

    about = found.text(kind="edit", concepts=words, command=command_line())
    Picture(edited[0], about).save(path)
    lines = [] if target is None else [f"to {target}" + (f" x{strength:g}" if strength != 1 else "")]
    lines += [f"{name} {value:+g}" for name, value in asked_strengths.items()]
    lines += [f"until {text}" for text in until or ()] + [f"keep {name}" for name in keep or ()]
    _sheet(found, original, edited, "\n".join(lines), about, sheet)
    facts = {"seed": seed, "image": image, **asked, "keep_detail": keep_detail, **typical, "reads": reads}
    return Answer(facts, outputs=[path, sheet])


def _reads(space: Space, edited: Images, wanted: dict[str, float]) -> dict[str, float]:
    """What the edited image reads, encoded again; says so where that is not what was wanted."""
    z = space.encode(edited).mean
    found = {}
    for name, value in wanted.items():
        concept = space.concepts[name]
        found[name] = round(float(concept.read(z)[0]), 4)
        if abs(found[name] - value) > _MISSED * (abs(concept.distance) if concept.of_number else 1.0):
            note(f"{name}: the edit reads {found[name]:g}, not {value:g}; strengths up to 4 were tried")
    return found


def _edit_folder(
    space: str,
    pictures: list[tuple[str, Path]],
    move: dict[str, Any],
    keep_detail: bool,
    asked: dict[str, Any],
    words: str,
    seed: int,
    device: str,
    out: Path | None,
    force: bool,
) -> Answer:
    from morphospace.cli.folders import change_folder
    from morphospace.editing import edited
    from morphospace.latent.mixtures import ATYPICAL

    folder = output_path(out, "edit", "", force=force)
    found = open_space(space, device)
    about = found.text(kind="edit", concepts=words, command=command_line())
    outside = 0

    def change(images: Images) -> Images:
        nonlocal outside
        made, moved, _ = edited(found, images, keep_detail=keep_detail, **move)
        outside += int((found.typicality(moved) < ATYPICAL).sum())
        return made

    facts = change_folder(found, pictures, folder, change, about)
    if outside:
        note(
            f"{outside:,} of {facts['count']:,} edits leave the populated part of the space; a smaller strength may not"
        )
    return Answer({"space": space, "seed": seed, **asked, **facts, "outside": outside}, outputs=[folder])


def _sheet(space: Space, original: Images, edited: Images, caption: str, about: dict[str, str], path: Path) -> None:
    """The original, what the space makes of it, and the edit, side by side."""
    import numpy as np

    from morphospace.pictures import Picture, enlarge
    from morphospace.report.sheets import captioned

    row = enlarge(np.concatenate([original, space.reconstruct(original), edited]), 168)
    Picture(captioned([row], [caption], columns=["original", "decoded", "edited"]), about).save(path)


def _check_once(argument: str, names: list[str]) -> None:
    twice = [name for i, name in enumerate(names) if name in names[:i]]
    if twice:
        raise ArgumentError(f'"{twice[0]}" is given twice.', argument=argument)


def _strength(text: str) -> tuple[str, float]:
    name, equals, value = text.rpartition("=")
    strength = _number(value)
    if not equals or not name or strength != strength:
        raise ArgumentError(f'expected NAME=STRENGTH, like 6=2.0, got "{text}".', argument="strengths")
    return name, strength


def _target(text: str) -> tuple[str, float]:
    """A concept's name, "" where there is none, and the value to reach: "90%" is 0.9."""
    name, equals, value = text.rpartition("=")
    target = _number(value[:-1]) / 100 if value.endswith("%") else _number(value)
    if target != target or (equals and not name) or (not name and not value.endswith("%")):
        raise ArgumentError(
            f'expected NAME=TARGET, like 6=90% or slant=0.3, or 90% with --to, got "{text}".', argument="until"
        )
    if not name and not 0 < target < 1:
        raise ArgumentError(f"expected a chance between 0 % and 100 %, got {value}.", argument="until")
    return name, target


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")
