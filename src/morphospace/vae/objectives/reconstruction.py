"""What an autoencoder descends."""

from __future__ import annotations

import torch

from morphospace.errors import ArgumentError
from morphospace.parts import Shape, option
from morphospace.vae.interfaces import Batch, Loss, Model, Noise, Objective, Progress
from morphospace.vae.slots import ModelConfig, ObjectiveConfig
from morphospace.vae.terms import risen

__all__ = ["PointsConfig", "Reconstruction"]


class PointsConfig(ObjectiveConfig, abstract=True):
    """What autoencoders descend: there is no KL."""

    def check(self, model: ModelConfig) -> None:
        """Refuse a model that has a KL, which would be left alone.

        Raises:
            ArgumentError: with what to do.
        """
        if model.draws != "points":
            raise ArgumentError(
                'it has no KL, so the posterior must be a point. Add `posterior="point"`, or keep `objective="elbo"` '
                "with `beta=0`.",
                argument="objective",
            )

    def kl_weight(self, latent_dim: int, shape: Shape) -> float:
        """See :class:`ObjectiveConfig`."""
        del latent_dim, shape
        return 0.0


class Reconstruction(Objective):
    r"""The classical autoencoder's loss, :math:`-\log p(x|z) + \lambda \sum_j |z_j|`.

    Args:
        l1: lambda in nats a unit of code, >= 0; above 0 the codes become sparse.
        anneal: the share of all steps, 0..1, in which lambda rises from 0.
    """

    class Config(PointsConfig, kind="reconstruction"):
        """Reconstruction alone, of autoencoders, with a penalty that makes codes sparse."""

        l1: float = option("the weight of the L1 penalty, nats a unit of code", default=0.0, low=0, high=1e9)
        anneal: float = option(
            "the share of all steps in which l1 rises from 0", default=0.0, low=0, high=1, needs="l1"
        )

        def build(self, model: Model, shape: Shape) -> Reconstruction:
            """See :class:`ObjectiveConfig`."""
            del model, shape
            return Reconstruction(l1=self.l1, anneal=self.anneal)

        @property
        def penalty(self) -> str | None:
            """See :class:`ObjectiveConfig`."""
            return "l1" if self.l1 else None

    def __init__(self, *, l1: float = 0.0, anneal: float = 0.0) -> None:
        super().__init__()
        self.l1 = l1
        self.anneal = anneal

    def forward(self, player: str, model: Model, batch: Batch, noise: Noise, progress: Progress) -> Loss:
        """The loss of one batch; parts ``reconstruction`` and, with a penalty, ``l1``."""
        del player
        terms = model.terms(batch, noise)
        reconstruction = -terms.log_px.mean()
        if not self.l1:
            return Loss(reconstruction, {"reconstruction": reconstruction})
        penalty = self.l1 * torch.stack([d.z.abs().flatten(2).sum(-1).mean() for d in terms.draws]).sum()
        total = reconstruction + risen(self.anneal, progress) * penalty
        return Loss(total, {"reconstruction": reconstruction, "l1": penalty})
