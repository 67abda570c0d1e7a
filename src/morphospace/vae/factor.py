"""FactorVAE: an adversary sees to it that latents are independent of each other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from morphospace.vae.interfaces import Batch, Loss, Noise, Objective, Player, Progress
from morphospace.vae.objectives import kl_of
from morphospace.vae.optimisers import Optimiser

__all__ = ["Discriminator", "FactorVAE"]

_SLOPE = 0.2  # of the leaky ReLUs, as in the paper


class Discriminator(nn.Module):
    """Dense layers with leaky ReLU from a code to the log odds that it is one, and none whose latents were shuffled.

    Args:
        latent_dim: d, >= 1.
        widths: the size of each hidden layer.
    """

    def __init__(self, latent_dim: int, widths: Sequence[int]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for n_in, n_out in pairwise((latent_dim, *widths)):
            layers += [nn.Linear(n_in, n_out), nn.LeakyReLU(_SLOPE)]
        self.layers = nn.Sequential(*layers, nn.Linear((latent_dim, *widths)[-1], 1))

    def forward(self, z: Tensor) -> Tensor:
        """(B, d) to (B,)."""
        odds: Tensor = self.layers(z).squeeze(-1)
        return odds.float()


class FactorVAE(Objective):
    r"""The negative ELBO and a weight on the total correlation, :math:`KL(q(z), \prod_j q(z_j))`.

    That is 0 where latents are independent of each other over all images. A discriminator estimates it: it learns to
    tell codes from codes whose latents were shuffled among the images of a batch, and the mean of its log odds is the
    total correlation. So there are two players: the model, and the discriminator with an optimiser of its own.

    Args:
        optimiser: steps the model.
        latent_dim: d of flat points, >= 2: one latent alone is independent.
        gamma: the weight, >= 0; the paper has 2 to 100.
        widths: the size of each hidden layer of the discriminator.
        adversary: steps the discriminator; the paper's has learning rate 1e-4, beta1 0.5, beta2 0.9.

    Source: Kim and Mnih, Disentangling by factorising, arXiv:1802.05983.
    """

    def __init__(
        self,
        optimiser: Optimiser,
        latent_dim: int,
        *,
        gamma: float = 10.0,
        widths: Sequence[int] = (256, 256, 256),
        adversary: Optimiser = Optimiser(learning_rate=1e-4, beta1=0.5, beta2=0.9),  # noqa: B008 - it is frozen
    ) -> None:
        super().__init__()
        self.optimiser = optimiser
        self.adversary = adversary
        self.gamma = gamma
        self.discriminator = Discriminator(latent_dim, widths)
        self.latent_dim = latent_dim

    def players(self, model: nn.Module) -> tuple[Player, ...]:
        """The model, then the discriminator."""
        return (
            Player("model", [p for p in model.parameters() if p.requires_grad], self.optimiser),
            Player("discriminator", list(self.discriminator.parameters()), self.adversary),
        )

    def noise(self, model: Any, batch: int, generator: Generator) -> Noise:
        """The model's own, and the order in which each latent is shuffled, (B, d)."""
        lots = torch.rand((batch, self.latent_dim), generator=generator, device=generator.device)
        return (*model.noise(self.samples, batch, generator), lots.argsort(0))

    def forward(self, player: str, model: Any, batch: Batch, noise: Noise, progress: Progress) -> Loss:
        """The loss of one batch; of the model ``reconstruction``, ``kl``, ``total_correlation``; ``discriminator``."""
        del progress
        *of_model, order = noise
        if player == "discriminator":
            with torch.no_grad():
                z = model.infer(batch.input).draw(tuple(of_model)).z[0]
            return self._told_apart(z, z.gather(0, order))
        terms = model.terms(batch, tuple(of_model))
        reconstruction, kl = -terms.log_px.mean(), kl_of(terms).mean()
        z = model.flatten(tuple(draw.z for draw in terms.draws))[0]
        total_correlation = self.discriminator(z).mean()
        parts = {"reconstruction": reconstruction, "kl": kl, "total_correlation": total_correlation}
        return Loss(reconstruction + kl + self.gamma * total_correlation, parts)

    def _told_apart(self, codes: Tensor, shuffled: Tensor) -> Loss:
        """The cross-entropy of codes against shuffled ones, in nats; log 2 where it cannot tell them apart."""
        loss = (F.softplus(-self.discriminator(codes)) + F.softplus(self.discriminator(shuffled))).mean() / 2
        return Loss(loss, {"discriminator": loss})
