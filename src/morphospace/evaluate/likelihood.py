"""The test figures: nats an image over a whole set, in eval mode, in float32, with draws of a fixed seed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from morphospace.codec import batch_for
from morphospace.data import ImageArray
from morphospace.data.dataset import Labels
from morphospace.errors import ArgumentError, DataError
from morphospace.training.loop import generator_seed, to_input
from morphospace.vae.interfaces import Batch, Generative

__all__ = [
    "BATCH",
    "NAN",
    "Scores",
    "TestFigures",
    "importance_weighted_nll",
    "in_eval_mode",
    "kl_scores",
    "mean_figures",
    "score",
    "score_each",
    "scored_batch",
]

BATCH = 500
_NOISE_STREAM = -1  # a "stage" that no training has: evaluation shares no noise with it
NAN = "the model gives NaN for these images: its weights are damaged or training diverged."


@dataclass(frozen=True)
class TestFigures:
    """Nats an image; None where a figure does not apply (an autoencoder has no KL and no bound).

    Attributes:
        neg_elbo: reconstruction + kl, an upper bound of -log p(x).
        reconstruction: -log p(x | z).
        kl: KL(q(z | x), p(z)).
        beta: the weight that training gave the KL; when it is not 1, neg_elbo is not what was trained.
        psnr: of the reconstructions from posterior means, in dB: -10 log10 of the mean squared error over all pixels
            of all images, for pixels in [0, 1].
        book_loss: mean over pixels + 5e-4 x mean over latents, where the reconstruction is a cross-entropy.
        nll: -log p(x) by importance-weighted draws, a bound at least as tight as neg_elbo.
        nll_samples: how many draws an image.
        exact_nll: -log p(x) itself, over a lattice of all latents.
        exact_points: how many points it has.
        more: what else the model tells of images, by name; with a bound, these are the parts of the KL.
    """

    __test__ = False  # not a pytest class

    neg_elbo: float | None
    reconstruction: float
    kl: float | None
    beta: float | None
    psnr: float | None = None
    book_loss: float | None = None
    nll: float | None = None
    nll_samples: int | None = None
    exact_nll: float | None = None
    exact_points: int | None = None
    more: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, float | None]:
        """As plain JSON values; without what was not measured."""
        optional = ("psnr", "book_loss", "nll", "nll_samples", "exact_nll", "exact_points")
        own = {name: value for name, value in vars(self).items() if value is not None or name not in optional}
        return {name: value for name, value in own.items() if name != "more"} | dict(self.more)


@torch.no_grad()
def score(
    model: Generative, images: ImageArray, labels: Labels | None = None, *, beta: float, seed: int = 0
) -> TestFigures:
    """Score every image of a set (laws 2, 7 and 10).

    Args:
        model: gives figures.
        images: uint8 (N, H, W, C), N >= 1.
        labels: (N,), for models that are told them.
        beta: what training weighted the KL with; 0 for models without one.
        seed: of the one draw for each image; batch size does not change it.

    Raises:
        DataError: if the model gives NaN.
    """
    return mean_figures(model, score_each(model, images, labels, seed=seed), images.shape[1:], beta=beta)


Scores: TypeAlias = Mapping[str, NDArray[np.float64]]
"""Nats of each of N images by name, (N,): "reconstruction", and what makes it a bound, like "kl"."""


@torch.no_grad()
def score_each(model: Generative, images: ImageArray, labels: Labels | None = None, *, seed: int = 0) -> Scores:
    """What :func:`score` has the mean of, image by image.

    Raises:
        DataError: if the model gives NaN.
    """
    generator = _generator(seed)
    found: dict[str, NDArray[np.float64]] = {}
    step = batch_for(images.shape)
    with in_eval_mode(model):
        for start in range(0, len(images), BATCH):
            count = min(BATCH, len(images) - start)
            drawn = model.noise(1, count, generator)
            for first in range(0, count, step):
                some = slice(first, min(first + step, count))
                here = slice(start + some.start, start + some.stop)
                batch = scored_batch(model, images, labels, here.start, here.stop)
                figures = model.figures(batch, tuple(n[:, some].to(batch.input.device) for n in drawn))
                for name, values in figures.items():
                    found.setdefault(name, np.zeros(len(images)))[here] = values.cpu().numpy()
    if any(np.isnan(values).any() for values in found.values()):
        raise DataError(NAN)
    return found


def kl_scores(model: Generative, scores: Scores) -> NDArray[np.float64] | None:
    """What adds up with the reconstruction to the bound, (N,) nats; None where there is none."""
    rest = [values for name, values in scores.items() if name != "reconstruction"]
    return np.sum(rest, 0) if model.has_bound else None


def mean_figures(model: Generative, scores: Scores, shape: tuple[int, ...], *, beta: float) -> TestFigures:
    """The figures of a set by those of each of its images.

    Args:
        model: that gave them.
        scores: of each image.
        shape: (H, W, C) of the images.
        beta: as of :func:`score`.
    """
    reconstruction, all_kl = float(scores["reconstruction"].mean()), kl_scores(model, scores)
    more = {name: float(values.mean()) for name, values in scores.items() if name not in ("reconstruction", "kl")}
    if all_kl is None:
        return TestFigures(None, reconstruction, None, None, more=more)
    kl, book = float(all_kl.mean()), None
    if model.cross_entropy and model.has_density:
        book = reconstruction / math.prod(shape) + 5e-4 * 2 * kl / model.latent_dim
    return TestFigures(reconstruction + kl, reconstruction, kl, beta, book_loss=book, more=more)


@torch.no_grad()
def importance_weighted_nll(
    model: Generative, images: ImageArray, labels: Labels | None = None, *, samples: int, seed: int = 0
) -> float:
    r"""A bound of :math:`-\log p(x)` that n draws tighten, :math:`-\log \frac1n \sum_k p(x, z_k) / q(z_k | x)`.

    One draw gives the negative ELBO; the bound falls with n towards :math:`-\log p(x)`. Every image gets all of its
    n draws (law 9).

    Args:
        model: with posteriors that have a density.
        images: uint8 (N, H, W, C), N >= 1.
        labels: (N,), for models that are told them.
        samples: n, the draws an image, >= 1.
        seed: of the draws; batch size does not change them.

    Returns:
        Nats, the mean over images.

    Raises:
        ArgumentError: if the model's posteriors have no density, as those of an autoencoder.
        DataError: if the model gives NaN.

    Source: Burda, Grosse and Salakhutdinov, Importance weighted autoencoders, arXiv:1509.00519.

    Example:
        >>> import morphospace as ms
        >>> digits = ms.open_dataset("digits")
        >>> space, test = ms.train(digits, epochs=3), digits.test.images
        >>> importance_weighted_nll(space.model, test, samples=50) < space.about["test"]["neg_elbo"]
        True
    """
    if samples < 1:
        raise ArgumentError(f"expected 1 draw an image or more, got {samples}.", argument="samples")
    if not model.has_density:
        raise ArgumentError("this model's posteriors have no density: it gives no -log p(x).", argument="samples")
    generator = _generator(seed)
    total = 0.0
    step = batch_for(images.shape)
    count, share = max(1, step // samples), min(step, samples)  # images at once, and draws of each at once
    with in_eval_mode(model):
        for start in range(0, len(images), count):
            stop = min(start + count, len(images))
            batch = scored_batch(model, images, labels, start, stop)
            # Image by image, so that it does not matter how many are taken at once.
            each = [model.noise(samples, 1, generator) for _ in range(start, stop)]
            drawn = [torch.cat(parts, 1) for parts in zip(*each, strict=True)]
            weights = []
            for first in range(0, samples, share):
                noise = tuple(n[first : first + share].to(batch.input.device) for n in drawn)
                weights.append(_double(model.log_weights(batch, noise)))
            total += (math.log(samples) - torch.cat(weights).logsumexp(0)).sum().item()
    if math.isnan(total):
        raise DataError(NAN)
    return total / len(images)


def _double(values: Tensor) -> Tensor:
    """In float64 on the CPU: Apple's devices have none."""
    return values.cpu().double()


def _generator(seed: int) -> torch.Generator:
    """One stream of noise for all images, on the CPU, so that devices and batches agree."""
    return torch.Generator().manual_seed(generator_seed(seed, _NOISE_STREAM, 0))


def scored_batch(model: Generative, images: ImageArray, labels: Labels | None, start: int, stop: int) -> Batch:
    """The images from ``start`` to before ``stop`` of a set, where ``model`` is, as figures are of them."""
    device = next(model.parameters()).device
    x = to_input(torch.from_numpy(images[start:stop]).to(device))
    told = None if labels is None else torch.from_numpy(np.asarray(labels[start:stop])).to(device)
    return Batch(x, x, torch.arange(start, stop, device=device), told)


@contextmanager
def in_eval_mode(model: Generative) -> Iterator[None]:
    """The model in eval mode, and afterwards as it was."""
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)
