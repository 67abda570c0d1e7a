"""The quantised posterior: each latent vector becomes the nearest entry of a learned codebook."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from morphospace.errors import ArgumentError
from morphospace.nn.layers import glorot_
from morphospace.parts import option
from morphospace.vae.interfaces import Book, Draw, Draws, Noise
from morphospace.vae.posteriors.interfaces import Posterior
from morphospace.vae.slots import PosteriorConfig

__all__ = ["QuantisedPosterior", "QuantisedQ"]

_GOLDEN = 0.6180339887498949  # its multiples modulo 1 are spread evenly, however many there are
_SMOOTHING = 1e-5  # images' worth of use that each entry is given, so that none divides by zero


class QuantisedQ(NamedTuple):
    """One row of codes for each image: all of the posterior's mass, so that log q of them is 0.

    Attributes:
        mean: (B, d), the codes' entries one after the other; its gradient is the encoder's output's.
        codes: (B, G), which entry stands at each position.
        penalty: (B,), what the distance of the encoder's output from its entries costs.
    """

    mean: Tensor
    codes: Tensor
    penalty: Tensor

    @property
    def scale(self) -> None:
        """Codes have none."""
        return None

    def draw(self, noise: Noise) -> Draw:
        """The codes, as one draw: z (1, B, d), codes (1, B, G), log q (1, B) of 0."""
        del noise
        return Draw(self.mean[None], torch.zeros_like(self.penalty)[None], self.penalty, self.codes[None])

    def log_prob(self, z: Tensor) -> Tensor:
        """(K, B) for codes (K, B, G): 0 for the image's own, minus infinity for all others."""
        return (z == self.codes).all(-1).float().log()


