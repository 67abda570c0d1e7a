"""Flows of codes: many Gaussians where codes lie, and a velocity that carries their draws to where codes really are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from morphospace.evenly import evenly_spaced
from morphospace.latent.mixtures import Mixture, check_mixture, draw_from
from morphospace.quiet import quiet

__all__ = ["STEPS", "Flow", "Velocity", "fit_flow", "fit_pieces"]

Points = NDArray[np.float32]

STEPS = 1000
"""Of training a velocity: a quarter of a minute of one core."""

_CODES_A_PIECE = 250  # on average, at least; more where there are many latents
_CODES_A_LATENT = 4
_CODES_A_LABEL = 20
_MOST_PIECES = 256
_MOST_CODES = 100_000
_LEAST_VARIANCE = 1e-3  # of a piece in any direction, of the latents' mean variance
_WIDTH, _BLOCKS, _FREQUENCIES = 128, 3, 8
_BATCH, _RATE, _WARM_UP = 512, 3e-3, 0.1
_HELD_OUT, _HELD_DRAWS, _LOOKS = 10, 4096, 10  # every tenth code says so many times which weights are the best
_MIDPOINTS = 10  # steps from a draw to its code, of two evaluations each


class Velocity(nn.Module):
    """How draws move: a residual network of a place and an angle, which starts at 0 everywhere.

    Args:
        latent_dim: d, >= 1.
        width: of its hidden layers.
        blocks: how many residual ones.
    """

    def __init__(self, latent_dim: int, width: int = _WIDTH, blocks: int = _BLOCKS) -> None:
        super().__init__()
        self.place = nn.Linear(latent_dim, width)
        self.angle = nn.Linear(2 * _FREQUENCIES, width, bias=False)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.SiLU(), nn.Linear(2 * width, width))
            for _ in range(blocks)
        )
        self.out = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, latent_dim))
        for parameter in self.out[1].parameters():
            nn.init.zeros_(parameter)

    def forward(self, z: Tensor, angle: Tensor) -> Tensor:
        """(N, d) for places (N, d) at angles (N,) between 0 and pi / 2."""
        waves = angle[:, None] * torch.arange(1, _FREQUENCIES + 1, device=angle.device)
        h = self.place(z) + self.angle(torch.cat([waves.sin(), waves.cos()], 1))
        for block in self.blocks:
            h = h + block(h)
        moved: Tensor = self.out(h)
        return moved


class Flow(NamedTuple):
    """A sampler of codes: draws of ``start``, carried by ``velocity``; see :func:`fit_flow`.

    Attributes:
        start: Gaussians over pieces of the codes.
        unit: what the velocity takes as 1: the root of the latents' mean variance.
        velocity: of places in that unit.
    """

    start: Mixture
    unit: float
    velocity: Velocity

    @torch.inference_mode()
    def sample(self, n: int, rng: np.random.Generator) -> Points:
        """``n`` draws (n, d)."""
        z = torch.from_numpy(draw_from(self.start, n, rng)) / self.unit
        step = math.pi / 2 / _MIDPOINTS
        for i in range(_MIDPOINTS):
            angle = torch.full((n,), i * step)
            half = z + step / 2 * self.velocity(z, angle)
            z = z + step * self.velocity(half, angle + step / 2)
        points: Points = (z * self.unit).numpy()
        return points

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All that it is, as arrays by name."""
        weights = {f"velocity.{name}": value.numpy().copy() for name, value in self.velocity.state_dict().items()}
        return {**self.start._asdict(), "unit": np.array(self.unit), **weights}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], latent_dim: int) -> Self:
        """The flow over ``latent_dim`` latents that :meth:`arrays` says.

        Raises:
            ValueError: for arrays that are those of no such flow.
        """
        front = "velocity."
        found = {name.removeprefix(front): values for name, values in arrays.items() if name.startswith(front)}
        start, state = check_mixture(arrays, latent_dim), {n: torch.tensor(values) for n, values in found.items()}
        try:
            unit, width = float(arrays["unit"]), len(state["place.bias"])
            with torch.device("meta"):  # shapes without numbers
                velocity = Velocity(latent_dim, width, len({n.split(".")[1] for n in state if n.startswith("blocks.")}))
            velocity.load_state_dict(state, assign=True)
        except (KeyError, RuntimeError, TypeError) as error:
            raise ValueError(f"no flow of codes: {error}") from error
        if not unit > 0 or not all(v.dtype == torch.float32 and bool(v.isfinite().all()) for v in state.values()):
            raise ValueError("no flow of codes: expected finite numbers of float32, and a unit above 0")
        return cls(start, unit, velocity.eval())


