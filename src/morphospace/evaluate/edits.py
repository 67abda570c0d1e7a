"""What edits did to images, told by a judge who never saw a latent."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from morphospace.data import Dataset
from morphospace.evaluate.judges import Judge
from morphospace.evaluate.properties import Property
from morphospace.evenly import evenly_spaced
from morphospace.images import Images
from morphospace.latent import upper_half
from morphospace.space import Space

__all__ = ["RealImages", "compare_edits", "correlation", "mean_of", "random_step", "whole_way"]

Points = NDArray[np.float32]
Numbers = NDArray[np.float64]

_NEIGHBOUR = 3  # whose distance is the reach of a real image
_REAL = 2000  # images that say where real ones lie
_NOTHING = 1e-6  # of the scores' spread: no way at all


def compare_edits(
    space: Space,
    judge: Judge,
    real: RealImages,
    watched: Sequence[Property],
    own: int,
    whole: Sequence[float],
    told: Numbers,
    before: Images,
    after: Points,
    strength: float,
    *,
    number: bool,
) -> tuple[dict[str, float], Numbers]:
    """The figures of an edit, and how far each property moved (properties, N), as a share of its whole way."""
    edited = space.decode(after)
    read = judge.read(edited)
    scores = np.stack([p.scores(edited, read) for p in watched])
    changes = (scores - told) / np.array(whole)[:, None]
    flat = [images.reshape(len(images), -1).astype(np.float32) for images in (before, edited)]
    distances = np.square(flat[0]).sum(1) - 2 * flat[1] @ flat[0].T  # up to what is the same for all originals
    others = np.delete(changes, own, 0)
    figures = {
        "reached": mean_of(changes[own]) / strength if number else float((scores[own] > 0.5).mean()),
        "kept": float((distances.argmin(1) == np.arange(len(before))).mean()),
        "real": real.share(edited),
    }
    if len(others):
        figures["others"] = mean_of(np.abs(others))
    return figures, changes


class RealImages:
    """Where real images lie in a judge's features."""

    def __init__(self, judge: Judge, dataset: Dataset) -> None:
        self.judge = judge
        self.features = judge.features(dataset.train.take(evenly_spaced(len(dataset.train), _REAL)).images)
        distances = self._distances(self.features)
        place = min(_NEIGHBOUR, len(self.features) - 1)
        self.reach = np.partition(distances, place, axis=1)[:, place]

    def share(self, images: Images) -> float:
        """The share of images that lie within the reach of a real one."""
        return float((self._distances(self.judge.features(images)) <= self.reach).any(1).mean())

    def _distances(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        squares = np.square(features).sum(1)[:, None] + np.square(self.features).sum(1)
        found: NDArray[np.float32] = squares - 2 * features @ self.features.T
        return found


def random_step(z: Points, moved: Points, rng: np.random.Generator) -> Points:
    """As far from ``z`` (N, d) as ``moved`` is, in any direction."""
    step = rng.normal(size=z.shape)
    step *= np.linalg.norm(moved - z, axis=1, keepdims=True) / np.linalg.norm(step, axis=1, keepdims=True)
    return (z + step).astype(np.float32)


def mean_of(values: Numbers) -> float:
    """Of those that could be measured; NaN where none could."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def correlation(a: Numbers, b: Numbers) -> float:
    """Where both could be measured; NaN where one of them does not vary."""
    there = np.isfinite(a) & np.isfinite(b)
    varied = there.sum() > 2 and a[there].std() > 0 and b[there].std() > 0
    return float(np.corrcoef(a[there], b[there])[0, 1]) if varied else float("nan")


def whole_way(scores: Numbers, truth: Numbers) -> float:
    """From the average score of real images that lack it to that of those that show it."""
    known = np.isfinite(truth)
    shows = upper_half(truth[known])
    way = mean_of(scores[known][shows]) - mean_of(scores[known][~shows])
    measured = scores[np.isfinite(scores)]
    return way if len(measured) and abs(way) > _NOTHING * float(measured.std()) else float("nan")
