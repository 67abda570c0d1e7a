"""Trials of concepts: edits of held-out images, told by judges who never saw a latent, beside random steps as long."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from morphospace.data import Dataset
from morphospace.errors import ArgumentError, DataError
from morphospace.evaluate.edits import RealImages, compare_edits, correlation, mean_of, random_step, whole_way
from morphospace.evaluate.judges import Judge, train_judge
from morphospace.evaluate.origins import can_tell, origin_in, truth_of
from morphospace.evaluate.properties import FEWEST, Property, has_both_sides, is_taught, property_of, targets_of
from morphospace.examples import labels_of
from morphospace.space import Space

__all__ = ["Trials", "interval", "try_concepts"]

Points = NDArray[np.float32]
Numbers = NDArray[np.float64]
Tell = Callable[[str], None]

_STRENGTHS = {True: (-1.0, -0.5, 0.5, 1.0), False: (0.5, 1.0, 1.5, 2.0)}


@dataclass
class Trials:
    """What edits along some concepts did, by judges of several seeds.

    Every figure is a list of one number for each seed; :meth:`to_json` adds the mean and the 95 % interval.

    Attributes:
        judges: share of held-out images whose kind the judge tells right, or 1 - its error's variance share.
        figures: concept -> strength -> figure -> numbers. ``reached`` is the share of images that show it (yes and
            no) or the share of the asked way that was gone (numbers); ``others`` how far other concepts moved, as a
            share of their own whole way, on average; ``kept`` the share of edited images that are nearest to
            their own original among all; ``real`` the share that lie among real images, where plain
            reconstructions have ``real_decoded``; each also as ``random_...``, after a random step of equal length.
        correlations: concept -> of a number, of strength and judged change, over images and strengths.
        seen: the concepts that were learned from test images: some of those that were edited may be among them.
        names, properties: of the rows and columns of ``moved``.
        moved: (seeds, concepts, properties) at strength 1, as a share of each property's own whole way.
    """

    names: list[str]
    properties: list[str]
    images: int
    seen: list[str] = field(default_factory=list)
    judges: dict[str, list[float]] = field(default_factory=dict)
    figures: dict[str, dict[float, dict[str, list[float]]]] = field(default_factory=dict)
    correlations: dict[str, list[float]] = field(default_factory=dict)
    moved: list[list[list[float]]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values, each figure with its interval."""
        return {
            "images": self.images,
            "judges": {name: interval(values) for name, values in self.judges.items()},
            "concepts": {
                name: {
                    "strengths": [
                        {"strength": strength, **{key: interval(values) for key, values in found.items()}}
                        for strength, found in each.items()
                    ],
                    "learned_from_test_images": name in self.seen,
                    **({"correlation": interval(self.correlations[name])} if name in self.correlations else {}),
                }
                for name, each in self.figures.items()
            },
            "entanglement": {
                "rows": self.names,
                "columns": self.properties,
                "moved": [
                    [round(v, 4) if np.isfinite(v) else None for v in row] for row in np.mean(self.moved, 0).tolist()
                ],
            },
        }


def interval(values: Sequence[float]) -> dict[str, float | None]:
    """The mean over seeds and where it lies by Student's t with 95 %; None where nothing could be measured.

    Example:
        >>> interval([0.9, 1.0, 0.95])
        {'mean': 0.95, 'low': 0.8258, 'high': 1.0742}
    """
    from scipy.special import stdtrit

    count = len(values)
    if not np.isfinite(values).all():
        return dict.fromkeys(("mean", "low", "high"))
    mean = float(np.mean(values))
    half = float(stdtrit(count - 1, 0.975)) * float(np.std(values, ddof=1)) / count**0.5 if count > 1 else 0.0
    return {"mean": round(mean, 4), "low": round(mean - half, 4), "high": round(mean + half, 4)}


