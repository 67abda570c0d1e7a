"""The variational autoencoder: encoder, posterior, prior, decoder and likelihood, composed."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from morphospace.errors import ArgumentError
from morphospace.nn.interfaces import DecoderConfig, EncoderConfig
from morphospace.nn.mlp import MLPDecoder, MLPEncoder
from morphospace.parts import Shape, option
from morphospace.vae.interfaces import Batch, Book, Condition, Draws, Group, Noise, Terms, VariationalPosterior
from morphospace.vae.likelihoods.bernoulli import Bernoulli
from morphospace.vae.likelihoods.interfaces import Likelihood
from morphospace.vae.models.composed import Composed
from morphospace.vae.models.fitting import features_of, fitting_decoder, fitting_posterior
from morphospace.vae.posteriors.gaussian import GaussianPosterior
from morphospace.vae.posteriors.interfaces import Posterior
from morphospace.vae.priors.interfaces import Prior
from morphospace.vae.priors.normal import StandardNormalPrior
from morphospace.vae.slots import LikelihoodConfig, ModelConfig, PosteriorConfig, PriorConfig

__all__ = ["VAE"]


class VAE(Composed):
    """A model with one level of latents; what it becomes (VAE, autoencoder, ...) is up to its parts.

    Args:
        encoder: (B, C, H, W) to (B, features).
        posterior: features to Q; gives ``latent_dim`` and ``noise``.
        prior: called with :meth:`infer`, gives P.
        decoder: flat latents (M, d) to the likelihood's values (M, C', H, W).
        likelihood: scores images under those values.
        label: a picture (H W) for each kind of label, which the encoder sees as one more channel, and the decoder as
            one more latent for each kind; None where they are told nothing.

    Source: of labels, Sohn, Lee and Yan, Learning structured output representation using deep conditional generative
    models, NeurIPS 2015.
    """

    class Config(ModelConfig, kind="vae"):
        """Encoder, posterior, prior, decoder and likelihood: one level of latents."""

        encoder: EncoderConfig = option("from images to features", default=MLPEncoder.Config())
        decoder: DecoderConfig = option("from latents to the likelihood's values", default=MLPDecoder.Config())
        posterior: PosteriorConfig = option("what the encoder says of an image", default=GaussianPosterior.Config())
        prior: PriorConfig = option("what latents are expected to be", default=StandardNormalPrior.Config())
        likelihood: LikelihoodConfig = option("how the decoder's values score an image", default=Bernoulli.Config())

        condition: Literal["none", "label"] = option(
            "what encoder and decoder are told beside: the label of each image, so that codes need not hold it",
            default="none",
        )

        @property
        def latent_dim(self) -> int:
            """See :class:`ModelConfig`."""
            return self.posterior.latent_dim

        @property
        def draws(self) -> Draws:
            """See :class:`ModelConfig`."""
            return self.posterior.draws

        @property
        def conditional(self) -> bool:
            """See :class:`ModelConfig`."""
            return self.condition != "none"

        def check(self) -> None:
            """See :class:`ModelConfig`."""
            self.prior.check(self.posterior)
            if self.conditional and self.prior.of_posteriors:
                raise ArgumentError(
                    f'the prior "{self.prior.kind}" is made of what the encoder says of images that have no label, and '
                    "this encoder is told one. Add prior=normal, or leave condition out.",
                    argument="prior",
                )

        def build(self, shape: Shape, labels: int) -> VAE:
            """See :class:`ModelConfig`."""
            channels, height, width = shape
            kinds = labels if self.conditional else 0
            if self.conditional and kinds < 2:
                raise ArgumentError(
                    "the set has no labels that the model could be told. Take one that has, or leave it out.",
                    argument="condition",
                )
            seen = (channels + bool(kinds), height, width)
            encoder = self.encoder.build(seen)
            features = features_of(encoder, seen)
            decoder = self.decoder.build(self.latent_dim + kinds, shape)
            posterior = fitting_posterior(self.posterior.build(features), features)
            book = self.posterior.book
            prior = self.prior.build(self.latent_dim, shape) if book is None else self.prior.build_over(book, shape)
            fitting_decoder(decoder, self.latent_dim + kinds, shape)
            label = nn.Embedding(kinds, height * width) if kinds else None
            return VAE(encoder, posterior, prior, decoder, self.likelihood.build(), label)

    def __init__(
        self,
        encoder: nn.Module,
        posterior: Posterior,
        prior: Prior,
        decoder: nn.Module,
        likelihood: Likelihood,
        label: nn.Embedding | None = None,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.posterior = posterior
        self.prior = prior
        self.decoder = decoder
        self.likelihood = likelihood
        self.label = label

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
        if self.label is not None:
            drawn = self.label(self._told(condition)).to(x.dtype)
            x = torch.cat([x, drawn.view(-1, 1, *x.shape[2:])], 1)
        q: VariationalPosterior = self.posterior(self.encoder(x))
        return q

    def decode(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """Latents (..., d) to the likelihood's values (..., C', H, W)."""
        if self.label is not None:
            told = F.one_hot(self._told(condition), self.label.num_embeddings).to(z.dtype)  # (B, kinds)
            z = torch.cat([z, told.expand(*z.shape[:-1], -1)], -1)
        values: Tensor = self.decoder(z.reshape(-1, z.shape[-1]))
        return values.reshape(*z.shape[:-1], *values.shape[1:])

    def _told(self, condition: Tensor | None) -> Tensor:
        if condition is None:
            raise ArgumentError(
                "this model is told the label of each image, and draws nothing without. Say which.", argument="given"
            )
        return condition

    def terms(self, batch: Batch, noise: Noise) -> Terms:
        """Encode, draw, decode and score one batch."""
        q = self.infer(batch.input, batch.label)
        p = self.prior(self.infer, batch.label)
        draw = q.draw(noise)
        values = self.decode(draw.z, batch.label)
        group = Group(draw.log_q, p.log_prob(draw.z if draw.codes is None else draw.codes), p.kl(q))
        return Terms(self.likelihood.log_prob(values, batch.target), (group,), (draw,), values)

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
    def nonnegative(self) -> bool:
        """Whether no latent is ever below 0."""
        return self.posterior.nonnegative

    @property
    def book(self) -> Book | None:
        """What the posterior's codes are drawn from."""
        return self.posterior.book

    def codes(self, z: Tensor) -> Tensor:
        """The posterior's codes (..., positions) nearest to latents (..., d)."""
        return self.posterior.codes(z)

    @property
    def decoding(self) -> tuple[str, ...]:
        """How the names of what only decodes begin; the embedding of labels is what the encoder sees."""
        return "decoder.", "likelihood."

    @property
    def condition(self) -> Condition | None:
        """What it must be told beside an image or a latent."""
        return None if self.label is None else Condition("label", self.label.num_embeddings)

    def sample(self, n: int, rng: np.random.Generator, condition: Tensor | None = None) -> Tensor:
        """Latents (n, d) from the prior."""
        if not self.has_bound:
            raise ArgumentError("an autoencoder has no prior to sample from: fit a sampler to its codes.")
        return self.posterior.points(super().sample(n, rng, condition))
