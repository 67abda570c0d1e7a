"""``morpho sample``, ``atlas``, ``reconstruct`` and ``morph``: verbs that draw."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Optional

import typer

from morphospace.cli.arguments import DeviceOption, ForceOption, OutOption, SeedOption, SpaceArgument
from morphospace.cli.opening import folder_pictures, image_argument, open_space
from morphospace.cli.outputs import output_path
from morphospace.cli.screen import note
from morphospace.cli.verbs import Answer, command_line, verb

__all__ = ["register"]

_DRAW = "Draw"
ImagesArgument = Annotated[
    list[str],
    typer.Argument(metavar="IMAGE...", help="Picture files, or items like mnist:test/17; a folder too to reconstruct."),
]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    for function in (sample, atlas, reconstruct, morph):
        app.command(function.__name__, rich_help_panel=_DRAW)(verb(function))


def sample(
    space: SpaceArgument,
    n: Annotated[int, typer.Option("-n", min=1, help="How many.")] = 64,
    label: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--label", help="Draw images of this label: from its class, or else from its test images' codes."),
    ] = None,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    out: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--out",
            help="Where to write: a PNG, or with a slash at its end a folder of single PNGs, like samples/; a new "
            "numbered sheet in morpho-out/ by default.",
        ),
    ] = None,
    force: ForceOption = False,
) -> Answer:
    """Draw new images from the space: as a sheet, or as single files in a folder."""
    from morphospace.cli.folders import write_samples
    from morphospace.report import sample_sheet

    single = out is not None and (out.endswith(("/", os.sep)) or Path(out).is_dir())
    path = output_path(None if out is None else Path(out), "sample", "" if single else ".png", force=force)
    found = open_space(space, device)
    if single:
        write_samples(found, path, n, seed=seed, label=label)
    else:
        picture = sample_sheet(found, n, seed=seed, label=label)
        picture.text.update(command=command_line())
        picture.save(path)
    if label is not None and found.classes is None:
        note(
            f"this space has learned no classes: these are drawn from where the codes of its test images of {label} "
            f"lie; morpho concept classes {space} --data DATA learns it from training images"
        )
    return Answer({"seed": seed, "n": n, "label": label}, outputs=[path])


def atlas(
    space: SpaceArgument,
    grid: Annotated[int, typer.Option("--grid", min=1, max=200, help="Pictures a side.")] = 15,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    out: OutOption = None,
    force: ForceOption = False,
) -> Answer:
    """Draw the plane of the space, decoded on a grid of Gaussian quantiles."""
    path = output_path(out, "atlas", ".png", force=force)
    picture = open_space(space, device).atlas(grid)
    picture.text.update(kind="atlas", command=command_line())
    picture.save(path)
    return Answer({"seed": seed, "grid": grid}, outputs=[path])


def reconstruct(
    space: SpaceArgument,
    images: ImagesArgument,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    out: OutOption = None,
    force: ForceOption = False,
) -> Answer:
    """Draw images above what the space makes of them; of a folder, write each as a PNG of the same name."""
    import numpy as np

    from morphospace.cli.folders import change_folder
    from morphospace.report import reconstruction_sheet

    if len(images) == 1 and (pictures := folder_pictures(images[0])) is not None:
        folder = output_path(out, "reconstruct", "", force=force)
        found = open_space(space, device)
        text = found.text(kind="reconstruction", command=command_line())
        facts = change_folder(found, pictures, folder, found.reconstruct, text)
        return Answer({"seed": seed, "images": images, **facts}, outputs=[folder])
    path = output_path(out, "reconstruct", ".png", force=force)
    found = open_space(space, device)
    pixels = np.concatenate([image_argument(found, text) for text in images])
    picture = reconstruction_sheet(found, pixels)
    picture.text.update(command=command_line())
    picture.save(path)
    error = (found.reconstruct(pixels).astype(float) - pixels) / 255
    figures = [round(float(value), 6) for value in (error**2).mean((1, 2, 3))]
    return Answer({"seed": seed, "images": images, "mean_squared_error": figures}, outputs=[path])


def morph(
    space: SpaceArgument,
    images: ImagesArgument,
    frames: Annotated[int, typer.Option("--frames", min=2, max=10000, help="How many.")] = 32,
    path: Annotated[
        str,
        typer.Option(
            "--path",
            help="lerp: straight; slerp: a great circle; gaussian: in equal shares of the prior's probability; "
            "geodesic: the way along which the picture changes least, in equal steps.",
        ),
    ] = "lerp",
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    out: OutOption = None,
    force: ForceOption = False,
) -> Answer:
    """Draw the way from image to image: a GIF, or a strip if --out ends in .png.

    --json tells how far the picture changes on the way, the sum of the distances between frames with pixels in 0..1,
    and how evenly, the steps' standard deviation over their mean: 0 is perfectly even.
    """
    from morphospace.errors import ArgumentError
    from morphospace.latent import path_length

    if len(images) < 2:
        raise ArgumentError(f"a morph needs at least two images, got {len(images)}.", argument="image")
    target = output_path(out, "morph", ".gif", force=force)
    found = open_space(space, device)
    film = found.morph(*(image_argument(found, text) for text in images), frames=frames, path=path)
    film.text.update(kind="morph", command=command_line())
    film.save(target)
    told = found.given(film.labels)
    way = path_length(picture for some in told.decode_batches([film.points], dtype="float") for picture in some)
    facts = {"path": path, "length": round(way.length, 4), "evenness": round(way.evenness, 4)}
    return Answer({"seed": seed, "images": images, "frames": frames, **facts}, outputs=[target])
