"""Several spaces side by side, as pictures and as a page: samples, paths, maps, figures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from morphospace._version import __version__
from morphospace.data import Dataset, ImageArray
from morphospace.evaluate.comparison import Comparison, SpaceFigures, draw_samples, mixed_images
from morphospace.evenly import evenly_spaced
from morphospace.images import Images
from morphospace.latent.paths import lerp
from morphospace.pictures import Picture, enlarge, tile
from morphospace.report.figures import figure_of, rendered
from morphospace.report.html import Exhibit, write_report
from morphospace.report.sheets import captioned
from morphospace.space import Space

__all__ = [
    "FIGURES",
    "comparison_table",
    "figure_text",
    "map_contrast",
    "path_contrast",
    "sample_contrast",
    "write_comparison_report",
]

_SIDE = 56
_FRAMES = 12
_MAP = 21  # decoded pictures a side
_FIT = 10_000  # training codes
_SOURCES = {"prior": "from N(0, I)", "gaussian": "from a Gaussian of codes", "mixture": "from a mixture of codes"}

FIGURES: dict[str, tuple[str, str]] = {
    "prior": ("samples from N(0, I), recognised", ".0%"),
    "prior_kinds": ("their labels, as many as", ".1f"),
    "gaussian": ("samples from a Gaussian of codes", ".0%"),
    "gaussian_kinds": ("their labels", ".1f"),
    "mixture": ("samples from a mixture of codes", ".0%"),
    "mixture_kinds": ("their labels", ".1f"),
    "kept_posterior": ("label kept under the posterior's noise", ".0%"),
    "kept_tenth": ("... under noise of a tenth of the spread", ".0%"),
    "kept_third": ("... of a third", ".0%"),
    "between": ("middle third of paths between labels, recognised", ".0%"),
    "length": ("length of such a path, a cross-fade's being 1", ".2f"),
    "jump": ("its largest step over its mean one", ".2f"),
    "error": ("reconstruction, nats", ".1f"),
    "gap": ("over-fitting: training images are better by, nats", ".1f"),
    "psnr": ("reconstruction, PSNR in dB", ".1f"),
    "zeros": ("exact zeros in codes", ".0%"),
    "bits": ("bits that say a code, to a nat of its own reconstruction", ".1f"),
    "equal_bits": ("... to the quality of the worst of these spaces", ".1f"),
    "rate": ("KL, bits", ".1f"),
    "probe": ("label told from the code by a linear probe", ".0%"),
}
"""What each of :class:`SpaceFigures` is called, and how it is written."""


def figure_text(name: str, value: float | None) -> str:
    """A figure as people read it: "97 %", "12.3", or a dash where there is none."""
    if value is None:
        return "–"
    form = FIGURES[name][1]
    return format(value, form).replace("%", " %")


def sample_contrast(spaces: Mapping[str, Space], images: ImageArray, *, n: int = 8, seed: int = 0) -> Picture:
    """``n`` samples of each source, in a row for each space.

    Args:
        spaces: by name.
        images: training images, uint8 (N, H, W, C), whose codes are fitted.
        n: samples of each source.
        seed: of the samples.
    """
    some = images[evenly_spaced(len(images), _FIT)]
    rows: list[Images] = []
    for space in spaces.values():
        drawn = draw_samples(space, space.encode(some).mean, n, seed=seed)
        blank = np.full((1, *space.shape), 255, np.uint8)
        groups = [enlarge(space.decode(drawn[source]), _SIDE) for source in _SOURCES]
        gap = enlarge(blank, _SIDE)
        rows.append(np.concatenate([groups[0], gap, groups[1], gap, groups[2]]))
    columns = [""] * (len(_SOURCES) * (n + 1) - 1)
    for i, words in enumerate(_SOURCES.values()):
        columns[i * (n + 1) + n // 2] = words
    return Picture(captioned(rows, list(spaces), columns=columns), _text(spaces, "samples", seed))


def path_contrast(spaces: Mapping[str, Space], a: Images, b: Images) -> Picture:
    """The straight path from one image to another in each space, below the images mixed pixel by pixel.

    Args:
        spaces: by name.
        a: one image, uint8 (1, H, W, C).
        b: the other.
    """
    rows = [enlarge(mixed_images(a[0], b[0], _FRAMES), _SIDE)]
    for space in spaces.values():
        start, end = space.encode(np.concatenate([a, b])).mean
        rows.append(enlarge(space.decode(lerp(start, end, np.linspace(0, 1, _FRAMES))), _SIDE))
    return Picture(captioned(rows, ["pixels, mixed", *spaces]), _text(spaces, "paths", 0))


def map_contrast(spaces: Mapping[str, Space], dataset: Dataset) -> Picture:
    """Spaces of two latents: above, where the test images lie; below, what is decoded over the same square.

    Args:
        spaces: by name, of two latents each.
        dataset: with labels.
    """
    from matplotlib import colormaps

    figure, panels = figure_of(3.3 * len(spaces), 6.7, len(spaces), rows=2)
    panels = np.asarray(panels).reshape(2, len(spaces))
    labels = np.asarray(dataset.test.labels)
    kinds = len(dataset.label_names)
    colours = colormaps["tab10" if kinds <= 10 else "gist_rainbow"].resampled(max(10, kinds))
    for (name, space), (above, below) in zip(spaces.items(), panels.T, strict=True):
        codes = space.encode(dataset.test.images).mean
        low, high = np.quantile(codes, [0.005, 0.995], axis=0)
        middle, half = (low + high) / 2, max(float((high - low).max()) / 2 * 1.08, 1e-6)
        extent = (middle[0] - half, middle[0] + half, middle[1] - half, middle[1] + half)
        for kind in range(kinds):
            here = codes[labels == kind]
            above.scatter(*here.T, s=2, linewidths=0, alpha=0.6, color=colours(kind))
            if len(here):
                at = np.median(here, 0)
                if extent[0] < at[0] < extent[1] and extent[2] < at[1] < extent[3]:
                    above.text(*at, dataset.label_names[kind], ha="center", va="center", weight="bold", size=10)
        rows = max(1, round(_MAP * space.shape[1] / space.shape[0]))  # as leave pictures their form
        across, down = (((np.arange(n) + 0.5) / n * 2 - 1) * half for n in (_MAP, rows))
        right, up = np.meshgrid(middle[0] + across, middle[1] + down[::-1])
        grid = np.stack([right.ravel(), up.ravel()], 1).astype(np.float32)
        ground = space.decode(grid)
        if space.model.nonnegative:  # no code lies there
            ground[(grid < 0).any(1)] = 255
        below.imshow(tile(ground, _MAP), extent=extent, cmap="gray", vmin=0, vmax=255, aspect="auto")
        above.set_title(name, fontsize=12, color="#20242c")
        for panel in (above, below):
            panel.set(xlim=extent[:2], ylim=extent[2:], aspect="equal")
            panel.locator_params(nbins=4)
    return rendered(figure, _text(spaces, "maps", 0))


def write_comparison_report(
    folder: Path,
    spaces: Mapping[str, Space],
    dataset: Dataset,
    found: Comparison,
    *,
    seed: int,
    command: str,
) -> list[Path]:
    """Write a page of what a comparison found, and each picture by itself, into ``folder``.

    Args:
        folder: exists.
        spaces: by the names in ``found``.
        dataset: that they were compared on.
        found: see :func:`morphospace.evaluate.compare_spaces`.
        seed: of the samples shown.
        command: goes into every picture.
    """
    labels = np.asarray(dataset.test.labels)  # of two kinds, or there were nothing to compare
    first = 0
    last = int(np.flatnonzero(labels != labels[first])[0])
    a, b = dataset.test.images[first : first + 1], dataset.test.images[last : last + 1]
    exhibits = {
        "samples": Exhibit(
            "Samples",
            "Pictures decoded at places drawn from N(0, I), from a Gaussian, and from a mixture of Gaussians fitted to "
            "the codes of training images. A space whose codes do not fill N(0, I) has only the fits to draw from.",
            sample_contrast(spaces, dataset.train.images, seed=seed),
        ),
        "paths": Exhibit(
            "From one image to another",
            "The straight line between two codes, decoded, below the same two images mixed pixel by pixel.",
            path_contrast(spaces, a, b),
        ),
    }
    flat = {name: space for name, space in spaces.items() if space.latent_dim == 2}
    if flat:
        exhibits["maps"] = Exhibit(
            "Maps",
            "Above, where test images lie, with its label in the middle of each kind; below, what is decoded there.",
            map_contrast(flat, dataset),
        )
    outputs = []
    for name, exhibit in exhibits.items():
        if isinstance(exhibit.picture, Picture):
            exhibit.picture.text.update(command=command)
            outputs.append(exhibit.picture.save(folder / f"{name}.png"))
    report = folder / "report.html"
    write_report(
        report,
        title=f"{len(spaces)} spaces of {dataset.name}, side by side"
        if len(spaces) > 1
        else f"A space of {dataset.name}",
        lead="A judge that was trained on images alone, and never saw a latent, tells which decoded pictures it "
        "recognises with a chance of 90 % or more.",
        facts=[
            ("judge, right on test images", f"{found.judge:.1%}"),
            ("test images recognised", f"{found.images:.1%}"),
            ("mixed pixel by pixel, recognised", f"{found.mixed:.1%}"),
        ],
        exhibits=list(exhibits.values()),
        table=comparison_table(found.spaces),
        footer=f"Morphospace {__version__}. {command}",
    )
    return [report, *outputs]


def comparison_table(spaces: Mapping[str, SpaceFigures]) -> list[list[str]]:
    """The figures as rows of text, the first of them the head."""
    values = {name: found.to_json() for name, found in spaces.items()}
    rows = [["", *values]]
    for key, (words, _) in FIGURES.items():
        rows.append([words, *(figure_text(key, each[key]) for each in values.values())])
    return rows


def _text(spaces: Mapping[str, Space], kind: str, seed: int) -> dict[str, str]:
    """What a picture of several spaces carries."""
    return {"software": "morphospace", "kind": kind, "spaces": ", ".join(spaces), "seed": str(seed)}
