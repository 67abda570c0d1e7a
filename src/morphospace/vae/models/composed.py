"""What models of a prior, a decoder and a likelihood have in common: all that a space asks of them."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from morphospace.vae.interfaces import Batch, Code, Condition, Model, Noise
from morphospace.vae.likelihoods.interfaces import Likelihood
from morphospace.vae.priors.interfaces import Prior
from morphospace.vae.terms import figures_of, log_weights_of

__all__ = ["Composed"]


class Composed(Model):
    """A model that answers by its parts; what is left to say is ``noise``, ``infer``, ``decode`` and ``terms``.

    Attributes:
        prior: called with :meth:`infer`, gives P.
        likelihood: scores images under what :meth:`decode` gives.
    """

    prior: Prior
    likelihood: Likelihood

    @property
    def has_density(self) -> bool:
        """Whether codes are draws of a density."""
        return True

    @property
    def has_bound(self) -> bool:
        """Whether its figures add up to a bound of -log p(x)."""
        return True

    @property
    def normal_prior(self) -> bool:
        """Whether it was trained towards N(0, I)."""
        return self.has_density and self.prior.normal

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
        return self.expected(self.decode(z, condition))

    def expected(self, values: Tensor) -> Tensor:
        """The expected images (..., C, H, W) in [0, 1] under what :meth:`decode` gave."""
        return self.likelihood.mean(values)

    def log_likelihood(self, z: Tensor, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Log p(x | z) in nats, (K, B) for z (K, B, d) or (K, 1, d) and images x (B, C, H, W)."""
        if z.shape[1] == 1 < len(x) and condition is None:  # each is decoded once
            return self.likelihood.log_prob_pairs(self.decode(z[:, 0]), x)
        return self.likelihood.log_prob(self.decode(z.expand(-1, len(x), -1), condition), x)

    def sample(self, n: int, rng: np.random.Generator, condition: Tensor | None = None) -> Tensor:
        """Latents (n, d) from the prior."""
        drawn: Tensor = self.prior(self.infer, condition).sample(n, rng)
        return drawn

    def figures(self, batch: Batch, noise: Noise) -> dict[str, Tensor]:
        """Nats of each image, (B,) by name."""
        return figures_of(self.terms(batch, noise))

    def log_weights(self, batch: Batch, noise: Noise) -> Tensor:
        """Log p(x, z) - log q(z | x) of each draw, (K, B) nats."""
        return log_weights_of(self.terms(batch, noise))
