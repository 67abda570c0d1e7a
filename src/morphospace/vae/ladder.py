"""A ladder of two rungs: latents of an image, and latents of those."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from morphospace.vae.interfaces import Batch, Draw, Group, Noise, Terms
from morphospace.vae.likelihoods import Likelihood
from morphospace.vae.posteriors import GaussianPosterior, GaussianQ
from morphospace.vae.priors import StandardNormalP, StandardNormalPrior

__all__ = ["Ladder", "LadderQ", "Rung"]


class Rung(nn.Module):
    r""":math:`p(z_1 | z_2)`, a diagonal Gaussian by dense layers with GELU.

    Args:
        above: the latents of z2, >= 1.
        below: the latents of z1, >= 1.
        widths: the size of each hidden layer; with none, mean and log-variance are linear in z2.
    """

    def __init__(self, above: int, below: int, widths: Sequence[int]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for n_in, n_out in pairwise((above, *widths)):
            layers += [nn.Linear(n_in, n_out), nn.GELU()]
        self.layers = nn.Sequential(*layers)
        self.heads = GaussianPosterior((above, *widths)[-1], below)

    def forward(self, z2: Tensor) -> GaussianQ:
        """(..., above) to the mean and log-variance of z1, (..., below) each."""
        given: GaussianQ = self.heads(self.layers(z2))
        return given


class LadderQ(NamedTuple):
    """The posterior of a ladder over flat points (e1, z2), see :class:`Ladder`.

    Attributes:
        image: what the image alone says of z1, (B, d1).
        top: the posterior of z2, (B, d2).
        rung: z2 to p(z1 | z2).
    """

    image: GaussianQ
    top: GaussianQ
    rung: Callable[[Tensor], GaussianQ]

    def below(self, z2: Tensor) -> GaussianQ:
        """The posterior of e1 given z2 (..., B, d2): the product of prior and image, each by its precision."""
        p = self.rung(z2)
        precision = p.log_var - self.image.log_var  # the log of the image's, where the prior's is 1
        mean = torch.sigmoid(precision) * (self.image.mean - p.mean) * torch.exp(-0.5 * p.log_var)
        return GaussianQ(mean, -F.softplus(precision))

    @property
    def mean(self) -> Tensor:
        """(B, d1 + d2): of z2, and of e1 given that."""
        return torch.cat([self.below(self.top.mean).mean, self.top.mean], -1)

    @property
    def log_var(self) -> Tensor:
        """(B, d1 + d2): of z2, and of e1 given the mean of z2."""
        return torch.cat([self.below(self.top.mean).log_var, self.top.log_var], -1)

    def draw(self, noise: Noise) -> Draw:
        """Flat points from noise (K, B, d1) and (K, B, d2)."""
        top = self.top.draw(noise[1:])
        below = self.below(top.z).draw(noise[:1])
        assert below.log_q is not None and top.log_q is not None  # noqa: PT018 - Gaussians have a density
        return Draw(torch.cat([below.z, top.z], -1), below.log_q + top.log_q)

    def log_prob(self, z: Tensor) -> Tensor:
        """(K, B) for flat points (K, B, d1 + d2)."""
        d2 = self.top.mean.shape[-1]
        e1, z2 = z[..., :-d2], z[..., -d2:]
        return self.below(z2).log_prob(e1) + self.top.log_prob(z2)


def _group(q: GaussianQ, draw: Draw) -> Group:
    """The terms of one rung against N(0, I); of e1 there is a posterior for each draw of z2, whose KLs are averaged."""
    p = StandardNormalP(draw.z.shape[-1])
    kl = p.kl(q)
    return Group(draw.log_q, p.log_prob(draw.z), None if kl is None else torch.atleast_2d(kl).mean(0))


class Ladder(nn.Module):
    r"""Two levels of latents: z2 from the image, z1 from the image and z2; z1 makes the image, z2 what z1 is like.

    .. math:: p(x, z_1, z_2) = p(x|z_1)\, p(z_1|z_2)\, N(z_2; 0, I), \quad q(z_1, z_2|x) = q(z_1|z_2, x)\, q(z_2|x)

    where :math:`q(z_1|z_2, x)` is the product of :math:`p(z_1|z_2)` and of a Gaussian by the image, each by its
    precision. A flat point is :math:`(e_1, z_2)` with :math:`z_1 = \mu(z_2) + \sigma(z_2)\, e_1`, by the mean and the
    deviation of :math:`p(z_1|z_2)`. So flat points are N(0, I) under the prior, like those of any VAE: planes, grids
    and samples mean what they mean there, and e1 = 0 is what a z2 is most like. No KL changes: it has no coordinates.

    Args:
        encoder: (B, C, H, W) to (B, features).
        features: their count.
        decoder: z1 (M, d1) to the likelihood's values (M, C', H, W).
        likelihood: scores images under those values.
        rungs: (d1, d2), the latents of z1 and of z2, >= 1 each.
        widths: of the hidden layers from z2 to z1.

    Source: Sønderby et al., Ladder variational autoencoders, arXiv:1602.02282.
    """

    def __init__(
        self,
        encoder: nn.Module,
        features: int,
        decoder: nn.Module,
        likelihood: Likelihood,
        *,
        rungs: tuple[int, int],
        widths: Sequence[int] = (128,),
    ) -> None:
        super().__init__()
        below, above = rungs
        self.z_shapes: tuple[tuple[int, ...], ...] = ((below,), (above,))
        self.encoder = encoder
        self.image = GaussianPosterior(features, below)
        self.top = GaussianPosterior(features, above)
        self.rung = Rung(above, below, widths)
        self.prior = StandardNormalPrior(below + above)
        self.decoder = decoder
        self.likelihood = likelihood

    def noise(self, k: int, batch: int, generator: Generator) -> Noise:
        """Standard normal noise of ``k`` draws an image, of e1 and of z2."""
        return (*self.image.noise(k, batch, generator), *self.top.noise(k, batch, generator))

    def infer(self, x: Tensor, condition: Tensor | None = None) -> LadderQ:
        """Images (B, C, H, W) in [0, 1] to the posterior of flat points."""
        del condition
        h = self.encoder(x)
        return LadderQ(self.image(h), self.top(h), self.rung)

    def decode(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """Flat points (..., d1 + d2) to the likelihood's values (..., C', H, W)."""
        del condition
        e1, z2 = self.unflatten(z)
        p: GaussianQ = self.rung(z2)
        z1 = p.mean + torch.exp(0.5 * p.log_var) * e1
        values: Tensor = self.decoder(z1.flatten(0, -2))
        return values.reshape(*z.shape[:-1], *values.shape[1:])

    def terms(self, batch: Batch, noise: Noise) -> Terms:
        """Encode, draw, decode and score one batch; a group for each rung, e1 first."""
        q = self.infer(batch.input)
        top = q.top.draw(noise[1:])
        q1 = q.below(top.z)
        below = q1.draw(noise[:1])
        values = self.decode(self.flatten((below.z, top.z)))
        groups = (_group(q1, below), _group(q.top, top))
        return Terms(self.likelihood.log_prob(values, batch.target), groups, (below, top), values)

    def flatten(self, zs: tuple[Tensor, ...]) -> Tensor:
        """e1 and z2 side by side."""
        return torch.cat(zs, -1)

    def unflatten(self, z: Tensor) -> tuple[Tensor, ...]:
        """Flat points as e1 and z2."""
        return z.split([shape[0] for shape in self.z_shapes], -1)
