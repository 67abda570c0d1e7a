"""The regularised autoencoder: a classical one whose codes stay near zero and whose decoder stays smooth."""

from __future__ import annotations

import torch

from morphospace.errors import ArgumentError
from morphospace.parts import Shape, option
from morphospace.vae.interfaces import Batch, Loss, Model, Noise, Objective, Progress
from morphospace.vae.objectives.reconstruction import PointsConfig

__all__ = ["RAE"]

_DECODER = "decoder."


class RAE(Objective):
    r"""Reconstruction, and small codes and weights: :math:`-\log p(x|z) + \beta|z|^2/2 + \lambda|\theta|^2/2`.

    A VAE without noise: where its draws made the decoder smooth, here its weights :math:`\theta` are held small (RAE-L2
    of the paper; its gradient penalty and spectral norm give the same quality there and cost more). There is no prior:
    a density fitted to the codes after training is what samples are drawn from.

    Args:
        l2: beta, the weight of half the squared length of a code, >= 0, in nats.
        decoder_l2: lambda, that of half the squared length of all parameters of the model's decoder, >= 0, in nats.

    Source: Ghosh et al., From variational to deterministic autoencoders, arXiv:1903.12436.
    """

    class Config(PointsConfig, kind="rae"):
        """The regularised autoencoder: reconstruction, short codes, and small weights of the decoder."""

        l2: float = option("the weight of half the squared length of a code, in nats", default=0.1, low=0, high=1e9)
        decoder_l2: float = option(
            "the weight of half the squared length of the decoder's parameters, in nats", default=1e-3, low=0, high=1e9
        )

        def build(self, model: Model, shape: Shape) -> RAE:
            """See :class:`ObjectiveConfig`."""
            del shape
            if not any(name.startswith(_DECODER) for name, _ in model.named_parameters()):
                raise ArgumentError(
                    "it needs a model with a decoder, whose weights it keeps small.", argument="objective"
                )
            return RAE(l2=self.l2, decoder_l2=self.decoder_l2)

        @property
        def penalty(self) -> str | None:
            """See :class:`ObjectiveConfig`."""
            return "l2" if self.l2 else None

    def __init__(self, *, l2: float = 0.1, decoder_l2: float = 1e-3) -> None:
        super().__init__()
        self.l2 = l2
        self.decoder_l2 = decoder_l2

    def forward(self, player: str, model: Model, batch: Batch, noise: Noise, progress: Progress) -> Loss:
        """The loss of one batch; parts ``reconstruction``, and ``l2`` and ``decoder_l2`` by their weights."""
        del player, progress
        terms = model.terms(batch, noise)
        codes = torch.stack([draw.z.square().flatten(2).sum(-1).mean() for draw in terms.draws])
        weights = [value.square().sum() for name, value in model.named_parameters() if name.startswith(_DECODER)]
        parts = {
            "reconstruction": -terms.log_px.mean(),
            "l2": 0.5 * self.l2 * codes.sum(),
            "decoder_l2": 0.5 * self.decoder_l2 * torch.stack(weights).sum(),
        }
        return Loss(torch.stack(list(parts.values())).sum(), parts)
