"""A package of somebody's own, as tests give it, and write it as a file for the command."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from morphospace import extending as ext

__all__ = ["Adversarial", "Raises", "Sized", "Small", "WideP", "WidePrior"]


class Small(nn.Module):
    """An encoder that is made without arguments, around a backbone that stays as it is."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Conv2d(1, 4, 3, stride=2, padding=1).requires_grad_(False)
        self.head = nn.Linear(4 * 4 * 4, 8)

    def forward(self, x: Tensor) -> Tensor:
        """See :class:`ext.EncoderConfig`."""
        features: Tensor = self.head(F.gelu(self.backbone(x)).flatten(1))
        return features


class Sized(Small):
    """One that needs an argument."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.head = nn.Linear(4 * 4 * 4, features)


class Raises(nn.Module):
    """One that cannot be made at all."""

    def __init__(self) -> None:
        raise RuntimeError("no licence found")


class WideP(NamedTuple):
    """N(0, spread^2 I)."""

    latent_dim: int
    spread: float

    def log_prob(self, z: Tensor) -> Tensor:
        """(K, B) for z (K, B, d)."""
        return -(0.5 * (z / self.spread).square() + math.log(self.spread * math.sqrt(2 * math.pi))).sum(-1)

    def kl(self, q: ext.VariationalPosterior) -> None:
        """By draws."""
        del q

    def sample(self, count: int, rng: np.random.Generator) -> Tensor:
        """(count, d)."""
        return torch.from_numpy(self.spread * rng.standard_normal((count, self.latent_dim)).astype(np.float32))


class WidePrior(ext.Prior):
    """N(0, spread^2 I)."""

    class Config(ext.PriorConfig):
        """A wide Gaussian."""

        spread: float = ext.option("the standard deviation", default=2.0, low=1e-3)

        def build(self, latent_dim: int, shape: ext.Shape) -> ext.Prior:
            """See :class:`ext.PriorConfig`."""
            del shape
            return WidePrior(WideP(latent_dim, self.spread))

    def __init__(self, p: WideP) -> None:
        super().__init__()
        self.p = p

    def forward(self, infer: ext.Infer, condition: Tensor | None = None) -> WideP:
        """Always the same."""
        del infer, condition
        return self.p


class Adversarial(ext.Objective):
    """Reconstruction, and a critic of codes."""

    class Config(ext.ObjectiveConfig):
        """Reconstruction, and codes that a critic cannot tell from the prior's."""

        weight: float = ext.option("the weight of the critic's doubt", default=10.0, low=0)

        def build(self, model: ext.Model, shape: ext.Shape) -> ext.Objective:
            """See :class:`ext.ObjectiveConfig`."""
            return Adversarial(model.latent_dim, self.weight)

    def __init__(self, latent_dim: int, weight: float) -> None:
        super().__init__()
        self.weight = weight
        self.critic = nn.Linear(latent_dim, 1)

    def players(self, model: nn.Module, optimiser: ext.OptimiserConfig) -> tuple[ext.Player, ...]:
        """The model, and the critic."""
        critic = ext.Player("critic", list(self.critic.parameters()), ext.Adam(learning_rate=1e-3))
        return (*super().players(model, optimiser), critic)

    def noise(self, model: ext.Model, batch: int, generator: Generator) -> ext.Noise:
        """The model's, and draws of N(0, I)."""
        drawn = torch.randn((batch, model.latent_dim), generator=generator, device=generator.device)
        return (*super().noise(model, batch, generator), drawn)

    def forward(
        self, player: str, model: ext.Model, batch: ext.Batch, noise: ext.Noise, progress: ext.Progress
    ) -> ext.Loss:
        """Parts ``reconstruction`` and ``doubt``; or ``told_apart``."""
        *of_model, drawn = noise
        terms = model.terms(batch, tuple(of_model))
        z = terms.draws[0].z[0]
        if player == "critic":
            loss = (F.softplus(-self.critic(drawn)) + F.softplus(self.critic(z.detach()))).mean()
            return ext.Loss(loss, {"told_apart": loss})
        reconstruction, doubt = -terms.log_px.mean(), F.softplus(-self.critic(z)).mean()
        return ext.Loss(reconstruction + self.weight * doubt, {"reconstruction": reconstruction, "doubt": doubt})
