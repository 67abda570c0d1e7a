"""What one space has that another has not: samples, neighbourhoods, paths and codes, told by a judge of images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import entropy

from morphospace.data import Dataset, ImageArray, Split
from morphospace.errors import ArgumentError, DataError
from morphospace.evaluate.judges import Judge, train_judge
from morphospace.evaluate.likelihood import score
from morphospace.evaluate.outliers import reconstruction_errors
from morphospace.evaluate.reconstruction import psnr
from morphospace.evenly import evenly_spaced
from morphospace.images import Images, to_pixels
from morphospace.latent import path_length
from morphospace.latent.mixtures import draw_from, fit_mixture
from morphospace.latent.paths import lerp
from morphospace.space import Space

__all__ = [
    "CONFIDENCE",
    "JUDGE_STEPS",
    "Comparison",
    "SpaceFigures",
    "code_bits",
    "compare_spaces",
    "draw_samples",
    "mixed_images",
    "space_figures",
]

Points = NDArray[np.float32]
Numbers = NDArray[np.float64]
Tell = Callable[[str], None]

CONFIDENCE = 0.9
"""The chance of its likeliest label from which the judge recognises an image."""

JUDGE_STEPS = 1800
"""What a judge of spaces is trained for, twice what one of concepts is: of MNIST's digits it is right on 99.2 %."""

_LABEL = "label"
_SAMPLES = 2000
_IMAGES = 2000  # test images with noise on their codes, and those that say how finely codes must be told
_FITTED = 10_000  # training codes that a Gaussian and a mixture are fitted to, and the probe learns from
_PAIRS, _FRAMES = 200, 16
_MIDDLE = slice(5, 11)  # of the frames: where a cross-fade is neither of its ends
_COARSEST = 8  # times the spread of a latent that says most: one step for everything
_FINEST, _OCTAVE = 76, 4  # steps of a code, in quarters of an octave below the coarsest
_NUDGED = 200  # images whose codes are moved a little, to see what each latent does
_NUDGE = 0.1  # standard deviations
_LEAST = 1e-6


@dataclass(frozen=True, kw_only=True)
class SpaceFigures:
    """What a space is like. Shares are of images that the judge recognises, unless they say otherwise.

    Attributes:
        prior: of samples from N(0, I).
        gaussian: of samples from one Gaussian that was fitted to the codes of training images.
        mixture: of samples from a mixture of Gaussians fitted to them.
        prior_kinds, gaussian_kinds, mixture_kinds: how many labels share those samples evenly: the exponential of the
            entropy of their labels. A space that draws nothing but ones is recognised, and has 1.
        kept_posterior: of test images, the share that the judge gives the same label with the posterior's own noise on
            the code as without it; None for a point.
        kept_tenth, kept_third: the same for Gaussian noise of a tenth and of a third of each latent's standard
            deviation over the codes, whatever the posterior.
        between: of the pictures in the middle third of straight paths from one label to another.
        length: of those paths, in pixels, over the distance of their ends: 1 is a cross-fade.
        jump: the largest step of such a path over its mean step.
        error: reconstruction of test images from their codes, nats an image.
        gap: by how many nats training images are reconstructed better.
        psnr: of test images, dB.
        zeros: share of all numbers in the codes that are exactly 0.
        bits: how many say a code so that reconstructions lose a nat, see :func:`code_bits`; a space that reconstructs
            better pays for it here.
        equal_bits: how many say it as coarsely as gives the quality of the worst of the spaces compared; None where
            there are none, or likelihoods differ.
        rate: the KL in bits; None without a prior.
        probe: share of test images whose label a linear classifier tells from the code.
    """

    prior: float
    gaussian: float
    mixture: float
    prior_kinds: float
    gaussian_kinds: float
    mixture_kinds: float
    kept_posterior: float | None
    kept_tenth: float
    kept_third: float
    between: float
    length: float
    jump: float
    error: float
    gap: float
    psnr: float
    zeros: float
    bits: float
    equal_bits: float | None
    rate: float | None
    probe: float

    def to_json(self) -> dict[str, float | None]:
        """As plain JSON values."""
        return {name: None if value is None else round(float(value), 4) for name, value in asdict(self).items()}


