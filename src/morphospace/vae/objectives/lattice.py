"""The likelihood itself, summed over a lattice of the prior: it needs no encoder."""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor

from morphospace.errors import ArgumentError
from morphospace.parts import Shape, option
from morphospace.vae.interfaces import Batch, Loss, Model, Noise, Objective, Progress
from morphospace.vae.lattices import MOST_LATENTS, normal_points
from morphospace.vae.slots import ModelConfig, ObjectiveConfig

__all__ = ["Lattice"]

_LIGHT = 1e-4
_DOUBLINGS = 3


class Lattice(Objective):
    r"""The negative log likelihood, :math:`-\log \frac1M \sum_i p(x \mid z_i)`, over points of all the prior's mass.

    The points lie on a lattice that is shifted at random at each step. All are decoded once, and each image is scored
    under each point by one product of matrices; what comes out is no bound of an encoder's but the likelihood, as far
    as the lattice is fine, and the decoder learns nothing of the encoder. That learns beside it: the weights of the
    points are the true posterior, and the encoder descends KL(p(z|x), q(z|x)). A later stage trains it by the ELBO,
    with the decoder left alone. How near it can come depends on the decoder: where near latents give very different
    images, no encoder finds its way well, and the bound stays far from the likelihood.

    Few points carry nearly all of the weight: gradients are computed for all but a ten-thousandth of it. A coarse
    lattice cannot tell near points apart, has decoders vary slowly, and costs little, which is a good way to begin: the
    first quarter of the steps takes an eighth of the points, and each of the others twice as many as the one before.

    Args:
        points: M in the end, >= 1. In two dimensions Fibonacci numbers lie most evenly.

    Source: Sloan and Joe, Lattice methods for multiple integration, 1994.
    """

    class Config(ObjectiveConfig, kind="lattice"):
        """The likelihood over a lattice of the prior, for 1 to 3 latents; the encoder learns where the weight is."""

        points: int = option(
            "the points of the lattice in the last quarter of the steps; each quarter before takes half as many as "
            "the next", default=4181, low=1, high=1e7,
        )  # fmt: skip

        def build(self, model: Model, shape: Shape) -> Lattice:
            """See :class:`ObjectiveConfig`."""
            del shape
            if not model.normal_prior:
                raise ArgumentError(
                    "a lattice has the points of N(0, I): it needs a posterior that draws and prior=normal.",
                    argument="objective",
                )
            return Lattice(points=self.points)

        def check(self, model: ModelConfig) -> None:
            """See :class:`ObjectiveConfig`."""
            if model.latent_dim > MOST_LATENTS:
                raise ArgumentError(
                    f"expected 1 to {MOST_LATENTS} for the objective lattice, whose points fill all of the latent "
                    f"space, got {model.latent_dim}. Take fewer latents, or objective=elbo.",
                    argument="latent_dim",
                )
            if model.conditional:
                raise ArgumentError(
                    "a lattice is decoded once for all images, and a conditional model decodes otherwise for each "
                    "label. Take objective=elbo.",
                    argument="objective",
                )

    compilable = False  # how many points carry weight differs from step to step

    def __init__(self, *, points: int) -> None:
        super().__init__()
        self.points = points

    def noise(self, model: Model, batch: int, generator: Generator) -> Noise:
        """The shift of the lattice, (d,)."""
        del batch
        return (torch.rand(model.latent_dim, generator=generator, device=generator.device),)

    def forward(self, player: str, model: Model, batch: Batch, noise: Noise, progress: Progress) -> Loss:
        """The loss of one batch; parts ``nll`` and, of the encoder, ``posterior_kl``."""
        del player
        doubled = min(_DOUBLINGS, int((_DOUBLINGS + 1) * progress.step.item() / progress.total))
        points = max(1, self.points >> (_DOUBLINGS - doubled))
        z = normal_points(points, model.latent_dim, noise[0])[:, None]
        z = z[_carrying(model, z, batch.target)]
        log_px = model.log_likelihood(z, batch.target)
        nll = math.log(points) - log_px.logsumexp(0).mean()
        astray = _posterior_kl(model, z, log_px.detach(), batch.input, math.log(points))
        return Loss(nll + astray, {"nll": nll, "posterior_kl": astray})


def _posterior_kl(model: Model, z: Tensor, log_px: Tensor, x: Tensor, log_points: float) -> Tensor:
    """KL(p(z | x), q(z | x)), the mean over images x, where the points (M, 1, d) have ``log_px`` (M, B)."""
    log_share = log_px.log_softmax(0)
    log_p = log_share + log_points - 0.5 * (z.square() + math.log(2 * math.pi)).sum(-1)  # a density
    log_q = model.infer(x).log_prob(z)
    if log_q is None:
        raise TypeError("a posterior without a density")  # which build has refused
    return (log_share.exp() * (log_p - log_q)).sum(0).mean()


@torch.no_grad()
def _carrying(model: Model, z: Tensor, x: Tensor) -> Tensor:
    """Which of the points (M, 1, d) carry all but a ten-thousandth of the weight of images x, as their numbers."""
    kind = z.device.type
    # Without autocast's cache: what it keeps of weights here would have no gradients later.
    with torch.autocast(kind, enabled=torch.is_autocast_enabled(kind), cache_enabled=False):
        weights = model.log_likelihood(z, x).softmax(0).sum(1)
    order = weights.argsort(descending=True)
    carried = weights[order].cumsum(0)
    return order[: int((carried < (1 - _LIGHT) * carried[-1]).sum()) + 1]
