"""Directions that nobody named: the main axes of the codes, and those along which the decoder changes most."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from morphospace.errors import ArgumentError, DataError
from morphospace.evenly import evenly_spaced
from morphospace.latent.axes import principal_axes, with_signs
from morphospace.latent.concepts import Concept
from morphospace.latent.evidence import cosine

__all__ = ["Discovery", "decoder_axes", "discover"]

Points = NDArray[np.float32]
Numbers = NDArray[np.float64]
Decode = Callable[[Tensor], Tensor]

_TOGETHER = 8  # pictures whose Jacobians are in memory
_PLACES = 64  # codes that the decoder's axes are averaged over, and effects measured at
_STEP = 0.01  # of a difference, in spreads of the codes
_NOTHING = 1e-6  # spreads: along such an axis they do not vary
_SAME = 0.95  # cosine


class Discovery(NamedTuple):
    """A direction without a name.

    Attributes:
        concept: named like "principal 1" or "decoder 3"; strength 1.0 goes from the average code of the lower half
            along it to that of the upper half.
        effect: how far strength 1.0 changes a pixel, the root of the mean square, in grey levels 0..255.
    """

    concept: Concept
    effect: float


def decoder_axes(decode: Decode, codes: Points) -> Numbers:
    r"""The directions (d, d), as unit rows, in which the decoded picture D(z) changes most, from the first to the last.

    .. math:: \text{eigenvectors of } \frac1N \sum_n J_n^\top J_n, \quad J_n = \partial D / \partial z \text{ at } z_n,

    the right singular vectors of all Jacobians under each other, which are taken by central differences.

    Args:
        decode: latents (M, d) to pictures (M, ...).
        codes: (N, d) where to look.

    Source: Ramesh, Choi and LeCun, A spectral regularizer for unsupervised disentanglement, arXiv:1812.01161.

    Example:
        >>> decoder_axes(lambda z: z * torch.tensor([1.0, 3.0]), np.zeros((2, 2), np.float32)).round().tolist()
        [[0.0, 1.0], [1.0, 0.0]]
    """
    d, length = codes.shape[1], _STEP * (_spread(codes) or 1.0)
    products = np.zeros((d, d))
    with torch.no_grad():
        for z in torch.split(torch.from_numpy(codes), _TOGETHER):
            changes = [(decode(z + step) - decode(z - step)).flatten() for step in length * torch.eye(d)]
            jacobian = torch.stack(changes, 1).cpu().double()  # there: Apple's devices have no float64
            products += (jacobian.T @ jacobian).numpy()
    return with_signs(np.linalg.eigh(products)[1].T[::-1])


def discover(decode: Decode, codes: Points, k: int) -> list[Discovery]:
    """The ``k`` directions of most visible effect among both kinds of axes, no two nearly the same.

    Args:
        decode: latents (M, d) to pictures (M, ...) in [0, 1].
        codes: (N, d), N >= 2, of real images.
        k: >= 1; fewer come back where there are not so many.

    Raises:
        ArgumentError: for k < 1.
        DataError: for codes that do not vary.

    Source: principal axes of codes: Harkonen et al., GANSpace, arXiv:2004.02546.
    """
    if k < 1:
        raise ArgumentError(f"expected at least 1 direction, got {k}.", argument="k")
    places = codes[evenly_spaced(len(codes), _PLACES)]
    found: list[Discovery] = []
    for kind, axes in (("principal", principal_axes(codes)[1]), ("decoder", decoder_axes(decode, places))):
        for i, axis in enumerate(axes, 1):
            along = codes @ axis
            upper = along > np.median(along)
            if not upper.any():
                continue  # a latent that does not vary
            length = float(along[upper].mean() - along[~upper].mean())
            direction = (axis * length).astype(np.float32)
            if length > _NOTHING * _spread(codes):
                concept = Concept(name=f"{kind} {i}", direction=direction, method=kind, source="discovered")
                found.append(Discovery(concept, _effect(decode, places, direction)))
    if not found:
        raise DataError("its codes do not vary (posterior collapse), so there is no direction in it.", argument="space")
    found.sort(key=lambda one: -one.effect)
    kept: list[Discovery] = []
    for one in found:
        if all(abs(cosine(one.concept.direction, other.concept.direction)) < _SAME for other in kept):
            kept.append(one)
    return kept[:k]


def _spread(codes: Points) -> float:
    """The root of the latents' mean variance: the scale of codes (N, d)."""
    return float(np.sqrt(codes.var(0, dtype=np.float64).mean()))


def _effect(decode: Decode, places: Points, direction: Points) -> float:
    total = 0.0
    with torch.no_grad():
        for some in np.split(places, range(_TOGETHER, len(places), _TOGETHER)):
            after, before = (decode(torch.from_numpy(some + s * direction)).float() for s in (0.5, -0.5))
            total += float((after - before).square().mean()) * len(some)
    return 255 * math.sqrt(total / len(places))