class Comparison(NamedTuple):
    """Several spaces by one judge.

    Attributes:
        judge: share of test images whose label it tells right.
        images: share of real test images that it recognises, for comparison.
        mixed: of the pictures in the middle third between two test images of other labels, mixed pixel by pixel: what a
            path is to beat.
        spaces: by name.
    """

    judge: float
    images: float
    mixed: float
    spaces: dict[str, SpaceFigures]

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "judge": round(self.judge, 4),
            "images": round(self.images, 4),
            "mixed": round(self.mixed, 4),
            "spaces": {name: found.to_json() for name, found in self.spaces.items()},
        }


def compare_spaces(
    spaces: Mapping[str, Space],
    dataset: Dataset,
    *,
    judge: Judge | None = None,
    seed: int = 0,
    tell: Tell | None = None,
) -> Comparison:
    """Measure several spaces of the same images by one judge that never saw a latent.

    Args:
        spaces: by the names that the answer goes by.
        dataset: with labels; its test images were not trained on.
        judge: of the property "label"; one is trained on the training images if none is given.
        seed: of the judge, and of what is drawn: the same for every space.
        tell: told what is going on.

    Raises:
        DataError: if the set has no labels, or its images do not fit a space.

    Example:
        >>> import morphospace as ms
        >>> digits = ms.open_dataset("digits")
        >>> found = compare_spaces({"one epoch": ms.train(digits, epochs=1)}, digits)
        >>> found.judge > 0.9, found.spaces["one epoch"].zeros
        (True, 0.0)
    """
    for name, space in spaces.items():
        if space.shape != dataset.shape:
            raise DataError(f"its images have shape {dataset.shape}, {name} takes {space.shape}.", argument="data")
        if space.model.condition is not None:
            raise ArgumentError(f"{name} is told labels, and how well codes hold them is measured.", argument="spaces")
    labels, known = _labels(dataset.test, dataset), _labels(dataset.train, dataset)
    if judge is not None and judge.kinds.get(_LABEL, 0) < len(dataset.label_names):
        raise DataError(
            f'expected one of "{_LABEL}" with {len(dataset.label_names)} kinds, got {judge.kinds}.', argument="judge"
        )
    say = tell or (lambda _: None)
    if judge is None:
        say("a judge learns from the training images")
        judge = train_judge(dataset.train.images, {_LABEL: known}, seed=seed, steps=JUDGE_STEPS)
    right = float((judge.classes(_LABEL, dataset.test.images) == labels).mean())
    ends = dataset.test.images[_pairs(labels, seed)]  # (2, pairs, H, W, C)
    mixed = np.concatenate([mixed_images(a, b, _FRAMES)[_MIDDLE] for a, b in zip(*ends, strict=True)])
    comparable = len({space.model.likelihood_name for space in spaces.values()}) == 1
    worst = max(_error(space, dataset.test.images) for space in spaces.values()) if comparable else None
    found = {}
    for name, space in spaces.items():
        say(f"measuring {name}")
        found[name] = space_figures(space, dataset, judge, seed=seed, worst=worst)
    recognised, _ = _recognised(judge, dataset.test.images)
    return Comparison(right, recognised, _recognised(judge, mixed)[0], found)