class _Pieces(NamedTuple):
    """Codes (N, d) as the velocity learns from them: the piece of each (N,), means (K, d) and factors (K, d, d)."""

    codes: Tensor
    piece: Tensor
    means: Tensor
    factors: Tensor

    def draw(self, rows: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Places (n, d) on the way to codes at ``rows`` from draws of their pieces, angles (n,), and velocities."""
        piece = self.piece[rows]
        noise = torch.randn((len(rows), self.codes.shape[1], 1), generator=generator)
        start, middle = (self.factors[piece] @ noise)[..., 0], self.means[piece]
        end = self.codes[rows] - middle
        angle = torch.rand(len(rows), generator=generator) * (math.pi / 2)
        cosine, sine = angle.cos()[:, None], angle.sin()[:, None]
        return middle + cosine * start + sine * end, angle, cosine * end - sine * start


def fit_flow(codes: Points, labels: NDArray[np.int64] | None = None, *, seed: int, steps: int = STEPS) -> Flow:
    r"""The flow whose draws are like ``codes``; the same one for the same codes and seed on the same machine.

    Codes are cut into pieces (:func:`fit_pieces`), each with a Gaussian of its mean and covariance. From a draw
    :math:`z_0` of a code's Gaussian the way to the code :math:`z_1` is the arc :math:`\mu + \cos a\,(z_0 - \mu) +
    \sin a\,(z_1 - \mu)`, and the velocity learns where places on such ways go. Where a piece is a Gaussian they need
    not move at all, so that the velocity begins with what the Gaussians give, and only makes it better: of ten looks at
    it on the way, and of none at all, that one is kept which tells best the ways to codes that were held out.

    Args:
        codes: (N, d), N >= 2.
        labels: (N,), so that no piece has codes of two labels; None where there are none.
        seed: of the velocity's weights, and of what it sees.
        steps: of its training; 0 for the Gaussians alone.

    Source: flow matching, Lipman et al., arXiv:2210.02747; ways as arcs, Albergo and Vanden-Eijnden, arXiv:2209.15571;
    rectified flow, Liu et al., arXiv:2209.03003.

    Example:
        >>> ring = np.random.default_rng(0).normal(size=(400, 2)).astype(np.float32)
        >>> ring /= np.linalg.norm(ring, axis=1, keepdims=True)
        >>> drawn = fit_flow(ring, seed=0, steps=20).sample(3, np.random.default_rng(0))
        >>> drawn.shape
        (3, 2)
    """
    chosen = evenly_spaced(len(codes), _MOST_CODES)
    codes, labels = codes[chosen], None if labels is None else labels[chosen]
    start, piece = fit_pieces(codes, labels)
    unit = float(np.sqrt(codes.var(0, dtype=np.float64).mean())) or 1.0
    pieces = _Pieces(
        torch.from_numpy((codes / unit).astype(np.float32)),
        torch.from_numpy(piece),
        torch.from_numpy(start.means / unit).float(),
        torch.from_numpy(start.factors / unit).float(),
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        velocity = Velocity(codes.shape[1])
    _learn(velocity, pieces, torch.Generator().manual_seed(seed), steps)
    return Flow(start, unit, velocity.eval())


def _learn(velocity: Velocity, pieces: _Pieces, generator: torch.Generator, steps: int) -> None:
    """Train the velocity; it ends as the best that it was, by codes that it does not learn from."""
    rows = torch.arange(len(pieces.codes))
    held_out = rows[rows % _HELD_OUT == 0]
    learned = rows[rows % _HELD_OUT != 0]
    held = pieces.draw(held_out.repeat(-(-_HELD_DRAWS // len(held_out)))[:_HELD_DRAWS], generator)
    optimiser = torch.optim.AdamW(velocity.parameters(), _RATE, betas=(0.9, 0.98), fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, _RATE, total_steps=steps + 1, pct_start=_WARM_UP, cycle_momentum=False
    )
    looks = {round(steps * look / _LOOKS) for look in range(_LOOKS + 1)}
    best, least = {}, math.inf
    for step in range(steps + 1):
        if step in looks and (error := _error(velocity, *held)) < least:
            best, least = {name: value.clone() for name, value in velocity.state_dict().items()}, error
        if step < steps:
            some = learned[torch.randint(len(learned), (_BATCH,), generator=generator)]
            z, angle, wanted = pieces.draw(some, generator)
            optimiser.zero_grad()
            torch.autograd.backward(F.mse_loss(velocity(z, angle), wanted))
            optimiser.step()
            schedule.step()
    velocity.load_state_dict(best)


@torch.no_grad()
def _error(velocity: Velocity, z: Tensor, angle: Tensor, wanted: Tensor) -> float:
    return float(F.mse_loss(velocity(z, angle), wanted))


def fit_pieces(codes: Points, labels: NDArray[np.int64] | None = None) -> tuple[Mixture, NDArray[np.int64]]:
    """Gaussians over pieces of ``codes``, at most 256 of 250 codes and more, and the piece of each code (N,).

    A piece is what lies nearest to one of k means. The fewer codes it has, the more its covariance is that of all
    pieces together.

    Args:
        codes: (N, d), N >= 2.
        labels: (N,), so that no piece has codes of two labels, where they have 20 codes each on average.

    Example:
        >>> codes = np.random.default_rng(0).normal(size=(1000, 2)).astype(np.float32)
        >>> fit_pieces(codes)[0].means.shape
        (4, 2)
    """
    count, latents = codes.shape
    smallest = max(_CODES_A_PIECE, _CODES_A_LATENT * latents)
    kinds = np.zeros(1, np.int64) if labels is None else np.unique(labels)
    if labels is None or len(kinds) > min(_MOST_PIECES, count // _CODES_A_LABEL):
        labels, kinds = np.zeros(count, np.int64), np.zeros(1, np.int64)
    piece, found = np.empty(count, np.int64), 0
    for label in kinds:
        own = labels == label
        share = min(own.sum() // smallest, round(_MOST_PIECES * own.mean()))
        cut = _k_means(codes[own], max(1, int(share)))
        piece[own], found = found + cut, found + int(cut.max()) + 1
    sizes = np.bincount(piece)
    means = np.stack([codes[piece == k].mean(0, dtype=np.float64) for k in range(found)])
    away = codes - means[piece]
    scatter = np.stack([away[piece == k].T @ away[piece == k] for k in range(found)])
    least = _LEAST_VARIANCE * (float(codes.var(0, dtype=np.float64).mean()) or 1.0)
    pooled = scatter.sum(0) / count
    covariances = (scatter + latents * pooled) / (sizes + latents)[:, None, None] + least * np.eye(latents)
    return Mixture(sizes / count, means, np.linalg.cholesky(covariances)), piece


def _k_means(codes: Points, count: int) -> NDArray[np.int64]:
    """The cut (N,) of codes into ``count`` pieces, or fewer where there are fewer distinct codes."""
    from sklearn.cluster import KMeans

    if count == 1:
        return np.zeros(len(codes), np.int64)
    with quiet(Warning):  # of codes that are all the same
        cut = KMeans(count, n_init=1, max_iter=30, random_state=0).fit_predict(codes)
    return np.unique(cut, return_inverse=True)[1].astype(np.int64)
