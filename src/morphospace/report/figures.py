"""Figures drawn with matplotlib: the map of codes, the curves of training."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from morphospace.latent.concepts import Concept
from morphospace.pictures import Picture
from morphospace.space import Space

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["curves_figure", "figure_of", "map_figure", "rendered"]

_STYLE: dict[Any, Any] = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#9aa0ac",
    "axes.labelcolor": "#40454f",
    "xtick.color": "#737a87",
    "ytick.color": "#737a87",
    "font.size": 11,
    "figure.dpi": 110,
}


def rendered(figure: Figure, text: dict[str, str]) -> Picture:
    """A figure as a picture, with ``text`` for its PNG."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", bbox_inches="tight", facecolor="white")
    stream.seek(0)
    return Picture(np.asarray(Image.open(stream).convert("RGB")), text)


def figure_of(width: float, height: float, columns: int = 1, *, rows: int = 1) -> tuple[Figure, Any]:
    """An empty figure of so many inches in the house's style, and its panel or panels."""
    # The object API, not pyplot: no global state, no backend that wants a screen.
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        return figure, figure.subplots(rows, columns)


def map_figure(space: Space, *, label_names: Sequence[str] = (), concepts: Sequence[Concept] = ()) -> Picture:
    """Where the test images lie on the atlas's plane, coloured by label, with concepts as arrows.

    Args:
        space: must keep reference codes.
        label_names: for the legend.
        concepts: drawn from the middle as arrows of strength 1.
    """
    if space.reference is None:
        raise ValueError("the space keeps no reference points")
    plane = space.plane()
    # Coordinates on the plane in standard deviations: the axes are orthogonal, each one deviation long.
    scale = plane.axes / (plane.axes**2).sum(1, keepdims=True)
    points = (space.reference - plane.origin) @ scale.T
    if points.shape[1] == 1:
        points = np.column_stack([points, np.zeros(len(points))])
    figure, axes = figure_of(6.4, 6.0)
    labels = space.reference_labels
    size = float(np.clip(12000 / len(points), 2, 24))
    if labels is None:
        axes.scatter(*points.T, s=size, alpha=0.6, linewidths=0, color="#3b6fd4")
    else:
        from matplotlib import colormaps

        kinds = np.unique(labels)
        colours = colormaps["tab10" if len(kinds) <= 10 else "gist_rainbow"].resampled(max(10, len(kinds)))
        for i, kind in enumerate(kinds):
            name = label_names[kind] if kind < len(label_names) else str(kind)
            here = points[labels == kind]
            axes.scatter(*here.T, s=size, alpha=0.65, linewidths=0, color=colours(i), label=name)
        if len(kinds) <= 20:
            legend = axes.legend(
                loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, markerscale=min(4, 8 / size**0.5),
                handletextpad=0.2,
            )  # fmt: skip
            for handle in legend.legend_handles:
                handle.set_alpha(1)
    if concepts:
        from matplotlib.patheffects import withStroke

        halo = [withStroke(linewidth=3, foreground="white")]
        for concept in concepts:
            tip = concept.direction @ scale.T
            end = (float(tip[0]), float(tip[1]) if len(tip) > 1 else 0.0)
            axes.annotate("", xy=end, xytext=(0, 0), arrowprops={"arrowstyle": "-|>", "lw": 1.6, "color": "#20242c"})
            axes.annotate(
                concept.name, xy=(end[0] * 1.12, end[1] * 1.12), ha="center", va="center",
                color="#20242c", fontsize=12, fontweight="bold", path_effects=halo,
            )  # fmt: skip
    limit = max(1.0, float(np.quantile(np.abs(points), 0.999)) * 1.08)
    names = (*plane.names, "")[:2]
    axes.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xlabel=names[0], ylabel=names[1])
    axes.axhline(0, color="#d5d8de", lw=0.8, zorder=0)
    axes.axvline(0, color="#d5d8de", lw=0.8, zorder=0)
    return rendered(figure, space.text(kind="map"))


def curves_figure(metrics: Sequence[dict[str, Any]], *, text: dict[str, str] | None = None) -> Picture:
    """The losses of each epoch in nats: training and test, one panel a part."""
    parts = [
        p for p in ("neg_elbo", "reconstruction", "kl") if all(line["test"].get(p) is not None for line in metrics)
    ]
    words = {"neg_elbo": "$-$ELBO", "reconstruction": "reconstruction", "kl": "KL"}
    figure, axes = figure_of(3.7 * len(parts), 2.9, len(parts))
    for panel, part in zip(np.atleast_1d(axes), parts, strict=True):
        for split, colour in (("train", "#9aa0ac"), ("test", "#d1495b")):
            values = [(m["epoch"], m[split].get(part)) for m in metrics]
            known = [(epoch, value) for epoch, value in values if value is not None]
            if known:
                panel.plot(*zip(*known, strict=True), color=colour, lw=1.8, label=split, marker="o", ms=2.5)
        panel.set_title(f"{words[part]} (nats)", fontsize=11, color="#40454f")
        panel.set_xlabel("epoch")
        panel.xaxis.get_major_locator().set_params(integer=True)
        panel.legend(frameon=False)
    return rendered(figure, text or {})
