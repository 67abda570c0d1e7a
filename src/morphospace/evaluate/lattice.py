"""The likelihood of images as an integral over all latents, where there are few of them."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from morphospace.codec import batch_for
from morphospace.data import ImageArray
from morphospace.errors import ArgumentError, DataError
from morphospace.evaluate.likelihood import NAN, in_eval_mode
from morphospace.training.loop import to_input
from morphospace.vae.interfaces import Generative
from morphospace.vae.lattices import MOST_LATENTS, normal_points

__all__ = ["COARSE", "LatticeFigure", "lattice_nll"]

COARSE = 10
"""Points that share an image's weight: with fewer, another lattice could give other nats."""

_AT_ONCE = 8  # times the images that fit easily


class LatticeFigure(NamedTuple):
    """``nll``, nats an image; ``sharing``, how many points share an image's weight: the median of 1 / sum w^2."""

    nll: float
    sharing: float


@torch.no_grad()
def lattice_nll(model: Generative, images: ImageArray, *, points: int = 10_946) -> LatticeFigure:
    r"""The mean of :math:`-\log p(x) = -\log \int p(x \mid z)\, p(z)\, dz`, by the points of a lattice.

    It is the figure itself and not a bound, asks nothing of an encoder, and is the same each time. It is as exact as
    the lattice is fine: ``sharing`` should be 10 or more, and then many times the points change little.

    Args:
        model: with 1 to 3 latents and the prior N(0, I).
        images: uint8 (N, H, W, C), N >= 1.
        points: of the lattice, >= 1; with two latents, Fibonacci numbers lie most evenly.

    Raises:
        ArgumentError: for a model with more latents, another prior, or one that is told labels.
        DataError: if the model gives NaN.

    Example:
        >>> import morphospace as ms
        >>> digits = ms.open_dataset("digits")
        >>> space, test = ms.train(digits, epochs=3), digits.test.images
        >>> lattice_nll(space.model, test, points=987).nll < space.about["test"]["neg_elbo"]
        True
    """
    _check(model, points)
    device = next(model.parameters()).device
    step = _AT_ONCE * batch_for(images.shape)
    total, sharing = 0.0, []
    whole = normal_points(points, model.latent_dim).to(device)[:, None]
    parts = [whole[start : start + step] for start in range(0, points, step)]
    with in_eval_mode(model):
        for start in range(0, len(images), step):
            x = to_input(torch.from_numpy(images[start : start + step]).to(device))
            found = torch.stack([_sums(model, z, x) for z in parts])
            sums, squares = found.logsumexp(0)
            total += (math.log(points) - sums).sum().item()
            sharing.append(torch.exp(2 * sums - squares))
    if math.isnan(total):
        raise DataError(NAN)
    return LatticeFigure(total / len(images), torch.cat(sharing).median().item())


def _sums(model: Generative, z: Tensor, x: Tensor) -> Tensor:
    """The logarithms of the sums of p(x | z), and of its square, over latents (K, 1, d): (2, B), in float64."""
    log_px = model.log_likelihood(z, x).cpu().double()
    return torch.stack([log_px.logsumexp(0), (2 * log_px).logsumexp(0)])


def _check(model: Generative, points: int) -> None:
    if points < 1:
        raise ArgumentError(f"expected 1 point or more, got {points}.", argument="points")
    if model.latent_dim > MOST_LATENTS:
        raise ArgumentError(
            f"a lattice fills all of the latent space, which must have 1 to {MOST_LATENTS} latents; this one has "
            f"{model.latent_dim}. Bound the likelihood by draws instead (samples).",
            argument="points",
        )
    if not model.normal_prior or model.condition is not None:
        what = "is told labels" if model.condition is not None else "has no prior N(0, I)"
        raise ArgumentError(f"a lattice needs the prior N(0, I) and no labels; this model {what}.", argument="points")
