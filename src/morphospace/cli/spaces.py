"""``morpho info``, ``evaluate`` and ``compare``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from morphospace.cli.arguments import DeviceOption, ForceOption, OutOption, SeedOption, SpaceArgument
from morphospace.cli.opening import open_data, open_space
from morphospace.cli.outputs import output_path
from morphospace.cli.screen import escape, note, screen
from morphospace.cli.space_data import data_for, note_overlap
from morphospace.cli.verbs import Answer, command_line, verb
from morphospace.errors import plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from morphospace.evaluate import Comparison
    from morphospace.space import Space

__all__ = ["register"]

_LOOK = "Look"
_ABLE = 0.9  # of test images that a judge tells right
_LABELS = 20  # shown one by one
_NATS = ("neg_elbo", "reconstruction", "kl", "nll", "exact_nll")


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command("info", rich_help_panel=_LOOK)(verb(info))
    app.command("evaluate", rich_help_panel=_LOOK)(verb(evaluate))
    app.command("compare", rich_help_panel=_LOOK)(verb(compare))


def info(space: SpaceArgument) -> Answer:
    """Show what a space is: its recipe, data, figures and concepts."""
    found = open_space(space, "cpu")
    about = found.about
    height, width, channels = found.shape
    facts = {
        "space": space,
        "recipe": found.recipe.name,
        "latent_dim": found.latent_dim,
        "shape": [height, width, channels],
        "parameters": found.parameters,
        "seed": about.get("seed"),
        "data": about.get("data", {}),
        "train": about.get("train", {}),
        "test": about.get("test", {}),
        "polish": about.get("polish", []),
        "attributes": list(found.reference_attributes),
        "concepts": list(found.concepts),
        "command": about.get("command"),
        "settings": found.recipe.to_json(),
    }
    test = {k: v for k, v in facts["test"].items() if v is not None}
    how = found.interpretation.in_words() if "interpretation" in facts["data"] else ""
    rows = [
        ("recipe", f"{found.recipe.name}: {found.recipe.summary}"),
        (
            "images",
            f"{width}x{height} {'grey' if channels == 1 else 'colour'}, trained on {facts['data'].get('name', '?')}",
        ),
        *([("pixels", f"later images are read as those of its set: {how}")] if how else []),
        ("latents", str(found.latent_dim)),
        ("parameters", f"{found.parameters:,}"),
        ("seed", str(facts["seed"])),
        ("trained", f"{facts['train'].get('seconds', '?')} s, {facts['train'].get('epochs', '?')} epochs"),
        *(
            [("polished", "its decoder alone, after training; the card has the figures of before")]
            * bool(facts["polish"])
        ),
        ("test", ", ".join(f"{k} {v:.4g}" for k, v in test.items()) + " (nats an image; psnr in dB)"),
        ("samples", f"come from {found.recipe.sampler.words}"),
        ("attributes", "of the test images: " + (", ".join(facts["attributes"]) or "none")),
        ("concepts", ", ".join(found.concepts) or "none; learn one with morpho concept learn"),
        ("command", str(facts["command"] or "ms.train")),
    ]
    return Answer(facts, "\n".join(f"[dim]{name:11}[/]{escape(value)}" for name, value in rows))


def evaluate(
    space: SpaceArgument,
    data: Annotated[
        Optional[str], typer.Option("--data", help="The set to score; the space's own by default.")  # noqa: UP045
    ] = None,
    samples: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(min=1, help="Also bound -log p(x) by this many importance-weighted draws an image: 50 to 5,000."),
    ] = None,
    points: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(
            min=1,
            help="Also -log p(x) itself, summed over so many points of the whole latent space: 10,946 or more; for up "
            "to 3 latents and the prior N(0, I).",
        ),
    ] = None,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
) -> Answer:
    """Score a space on all test images of a set, in float32, in nats an image; and on those of each label."""
    from morphospace.evaluate import evaluate_space

    found = open_space(space, device)
    name, preparation = data_for(space, found, data)
    dataset = open_data(name, preparation)
    overlap = note_overlap(space, found, dataset)
    figures = evaluate_space(found, dataset, seed=seed, samples=samples, points=points)
    for words in figures["warnings"]:
        note(words)
    test = figures["test"]
    rows = [(k, v) for k, v in test.items() if v is not None]
    used = found.latent_dim - len(figures["latents"]["unused"])
    text = "\n".join(
        [
            f"[bold]{escape(name)}[/], {plural(figures['images'], 'test image')}",
            *(f"[dim]{name:16}[/]{_value(name, value)}" for name, value in rows),
            f"[dim]{'latents used':16}[/]{used} of {found.latent_dim}",
            *_codes(figures.get("codes")),
            *_by_label(figures["by_label"]),
        ]
    )
    return Answer({"space": space, "seed": seed, **figures, "test_images_trained_on": overlap}, text)


def _codes(use: Mapping[str, Any] | None) -> Iterator[str]:
    """How much of its book a space of codes uses; nothing of others."""
    if use is not None:
        yield f"[dim]{'codes used':16}[/]as if {use['perplexity']:.1f} of {use['entries']} evenly (perplexity)"


def _by_label(figures: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """The figures of each label as a table, all of them or those of the worst reconstructed ones."""
    if not figures:
        return
    worst = sorted(figures, key=lambda label: -figures[label]["reconstruction"])[:_LABELS]
    shown = list(figures) if len(figures) <= _LABELS else worst
    nats = [[figures[label][key] for key in ("reconstruction", "kl")] for label in shown]
    rows = [
        [label, f"{figures[label]['images']:,}", *("" if value is None else f"{value:.2f}" for value in values)]
        for label, values in zip(shown, nats, strict=True)
    ]
    yield "\n" + _columns([["label", "images", "reconstruction", "kl"], *rows])
    hidden = (
        f"; the worst {len(shown)} of {len(figures):,} labels, --json has them all" if len(shown) < len(figures) else ""
    )
    yield f"[dim]nats an image{hidden}[/]"


def _value(name: str, value: float) -> str:
    shown = f"{value:,}" if isinstance(value, int) else f"{value:.4f}"
    return shown + " nats" * (name in _NATS)


def compare(
    spaces: Annotated[
        list[str], typer.Argument(metavar="SPACE...", help="Run folders, bundle folders, latest, or builtin.")
    ],
    data: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--data", help="A set with labels; the first space's own by default."),
    ] = None,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    out: OutOption = None,
    force: ForceOption = False,
) -> Answer:
    """Compare spaces: a judge that never saw a latent looks at samples, paths and noise; a page shows them."""
    from morphospace.evaluate import compare_spaces
    from morphospace.files import atomic_folder, write_json
    from morphospace.report.comparison import comparison_table, write_comparison_report

    folder = output_path(out, "comparison", "", force=force)
    spaces = list(dict.fromkeys(spaces))
    opened = [open_space(name, device) for name in spaces]
    found = dict(zip(_names(spaces, opened), opened, strict=True))
    dataset = open_data(*data_for(spaces[0], opened[0], data))
    comparison = compare_spaces(
        found, dataset, seed=seed, tell=lambda words: screen().print(f"[dim]{escape(words)}[/]", soft_wrap=True)
    )
    for words in _doubts(found, comparison):
        note(words)
    overlap = {
        called: note_overlap(place, space, dataset, called)
        for place, (called, space) in zip(spaces, found.items(), strict=True)
    }
    facts = {
        "data": dataset.name,
        "seed": seed,
        "paths": spaces,
        **comparison.to_json(),
        "test_images_trained_on": overlap,
    }
    with atomic_folder(folder) as partial:
        written = write_comparison_report(partial, found, dataset, comparison, seed=seed, command=command_line())
        write_json(partial / "figures.json", facts)
        files = [folder / path.name for path in (*written, partial / "figures.json")]
    about = (
        f"[bold]{escape(dataset.name)}[/]: the judge tells {100 * comparison.judge:.2f} % of test images right; "
        f"it recognises {100 * comparison.images:.0f} % of them, "
        f"and {100 * comparison.mixed:.0f} % of cross-fades half-way"
    )
    return Answer(facts, f"{about}\n{_columns(comparison_table(comparison.spaces))}", outputs=files)


def _doubts(spaces: Mapping[str, Space], comparison: Comparison) -> Iterator[str]:
    """What makes figures of a comparison mean less than they seem to."""
    if comparison.judge < _ABLE:
        yield f"the judge tells only {100 * comparison.judge:.0f} % of test images right: what it recognises means less"
    kinds = {name: space.model.likelihood_name for name, space in spaces.items()}
    if len(set(kinds.values())) > 1:
        named = "; ".join(f"{name}: {kind}" for name, kind in kinds.items())
        yield f"likelihoods differ ({named}): PSNR compares these reconstructions, nats do not"


def _names(spaces: list[str], opened: list[Space]) -> list[str]:
    """What each space is called: by its recipe and latents, and by its place where two are alike."""
    names = [f"{space.recipe.name}, {space.latent_dim} latents" for space in opened]
    return [name if names.count(name) == 1 else f"{name} ({place})" for name, place in zip(names, spaces, strict=True)]


def _columns(rows: list[list[str]]) -> str:
    """Rows of text as columns, the first of them dim."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for i, row in enumerate(rows):
        cells = [
            f"{row[0]:{widths[0]}}",
            *(f"{cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True)),
        ]
        head, rest = escape(cells[0]), escape("  ".join(cells[1:]))
        lines.append(f"[dim]{head}[/]  {rest}" if i else f"[dim]{head}  {rest}[/]")
    return "\n".join(lines)
