"""Dense networks: the fastest road to a small space of small images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from morphospace.nn.layers import FourierFeatures

__all__ = ["MLPDecoder", "MLPEncoder"]


def _dense(sizes: Sequence[int], *, last: bool) -> nn.Sequential:
    """Dense layers with GELU between them, and after the last one if ``last``."""
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(sizes):
        layers += [nn.Linear(n_in, n_out), nn.GELU()]
    return nn.Sequential(*(layers if last else layers[:-1]))


class MLPEncoder(nn.Module):
    """Dense layers with GELU over the flattened image.

    Args:
        shape: (C, H, W) of an image.
        widths: the size of each hidden layer; the last one is the feature count.

    Example:
        >>> MLPEncoder((1, 28, 28), (256, 128)).features
        128
    """

    def __init__(self, shape: tuple[int, int, int], widths: Sequence[int]) -> None:
        super().__init__()
        self.layers = _dense((math.prod(shape), *widths), last=True)
        self.features = widths[-1]

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) in [0, 1] to (B, features)."""
        features: Tensor = self.layers(x.flatten(1))
        return features


class MLPDecoder(nn.Module):
    """Dense layers with GELU from a latent to one value for each pixel and channel.

    Args:
        latent_dim: d, >= 1.
        shape: (C, H, W) of what comes out.
        widths: the size of each hidden layer, from the latent outwards.
        fourier: how many random projections of the latent go in beside it; 0 for none.
        fourier_scale: their spread, see :class:`FourierFeatures`.

    Example:
        >>> import torch
        >>> MLPDecoder(2, (1, 28, 28), (128, 256))(torch.zeros(5, 2)).shape
        torch.Size([5, 1, 28, 28])
    """

    def __init__(
        self,
        latent_dim: int,
        shape: tuple[int, int, int],
        widths: Sequence[int],
        *,
        fourier: int = 0,
        fourier_scale: float = 1.0,
    ) -> None:
        super().__init__()
        self.shape = shape
        self.position = FourierFeatures(latent_dim, count=fourier, scale=fourier_scale) if fourier else None
        first = self.position.features if self.position is not None else latent_dim
        self.layers = _dense((first, *widths, math.prod(shape)), last=False)

    def forward(self, z: Tensor) -> Tensor:
        """(M, d) to (M, C, H, W), any real values."""
        h = z if self.position is None else self.position(z)
        values: Tensor = self.layers(h)
        return values.view(-1, *self.shape)
