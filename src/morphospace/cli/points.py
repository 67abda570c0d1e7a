"""``morpho encode`` and ``decode``: images to files of latents, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from morphospace.cli.common import (
    Answer,
    DeviceOption,
    ForceOption,
    OutOption,
    SeedOption,
    SpaceArgument,
    command_line,
    open_space,
    open_splits,
    output_path,
    verb,
)

__all__ = ["register"]

_POINTS = "Points"


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command("encode", rich_help_panel=_POINTS)(verb(encode))
    app.command("decode", rich_help_panel=_POINTS)(verb(decode))


def encode(
    space: SpaceArgument,
    data: Annotated[
        str, typer.Argument(metavar="DATA", help="A folder of pictures, a set like mnist, or a split like mnist:test.")
    ],
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    out: OutOption = None,
    force: ForceOption = False,
) -> Answer:
    """Write the codes of images, with labels and names, as .npz or .csv."""
    import numpy as np

    from morphospace.cli.folders import encode_folder
    from morphospace.points import PointTable, write_points
    from morphospace.workflow import preparation_for

    path = output_path(out, "encode", ".npz", force=force)
    found = open_space(space, device)
    text = found.text(kind="codes", command=command_line())
    if (folder := encode_folder(found, data)) is not None:
        codes, names, problems = folder
        write_points(path, PointTable(codes, None, names), text)
        left_out = [p._asdict() for p in problems]
        facts = {"seed": seed, "points": len(codes), "latent_dim": found.latent_dim, "problems": left_out}
        return Answer(facts, outputs=[path])
    dataset, splits = open_splits(data, preparation_for(found))
    means = [found.encode(split.images).mean for split in splits.values()]
    labels = [split.labels for split in splits.values() if split.labels is not None]
    names = [f"{dataset.name}:{name}/{i}" for name, split in splits.items() for i in range(len(split))]
    # Labels of some splits only would stand beside the wrong points.
    known = np.concatenate(labels) if len(labels) == len(splits) else None
    table = PointTable(np.concatenate(means), known, names)
    write_points(path, table, text)
    return Answer({"seed": seed, "points": len(table.z), "latent_dim": found.latent_dim}, outputs=[path])


def decode(
    space: SpaceArgument,
    points: Annotated[Path, typer.Argument(metavar="z.npz", help="Latents: .npz as encode writes it, .npy or .csv.")],
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
        for images in found.decode_batches([table.z]):
            for image in images:
                (partial / f"{next(numbers)}.png").write_bytes(png_bytes(image, text))
    return Answer({"seed": seed, "images": len(names)}, outputs=[folder])
