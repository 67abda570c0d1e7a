"""What training descends."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from morphospace.vae.interfaces import Batch, Loss, Noise, Objective, Player, Progress, Terms
from morphospace.vae.optimisers import Optimiser

__all__ = ["ELBO", "Reconstruction", "SinglePlayer", "kl_of"]


def kl_of(terms: Terms) -> Tensor:
    """(B,) KL(q, p) over all groups, in nats: closed where there is a form, else the draws' mean."""
    total = torch.zeros_like(terms.log_px[0])
    for group in terms.groups:
        if group.kl is not None:
            total = total + group.kl
        elif group.log_q is not None and group.log_p is not None:
            total = total + (group.log_q - group.log_p).mean(0)
    return total


def _risen(anneal: float, progress: Progress) -> Tensor | float:
    """The share, 0..1, that a weight has reached when it rises over ``anneal`` of all steps."""
    return (progress.step / max(1.0, anneal * progress.total)).clamp(max=1.0) if anneal else 1.0


class SinglePlayer(Objective):
    """An objective with one player: every parameter of the model that trains, under one optimiser."""

    def __init__(self, optimiser: Optimiser) -> None:
        super().__init__()
        self.optimiser = optimiser

    def players(self, model: nn.Module) -> tuple[Player, ...]:
        """The one player."""
        return (Player("model", [p for p in model.parameters() if p.requires_grad], self.optimiser),)


class ELBO(SinglePlayer):
    r"""The negative evidence lower bound, :math:`-E_q \log p(x|z) + \beta\, KL(q, p)`.

    Args:
        optimiser: steps the model.
        beta: the weight of the KL, >= 0; 1 gives the bound, anything else gives none.
        anneal: the share of all steps, 0..1, in which the weight rises from 0 to beta: a prior that presses
            from the first step can silence latents before the decoder has learned to listen to them.
        samples: K, the draws an image, >= 1.
        scale: multiplies what is descended, not what is shown; the book's loss is a mean over pixels.

    Source: Kingma and Welling, arXiv:1312.6114; beta: Higgins et al., beta-VAE, ICLR 2017; annealing:
    Bowman et al., arXiv:1511.06349.
    """

    def __init__(
        self,
        optimiser: Optimiser,
        *,
        beta: float = 1.0,
        anneal: float = 0.0,
        samples: int = 1,
        scale: float = 1.0,
    ) -> None:
        super().__init__(optimiser)
        self.beta = beta
        self.anneal = anneal
        self.samples = samples
        self.scale = scale

    def forward(self, player: str, model: Any, batch: Batch, noise: Noise, progress: Progress) -> Loss:
        """The loss of one batch; parts ``reconstruction`` and ``kl``."""
        del player
        terms = model.terms(batch, noise)
        reconstruction = -terms.log_px.mean()
        kl = kl_of(terms).mean()
        total = self.scale * (reconstruction + self.beta * _risen(self.anneal, progress) * kl)
        return Loss(total, {"reconstruction": reconstruction, "kl": kl})


class Reconstruction(SinglePlayer):
    r"""The classical autoencoder's loss, :math:`-\log p(x|z) + \lambda \sum_j |z_j|`.

    Args:
        optimiser: steps the model.
        l1: lambda in nats a unit of code, >= 0; above 0 the codes become sparse.
        anneal: the share of all steps, 0..1, in which lambda rises from 0.
    """

    def __init__(self, optimiser: Optimiser, *, l1: float = 0.0, anneal: float = 0.0) -> None:
        super().__init__(optimiser)
        self.l1 = l1
        self.anneal = anneal

    def forward(self, player: str, model: Any, batch: Batch, noise: Noise, progress: Progress) -> Loss:
        """The loss of one batch; parts ``reconstruction`` and, with a penalty, ``l1``."""
        del player
        terms = model.terms(batch, noise)
        reconstruction = -terms.log_px.mean()
        if not self.l1:
            return Loss(reconstruction, {"reconstruction": reconstruction})
        penalty = self.l1 * torch.stack([d.z.abs().flatten(2).sum(-1).mean() for d in terms.draws]).sum()
        total = reconstruction + _risen(self.anneal, progress) * penalty
        return Loss(total, {"reconstruction": reconstruction, "l1": penalty})