def try_concepts(
    space: Space,
    dataset: Dataset,
    names: Sequence[str],
    *,
    seeds: Sequence[int] = range(5),
    images: int = 200,
    tell: Tell | None = None,
) -> tuple[Trials, Judge]:
    """Edit held-out images along concepts and let judges tell what became of them; the last judge comes with it.

    For each seed a judge of its own is trained on the training images, and other test images and other random steps
    are drawn.

    Args:
        space: has the concepts.
        dataset: has what they are of: labels, attributes, or drawings to measure.
        names: the concepts to try; the others of the space that the set knows of are watched.
        seeds: at least 2.
        images: how many test images are edited, or all that lack the concept if they are fewer.
        tell: told what is going on.

    Raises:
        ArgumentError: for an unknown concept, one that the set cannot tell of, or fewer than 2 seeds.
        DataError: if the set's images do not fit the space.

    Source: realism is the precision of Kynkaanniemi et al., arXiv:1904.06991, in the judge's features.
    """
    if len(seeds) < 2:
        raise ArgumentError(f"expected at least 2, for an interval, got {len(seeds)}.", argument="seeds")
    if dataset.shape != space.shape:
        raise DataError(f"its images have shape {dataset.shape}, this space takes {space.shape}.", argument="data")
    origins = {name: origin_in(space.concepts[name], dataset) for name in names}
    truth = {name: truth_of(dataset.test, dataset, origin) for name, origin in origins.items()}
    for name, known in truth.items():
        for kind, there in (("test", has_both_sides(known)), ("training", is_taught(dataset, origins[name]))):
            if not there:
                raise DataError(
                    f"{name} needs {FEWEST} {kind} images or more that show it, and as many that do not.",
                    argument="data",
                )
    for name, concept in space.concepts.items():
        if concept.origin and name not in origins and can_tell(dataset, concept.origin):
            known = truth_of(dataset.test, dataset, concept.origin)
            if has_both_sides(known) and is_taught(dataset, concept.origin):
                origins[name], truth[name] = dict(concept.origin), known
    watched = [property_of(name, origin, dataset) for name, origin in origins.items()]
    seen = [name for name in names if space.concepts[name].saw_test_images]
    trials = Trials(list(names), [p.name for p in watched], images, seen)
    for i, seed in enumerate(seeds, 1):
        if tell is not None:
            tell(f"judge {i} of {len(seeds)}")
        judge = train_judge(dataset.train.images, targets_of(dataset.train, watched, dataset), seed=seed)
        _try(space, dataset, judge, seed, watched, truth, trials)
    return trials, judge


def _try(
    space: Space,
    dataset: Dataset,
    judge: Judge,
    seed: int,
    watched: Sequence[Property],
    truth: Mapping[str, Numbers],
    trials: Trials,
) -> None:
    """One seed's trials."""
    rng = np.random.default_rng(seed)
    test = dataset.test
    judged = judge.read(test.images)
    for name, values in targets_of(test, watched, dataset).items():
        right = (
            (judged[name].argmax(1) == values).mean()
            if judge.kinds[name]
            else 1 - np.nanmean(np.square(judged[name] - values)) / (float(np.nanvar(values)) or 1.0)
        )
        trials.judges.setdefault(name, []).append(float(right))
    whole = [whole_way(p.scores(test.images, judged), truth[p.name]) for p in watched]
    real = RealImages(judge, dataset)
    moved = []
    for name in trials.names:
        own = [p.name for p in watched].index(name)
        number = watched[own].kind is None
        here = np.flatnonzero(np.isfinite(truth[name]) if number else truth[name] == 0)
        some = test.take(np.sort(rng.permutation(here)[: trials.images]))
        held = space.given(labels_of(space, some, dataset))
        z = held.encode(some.images).mean
        before = held.decode(z)
        read = judge.read(before)
        told = np.stack([p.scores(before, read) for p in watched])
        real_decoded = real.share(before)
        changes: list[tuple[float, Numbers]] = []
        for strength in _STRENGTHS[number]:
            after = held.move(z, {name: strength})
            found, change = compare_edits(
                held, judge, real, watched, own, whole, told, before, after, strength, number=number
            )
            away = random_step(z, after, rng)
            random, _ = compare_edits(
                held, judge, real, watched, own, whole, told, before, away, strength, number=number
            )
            found |= {f"random_{key}": value for key, value in random.items()}
            found["real_decoded"] = real_decoded
            kept = trials.figures.setdefault(name, {}).setdefault(strength, {})
            for key, value in found.items():
                kept.setdefault(key, []).append(value)
            changes.append((strength, change[own]))
            if strength == 1.0:
                moved.append([mean_of(row) for row in change])
        if number:
            asked = np.concatenate([np.full(len(change), strength) for strength, change in changes])
            got = np.concatenate([change for _, change in changes])
            trials.correlations.setdefault(name, []).append(correlation(asked, got))
    trials.moved.append(moved)
