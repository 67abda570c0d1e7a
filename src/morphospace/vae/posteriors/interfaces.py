"""What a posterior is."""

from __future__ import annotations

from torch import Generator, Tensor, nn

from morphospace.vae.interfaces import Book, Draws, Noise, VariationalPosterior

__all__ = ["Posterior"]


class Posterior(nn.Module):
    """From features (B, features) to Q, which has ``mean``, ``scale``, ``draw(noise)`` and ``log_prob(z)``.

    Attributes:
        latent_dim: d.
        draws: what Q draws.
        nonnegative: whether no latent is ever below 0.
    """

    latent_dim: int
    draws: Draws = "density"
    nonnegative: bool = False

    @property
    def book(self) -> Book | None:
        """What codes are drawn from; None where none are."""
        return None

    def noise(self, k: int, batch: int, generator: Generator) -> Noise:
        """All randomness of ``k`` draws for each of ``batch`` images."""
        raise NotImplementedError

    def points(self, drawn: Tensor) -> Tensor:
        """What a prior draws, as flat latents (..., d): the same, unless these are codes (..., positions)."""
        return drawn

    def codes(self, z: Tensor) -> Tensor:
        """The nearest codes (..., positions) of flat latents (..., d), where there is a book."""
        raise NotImplementedError

    def forward(self, h: Tensor) -> VariationalPosterior:
        """(B, features) to Q."""
        raise NotImplementedError
