"""The regularised autoencoder: a classical one whose codes stay near zero and whose decoder stays smooth."""

from __future__ import annotations

from typing import Any

import torch

from morphospace.vae.interfaces import Batch, Loss, Noise, Progress
from morphospace.vae.objectives import SinglePlayer
from morphospace.vae.optimisers import Optimiser

__all__ = ["RAE"]


class RAE(SinglePlayer):
    r"""Reconstruction, and small codes and weights: :math:`-\log p(x|z) + \beta|z|^2/2 + \lambda|\theta|^2/2`.

    A VAE without noise: where its draws made the decoder smooth, here its weights :math:`\theta` are held small (RAE-L2
    of the paper; its gradient penalty and spectral norm give the same quality there and cost more). There is no prior:
    a density fitted to the codes after training is what samples are drawn from.

    Args:
        optimiser: steps the model.
        beta: the weight of half the squared length of a code, >= 0, in nats.
        decay: lambda, the weight of half the squared length of all parameters of the decoder, >= 0, in nats.

    Source: Ghosh et al., From variational to deterministic autoencoders, arXiv:1903.12436.
    """

    def __init__(self, optimiser: Optimiser, *, beta: float = 1e-2, decay: float = 1e-4) -> None:
        super().__init__(optimiser)
        self.beta = beta
        self.decay = decay

    def forward(self, player: str, model: Any, batch: Batch, noise: Noise, progress: Progress) -> Loss:
        """The loss of one batch; parts ``reconstruction``, ``code`` and ``decoder``, with their weights."""
        del player, progress
        terms = model.terms(batch, noise)
        z = model.flatten(tuple(draw.z for draw in terms.draws))
        weights = [parameter.square().sum() for parameter in model.decoder.parameters()]
        parts = {
            "reconstruction": -terms.log_px.mean(),
            "code": 0.5 * self.beta * z.square().sum(-1).mean(),
            "decoder": 0.5 * self.decay * torch.stack(weights).sum(),
        }
        return Loss(parts["reconstruction"] + parts["code"] + parts["decoder"], parts)
