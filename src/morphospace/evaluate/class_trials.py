"""Trials of edits from class to class: what a judge takes the images for, and what of their style is left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from morphospace.codec import batch_for
from morphospace.data import Dataset, ImageArray
from morphospace.errors import ArgumentError, DataError
from morphospace.evaluate.edits import correlation, random_step
from morphospace.evaluate.judges import Judge
from morphospace.evaluate.measures import measure
from morphospace.images import Images
from morphospace.space import Space

__all__ = ["STYLE", "ClassFigures", "class_figures"]

Numbers = NDArray[np.float64]

STYLE = ("slant", "stroke-width", "height", "width")
"""The measures of a drawing that an edit from class to class should keep."""

_LABEL = "label"


class ClassFigures(NamedTuple):
    """What edits from class to class did, by one judge.

    Attributes:
        reached: (K, K) share of the images of a class (row) that become another (column); 1 where they agree, NaN for
            classes without images.
        random: (K, K) the same after random steps of equal length.
        style: the correlation from before to after of each of ``STYLE``, mean over pairs; None where it cannot be
            measured, as of pictures that are no bright drawings on a dark ground.
        nearest: the same for the nearest training image of the target class in place of an edit.
    """

    reached: Numbers
    random: Numbers
    style: dict[str, float | None]
    nearest: dict[str, float | None]

    @property
    def pairs(self) -> NDArray[np.bool_]:
        """(K, K) where row and column are different classes."""
        pairs: NDArray[np.bool_] = ~np.eye(len(self.reached), dtype=bool)
        return pairs

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "mean": float(np.nanmean(self.reached[self.pairs])),
            "worst": float(np.nanmin(self.reached)),
            "random": float(np.nanmean(self.random[self.pairs])),
            "reached": [[None if np.isnan(v) else round(v, 4) for v in row] for row in self.reached.tolist()],
            "style": self.style,
            "style_of_nearest": self.nearest,
        }


def class_figures(space: Space, dataset: Dataset, judge: Judge, *, images: int = 100, seed: int = 0) -> ClassFigures:
    """Edit test images of each class to each other one, and let a judge of ``label`` tell.

    Args:
        space: knows the classes.
        dataset: has the labels.
        judge: see :func:`train_judge`.
        images: of each class, at most.
        seed: of the random steps.

    Raises:
        ArgumentError: if the space knows no classes, or others than the set has.
        DataError: if the set has no labels.
    """
    if space.classes is None or not set(space.classes.names) <= set(dataset.label_names):
        raise ArgumentError(
            "it does not know the classes of this set. Learn them: morpho concept classes.", argument="space"
        )
    if dataset.test.labels is None or dataset.train.labels is None:
        raise DataError(f'the images of "{dataset.name}" have no labels.', argument="data")
    labels, learned = np.asarray(dataset.test.labels), np.asarray(dataset.train.labels)
    names = space.classes.names
    rng = np.random.default_rng(seed)
    reached, random = (np.where(np.eye(len(names)) > 0, 1.0, np.nan) for _ in range(2))
    kept: dict[str, list[list[float]]] = {"edit": [], "nearest": []}
    numbers = [dataset.label_names.index(name) for name in names]
    groups = [np.flatnonzero(learned == number) for number in numbers]
    for s in range(len(names)):
        before: Images = dataset.test.images[np.flatnonzero(labels == numbers[s])[:images]]
        if not len(before):
            continue
        z = space.encode(before).mean
        for t in range(len(names)):
            if t == s or not len(groups[t]):
                continue
            moved = space.change_class(z, names[t], source=names[s])
            edited = space.decode(moved)
            reached[s, t] = (judge.classes(_LABEL, edited) == numbers[t]).mean()
            away = random_step(z, moved, rng)
            random[s, t] = (judge.classes(_LABEL, space.decode(away)) == numbers[t]).mean()
            nearest = _nearest(before, dataset.train.images, groups[t])
            kept["edit"].append(_style_kept(before, edited))
            kept["nearest"].append(_style_kept(before, dataset.train.images[nearest]))
    return ClassFigures(reached, random, _mean_style(kept["edit"]), _mean_style(kept["nearest"]))


def _nearest(images: Images, others: ImageArray, rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """Which of ``rows`` among ``others`` has the pixels nearest to each of ``images`` (N, H, W, C), as (N,)."""
    flat = images.reshape(len(images), -1).astype(np.float32)
    least, found = np.full(len(images), np.inf), np.zeros(len(images), np.intp)
    step = batch_for(images.shape)
    for start in range(0, len(rows), step):
        some = rows[start : start + step]
        pixels = others[some].reshape(len(some), -1).astype(np.float32)
        distances = np.square(pixels).sum(1) - 2 * flat @ pixels.T  # up to what is the same for all others
        nearer = distances.min(1) < least
        least[nearer], found[nearer] = distances.min(1)[nearer], some[distances.argmin(1)][nearer]
    return found


def _mean_style(pairs: Sequence[Sequence[float]]) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for name, values in zip(STYLE, np.array(pairs).T, strict=True):
        known = values[np.isfinite(values)]
        found[name] = round(float(known.mean()), 3) if len(known) else None
    return found


def _style_kept(before: Images, after: Images) -> list[float]:
    """How far each measure of style correlates from before to after; a class's mean image would have 0."""
    return [correlation(measure(name, before), measure(name, after)) for name in STYLE]
