"""A ladder of two rungs: latents of an image, and latents of those."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn
from torch.func import functional_call

from morphospace.nn.interfaces import DecoderConfig, EncoderConfig
from morphospace.nn.mlp import MLPDecoder, MLPEncoder
from morphospace.parts import Shape, option
from morphospace.vae.interfaces import Batch, Draw, Draws, Group, Noise, Terms
from morphospace.vae.likelihoods.bernoulli import Bernoulli
from morphospace.vae.likelihoods.interfaces import Likelihood
from morphospace.vae.models.composed import Composed
from morphospace.vae.models.fitting import features_of, fitting_decoder
from morphospace.vae.posteriors.gaussian import GaussianPosterior, GaussianQ
from morphospace.vae.priors.normal import StandardNormalP, StandardNormalPrior
from morphospace.vae.slots import LikelihoodConfig, ModelConfig

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

    def held(self, z2: Tensor) -> GaussianQ:
        """The same, no longer a function of what is learned."""
        weights = {name: value.detach() for name, value in self.named_parameters()}
        given: GaussianQ = functional_call(self, weights, (z2,))
        return given


class LadderQ(NamedTuple):
    """The posterior of a ladder over flat points (e1, z2), see :class:`Ladder`.

    Attributes:
        image: what the image alone says of z1, (B, d1).
        top: the posterior of z2, (B, d2).
        rung: z2 to p(z1 | z2).
        held: whether the rung counts as no function of what is learned.
    """

    image: GaussianQ
    top: GaussianQ
    rung: Rung
    held: bool = False

    def below(self, z2: Tensor) -> GaussianQ:
        """The posterior of e1 given z2 (..., B, d2): the product of prior and image, each by its precision."""
        p = self.rung.held(z2) if self.held else self.rung(z2)
        precision = p.log_var - self.image.log_var  # the log of the image's, where the prior's is 1
        mean = torch.sigmoid(precision) * (self.image.mean - p.mean) / p.scale
        return GaussianQ(mean, -F.softplus(precision))

    @property
    def mean(self) -> Tensor:
        """(B, d1 + d2): of z2, and of e1 given that."""
        return torch.cat([self.below(self.top.mean).mean, self.top.mean], -1)

    @property
    def scale(self) -> Tensor:
        """(B, d1 + d2) standard deviations: of z2, and of e1 given the mean of z2."""
        return torch.cat([self.below(self.top.mean).scale, self.top.scale], -1)

    def draw(self, noise: Noise) -> Draw:
        """Flat points from noise (K, B, d1) and (K, B, d2)."""
        z2 = self.top.draw(noise[1:]).z
        z = torch.cat([self.below(z2).draw(noise[:1]).z, z2], -1)
        return Draw(z, self.log_prob(z), held=lambda: self._held().log_prob(z))

    def log_prob(self, z: Tensor) -> Tensor:
        """(K, B) for flat points (K, B, d1 + d2)."""
        e1, z2 = self.split(z)
        return self.below(z2).log_prob(e1) + self.top.log_prob(z2)

    def split(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Flat points (..., d1 + d2) as e1 and z2."""
        lower = self.image.mean.shape[-1]
        return z[..., :lower], z[..., lower:]

    def _held(self) -> LadderQ:
        """The same, no longer a function of what made it."""
        image, top = (GaussianQ(q.mean.detach(), q.log_var.detach()) for q in (self.image, self.top))
        return LadderQ(image, top, self.rung, held=True)


