"""FactorVAE: an adversary sees to it that latents are independent of each other."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from morphospace.errors import ArgumentError
from morphospace.parts import Shape, option
from morphospace.vae.interfaces import Batch, Loss, Model, Noise, Objective, Player, Progress
from morphospace.vae.objectives.elbo import needs_density
from morphospace.vae.optimisers import Adam, OptimiserConfig
from morphospace.vae.slots import ModelConfig, ObjectiveConfig
from morphospace.vae.terms import kl_of

__all__ = ["Discriminator", "FactorVAE"]

_SLOPE = 0.2  # of the leaky ReLUs, as in the paper
_RATE = 1e-4


class Discriminator(nn.Module):
    """Dense layers with leaky ReLU from a code to the log odds that it is one, and none whose latents were shuffled.

    Args:
        latent_dim: d, >= 1.
        widths: the size of each hidden layer.
    """

    def __init__(self, latent_dim: int, widths: Sequence[int]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        width = latent_dim
        for wider in widths:
            layers += [nn.Linear(width, wider), nn.LeakyReLU(_SLOPE)]
            width = wider
        self.layers = nn.Sequential(*layers, nn.Linear(width, 1))

    def forward(self, z: Tensor) -> Tensor:
        """(B, d) to (B,)."""
        odds: Tensor = self.layers(z).squeeze(-1)
        return odds.float()


class FactorVAE(Objective):
    r"""The negative ELBO and a weight on the total correlation, :math:`KL(q(z), \prod_j q(z_j))`.

    That is 0 where latents are independent of each other over all images. A discriminator estimates it: it learns to
    tell codes from codes whose latents were shuffled among the images of a batch, and the mean of its log odds is the
    total correlation. So there are two players: the model, and the discriminator with an optimiser of its own, Adam as
    in the paper.

    Args:
        latent_dim: d, >= 2: one latent alone is independent.
        gamma: the weight, >= 0; the paper has 2 to 100.
        widths: the size of each hidden layer of the discriminator.
        rate: the discriminator's learning rate.

    Source: Kim and Mnih, Disentangling by factorising, arXiv:1802.05983.
    """

    class Config(ObjectiveConfig, kind="factor"):
        """FactorVAE: the lower bound and the total correlation of latents, which an adversary estimates."""

        gamma: float = option("the weight of the total correlation in nats", default=10.0, low=0, high=1e9)
        adversary_widths: tuple[int, ...] = option(
            "the size of each hidden layer of the adversary", default=(256, 256, 256), low=1, high=1 << 20
        )
        adversary_rate: float = option("its learning rate", default=_RATE, low=1e-12, high=1e3)

        def build(self, model: Model, shape: Shape) -> FactorVAE:
            """See :class:`ObjectiveConfig`."""
            del shape
            return FactorVAE(model.latent_dim, gamma=self.gamma, widths=self.adversary_widths, rate=self.adversary_rate)

        def check(self, model: ModelConfig) -> None:
            """See :class:`ObjectiveConfig`."""
            needs_density(model)
            if model.latent_dim < 2:
                raise ArgumentError(
                    "one latent has no other to be independent of. Add latent_dim=2 or more, or keep objective=elbo.",
                    argument="objective",
                )

    def __init__(
        self, latent_dim: int, *, gamma: float = 10.0, widths: Sequence[int] = (256, 256, 256), rate: float = _RATE
    ) -> None:
        super().__init__()
        self.gamma = gamma
        self.discriminator = Discriminator(latent_dim, widths)
        self.optimiser = Adam(learning_rate=rate, beta1=0.5, beta2=0.9)
        self.latent_dim = latent_dim

    def players(self, model: nn.Module, optimiser: OptimiserConfig) -> tuple[Player, ...]:
        """The model, then the discriminator."""
        adversary = Player("discriminator", list(self.discriminator.parameters()), self.optimiser)
        return (*super().players(model, optimiser), adversary)

    def noise(self, model: Model, batch: int, generator: Generator) -> Noise:
        """The model's own, and the order in which each latent is shuffled, (B, d)."""
        lots = torch.rand((batch, self.latent_dim), generator=generator, device=generator.device)
        return (*super().noise(model, batch, generator), lots.argsort(0))

    def forward(self, player: str, model: Model, batch: Batch, noise: Noise, progress: Progress) -> Loss:
        """The loss of one batch: ``reconstruction``, ``kl``, ``total_correlation``; or ``cross_entropy``."""
        del progress
        *of_model, order = noise
        terms = model.terms(batch, tuple(of_model))
        (z,) = (draw.z[0] for draw in terms.draws)
        if player == "discriminator":
            return self._told_apart(z.detach(), z.detach().gather(0, order))
        reconstruction, kl = -terms.log_px.mean(), kl_of(terms).mean()
        total_correlation = self.discriminator(z).mean()
        parts = {"reconstruction": reconstruction, "kl": kl, "total_correlation": total_correlation}
        return Loss(reconstruction + kl + self.gamma * total_correlation, parts)

    def _told_apart(self, codes: Tensor, shuffled: Tensor) -> Loss:
        """The cross-entropy of codes against shuffled ones, in nats; log 2 where it cannot tell them apart."""
        loss = (F.softplus(-self.discriminator(codes)) + F.softplus(self.discriminator(shuffled))).mean() / 2
        return Loss(loss, {"cross_entropy": loss})
