"""Trials of concepts: edits of held-out images, told by judges who never saw a latent, beside random steps as long."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from morphospace.data import Dataset, Split, spread
from morphospace.errors import ArgumentError, DataError
from morphospace.evaluate.judges import Judge, train_judge
from morphospace.evaluate.measures import MEASURES, measure
from morphospace.evaluate.origins import attribute_of, in_words, known_of, values_of, words_of
from morphospace.images import Images
from morphospace.latent import Concept, upper_half
from morphospace.space import Space

__all__ = ["STYLE", "Trials", "class_figures", "origin_in", "try_concepts"]

Points = NDArray[np.float32]
Numbers = NDArray[np.float64]
Tell = Callable[[str], None]

STYLE = ("slant", "stroke-width", "height", "width")
"""The measures of a drawing that an edit from class to class should keep."""

_STRENGTHS = {True: (-1.0, -0.5, 0.5, 1.0), False: (0.5, 1.0, 1.5, 2.0)}
_LABEL = "label"
_NEIGHBOUR = 3  # whose distance is the reach of a real image
_REAL = 2000  # images that say where real ones lie
_FEWEST = 5  # test images on each side of a property


class Property(NamedTuple):
    """Something that can be told of an image.

    Attributes:
        name: of the concept that it belongs to.
        judged: the judge's property, or None where ``measured`` names a measure.
        kind: the judge's kind of yes, or None for a number.
        measured: the measure.
    """

    name: str
    judged: str | None
    kind: int | None = None
    measured: str | None = None

    def scores(self, images: Images, read: Mapping[str, NDArray[np.float32]]) -> Numbers:
        """(N,) the chance of yes, or the value."""
        if self.measured is not None:
            return measure(self.measured, images)
        found = read[str(self.judged)]
        return (found if self.kind is None else found[:, self.kind]).astype(np.float64)


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
        names, properties: of the rows and columns of ``moved``.
        moved: (seeds, concepts, properties) at strength 1, as a share of each property's own whole way.
    """

    names: list[str]
    properties: list[str]
    images: int
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


def origin_in(concept: Concept, dataset: Dataset) -> dict[str, str]:
    """What a concept is the concept of, as far as ``dataset`` can tell; a concept without an origin goes by its name.

    Raises:
        ArgumentError: if nothing in the set can tell.
    """
    if concept.origin:
        return dict(concept.origin)
    if concept.name in dataset.label_names:
        return {"label": concept.name}
    if concept.name in dataset.train.attributes:
        return {"attribute": concept.name}
    if concept.name in MEASURES:
        return {"measure": concept.name}
    raise ArgumentError(
        f'NAME: nothing in "{dataset.name}" can tell what "{concept.name}" does: it was learned from '
        f"{concept.source or 'unknown images'}. Name it like a label, an attribute or a measure, or learn it from one."
    )


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
        raise ArgumentError(f"--seeds: expected at least 2, for an interval, got {len(seeds)}.")
    if dataset.shape != space.shape:
        raise DataError(f"--data: its images have shape {dataset.shape}, this space takes {space.shape}.")
    origins = {name: origin_in(space.concepts[name], dataset) for name in names}
    truth = {name: _truth(dataset.test, dataset, origin) for name, origin in origins.items()}
    for name, known in truth.items():
        if not _has_both(known):
            raise DataError(
                f"--data: {name} needs {_FEWEST} test images or more that show it, and as many that do not."
            )
    for name, concept in space.concepts.items():
        if concept.origin and name not in origins and _knows(dataset, concept):
            known = _truth(dataset.test, dataset, concept.origin)
            if _has_both(known):
                origins[name], truth[name] = dict(concept.origin), known
    watched = [_property(name, origin, dataset) for name, origin in origins.items()]
    trials = Trials(list(names), [p.name for p in watched], images)
    for i, seed in enumerate(seeds, 1):
        if tell is not None:
            tell(f"judge {i} of {len(seeds)}")
        judge = train_judge(dataset.train.images, _targets(dataset.train, watched, dataset), seed=seed)
        _try(space, dataset, judge, seed, watched, truth, trials)
    return trials, judge


def _knows(dataset: Dataset, concept: Concept) -> bool:
    origin = concept.origin
    if "label" in origin:
        return origin["label"] in dataset.label_names
    if "measure" in origin:
        return True
    key = origin.get("attribute", "")
    return key in dataset.train.attributes and origin.get("value", "") in ("", *words_of(dataset, key))


