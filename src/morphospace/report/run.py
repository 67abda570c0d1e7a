"""The report that every run leaves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from morphospace._version import __version__
from morphospace.data import Dataset
from morphospace.report.figures import curves_figure, map_figure
from morphospace.report.html import Exhibit, write_report
from morphospace.report.sheets import MOST_ROWS, reconstructed_tests, sample_sheet
from morphospace.space import Space

__all__ = ["write_run_report"]

_ATLAS = (
    "The plane of the space, decoded on a 15 by 15 grid of Gaussian quantiles: each picture is drawn from nothing "
    "but its place."
)
_ATLAS_WITHOUT_PRIOR = (
    "The plane of the codes' two principal axes, decoded on a grid. Nothing pressed the codes into one cloud: gaps "
    "may be between them, and here they show."
)
_SAMPLES = "Points drawn at random from {}, and decoded."

_OF_EACH_LABEL = " Each row is one label, and each column one point, drawn as each of them: what it keeps is the style."


def write_run_report(
    path: Path, space: Space, dataset: Dataset, *, metrics: Sequence[dict[str, Any]], warnings: Sequence[str]
) -> None:
    """Write what a person wants to see of a finished run.

    Args:
        path: the HTML file.
        space: trained; its figures are in ``about``.
        dataset: what it was trained on.
        metrics: a line for each epoch.
        warnings: in plain words.
    """
    train, test, data = space.about["train"], space.about["test"], space.about["data"]["name"]
    # Runs that no command made are folders all the same.
    run = path.parent
    facts = [
        ("latents", str(space.latent_dim)),
        ("parameters", f"{space.parameters:,}"),
        ("training", f"{train['seconds']:.1f} s"),
        ("images a second", f"{train['images_per_second'] or 0:,.0f}"),
    ]
    words = {"neg_elbo": "test −ELBO", "reconstruction": "reconstruction", "kl": "KL"}
    facts += [(name, f"{test[key]:.2f} nats") for key, name in words.items() if test[key] is not None]
    if test.get("psnr") is not None:
        facts.append(("reconstructions", f"{test['psnr']:.1f} dB"))
    if test["beta"] not in (None, 1.0):
        facts.append(("beta", f"{test['beta']:g}"))
    if polishes := space.about.get("polish"):
        facts += _polished(polishes[-1])
    names = space.label_names
    atlas = _ATLAS if space.has_prior else _ATLAS_WITHOUT_PRIOR
    samples = _SAMPLES.format(space.recipe.sampler.words)
    count = 96
    if names:
        atlas = f'{atlas} All are drawn as "{names[0]}": the label is told beside.'
    if 0 < len(names) <= MOST_ROWS:
        count, samples = 12 * len(names), samples + _OF_EACH_LABEL
    exhibits = [
        Exhibit("The atlas", atlas, space.given(0 if names else None).atlas(side=42)),
        Exhibit(
            "Where the test images lie",
            "Each point is the code of an image that training never saw.",
            map_figure(space, label_names=dataset.label_names),
        ),
        Exhibit(
            "Reconstructions",
            "Test images above what the space makes of them. What is lost is what its latents cannot say.",
            reconstructed_tests(space, dataset, 24),
        ),
        Exhibit("Samples", samples, sample_sheet(space, count, seed=0)),
    ]
    if len(metrics) > 1:
        exhibits.append(Exhibit("Training", "Nats an image after each epoch.", curves_figure(metrics)))
    command = space.about.get("command") or "ms.train"
    write_report(
        path,
        title=f"A space of {data}",
        lead=f"{len(dataset.train):,} images of {dataset.shape[1]}x{dataset.shape[0]} pixels, "
        f'recipe "{space.recipe.name}", {train["epochs"]} epochs, seed {space.about["seed"]}.',
        facts=facts,
        exhibits=exhibits,
        warnings=warnings,
        notes=[*dataset.notes, *_left_out(dataset)],
        commands=f"morpho atlas {run}\nmorpho sample {run} -n 64\nmorpho morph {run} {data}:test/0 {data}:test/1",
        footer=f"Morphospace {__version__}. {command}",
    )


def _polished(polish: dict[str, Any]) -> list[tuple[str, str]]:
    """What a polish changed; nats of before are those to compare with other spaces'."""
    found = [("polished, codes held", f"{polish['seconds']:.1f} s")]
    if (before := polish["before"].get("neg_elbo")) is not None:
        found.append(("test −ELBO before the polish", f"{before:.2f} nats"))
    if "distance" in polish:
        found.append(("perceptual distance", "{before:.4f} before, {after:.4f} after".format(**polish["distance"])))
    return found


def _left_out(dataset: Dataset) -> list[str]:
    count = len(dataset.problems)
    return (
        [f"{count:,} {'file was' if count == 1 else 'files were'} left out: morpho data info says why"] if count else []
    )
