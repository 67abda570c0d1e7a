"""What trials of concepts found, as pictures and as a page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from morphospace._version import __version__
from morphospace.data import Dataset
from morphospace.evaluate.class_trials import ClassFigures
from morphospace.evaluate.concept_trials import Trials, interval
from morphospace.evenly import evenly_spaced
from morphospace.images import Images
from morphospace.pictures import Picture, enlarge
from morphospace.report.concepts import concept_sheet
from morphospace.report.figures import figure_of, rendered
from morphospace.report.html import Exhibit, write_report
from morphospace.report.sheets import captioned
from morphospace.space import Space

__all__ = ["class_sheet", "entanglement_figure", "pairs_figure", "write_trial_report"]

_SIDE = 84


def entanglement_figure(trials: Trials, text: dict[str, str]) -> Picture:
    """What each concept does to each other one at strength 1: rows move, columns are moved; 1 is the whole way."""
    moved = np.mean(trials.moved, 0)
    return _heat_map(
        moved, trials.names, trials.properties, text, limit=1.0, colours="RdBu_r",
        across="moves ... by this share of its own whole way", down="strength 1 of ...",
    )  # fmt: skip


def pairs_figure(figures: ClassFigures, names: Sequence[str], text: dict[str, str]) -> Picture:
    """The share of images of each class that become each other one, in per cent."""
    shares = np.where(figures.pairs, 100 * figures.reached, np.nan)
    return _heat_map(
        shares, names, names, text, limit=100.0, colours="Blues", across="become ...", down="images of ...",
        form=".4g", low=min(80.0, float(np.nanmin(shares))),
    )  # fmt: skip


def class_sheet(space: Space, dataset: Dataset) -> Picture:
    """A test image of each class in each row, and what it becomes in each column."""
    names = () if space.classes is None else space.classes.names
    labels = np.asarray(dataset.test.labels)
    rows, shown = [], []
    for source in names:  # whose places among the classes are not the numbers of their labels
        here = np.flatnonzero(labels == dataset.label_number(source))
        if not len(here):
            continue
        shown.append(source)
        image = dataset.test.images[here[len(here) // 2]][None]
        z = space.encode(image).mean
        made = [
            space.decode(z if source == target else space.change_class(z, target, source=source)) for target in names
        ]
        rows.append(enlarge(np.concatenate([image, *made]), _SIDE))
    columns = ["original", *(f"to {name}" for name in names)]
    return Picture(captioned(rows, shown, columns=columns), space.text(kind="classes"))


def write_trial_report(
    folder: Path,
    space: Space,
    dataset: Dataset,
    trials: Trials,
    classes: ClassFigures | None,
    *,
    command: str,
) -> list[Path]:
    """Write a page of what the judges found, and each picture by itself, into ``folder``.

    Args:
        folder: exists.
        space: has the concepts.
        dataset: has the images before and after.
        trials: of concepts; may be of none.
        classes: of edits from class to class, where the space knows any.
        command: goes into every picture.
    """
    text = space.text(kind="trial", command=command)
    exhibits: list[tuple[str, Exhibit]] = []
    if trials.names:
        words = (
            "Rows were moved at strength 1, columns are what the judges saw move: 1 is that concept's own whole way, "
            "from the average image that lacks it to the average one that shows it. A clean concept moves itself alone."
        )
        exhibits.append(("entanglement", Exhibit("Entanglement", words, entanglement_figure(trials, text))))
    for i, name in enumerate(trials.names):
        picture = concept_sheet(space, name, _shown(dataset))
        exhibits.append((f"concept-{i + 1:02d}", Exhibit(name, _words(trials, name), picture)))
    if classes is not None and space.classes is not None:
        found = classes.to_json()
        words = (
            f"The share of test images of each class (row) that the judge takes for the class they were edited to "
            f"(column): {found['mean']:.1%} on average, {found['worst']:.1%} in the worst pair; random steps of the "
            f"same length reach it in {found['random']:.1%}."
        )
        exhibits.append(
            ("classes", Exhibit("From class to class", words, pairs_figure(classes, space.classes.names, text)))
        )
        words = "One test image of each class, and what it becomes."
        exhibits.append(("pairs", Exhibit("Each one as each other one", words, class_sheet(space, dataset))))
    outputs = []
    for name, exhibit in exhibits:
        if isinstance(exhibit.picture, Picture):
            exhibit.picture.text.update(command=command)
            outputs.append(exhibit.picture.save(folder / f"{name}.png"))
    judges = [(f"judge of {name}", f"{np.mean(values):.1%}") for name, values in trials.judges.items()]
    report = folder / "report.html"
    write_report(
        report,
        title=f"What concepts do in a space of {space.about.get('data', {}).get('name', 'images')}",
        lead=f"Test images were edited, and judged by networks that were trained on images and never saw a latent: "
        f"{len(next(iter(trials.judges.values()), [0]))} of them, each with other images and other random steps.",
        facts=[("concepts", str(len(trials.names))), ("images each", str(trials.images)), *judges],
        exhibits=[exhibit for _, exhibit in exhibits],
        footer=f"Morphospace {__version__}. {command}",
    )
    return [report, *outputs]


def _shown(dataset: Dataset) -> Images:
    images: Images = dataset.test.images[evenly_spaced(len(dataset.test), 6)]
    return images


def _words(trials: Trials, name: str) -> str:
    """The figures of strength 1 as sentences."""
    found = {key: interval(values) for key, values in trials.figures[name][1.0].items()}

    def share(key: str) -> str:
        mean, low, high = (found[key][part] for part in ("mean", "low", "high"))
        return "an unknown share" if mean is None else f"{mean:.0%} ({low:.0%} to {high:.0%})"

    words = [f"At strength 1 {share('reached')} of the way to it is gone" if name in trials.correlations
             else f"At strength 1 {share('reached')} of the images that lack it show it"]  # fmt: skip
    words.append(f"after random steps of the same length {share('random_reached')}")
    sentence = ", ".join(words) + ". "
    if name in trials.correlations:
        sentence += f"Strength and judged change correlate with {np.mean(trials.correlations[name]):.2f}. "
    if "others" in found:
        sentence += f"Other concepts move by {share('others')} of their own ways (random: {share('random_others')}). "
    if name in trials.seen:
        sentence += "It was learned from test images, of which some may be among those edited: no held-out test. "
    return (
        f"{sentence}{share('kept')} stay nearest to their own original (random: {share('random_kept')}); "
        f"{share('real')} lie among real images, as {share('real_decoded')} of plain reconstructions do."
    )


def _heat_map(
    values: NDArray[Any],
    rows: Sequence[str],
    columns: Sequence[str],
    text: dict[str, str],
    *,
    limit: float,
    colours: str,
    across: str,
    down: str,
    form: str = ".2f",
    low: float | None = None,
) -> Picture:
    """A table of numbers as colours, each number written into its cell."""
    from matplotlib import colormaps
    from matplotlib.colors import Normalize

    least = -limit if low is None else low
    figure, axes = figure_of(2.2 + 0.62 * len(columns), 1.6 + 0.5 * len(rows))
    palette, scale = colormaps[colours].with_extremes(bad="#f3f4f6"), Normalize(least, limit, clip=True)
    axes.imshow(np.ma.masked_invalid(values), cmap=palette, norm=scale, aspect="auto")
    for (i, j), value in np.ndenumerate(values):
        if np.isfinite(value):
            red, green, blue, _ = palette(scale(value))
            dark = 0.3 * red + 0.59 * green + 0.11 * blue < 0.55
            axes.text(
                j, i, format(value, form), ha="center", va="center", fontsize=9.5, color="white" if dark else "#20242c"
            )
    axes.set_xticks(range(len(columns)), columns, rotation=40 if max(map(len, columns)) > 3 else 0, ha="center")
    if max(map(len, columns)) > 3:
        for label in axes.get_xticklabels():
            label.set_ha("right")
            label.set_rotation_mode("anchor")
    axes.set_yticks(range(len(rows)), rows)
    axes.set_xticks(np.arange(len(columns) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(rows) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", lw=1.5)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)
    axes.set(xlabel=across, ylabel=down)
    return rendered(figure, text)
