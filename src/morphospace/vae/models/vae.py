"""The variational autoencoder: encoder, posterior, prior, decoder and likelihood, composed."""

from __future__ import annotations

import numpy as np
from torch import Generator, Tensor, nn

from morphospace.errors import ArgumentError
from morphospace.nn.interfaces import DecoderConfig, EncoderConfig
from morphospace.nn.mlp import MLPDecoder, MLPEncoder
from morphospace.parts import Shape, option
from morphospace.vae.interfaces import Batch, Code, Condition, Draws, Group, Model, Noise, Terms, VariationalPosterior
from morphospace.vae.likelihoods.bernoulli import Bernoulli
from morphospace.vae.likelihoods.interfaces import Likelihood
from morphospace.vae.models.fitting import features_of, fitting_decoder, fitting_posterior
from morphospace.vae.posteriors.gaussian import GaussianPosterior
from morphospace.vae.posteriors.interfaces import Posterior
from morphospace.vae.priors.interfaces import Prior
from morphospace.vae.priors.normal import StandardNormalPrior
from morphospace.vae.slots import LikelihoodConfig, ModelConfig, PosteriorConfig, PriorConfig
from morphospace.vae.terms import figures_of, log_weights_of

__all__ = ["VAE"]


class VAE(Model):
    """A model with one level of latents; what it becomes (VAE, autoencoder, ...) is up to its parts.

    Args:
        encoder: (B, C, H, W) to (B, features).
        posterior: features to Q; gives ``latent_dim`` and ``noise``.
        prior: called with :meth:`infer`, gives P.
        decoder: flat latents (M, d) to the likelihood's values (M, C', H, W).
        likelihood: scores images under those values.
    """

    class Config(ModelConfig, kind="vae"):
        """Encoder, posterior, prior, decoder and likelihood: one level of latents."""

        encoder: EncoderConfig = option("from images to features", default=MLPEncoder.Config())
        decoder: DecoderConfig = option("from latents to the likelihood's values", default=MLPDecoder.Config())
        posterior: PosteriorConfig = option("what the encoder says of an image", default=GaussianPosterior.Config())
        prior: PriorConfig = option("what latents are expected to be", default=StandardNormalPrior.Config())
        likelihood: LikelihoodConfig = option("how the decoder's values score an image", default=Bernoulli.Config())

        @property
        def latent_dim(self) -> int:
            """See :class:`ModelConfig`."""
            return self.posterior.latent_dim

        @property
        def draws(self) -> Draws:
            """See :class:`ModelConfig`."""
            return self.posterior.draws

        def build(self, shape: Shape, labels: int) -> VAE:
            """See :class:`ModelConfig`."""
            del labels
            encoder = self.encoder.build(shape)
            features = features_of(encoder, shape)
            decoder = self.decoder.build(self.latent_dim, shape)
            posterior = fitting_posterior(self.posterior.build(features), features)
            prior = self.prior.build(self.latent_dim, shape)
            fitting_decoder(decoder, self.latent_dim, shape)
            return VAE(encoder, posterior, prior, decoder, self.likelihood.build())

    def __init__(
        self, encoder: nn.Module, posterior: Posterior, prior: Prior, decoder: nn.Module, likelihood: Likelihood
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.posterior = posterior
        self.prior = prior
        self.decoder = decoder
        self.likelihood = likelihood

    # -- what objectives ask -----------------------------------------------------------------------

    @property
    def latent_dim(self) -> int:
        """d, the posterior's."""
        return self.posterior.latent_dim

    def noise(self, k: int, batch: int, generator: Generator) -> Noise:
        """The posterior's noise for ``k`` draws of each of ``batch`` images."""
        return self.posterior.noise(k, batch, generator)

    def infer(self, x: Tensor, condition: Tensor | None = None) -> VariationalPosterior:
        """Images (B, C, H, W) in [0, 1] to the posterior Q."""
        del condition
        q: VariationalPosterior = self.posterior(self.encoder(x))
        return q

    def decode(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """Latents (..., d) to the likelihood's values (..., C', H, W)."""
        del condition
        values: Tensor = self.decoder(z.reshape(-1, z.shape[-1]))
        return values.reshape(*z.shape[:-1], *values.shape[1:])

    def terms(self, batch: Batch, noise: Noise) -> Terms:
        """Encode, draw, decode and score one batch."""
        q = self.infer(batch.input)
        p = self.prior(self.infer)
        draw = q.draw(noise)
        values = self.decode(draw.z)
        group = Group(draw.log_q, p.log_prob(draw.z), p.kl(q))
        return Terms(self.likelihood.log_prob(values, batch.target), (group,), (draw,), values)

    def log_likelihood(self, z: Tensor, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Log p(x | z) in nats, (K, B) for z (K, B, d) or (K, 1, d) and images x (B, C, H, W)."""
        if z.shape[1] == 1 < len(x) and condition is None:  # each is decoded once
            return self.likelihood.log_prob_pairs(self.decode(z[:, 0]), x)
        z = z.expand(-1, len(x), -1)
        return self.likelihood.log_prob(self.decode(z, condition), x)

    # -- what everything else asks -----------------------------------------------------------------

    @property
    def has_density(self) -> bool:
        """Whether codes are draws of a density."""
        return self.posterior.draws == "density"

    @property
    def has_bound(self) -> bool:
        """Whether its figures add up to a bound of -log p(x)."""
        return self.posterior.draws != "points"

    @property
    def normal_prior(self) -> bool:
        """Whether it was trained towards N(0, I)."""
        return self.has_density and self.prior.normal

    @property
    def nonnegative(self) -> bool:
        """Whether no latent is ever below 0."""
        return self.posterior.nonnegative

    @property
    def condition(self) -> Condition | None:
        """What it must be told beside an image or a latent."""
        return None

    @property
    def likelihood_name(self) -> str:
        """Of what kind the nats of its reconstructions are."""
        return self.likelihood.name

    @property
    def cross_entropy(self) -> bool:
        """Whether these are the cross-entropy of pixels."""
        return self.likelihood.cross_entropy

    def encode(self, x: Tensor, condition: Tensor | None = None) -> Code:
        """Where images (B, C, H, W) in [0, 1] lie: the posterior's mean and deviations."""
        q = self.infer(x, condition)
        return Code(q.mean, q.scale)

    def image(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """The expected images (..., C, H, W) in [0, 1] of latents (..., d)."""
        return self.likelihood.mean(self.decode(z, condition))

    def sample(self, n: int, rng: np.random.Generator, condition: Tensor | None = None) -> Tensor:
        """Latents (n, d) from the prior."""
        if not self.has_bound:
            raise ArgumentError("an autoencoder has no prior to sample from: fit a sampler to its codes.")
        drawn: Tensor = self.prior(self.infer, condition).sample(n, rng)
        return drawn

    def figures(self, batch: Batch, noise: Noise) -> dict[str, Tensor]:
        """Nats of each image, (B,) by name."""
        return figures_of(self.terms(batch, noise))

    def log_weights(self, batch: Batch, noise: Noise) -> Tensor:
        """Log p(x, z) - log q(z | x) of each draw, (K, B) nats."""
        return log_weights_of(self.terms(batch, noise))
