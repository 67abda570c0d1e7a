"""The test figures: nats an image over a whole set, in eval mode, in float32, with draws of a fixed seed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from morphospace.data import ImageArray
from morphospace.errors import ArgumentError, DataError
from morphospace.space import batch_for
from morphospace.training.loop import generator_seed, to_input
from morphospace.vae.interfaces import Batch
from morphospace.vae.objectives import kl_of

__all__ = ["BATCH", "Scores", "TestFigures", "importance_weighted_nll", "mean_figures", "score", "score_each"]

BATCH = 500
_NOISE_STREAM = -1  # a "stage" that no training has: evaluation shares no noise with it
_NAN = "the model gives NaN for these images: its weights are damaged or training diverged."


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
        book_loss: mean over pixels + 5e-4 x mean over latents, for Bernoulli models.
        nll: -log p(x) by importance-weighted draws, a bound at least as tight as neg_elbo.
        nll_samples: how many draws an image.
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

    def to_json(self) -> dict[str, float | None]:
        """As plain JSON values; without what was not measured."""
        optional = ("psnr", "book_loss", "nll", "nll_samples")
        return {name: value for name, value in asdict(self).items() if value is not None or name not in optional}


@torch.no_grad()
def score(model: Any, images: ImageArray, *, beta: float, bernoulli: bool, seed: int = 0) -> TestFigures:
    """Score every image of a set (laws 2, 7 and 10).

    Args:
        model: satisfies :class:`morphospace.vae.Model`.
        images: uint8 (N, H, W, C), N >= 1.
        beta: what training weighted the KL with; 0 for models without one.
        bernoulli: whether the book's loss has a meaning here.
        seed: of the one draw for each image; batch size does not change it.

    Raises:
        DataError: if the model gives NaN.
    """
    return mean_figures(model, score_each(model, images, seed=seed), images.shape[1:], beta=beta, bernoulli=bernoulli)


class Scores(NamedTuple):
    """Nats of each of N images, in float64: ``reconstruction`` (N,); ``kl`` (N,), None where there is none."""

    reconstruction: NDArray[np.float64]
    kl: NDArray[np.float64] | None


@torch.no_grad()
def score_each(model: Any, images: ImageArray, *, seed: int = 0) -> Scores:
    """What :func:`score` has the mean of, image by image.

    Raises:
        DataError: if the model gives NaN.
    """
    generator = _generator(seed)
    reconstruction, kl = np.zeros(len(images)), np.zeros(len(images))
    has_kl = False
    step = batch_for(images.shape)
    with _in_eval_mode(model):
        for start in range(0, len(images), BATCH):
            count = min(BATCH, len(images) - start)
            drawn = model.noise(1, count, generator)
            for first in range(0, count, step):
                some = slice(first, min(first + step, count))
                here = slice(start + some.start, start + some.stop)
                batch = _batch(model, images, here.start, here.stop)
                terms = model.terms(batch, tuple(n[:, some].to(batch.input.device) for n in drawn))
                reconstruction[here] = -terms.log_px[0].cpu().numpy()
                if any(group.log_q is not None or group.kl is not None for group in terms.groups):
                    has_kl = True
                    kl[here] = kl_of(terms).cpu().numpy()
    if np.isnan(reconstruction + kl).any():
        raise DataError(_NAN)
    return Scores(reconstruction, kl if has_kl else None)


def mean_figures(model: Any, scores: Scores, shape: tuple[int, ...], *, beta: float, bernoulli: bool) -> TestFigures:
    """The figures of a set by those of each of its images.

    Args:
        model: that gave them.
        scores: of each image.
        shape: (H, W, C) of the images.
        beta: as of :func:`score`.
        bernoulli: as of :func:`score`.
    """
    reconstruction = float(scores.reconstruction.mean())
    if scores.kl is None:
        return TestFigures(None, reconstruction, None, None)
    kl, book = float(scores.kl.mean()), None
    if bernoulli:
        latents = sum(int(torch.Size(shape).numel()) for shape in model.z_shapes)
        book = reconstruction / math.prod(shape) + 5e-4 * 2 * kl / latents
    return TestFigures(reconstruction + kl, reconstruction, kl, beta, book_loss=book)


@torch.no_grad()
def importance_weighted_nll(model: Any, images: ImageArray, *, samples: int, seed: int = 0) -> float:
    r"""A bound of :math:`-\log p(x)` that n draws tighten, :math:`-\log \frac1n \sum_k p(x, z_k) / q(z_k | x)`.

    One draw gives the negative ELBO; the bound falls with n towards :math:`-\log p(x)`. Every image gets all of its
    n draws (law 9).

    Args:
        model: satisfies :class:`morphospace.vae.Model`, with posteriors that have a density.
        images: uint8 (N, H, W, C), N >= 1.
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
    generator = _generator(seed)
    total = 0.0
    step = batch_for(images.shape)
    count, share = max(1, step // samples), min(step, samples)  # images at once, and draws of each at once
    with _in_eval_mode(model):
        for start in range(0, len(images), count):
            stop = min(start + count, len(images))
            batch = _batch(model, images, start, stop)
            # Image by image, so that it does not matter how many are taken at once.
            each = [model.noise(samples, 1, generator) for _ in range(start, stop)]
            drawn = [torch.cat(parts, 1) for parts in zip(*each, strict=True)]
            weights = []
            for first in range(0, samples, share):
                terms = model.terms(batch, tuple(n[first : first + share].to(batch.input.device) for n in drawn))
                weight = _double(terms.log_px)
                for group in terms.groups:
                    if group.log_q is None or group.log_p is None:
                        raise ArgumentError(
                            "this model's posteriors have no density: it gives no -log p(x).", argument="samples"
                        )
                    weight = weight + _double(group.log_p) - _double(group.log_q)
                weights.append(weight)
            total += (math.log(samples) - torch.cat(weights).logsumexp(0)).sum().item()
    if math.isnan(total):
        raise DataError(_NAN)
    return total / len(images)


def _double(values: Tensor) -> Tensor:
    """In float64 on the CPU: Apple's devices have none."""
    return values.cpu().double()


def _generator(seed: int) -> torch.Generator:
    """One stream of noise for all images, on the CPU, so that devices and batches agree."""
    return torch.Generator().manual_seed(generator_seed(seed, _NOISE_STREAM, 0))


def _batch(model: Any, images: ImageArray, start: int, stop: int) -> Batch:
    device = next(model.parameters()).device
    x = to_input(torch.from_numpy(images[start:stop]).to(device))
    return Batch(x, x, torch.arange(start, stop, device=device))


@contextmanager
def _in_eval_mode(model: Any) -> Iterator[None]:
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)