class Ladder(Composed):
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
        lower: d1, the latents of z1, >= 1.
        upper: d2, those of z2, >= 1.
        widths: of the hidden layers from z2 to z1.

    Source: Sønderby et al., Ladder variational autoencoders, arXiv:1602.02282.
    """

    class Config(ModelConfig, kind="ladder"):
        """Two levels of latents: the upper ones say what the lower ones are like, and those what the image is."""

        encoder: EncoderConfig = option("from images to features", default=MLPEncoder.Config())
        decoder: DecoderConfig = option("from lower latents to the likelihood's values", default=MLPDecoder.Config())
        likelihood: LikelihoodConfig = option("how the decoder's values score an image", default=Bernoulli.Config())
        lower: int = option("the number of lower latents", default=8, low=1)
        upper: int = option("the number of upper latents", default=4, low=1)
        rung_widths: tuple[int, ...] = option(
            "the size of each hidden layer from upper to lower latents", default=(128,), low=1, high=1 << 20
        )

        @property
        def latent_dim(self) -> int:
            """See :class:`ModelConfig`."""
            return self.lower + self.upper

        @property
        def draws(self) -> Draws:
            """See :class:`ModelConfig`."""
            return "density"

        def build(self, shape: Shape, labels: int) -> Ladder:
            """See :class:`ModelConfig`."""
            del labels
            encoder, decoder = self.encoder.build(shape), self.decoder.build(self.lower, shape)
            fitting_decoder(decoder, self.lower, shape)
            return Ladder(
                encoder, features_of(encoder, shape), decoder, self.likelihood.build(),
                lower=self.lower, upper=self.upper, widths=self.rung_widths,
            )  # fmt: skip

    def __init__(
        self,
        encoder: nn.Module,
        features: int,
        decoder: nn.Module,
        likelihood: Likelihood,
        *,
        lower: int,
        upper: int,
        widths: Sequence[int] = (128,),
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.lower = GaussianPosterior(features, lower)
        self.upper = GaussianPosterior(features, upper)
        self.rung = Rung(upper, lower, widths)
        self.prior = StandardNormalPrior(lower + upper)
        self.decoder = decoder
        self.likelihood = likelihood

    @property
    def latent_dim(self) -> int:
        """d1 + d2."""
        return self.lower.latent_dim + self.upper.latent_dim

    @property
    def decoding(self) -> tuple[str, ...]:
        """How the names of what only decodes begin; the rung has a say in where images lie."""
        return "decoder.", "likelihood."

    def noise(self, k: int, batch: int, generator: Generator) -> Noise:
        """Standard normal noise of ``k`` draws an image, of e1 and of z2."""
        return (*self.lower.noise(k, batch, generator), *self.upper.noise(k, batch, generator))

    def infer(self, x: Tensor, condition: Tensor | None = None) -> LadderQ:
        """Images (B, C, H, W) in [0, 1] to the posterior of flat points."""
        del condition
        h = self.encoder(x)
        return LadderQ(self.lower(h), self.upper(h), self.rung)

    def decode(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """Flat points (..., d1 + d2) to the likelihood's values (..., C', H, W)."""
        del condition
        lower = self.lower.latent_dim
        p: GaussianQ = self.rung(z[..., lower:])
        z1 = p.mean + p.scale * z[..., :lower]
        values: Tensor = self.decoder(z1.flatten(0, -2))
        return values.reshape(*z.shape[:-1], *values.shape[1:])

    def terms(self, batch: Batch, noise: Noise) -> Terms:
        """Encode, draw, decode and score one batch; a group for each level, the lower first, and one flat draw."""
        q = self.infer(batch.input)
        draw = q.draw(noise)
        e1, z2 = q.split(draw.z)
        groups = (_group(q.below(z2), e1), _group(q.top, z2))
        values = self.decode(draw.z)
        return Terms(self.likelihood.log_prob(values, batch.target), groups, (draw,), values)


def _group(q: GaussianQ, z: Tensor) -> Group:
    """The terms of one level against N(0, I); e1 has a posterior for each draw of z2, whose KLs are averaged."""
    p = StandardNormalP(z.shape[-1])
    kl = p.kl(q)
    return Group(q.log_prob(z), p.log_prob(z), None if kl is None else kl.reshape(-1, z.shape[1]).mean(0))
