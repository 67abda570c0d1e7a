"""Small parts that several networks share."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

__all__ = ["FourierFeatures", "glorot_"]


class FourierFeatures(nn.Module):
    r"""Latents beside sines and cosines of random projections of them: :math:`[z, \sin(zB), \cos(zB)]`.

    A network of few inputs learns slow variation first and fine variation late; the projections hand it
    fine variation at once. :math:`B_{ij} \sim N(0, s^2 \cdot 2/d)` is drawn once and never trained.

    Args:
        latent_dim: d, >= 1.
        count: the columns of B.
        scale: s, in radians a unit of a 2-D latent; larger values let neighbours differ more.

    Source: Tancik et al., Fourier features let networks learn high frequency functions in low
    dimensional domains, arXiv:2006.10739.

    Example:
        >>> FourierFeatures(2, count=24, scale=1.5)(torch.zeros(5, 2)).shape
        torch.Size([5, 50])
    """

    projection: Tensor

    def __init__(self, latent_dim: int, *, count: int, scale: float) -> None:
        super().__init__()
        spread = scale * math.sqrt(2.0 / latent_dim)
        self.register_buffer("projection", torch.randn(latent_dim, count) * spread)
        self.features = latent_dim + 2 * count

    def forward(self, z: Tensor) -> Tensor:
        """(M, d) to (M, d + 2 count), in float32: sines of rounded angles would be noise."""
        with torch.autocast(z.device.type, enabled=False):
            angle = z.float() @ self.projection
            return torch.cat([z.float(), angle.sin(), angle.cos()], 1)


def glorot_(module: nn.Module) -> None:
    """Start every dense and convolutional layer as Keras does: Glorot-uniform weights, zero biases.

    Source: Glorot and Bengio, Understanding the difficulty of training deep feedforward neural
    networks, AISTATS 2010.
    """
    for part in module.modules():
        if isinstance(part, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.xavier_uniform_(part.weight)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