def space_figures(
    space: Space, dataset: Dataset, judge: Judge, *, seed: int = 0, worst: float | None = None
) -> SpaceFigures:
    """All figures of one space; see :class:`SpaceFigures`.

    Args:
        space: of the set's images.
        dataset: with labels.
        judge: of the property "label".
        seed: of what is drawn.
        worst: the reconstruction error, nats, of the worst of the spaces that it is compared with.

    Raises:
        DataError: if the set has no labels.
    """
    train, test = dataset.train, dataset.test
    known = train.take(evenly_spaced(len(train), max(_FITTED, len(test))))
    codes, test_encoding = space.encode(known.images).mean, space.encode(test.images)
    test_codes = test_encoding.mean
    drawn = {
        source: _recognised(judge, space.decode(points))
        for source, points in draw_samples(space, codes, _SAMPLES, seed=seed).items()
    }
    error = _error(space, test.images, test_codes)
    seen = evenly_spaced(len(known), len(test))
    figures = score(space.model, test.images, test.labels, beta=1.0, seed=seed)
    between, length, jump = _paths(space, judge, test_codes[_pairs(_labels(test, dataset), seed)])
    some = evenly_spaced(len(test), _IMAGES)
    noisy = {"kept_tenth": 0.1, "kept_third": 1 / 3}
    rng = np.random.default_rng(seed)
    noise = test_codes.std(0) * rng.standard_normal((len(some), space.latent_dim)).astype(np.float32)
    plain = judge.classes(_LABEL, space.decode(test_codes[some]))

    def kept(points: Points) -> float:
        return float((judge.classes(_LABEL, space.decode(points)) == plain).mean())

    return SpaceFigures(
        prior=drawn["prior"][0],
        gaussian=drawn["gaussian"][0],
        mixture=drawn["mixture"][0],
        prior_kinds=drawn["prior"][1],
        gaussian_kinds=drawn["gaussian"][1],
        mixture_kinds=drawn["mixture"][1],
        kept_posterior=kept(test_encoding.sample(seed=seed)[some]) if test_encoding.scale is not None else None,
        **{name: kept(test_codes[some] + np.float32(share) * noise) for name, share in noisy.items()},
        between=between,
        length=length,
        jump=jump,
        error=error,
        gap=error - _error(space, known.images[seen], codes[seen]),
        psnr=psnr(space, test.images, test_codes),
        zeros=float((test_codes == 0).mean()),
        bits=code_bits(space, test.images, test_codes),
        equal_bits=None if worst is None else code_bits(space, test.images, test_codes, loss=1 + max(worst - error, 0)),
        rate=None if figures.kl is None else figures.kl / np.log(2),
        probe=_probe(codes, _labels(known, dataset), test_codes, _labels(test, dataset)),
    )


def draw_samples(space: Space, codes: Points, n: int, *, seed: int) -> dict[str, Points]:
    """``n`` latents (n, d) from N(0, I), from a Gaussian fitted to codes, and from a mixture fitted to them.

    An autoencoder has no prior; the fits are its fair chance. Where codes are never below 0, neither are samples.

    Args:
        space: whose codes they are.
        codes: (N, d) of training images.
        n: how many of each.
        seed: of the draws.

    Source: Ghosh et al., From variational to deterministic autoencoders, arXiv:1903.12436.
    """
    rng = np.random.default_rng(seed)
    fits = {
        "gaussian": fit_mixture(codes, most_components=1, most_codes=_FITTED),
        "mixture": fit_mixture(codes, most_codes=_FITTED),
    }
    found = {"prior": rng.standard_normal((n, space.latent_dim)).astype(np.float32)}
    found |= {name: draw_from(fit, n, rng) for name, fit in fits.items()}
    return {name: z.clip(0) for name, z in found.items()} if space.model.nonnegative else found


def mixed_images(a: Images, b: Images, frames: int) -> Images:
    """``frames`` pictures (frames, ...) from ``a`` to ``b``, pixel by pixel: what takes no space at all."""
    shares = np.linspace(0, 1, frames).reshape(-1, *[1] * a.ndim)
    mixed: Images = np.round((1 - shares) * a + shares * b).astype(np.uint8)
    return mixed


