"""Dense networks: the fastest road to a small space of small images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from morphospace.nn.interfaces import DecoderConfig, EncoderConfig
from morphospace.nn.layers import FourierFeatures
from morphospace.parts import Shape, option

__all__ = ["MLPDecoder", "MLPEncoder"]

_WIDEST = 1 << 20


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

    class Config(EncoderConfig, kind="mlp"):
        """Dense layers."""

        widths: tuple[int, ...] = option("the size of each hidden layer", default=(256, 256, 256), low=1, high=_WIDEST)

        def build(self, shape: Shape) -> MLPEncoder:
            """See :class:`EncoderConfig`."""
            return MLPEncoder(shape, self.widths)

    def __init__(self, shape: Shape, widths: Sequence[int]) -> None:
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

    class Config(DecoderConfig, kind="mlp"):
        """Dense layers, with random projections of the latents beside them."""

        widths: tuple[int, ...] = option(
            "the size of each hidden layer, from the latents outwards", default=(256, 256, 256), low=1, high=_WIDEST
        )
        fourier: int = option(
            "how many random projections of the latents go in too, as sines and cosines", default=0, low=0, high=65536
        )
        fourier_scale: float = option(
            "their spread, in radians a unit of a two-dimensional latent; larger lets neighbours differ more",
            default=1.0, low=0, high=1e6, needs="fourier", starts=True,
        )  # fmt: skip

        def build(self, latent_dim: int, shape: Shape) -> MLPDecoder:
            """See :class:`DecoderConfig`."""
            return MLPDecoder(latent_dim, shape, self.widths, fourier=self.fourier, fourier_scale=self.fourier_scale)

    def __init__(
        self,
        latent_dim: int,
        shape: Shape,
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
