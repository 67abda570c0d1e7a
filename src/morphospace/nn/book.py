"""The network of the Keras book's section 8.4, layer for layer.

Two details decide whether weights mean the same in Keras and here. Keras flattens in the order height, width, channel.
And its "same" padding at stride 2 pads an even side at its end only (the transposed convolution drops the last row and
column), where PyTorch's padding pads at the start, and another padding costs a copy. So the network works on pictures
turned upside down, by a half turn, where the end is the start: its kernels are Keras's by a half turn too
(:mod:`morphospace.export.keras`), and no copy is needed.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from morphospace.nn.interfaces import DecoderConfig, EncoderConfig
from morphospace.nn.layers import glorot_
from morphospace.nn.ops import conv_to_few, conv_transpose
from morphospace.parts import Shape

__all__ = ["BookDecoder", "BookEncoder"]


def _half_turn(x: Tensor) -> Tensor:
    """(B, C, H, W) upside down."""
    return x.flip(2, 3)


class BookEncoder(nn.Module):
    """Convolutions of 32, 64 (stride 2), 64 and 64 channels, then a dense layer of 32, all ReLU.

    Args:
        shape: (C, H, W) of an image; 28x28x1 in the book.
    """

    class Config(EncoderConfig, kind="book"):
        """The book's four convolutions and a dense layer."""

        def build(self, shape: Shape) -> BookEncoder:
            """See :class:`EncoderConfig`."""
            return BookEncoder(shape)

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        channels, height, width = shape
        self.conv1 = nn.Conv2d(channels, 32, 3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, 3, stride=2, padding=1)
        self.conv3 = nn.Conv2d(64, 64, 3, padding=1)
        self.conv4 = nn.Conv2d(64, 64, 3, padding=1)
        self.dense = nn.Linear(64 * ((height + 1) // 2) * ((width + 1) // 2), 32)
        self.features = 32
        glorot_(self)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) in [0, 1] to (B, 32)."""
        h = F.relu(self.conv1(_half_turn(x)), inplace=True)
        h = F.relu(self.conv2(h), inplace=True)  # (B, 64, H/2, W/2)
        h = F.relu(self.conv3(h), inplace=True)
        h = F.relu(self.conv4(h), inplace=True)
        h = h.permute(0, 2, 3, 1).flatten(1)  # height, width, channel
        return F.relu(self.dense(h), inplace=True)


class BookDecoder(nn.Module):
    """A dense layer, a transposed convolution of 32 channels at stride 2, a convolution to the image.

    Args:
        latent_dim: d, >= 1; 2 in the book.
        shape: (C, H, W) of what comes out. The book's sigmoid is in the likelihood.
    """

    class Config(DecoderConfig, kind="book"):
        """The book's dense layer, transposed convolution and convolution."""

        def build(self, latent_dim: int, shape: Shape) -> BookDecoder:
            """See :class:`DecoderConfig`."""
            return BookDecoder(latent_dim, shape)

    def __init__(self, latent_dim: int, shape: Shape) -> None:
        super().__init__()
        channels, height, width = shape
        self.small = ((height + 1) // 2, (width + 1) // 2)
        self.dense = nn.Linear(latent_dim, 64 * self.small[0] * self.small[1])
        even = (1 - height % 2, 1 - width % 2)
        self.up = nn.ConvTranspose2d(64, 32, 3, stride=2, padding=1, output_padding=even)
        self.to_image = nn.Conv2d(32, channels, 3, padding=1)
        glorot_(self)

    def forward(self, z: Tensor) -> Tensor:
        """(M, d) to (M, C, H, W) logits."""
        h = F.relu(self.dense(z), inplace=True).view(-1, *self.small, 64).permute(0, 3, 1, 2)
        h = F.relu(conv_transpose(self.up, h), inplace=True)
        return _half_turn(conv_to_few(self.to_image, h))