def code_bits(space: Space, images: ImageArray, codes: Points, *, loss: float = 1.0) -> float:
    r"""How many bits say a code, :math:`\sum_j H(\lfloor z_j / \delta_j + 1/2 \rfloor)`, on average over images.

    Each latent is told in whole steps :math:`\delta_j` from its median. A step of any latent changes pictures as much
    as one of any other, and steps are the largest that make reconstructions worse by no more than ``loss``. Latents
    are told one by one; what they have in common could save some bits.

    Args:
        space: decodes.
        images: uint8 (N, H, W, C).
        codes: (N, d) of them.
        loss: what telling codes in bits may cost, nats an image.
    """
    some = evenly_spaced(len(codes), _IMAGES)
    pixels, few = images[some], codes[some]
    middle, spread_of = np.median(codes, 0), codes.std(0)
    spread_of = np.maximum(spread_of, _LEAST * (spread_of.max() or 1.0))
    effects = _effects(space, few[evenly_spaced(len(few), _NUDGED)], _NUDGE * spread_of)
    coarsest = _COARSEST * (effects * spread_of).max() / np.maximum(effects, _LEAST * effects.max())

    def steps(fineness: int) -> Points:
        step: Points = (coarsest * 2.0 ** (-fineness / _OCTAVE)).astype(np.float32)
        return step

    def worse(fineness: int) -> float:
        step = steps(fineness)
        told = (middle + np.round((few - middle) / step) * step).astype(np.float32)
        return _error(space, pixels, told) - exact

    exact = _error(space, pixels, few)
    low, high = 0, _FINEST
    while low < high:
        tried = (low + high) // 2
        low, high = (low, tried) if worse(tried) <= loss else (tried + 1, high)
    told = np.round((codes - middle) / steps(low)).astype(np.int64)
    return float(sum(entropy(np.unique(column, return_counts=True)[1], base=2) for column in told.T))


def _effects(space: Space, codes: Points, nudges: Points) -> Numbers:
    """How far a picture moves for a unit of each latent, (d,): the root mean square over images."""
    still = space.decode(codes, dtype="float")
    moved = [
        np.sqrt(np.square(space.decode(codes + nudge, dtype="float") - still).sum((1, 2, 3)).mean())
        for nudge in np.diag(nudges)
    ]
    found: Numbers = np.array(moved) / nudges
    return found if found.any() else np.ones(len(found))  # where none does anything, any will do


def _error(space: Space, images: ImageArray, codes: Points | None = None) -> float:
    """Nats an image, from their codes."""
    z = space.encode(images).mean if codes is None else codes
    return float(reconstruction_errors(space, images, z).mean())


def _labels(split: Split, dataset: Dataset) -> NDArray[np.int64]:
    if split.labels is None or len(dataset.label_names) < 2:
        raise DataError(
            f'the images of "{dataset.name}" have no labels: expected a set that has some.', argument="data"
        )
    labels = np.asarray(split.labels)
    if (labels == labels[0]).all():
        raise DataError(
            f'expected training and test images of two labels or more in "{dataset.name}", got one.', argument="data"
        )
    return labels


def _recognised(judge: Judge, images: ImageArray) -> tuple[float, float]:
    """The share of images that the judge recognises, and how many labels share them evenly."""
    chances = judge.read(images)[_LABEL]
    sure = chances.max(1) >= CONFIDENCE
    if not sure.any():
        return 0.0, 0.0
    return float(sure.mean()), float(np.exp(entropy(np.bincount(chances.argmax(1)[sure]))))


def _pairs(labels: NDArray[np.int64], seed: int) -> NDArray[np.intp]:
    """Places (2, pairs) of images of different labels."""
    rng = np.random.default_rng(seed)
    first = rng.integers(len(labels), size=_PAIRS)
    second = [rng.choice(np.flatnonzero(labels != labels[i])) for i in first]
    return np.stack([first, np.array(second)])


def _paths(space: Space, judge: Judge, ends: Points) -> tuple[float, float, float]:
    """Of straight paths between ``ends`` (2, pairs, d): between, length and jump, see :class:`SpaceFigures`."""
    shares = np.linspace(0, 1, _FRAMES)
    lengths, jumps, between = [], [], []
    for a, b in zip(*ends, strict=True):
        frames = space.decode(lerp(a, b, shares), dtype="float")
        way = path_length(frames)
        apart = float(np.linalg.norm(frames[-1] - frames[0]))
        if apart > 0:
            lengths.append(way.length / apart)
            jumps.append(float(way.steps.max() / way.steps.mean()))
        between.append(to_pixels(frames[_MIDDLE]))
    share, _ = _recognised(judge, np.concatenate(between))
    return share, float(np.mean(lengths or 1)), float(np.mean(jumps or 1))


def _probe(codes: Points, labels: NDArray[np.int64], test_codes: Points, test_labels: NDArray[np.int64]) -> float:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    some = evenly_spaced(len(codes), _FITTED)
    probe = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000, tol=1e-3))
    return float(probe.fit(codes[some].astype(np.float64), labels[some]).score(test_codes, test_labels))