def _has_both(truth: Numbers) -> bool:
    """Whether enough images show it, and enough do not."""
    values = truth[np.isfinite(truth)]
    if len(values) < 2 * _FEWEST:
        return False
    shows = upper_half(values)
    return _FEWEST <= int(shows.sum()) <= len(shows) - _FEWEST


def _property(name: str, origin: Mapping[str, str], dataset: Dataset) -> Property:
    if "measure" in origin:
        return Property(name, None, measured=origin["measure"])
    if "label" in origin:
        return Property(name, _LABEL, dataset.label_number(origin["label"]))
    key = origin["attribute"]
    if "value" not in origin:
        return Property(name, key)
    return Property(name, f"which {key}", ["", *words_of(dataset, key)].index(origin["value"]))


def _targets(split: Split, watched: Sequence[Property], dataset: Dataset) -> dict[str, NDArray[Any]]:
    """What a judge is to learn: the labels, and the attributes that are watched."""
    found: dict[str, NDArray[Any]] = {}
    if split.labels is not None and len(dataset.label_names) > 1:
        found[_LABEL] = np.asarray(split.labels)
    for name, kind in {p.judged: p.kind for p in watched}.items():
        if name is None or name == _LABEL:
            continue
        key = name if kind is None else name.removeprefix("which ")
        column = attribute_of(split, dataset, key, "--data")
        if kind is None:
            found[name] = column.astype(np.float64)
        else:
            places = {word: i for i, word in enumerate(["", *words_of(dataset, key)])}
            found[name] = np.array([places.get(word, 0) for word in in_words(column).tolist()])
    if not found:  # nothing but measures: any pictures teach the features that realism goes by
        found["ink"] = measure("ink", split.images)
    return found


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
    for name, values in _targets(test, watched, dataset).items():
        right = (
            (judged[name].argmax(1) == values).mean()
            if judge.kinds[name]
            else 1 - np.nanmean(np.square(judged[name] - values)) / max(float(np.nanvar(values)), 1e-12)
        )
        trials.judges.setdefault(name, []).append(float(right))
    pixels = np.asarray(test.images[:])
    whole = [_whole_way(p.scores(pixels, judged), truth[p.name]) for p in watched]
    real = _Real(judge, dataset)
    moved = []
    for name in trials.names:
        own = [p.name for p in watched].index(name)
        number = watched[own].kind is None
        here = np.flatnonzero(np.isfinite(truth[name]) if number else truth[name] == 0)
        some: Images = pixels[np.sort(rng.permutation(here)[: trials.images])]
        z = space.encode(some).mean
        before = space.decode(z)
        read = judge.read(before)
        told = np.stack([p.scores(before, read) for p in watched])
        real_decoded = real.share(before)
        changes: list[tuple[float, Numbers]] = []
        for strength in _STRENGTHS[number]:
            after = space.move(z, {name: strength})
            found, change = _compare(
                space, judge, real, watched, own, whole, told, before, after, strength, number=number
            )
            away = _random_step(z, after, rng)
            random, _ = _compare(space, judge, real, watched, own, whole, told, before, away, strength, number=number)
            found |= {f"random_{key}": value for key, value in random.items()}
            found["real_decoded"] = real_decoded
            kept = trials.figures.setdefault(name, {}).setdefault(strength, {})
            for key, value in found.items():
                kept.setdefault(key, []).append(value)
            changes.append((strength, change[own]))
            if strength == 1.0:
                moved.append([_mean(row) for row in change])
        if number:
            asked = np.concatenate([np.full(len(change), strength) for strength, change in changes])
            got = np.concatenate([change for _, change in changes])
            trials.correlations.setdefault(name, []).append(_correlation(asked, got))
    trials.moved.append(moved)


def _compare(
    space: Space,
    judge: Judge,
    real: _Real,
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
        "reached": _mean(changes[own]) / strength if number else float((scores[own] > 0.5).mean()),
        "kept": float((distances.argmin(1) == np.arange(len(before))).mean()),
        "real": real.share(edited),
    }
    if len(others):
        figures["others"] = _mean(np.abs(others))
    return figures, changes


