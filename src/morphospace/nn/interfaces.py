"""What encoders and decoders are, and their places in a recipe."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor, nn

from morphospace.parts import Part, Shape

__all__ = ["DecoderConfig", "Encoder", "EncoderConfig"]


class Encoder(Protocol):
    """(B, C, H, W) in [0, 1] to (B, features)."""

    features: int

    def __call__(self, x: Tensor) -> Tensor:
        """The features of images."""


class EncoderConfig(Part, slot="encoder"):
    """From images (B, C, H, W) to features (B, features)."""

    def build(self, shape: Shape) -> nn.Module:
        """The network for images of ``shape``; it tells how many ``features`` it gives."""
        raise NotImplementedError


class DecoderConfig(Part, slot="decoder"):
    """From latents (M, d) to the likelihood's values (M, C, H, W)."""

    def build(self, latent_dim: int, shape: Shape) -> nn.Module:
        """The network for ``latent_dim`` latents and images of ``shape``."""
        raise NotImplementedError
