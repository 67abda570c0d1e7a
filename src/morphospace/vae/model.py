"""The variational autoencoder: encoder, posterior, prior, decoder and likelihood, composed."""

from __future__ import annotations

from typing import Any

from torch import Generator, Tensor, nn

from morphospace.vae.interfaces import Batch, Group, Noise, Terms
from morphospace.vae.likelihoods import Likelihood
from morphospace.vae.posteriors import Posterior

__all__ = ["VAE"]


class VAE(nn.Module):
    """A model with one level of latents; what it becomes (VAE, autoencoder, ...) is up to its parts.

    Args:
        encoder: (B, C, H, W) to (B, features).
        posterior: features to Q; gives ``latent_dim`` and ``noise``.
        prior: called with :meth:`infer`, gives P.
        decoder: flat latents (M, d) to the likelihood's values (M, C', H, W).
        likelihood: scores images under those values.
    """

    def __init__(
        self,
        encoder: nn.Module,
        posterior: Posterior,
        prior: nn.Module,
        decoder: nn.Module,
        likelihood: Likelihood,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.posterior = posterior
        self.prior = prior
        self.decoder = decoder
        self.likelihood = likelihood
        self.z_shapes: tuple[tuple[int, ...], ...] = ((posterior.latent_dim,),)

    def noise(self, k: int, batch: int, generator: Generator) -> Noise:
        """The posterior's noise for ``k`` draws of each of ``batch`` images."""
        return self.posterior.noise(k, batch, generator)

    def infer(self, x: Tensor, condition: Tensor | None = None) -> Any:
        """Images (B, C, H, W) in [0, 1] to the posterior Q."""
        del condition
        return self.posterior(self.encoder(x))

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

    def flatten(self, zs: tuple[Tensor, ...]) -> Tensor:
        """The one level of latents is flat already."""
        return zs[0]

    def unflatten(self, z: Tensor) -> tuple[Tensor, ...]:
        """The one level of latents."""
        return (z,)