class _Real:
    """Where real images lie in a judge's features."""

    def __init__(self, judge: Judge, dataset: Dataset) -> None:
        self.judge = judge
        images = dataset.train.images[spread(len(dataset.train), _REAL)]
        self.features = judge.features(images)
        distances = self._distances(self.features)
        place = min(_NEIGHBOUR, len(images) - 1)
        self.reach = np.partition(distances, place, axis=1)[:, place]

    def share(self, images: Images) -> float:
        """The share of images that lie within the reach of a real one."""
        return float((self._distances(self.judge.features(images)) <= self.reach).any(1).mean())

    def _distances(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        squares = np.square(features).sum(1)[:, None] + np.square(self.features).sum(1)
        found: NDArray[np.float32] = squares - 2 * features @ self.features.T
        return found


def _random_step(z: Points, moved: Points, rng: np.random.Generator) -> Points:
    """As far from ``z`` (N, d) as ``moved`` is, in any direction."""
    step = rng.normal(size=z.shape)
    step *= np.linalg.norm(moved - z, axis=1, keepdims=True) / np.linalg.norm(step, axis=1, keepdims=True)
    return (z + step).astype(np.float32)


def _truth(split: Split, dataset: Dataset, origin: Mapping[str, str]) -> Numbers:
    """(N,) 1 and 0 for yes and no, or the value; NaN where it is not known."""
    values = values_of(split, dataset, origin)
    found: Numbers = np.where(known_of(split, origin, values), values, np.nan).astype(np.float64)
    return found


def _mean(values: Numbers) -> float:
    """Of those that could be measured; NaN where none could."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def _correlation(a: Numbers, b: Numbers) -> float:
    """Where both could be measured; NaN where one of them does not vary."""
    there = np.isfinite(a) & np.isfinite(b)
    varied = there.sum() > 2 and a[there].std() > 0 and b[there].std() > 0
    return float(np.corrcoef(a[there], b[there])[0, 1]) if varied else float("nan")


def _whole_way(scores: Numbers, truth: Numbers) -> float:
    """From the average score of real images that lack it to that of those that show it."""
    known = np.isfinite(truth)
    shows = upper_half(truth[known])
    way = _mean(scores[known][shows]) - _mean(scores[known][~shows])
    return way if abs(way) > 1e-6 else float("nan")


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
        raise ArgumentError("SPACE: it does not know the classes of this set. Learn them: morpho concept classes.")
    if dataset.test.labels is None or dataset.train.labels is None:
        raise DataError(f'--data: the images of "{dataset.name}" have no labels.')
    labels, learned = np.asarray(dataset.test.labels), np.asarray(dataset.train.labels)
    train: Images = dataset.train.images[:]
    names = space.classes.names
    rng = np.random.default_rng(seed)
    reached, random = (np.where(np.eye(len(names)) > 0, 1.0, np.nan) for _ in range(2))
    kept: dict[str, list[list[float]]] = {"edit": [], "nearest": []}
    numbers = [dataset.label_names.index(name) for name in names]
    groups = [np.flatnonzero(learned == number) for number in numbers]
    flat = [train[group].reshape(len(group), -1).astype(np.float32) for group in groups]
    for s in range(len(names)):
        before: Images = dataset.test.images[np.flatnonzero(labels == numbers[s])[:images]]
        if not len(before):
            continue
        z = space.encode(before).mean
        here = before.reshape(len(before), -1).astype(np.float32)
        for t in range(len(names)):
            if t == s or not len(groups[t]):
                continue
            moved = space.change_class(z, names[t], source=names[s])
            edited = space.decode(moved)
            reached[s, t] = (judge.classes(_LABEL, edited) == numbers[t]).mean()
            away = _random_step(z, moved, rng)
            random[s, t] = (judge.classes(_LABEL, space.decode(away)) == numbers[t]).mean()
            nearest = (np.square(flat[t]).sum(1) - 2 * here @ flat[t].T).argmin(1)
            kept["edit"].append(_style_kept(before, edited))
            kept["nearest"].append(_style_kept(before, train[groups[t][nearest]]))
    return ClassFigures(reached, random, _mean_style(kept["edit"]), _mean_style(kept["nearest"]))


def _mean_style(pairs: Sequence[Sequence[float]]) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for name, values in zip(STYLE, np.array(pairs).T, strict=True):
        known = values[np.isfinite(values)]
        found[name] = round(float(known.mean()), 3) if len(known) else None
    return found


def _style_kept(before: Images, after: Images) -> list[float]:
    """How far each measure of style correlates from before to after; a class's mean image would have 0."""
    return [_correlation(measure(name, before), measure(name, after)) for name in STYLE]
