"""``morpho encode`` and ``decode``: images to files of latents, and back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from morphospace.cli.arguments import DeviceOption, ForceOption, OutOption, SeedOption, SpaceArgument
from morphospace.cli.opening import image_argument, open_space, open_splits
from morphospace.cli.outputs import output_path
from morphospace.cli.verbs import Answer, command_line, verb

if TYPE_CHECKING:
    from morphospace.space import Space

__all__ = ["register"]

_POINTS = "Points"


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command("encode", rich_help_panel=_POINTS)(verb(encode))
    app.command("decode", rich_help_panel=_POINTS)(verb(decode))


def encode(
    space: SpaceArgument,
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA", help="A picture, a folder of them, a set like mnist, or a split like mnist:test."
        ),
    ],
    label: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--label", metavar="COLUMN", help="The column of the table that has the labels."),
    ] = None,
    label_from: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--label-from", metavar="REGEX", help="Labels from file names: what the first (group) finds."),
    ] = None,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    out: OutOption = None,
    force: ForceOption = False,
) -> Answer:
    """Write the codes of images as .npz or .csv, with what is known of each: its name, label and attributes."""
    import numpy as np

    from morphospace.cli.folders import encode_folder
    from morphospace.cli.rows import Rows, rows_of_folder, rows_of_splits
    from morphospace.data import Preparation
    from morphospace.data.archive import is_archive
    from morphospace.data.arrays import array_file_kind
    from morphospace.examples import labels_of
    from morphospace.points import PointTable, write_points
    from morphospace.workflow import preparation_for

    path = output_path(out, "encode", ".npz", force=force)
    found = open_space(space, device)
    preparation = preparation_for(found, Preparation(label=label, label_from=label_from))
    if (folder := encode_folder(found, data, listed=True)) is not None:
        codes, names, problems = folder
        rows, more = rows_of_folder(Path(data), names, preparation)
        problems = [*more, *problems]
    elif Path(data).is_file() and not array_file_kind(Path(data)) and not is_archive(Path(data)):
        code = found.encode(image_argument(found, data))
        codes, problems = code.mean, []
        read_as = "" if code.labels is None else found.label_names[code.labels[0]]
        rows = Rows([Path(data).name], [""], [read_as] if read_as else [], {})
    else:
        dataset, splits = open_splits(data, preparation)
        told = [(split, labels_of(found, split, dataset)) for split in splits.values()]
        codes = np.concatenate([found.encode(split.images, labels).mean for split, labels in told])
        rows, problems = rows_of_splits(dataset, splits), list(dataset.problems)
    table = PointTable(codes, rows.labels, rows.names, rows.attributes)
    write_points(path, table, found.text(kind="codes", command=command_line()))
    facts = {
        "seed": seed,
        "points": len(codes),
        "latent_dim": found.latent_dim,
        "labels": sorted(set(rows.labels) - {""}),
        "attributes": list(rows.attributes),
        "problems": [problem._asdict() for problem in problems],
    }
    return Answer(facts, outputs=[path])


def decode(
    space: SpaceArgument,
    points: Annotated[
        Path, typer.Argument(metavar="z.npz", help="Latents: .npz or .csv as encode writes them, or .npy.")
    ],
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    out: OutOption = None,
    force: ForceOption = False,
) -> Answer:
    """Decode a file of latents to a folder of PNGs, named like the images they came from."""
    from morphospace.files import atomic_folder
    from morphospace.images import png_bytes
    from morphospace.points import file_names, read_points

    folder = output_path(out, "decode", "", force=force)
    found = open_space(space, device)
    table = read_points(points)
    names = file_names(table)
    text = found.text(command=command_line())
    with atomic_folder(folder) as partial:
        # An atomic folder is an all-or-nothing one: its files need no ceremony of their own.
        numbers = iter(names)
        for images in _told(found, table.labels).decode_batches([table.z]):
            for image in images:
                (partial / f"{next(numbers)}.png").write_bytes(png_bytes(image, text))
    return Answer({"seed": seed, "images": len(names)}, outputs=[folder])


def _told(space: Space, labels: Sequence[str]) -> Space:
    """The space, given the labels that a file of latents names, where all are such that it is told."""
    import numpy as np

    if space.held is not None or not labels or not set(labels) <= set(space.label_names):
        return space
    return space.given(np.array([space.label_names.index(label) for label in labels]))
