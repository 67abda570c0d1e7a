"""Geodesics: the paths between latent points along which the decoded picture changes least."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from morphospace.latent.paths import places_of

__all__ = ["even_lines", "geodesic_through", "geodesics"]

Points = NDArray[np.float32]
Numbers = NDArray[np.float64]
Decode = Callable[[Tensor], Tensor]

_KNOTS = 25  # pictures a pair that the energy is summed over
_WAVES = 10  # sines that a path may bend along; more are slower and hardly shorter
_ITERATIONS, _MEMORY = 60, 20
_PASSES = 5  # to even out the steps; each leaves about a tenth of the unevenness
_BATCH = 500
_TINY = 1e-12


def geodesic_through(points: Sequence[Points], frames: int, decode: Decode, *, batch: int = _BATCH) -> Points:
    """The path through two or more points that changes the picture least, each pair a piece of its own.

    Args:
        points: at least two (d,) points.
        frames: how many points come back, at least as many as go in.
        decode: latents (M, d) to pictures (M, ...), differentiable.
        batch: the most pictures decoded at once.

    Returns:
        (frames, d); the first, the last and every given point among them exactly.

    Raises:
        ArgumentError: for fewer than two points or too few frames.

    Example:
        >>> corners = [np.float32([0, 0]), np.float32([2, 0]), np.float32([2, 2])]
        >>> geodesic_through(corners, 5, lambda z: 3 * z).round(3).tolist()
        [[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [2.0, 1.0], [2.0, 2.0]]
    """
    places = places_of(len(points), frames)
    ways = np.stack([np.asarray(point, np.float32) for point in points])
    path = np.empty((frames, ways.shape[1]), np.float32)
    steps = np.diff(places)
    for count in np.unique(steps):
        pieces = np.flatnonzero(steps == count)
        for piece, way in zip(
            pieces, geodesics(ways[pieces], ways[pieces + 1], count + 1, decode, batch=batch), strict=True
        ):
            path[places[piece] : places[piece + 1] + 1] = way
    return path


def geodesics(a: Points, b: Points, frames: int, decode: Decode, *, batch: int = _BATCH) -> Points:
    r"""The paths from each point of ``a`` to that of ``b`` along which the decoded picture D(z) changes least.

    .. math:: \min_{z_1 \dots z_{n-1}} \sum_i |D(z_{i+1}) - D(z_i)|^2, \quad z_0 = a, \; z_n = b

    Such a path is the shortest in pictures, and has equal steps. It starts as the straight line of equal decoded
    steps, and bends along sines, of which the k-th is weighted 1/k: then each bends the energy about as much, and
    L-BFGS needs few steps. Where that ends in no shorter path, it is the straight line of equal steps.

    The least change is not the finest sight: fading one stroke out and another in changes pixels less than moving a
    stroke does, so that pictures half-way may be blurrier than on the straight line.

    Args:
        a: (P, d) where they start.
        b: (P, d) where they end.
        frames: F, how many points each has, >= 2; of equal decoded steps.
        decode: latents (M, d) to pictures (M, ...), differentiable.
        batch: the most pictures decoded at once; pairs are bent together as far as it allows.

    Returns:
        (P, F, d); the ends are exactly ``a`` and ``b``.

    Source: Shao et al., The Riemannian geometry of deep generative models, arXiv:1711.08014; Chen et al., Metrics
    for deep generative models, arXiv:1711.01204; Arvanitidis et al., Latent space oddity, arXiv:1710.11379.

    Example:
        >>> def globe(z):  # longitude and latitude to a point of the sphere
        ...     east, north = z.unbind(1)
        ...     return torch.stack([north.cos() * east.cos(), north.cos() * east.sin(), north.sin()], 1)
        >>> path = geodesics(np.float32([[-1, 1]]), np.float32([[1, 1]]), 3, globe)
        >>> round(float(path[0, 1, 1]), 2)  # the great circle passes nearer to the pole, at atan(tan 1 / cos 1)
        1.24
    """
    lines = _lines(a, b)
    straight, lengths = _even(lines, frames, decode, batch)
    if frames <= 2:
        return straight
    bent, shorter = _even(_bent(lines, decode, batch), frames, decode, batch)
    return np.where((shorter < lengths)[:, None, None], bent, straight)


def even_lines(a: Points, b: Points, frames: int, decode: Decode, *, batch: int = _BATCH) -> Points:
    """The straight lines from each point of ``a`` to that of ``b`` at places of equal decoded steps.

    Args:
        a: (P, d) where they start.
        b: (P, d) where they end.
        frames: F, how many points each has, >= 2.
        decode: latents (M, d) to pictures (M, ...).
        batch: the most pictures decoded at once.

    Returns:
        (P, F, d); the ends are exactly ``a`` and ``b``.

    Example:
        >>> (100 * even_lines(np.float32([[0]]), np.float32([[1]]), 3, lambda z: z**2)).round().tolist()
        [[[0.0], [71.0], [100.0]]]
    """
    return _even(_lines(a, b), frames, decode, batch)[0]


@dataclass(frozen=True)
class _Curves:
    """Curves from a to b (P, d) at times 0..1: a straight line at the share ``pace``, and what it is bent by.

    ``pace`` (P, N) is the share at N even times, ``bends`` (P, K, d) what each sine is weighted with.
    """

    a: Points
    b: Points
    pace: Numbers
    bends: Points

    def at(self, times: Numbers) -> Points:
        """The points (P, F, d) at ``times`` (P, F) from 0 to 1."""
        even = np.linspace(0, 1, self.pace.shape[1])
        shares = _interpolate(times, np.broadcast_to(even, self.pace.shape), self.pace)[..., None]
        line = (1 - shares) * self.a[:, None] + shares * self.b[:, None]
        points: Points = (line + _sines(times) @ self.bends).astype(np.float32)
        points[:, 0], points[:, -1] = self.a, self.b  # law 4
        return points


def _lines(a: Points, b: Points) -> _Curves:
    return _Curves(a, b, np.tile([0.0, 1.0], (len(a), 1)), np.zeros((len(a), _WAVES, a.shape[1]), np.float32))


def _bent(lines: _Curves, decode: Decode, batch: int) -> _Curves:
    """The lines at equal decoded steps, bent to the least energy."""
    times = _even_times(lines, _KNOTS, decode, batch)
    points = lines.at(times)
    together = max(1, batch // _KNOTS)
    bends = [_least_energy(points[i : i + together], decode) for i in range(0, len(points), together)]
    return _Curves(lines.a, lines.b, times, np.concatenate(bends))


def _least_energy(points: Points, decode: Decode) -> Points:
    """The weights (P, K, d) of the sines that bend lines (P, N, d) to the least energy."""
    pairs, knots, dim = points.shape
    # Also for a caller who has switched gradients off.
    with torch.inference_mode(False), torch.enable_grad():
        line = torch.from_numpy(points)
        sines = torch.from_numpy(_sines(np.linspace(0, 1, knots)).astype(np.float32))
        size = (line[:, -1] - line[:, 0]).norm(dim=1)[:, None, None]  # latents of any scale start alike
        weights = torch.zeros(pairs, _WAVES, dim, requires_grad=True)

        def energies() -> Tensor:
            pictures = decode((line + size * (sines @ weights)).flatten(0, 1)).reshape(pairs, knots, -1)
            return (pictures[:, 1:] - pictures[:, :-1]).square().sum((1, 2))

        first = energies().detach().clamp_min(_TINY)
        optimiser = torch.optim.LBFGS(
            [weights], max_iter=_ITERATIONS, history_size=_MEMORY, tolerance_grad=1e-5, tolerance_change=1e-7,
            line_search_fn="strong_wolfe",
        )  # fmt: skip

        def closure() -> float:
            energy = (energies() / first).sum()
            (weights.grad,) = torch.autograd.grad(energy, weights)  # of the latents only, not of the model
            return float(energy.detach())

        optimiser.step(closure)  # type: ignore[no-untyped-call]
        bends: Points = (size * weights).detach().numpy()
        return bends


def _even(curves: _Curves, frames: int, decode: Decode, batch: int) -> tuple[Points, Numbers]:
    """Points (P, F, d) of equal decoded steps, and the decoded lengths (P,)."""
    points = curves.at(_even_times(curves, frames, decode, batch))
    return points, _steps(points, decode, batch).sum(1)


def _even_times(curves: _Curves, frames: int, decode: Decode, batch: int) -> Numbers:
    """Times (P, F) between which decoded steps are equal: found by spacing them evenly in the length so far."""
    even = np.broadcast_to(np.linspace(0, 1, frames), (len(curves.a), frames))
    times = even
    for _ in range(_PASSES if frames > 2 else 0):
        steps = _steps(curves.at(times), decode, batch) + _TINY  # the time goes on where the picture stands
        gone = np.cumsum(np.pad(steps, ((0, 0), (1, 0))), 1)
        times = _interpolate(even, gone / gone[:, -1:], times)
    return times


def _steps(points: Points, decode: Decode, batch: int) -> Numbers:
    """The distances (P, F - 1) between pictures that follow each other on paths (P, F, d), in flat memory."""
    flat = torch.from_numpy(points.reshape(-1, points.shape[-1]))
    found, last = [], None
    with torch.no_grad():
        for start in range(0, len(flat), batch):
            pictures = decode(flat[start : start + batch]).flatten(1)
            joined = pictures if last is None else torch.cat([last, pictures])
            found.append((joined[1:] - joined[:-1]).norm(dim=1).cpu().double().numpy())
            last = pictures[-1:]
    # Between the last of a path and the first of the next there is no step.
    return np.append(np.concatenate(found), 0.0).reshape(points.shape[:2])[:, :-1]


def _sines(times: Numbers) -> Numbers:
    """Sines (..., K) that are 0 at times 0 and 1, the k-th weighted 1/k."""
    waves = np.arange(1, _WAVES + 1)
    return np.sin(np.pi * times[..., None] * waves) / waves


def _interpolate(x: Numbers, known: Numbers, values: Numbers) -> Numbers:
    return np.stack([np.interp(*row) for row in zip(x, known, values, strict=True)])
