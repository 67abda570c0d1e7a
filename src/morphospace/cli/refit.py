"""``morpho refit``: where the samples of a space come from."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from morphospace.cli.allowing import allowed
from morphospace.cli.arguments import DeviceOption, SpaceArgument
from morphospace.cli.opening import open_data, open_space
from morphospace.cli.screen import escape, note
from morphospace.cli.space_data import data_for
from morphospace.cli.stored_concepts import bundle_folder
from morphospace.cli.verbs import Answer, verb
from morphospace.errors import plural

if TYPE_CHECKING:
    from morphospace.data import Dataset
    from morphospace.space import Space

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("refit", rich_help_panel="Train")(verb(refit))


def refit(
    space: SpaceArgument,
    sampler: Annotated[
        str,
        typer.Option(
            help="prior: the model's own. Fitted to the codes of training images: gaussian, one; mixture, ten of them; "
            "flow, hundreds, and what carries their draws to where codes lie (a quarter of a minute)."
        ),
    ],
    data: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--data", help="The set whose training images to fit it to; the space's own by default."),
    ] = None,
    seed: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(min=0, help="Seed of the fit; that of the space by default."),
    ] = None,
    device: DeviceOption = "auto",
) -> Answer:
    """Draw the samples of a space from elsewhere: fit a sampler to the codes of its training images, and keep it."""
    from morphospace.bundle import write_sampler
    from morphospace.parts import as_part
    from morphospace.samplers.interfaces import SamplerConfig
    from morphospace.saving import stored_sampler

    found, folder, began = open_space(space, device), bundle_folder(space), time.perf_counter()
    config = as_part("sampler", sampler, allowed())
    from_prior = isinstance(config, SamplerConfig) and config.from_prior
    dataset = None if from_prior and data is None else open_data(*data_for(space, found, data))
    if dataset is not None:
        _note_other_set(found, dataset)
        found.refit(config, dataset.train.images, dataset.train.labels, seed=seed)
    else:
        found.refit(config)
    stored = stored_sampler(found, found.sampler)
    write_sampler(folder, stored)
    count, seconds = 0 if dataset is None else len(dataset.train), time.perf_counter() - began
    count = min(count, found.recipe.sampler.most_codes) if found.sampler is not None else 0
    of_what = f" ({plural(count, 'image')}, {seconds:.1f} s)" if count else ""
    return Answer(
        {"space": space, "sampler": stored.config, "images": count, "seconds": round(seconds, 3)},
        f"samples come from [bold]{escape(found.recipe.sampler.words)}[/]{of_what}\n"
        f"[dim]look at some: morpho sample {escape(space)}[/]",
    )


def _note_other_set(space: Space, dataset: Dataset) -> None:
    own = space.about.get("data", {})
    if dataset.fingerprint != own.get("fingerprint") and (dataset.content or None) != own.get("content"):
        note(
            f"{dataset.name} is not the very set that this space was trained on ({own.get('name') or 'unknown'}): its "
            "samples will be like these images, as far as the space knows their kind"
        )
