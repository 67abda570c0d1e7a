"""``morpho traverse``: each latent by itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from morphospace.cli.arguments import DeviceOption, ForceOption, OutOption, SeedOption, SpaceArgument
from morphospace.cli.opening import image_argument, open_data, open_space
from morphospace.cli.outputs import output_path
from morphospace.cli.screen import note
from morphospace.cli.space_data import data_for
from morphospace.cli.verbs import Answer, command_line, verb
from morphospace.errors import ArgumentError, MorphospaceError

if TYPE_CHECKING:
    from morphospace.data import Dataset
    from morphospace.evaluate import LatentFigures
    from morphospace.space import Space

__all__ = ["register"]

_MANY = 16


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("traverse", rich_help_panel="Draw")(verb(traverse))


def traverse(
    space: SpaceArgument,
    image: Annotated[
        Optional[str],  # noqa: UP045
        typer.Argument(
            metavar="IMAGE", help="From whose code to start: a picture file, or an item like mnist:test/17."
        ),
    ] = None,
    latents: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--latents", metavar="1,3,7", help="Only these, counted from 1 as z1, z2, ... are."),
    ] = None,
    top: Annotated[
        int, typer.Option("--top", min=1, max=1000, help="Only so many, those with the largest KL.")
    ] = _MANY,
    steps: Annotated[int, typer.Option("--steps", min=2, max=100, help="Pictures a row.")] = 9,
    data: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--data", help="The set whose test images give the KL; the space's own by default."),
    ] = None,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    out: OutOption = None,
    force: ForceOption = False,
) -> Answer:
    """Draw each latent by itself: a row a latent, moved over its range while all others stay.

    The range is from -3 to 3 standard deviations of the prior; where samples are not drawn from the prior, it is that
    of the test images' codes. Rows are ordered by their KL, what a latent tells of an image on average: near 0, moving
    it changes nothing. An autoencoder has none; its latents are ordered by the variance of their codes.
    """
    from morphospace.report.traversal import traversal_sheet, walk_latents

    path = output_path(out, "traverse", ".png", force=force)
    found = open_space(space, device)
    wanted = None if latents is None else _latents(latents, found.latent_dim)
    pixels = None if image is None else image_argument(found, image)
    figures, name = _figures(found, space, data)
    if pixels is not None:
        found = found.given(found.labels_for(pixels))
    order = [int(i) for i in figures.order() if wanted is None or i in wanted]
    shown = order if wanted is not None else order[:top]
    if hidden := found.latent_dim - len(shown):
        most = "the variance" if figures.kl is None else "the KL"
        which = "those asked for" if wanted is not None else f"those with most of {most}"
        note(f"{len(shown)} of {found.latent_dim} latents are drawn, {which}; --top and --latents choose others")
    picture = traversal_sheet(found, walk_latents(found, pixels, name=image or "", steps=steps), shown, figures, pixels)
    picture.text.update(command=command_line())
    picture.save(path)
    facts = {
        "seed": seed, "image": image, "data": name, "steps": steps,
        "latents": [
            {
                "latent": i + 1,
                "kl": None if figures.kl is None else round(float(figures.kl[i]), 6),
                "variance": round(float(figures.variances[i]), 6),
            }
            for i in shown
        ],
        "left_out": hidden,
    }  # fmt: skip
    return Answer(facts, outputs=[path])


def _latents(text: str, count: int) -> set[int]:
    """Places from 0 of latents called like ``1,3,7`` or ``z1,z3,z7``."""
    names = [part.strip() for part in text.split(",")]
    numbers = [int(name.removeprefix("z")) if re.fullmatch(r"z?\d{1,6}", name) else 0 for name in names]
    for name, number in zip(names, numbers, strict=True):
        if not 1 <= number <= count:
            raise ArgumentError(
                f'expected numbers from 1 to {count} (z1 to z{count}) with commas between, got "{name}".',
                argument="latents",
            )
    return {number - 1 for number in numbers}


def _figures(space: Space, name: str, data: str | None) -> tuple[LatentFigures, str | None]:
    """What each latent carries, by the test images of a set; by the codes that the space keeps, where it has none."""
    from morphospace.evaluate import latent_figures

    if not space.has_prior:
        why = (
            "no latent of this space has a KL of its own, as the prior is not N(0, I)"
            if space.model.has_bound
            else "this space has no KL, as its codes are points"
        )
        note(f"{why}: latents are ordered by the variance of the codes")
        if data is None:
            return latent_figures(space, None), None
    dataset = _test_images(space, name, data)
    if dataset is None:
        return latent_figures(space, None), None
    images = dataset.test.images if dataset.shape == space.shape else space.prepare(dataset.test.images[:])
    labels = space.labels_for(images, dataset.test.labels, dataset.label_names or ())
    return latent_figures(space, images, labels), dataset.name


def _test_images(space: Space, name: str, data: str | None) -> Dataset | None:
    """The set that gives the KL; the space's own where it is at hand, else None, and says so."""
    from morphospace.data.sources import is_local
    from morphospace.workflow import preparation_for

    if data is not None:
        return open_data(data, preparation_for(space))
    try:
        own, preparation = data_for(name, space, None)
        if is_local(own):
            return open_data(own, preparation)
        why = f'"{own}" is not on this machine'
    except MorphospaceError as error:
        why = str(error)
    note(
        f"the KL of each latent is not known without the space's test images ({why}): latents are ordered by the "
        "variance of its codes; --data names a set of such images"
    )
    return None