class QuantisedPosterior(Posterior):
    r"""G vectors by a dense head, each moved to the nearest of the E entries of one codebook.

    The gradient goes straight through, as if nothing had been moved, and a penalty
    :math:`\beta \lVert z_e - e \rVert^2` keeps the encoder's output :math:`z_e` near its entries e. The entries do
    not descend a loss: each follows the mean of what is moved to it, by counts N and sums m over the steps,

    .. math:: N_i \leftarrow \gamma N_i + (1 - \gamma) n_i, \quad m_i \leftarrow \gamma m_i + (1 - \gamma) s_i, \quad
              e_i = m_i / \hat N_i, \quad \hat N_i = \frac{N_i + \epsilon}{\sum_j N_j + E \epsilon} \sum_j N_j

    with the n vectors of the batch that are moved to entry i and their sum s. An entry that hardly anything is moved
    to starts anew at a vector of the batch, as all of them do at the first step. Batches come in an order that the
    seed decides, and which of their vectors are taken is fixed, so nothing else is random.

    In training the forward only counts; :meth:`after_step` moves the entries. While the head is frozen they stay.

    Images lie on entries to the last bit, but latents are points as any others: what lies between entries is decoded as
    it is, not moved to the nearest, so that morphs and edits along concepts are as smooth as the decoder.

    Args:
        features: what the encoder gives.
        latent_dim: d, >= 1, the numbers of all of an image's entries together.
        positions: G, >= 1, the codes of an image, a divisor of d.
        entries: E, >= 2.
        decay: gamma, 0..1: how slowly entries follow.
        commitment: beta, >= 0, in nats a unit of squared distance.
        revive: entries used less than this share, 0..1, of an even use start anew; 0 never.

    Source: van den Oord, Vinyals and Kavukcuoglu, Neural discrete representation learning, arXiv:1711.00937, its
    appendix A.1 for the moving means; fresh starts: Dhariwal et al., Jukebox, arXiv:2005.00341.

    Example:
        >>> q = QuantisedPosterior(32, 12, positions=4, entries=8)(torch.zeros(5, 32))
        >>> q.mean.shape, q.codes.shape
        (torch.Size([5, 12]), torch.Size([5, 4]))
    """

    class Config(PosteriorConfig, kind="quantised"):
        """Vectors of which each is one of a learned codebook."""

        draws: ClassVar[Draws] = "codes"

        latent_dim: int = option("the number of latents, those of all codes together", default=64, low=1)
        positions: int = option("the codes of an image, which share its latents evenly", default=16, low=1, high=4096)
        entries: int = option("the codes to choose from", default=64, low=2, high=65536)
        decay: float = option("how slowly codes follow what is encoded", default=0.99, low=0, high=0.99999)
        commitment: float = option(
            "what keeps the encoder near its codes, nats a unit of squared distance", default=0.25, low=0, high=1e9
        )
        revive: float = option(
            "codes used less than this share of an even use start anew; 0 never", default=0.03, low=0, high=1
        )

        def __post_init__(self) -> None:
            super().__post_init__()
            if self.latent_dim % self.positions:
                more = self.positions * -(-self.latent_dim // self.positions)
                raise ArgumentError(
                    f"expected latents that {self.positions} codes can share evenly, like {more}, got "
                    f"{self.latent_dim}. Or change how many codes an image has (positions).",
                    argument="posterior.latent_dim",
                )

        @property
        def book(self) -> Book:
            """See :class:`PosteriorConfig`."""
            return Book(self.positions, self.entries)

        def build(self, features: int) -> QuantisedPosterior:
            """See :class:`PosteriorConfig`."""
            return QuantisedPosterior(
                features,
                self.latent_dim,
                positions=self.positions,
                entries=self.entries,
                decay=self.decay,
                commitment=self.commitment,
                revive=self.revive,
            )

    draws: Draws = "codes"
    codebook: Tensor
    counts: Tensor
    sums: Tensor
    batch_counts: Tensor
    batch_sums: Tensor
    candidates: Tensor

    def __init__(
        self,
        features: int,
        latent_dim: int,
        *,
        positions: int,
        entries: int,
        decay: float = 0.99,
        commitment: float = 0.25,
        revive: float = 0.03,
    ) -> None:
        super().__init__()
        self.latent_dim, self.positions, self.entries = latent_dim, positions, entries
        self.decay, self.commitment, self.revive = decay, commitment, revive
        self.mean = nn.Linear(features, latent_dim)
        glorot_(self)
        size = entries, latent_dim // positions
        self.register_buffer("codebook", torch.randn(size))
        self.register_buffer("counts", torch.zeros(entries))
        self.register_buffer("sums", torch.zeros(size))
        # What a step hands to after_step; between steps nobody needs it, so no file holds it.
        self.register_buffer("batch_counts", torch.zeros(entries), persistent=False)
        self.register_buffer("batch_sums", torch.zeros(size), persistent=False)
        self.register_buffer("candidates", torch.zeros(size), persistent=False)

    def noise(self, k: int, batch: int, generator: Generator) -> Noise:
        """There is none."""
        del k, batch, generator
        return ()

    def forward(self, h: Tensor) -> QuantisedQ:
        """(B, features) to Q; distances are in float32 whatever the features' precision."""
        vectors = self.mean(h).float().unflatten(1, (self.positions, -1))  # (B, G, c)
        codes = self.nearest(vectors)
        entries = F.embedding(codes, self.codebook)
        if self._moving:
            self._count(vectors.detach(), codes)
        penalty = self.commitment * (vectors - entries).square().sum((1, 2))
        straight = entries + (vectors - vectors.detach())  # the entries to the last bit, the gradient of the vectors
        return QuantisedQ(straight.flatten(1), codes, penalty)

    def nearest(self, vectors: Tensor) -> Tensor:
        """The nearest entries (...) of vectors (..., c), by their numbers; the first of equals."""
        with torch.autocast(vectors.device.type, enabled=False):
            scores = vectors.detach().float() @ self.codebook.t()
            return (self.codebook.square().sum(1) - 2 * scores).argmin(-1)

    @property
    def book(self) -> Book:
        """See :class:`Posterior`."""
        return Book(self.positions, self.entries)

    def codes(self, z: Tensor) -> Tensor:
        """The nearest codes (..., G) of flat latents (..., d)."""
        return self.nearest(z.reshape(*z.shape[:-1], self.positions, -1))

    def points(self, drawn: Tensor) -> Tensor:
        """Codes (..., G) as flat latents (..., d)."""
        return F.embedding(drawn, self.codebook).flatten(-2)

    @property
    def _moving(self) -> bool:
        return self.training and self.mean.weight.requires_grad

    @torch.no_grad()
    def _count(self, vectors: Tensor, codes: Tensor) -> None:
        """Keep what :meth:`after_step` needs of vectors (B, G, c) and their codes (B, G)."""
        flat, chosen = vectors.flatten(0, 1), codes.flatten()
        self.batch_counts.zero_().index_add_(0, chosen, torch.ones_like(flat[:, 0]))
        self.batch_sums.zero_().index_add_(0, chosen, flat)
        places = (torch.arange(self.entries, device=flat.device, dtype=torch.float64) * _GOLDEN % 1 * len(flat)).long()
        self.candidates.copy_(flat[places])

    @torch.no_grad()
    def after_step(self) -> None:
        """Move the entries after a step of training, by what the forward has counted."""
        if not self._moving:
            return
        first = self.counts.sum() == 0
        self.counts.lerp_(self.batch_counts, 1 - self.decay)
        self.sums.lerp_(self.batch_sums, 1 - self.decay)
        total = self.counts.sum()
        even = total / self.entries
        smoothed = (self.counts + _SMOOTHING) / (total + self.entries * _SMOOTHING) * total
        idle = first | (self.counts < self.revive * even)
        self.counts.copy_(torch.where(idle, even, self.counts))
        self.sums.copy_(torch.where(idle[:, None], even * self.candidates, self.sums))
        self.codebook.copy_(torch.where(idle[:, None], self.candidates, self.sums / smoothed[:, None]))
