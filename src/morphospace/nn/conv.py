"""Residual convolutions: the network for colour and for larger images, of any size from 8 to 256 pixels a side."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from morphospace.nn.interfaces import DecoderConfig, EncoderConfig
from morphospace.nn.ops import conv_transpose
from morphospace.parts import Shape, option

__all__ = ["ConvDecoder", "ConvEncoder"]

_FEATURES = 256
_WIDEST = 1 << 20
_POINTS = 16
_LARGEST_PATCH = 8
_COARSEST = 4
_GRAINS = 4


class _Frame:
    """How an image of (C, H, W) is cut: patches become pixels of a grid, the grid is halved level by level.

    Convolutions over pixels of few channels keep a CPU waiting for memory; over patches of P x P pixels the same
    work is few large matrix products.

    Attributes:
        patch: P.
        padded: (H, W) rounded up to whole cells of the coarsest grid.
        grids: (rows, columns) of each level, then of the coarsest grid.
        widths: the channels of each level.
    """

    def __init__(self, shape: Shape, widths: Sequence[int], most_patches: int | None) -> None:
        self.channels, self.height, self.width = shape
        longer = max(self.height, self.width)
        self.patch = min(_LARGEST_PATCH, 2 ** max(0, int(math.log2(longer / 14))))
        if longer > 32:
            self.patch = max(self.patch // 2, 4)
        while most_patches and longer > most_patches * self.patch:
            self.patch *= 2
        levels = max(1, round(math.log2(longer / self.patch / _COARSEST)))
        cell = self.patch * 2**levels
        self.padded = (-(-self.height // cell) * cell, -(-self.width // cell) * cell)
        rows, columns = self.padded[0] // self.patch, self.padded[1] // self.patch
        self.grids = [(rows >> i, columns >> i) for i in range(levels + 1)]
        self.widths = [widths[min(i, len(widths) - 1)] for i in range(levels)]
        self.values = self.channels * self.patch**2  # of one patch
        self.flat = self.widths[-1] * math.prod(self.grids[-1])

    def cut(self, x: Tensor) -> Tensor:
        """Images (B, C, H, W) to patches (B, P P C, rows, columns), channels last in memory as images are."""
        right, below = self.padded[1] - self.width, self.padded[0] - self.height
        if right or below:
            x = F.pad(x, (0, right, 0, below), mode="replicate")
        (rows, columns), p = self.grids[0], self.patch
        cells = x.permute(0, 2, 3, 1).reshape(-1, rows, p, columns, p, self.channels)
        return cells.transpose(2, 3).reshape(-1, rows, columns, self.values).permute(0, 3, 1, 2)

    def join(self, h: Tensor) -> Tensor:
        """The way back of :meth:`cut`, without the padding; of patches as small as the grid of ``h`` is fine."""
        rows, columns = h.shape[2:]
        p = self.padded[0] // rows
        cells = h.permute(0, 2, 3, 1).reshape(-1, rows, columns, p, p, self.channels)
        x = cells.transpose(2, 3).reshape(-1, *self.padded, self.channels).permute(0, 3, 1, 2)
        return x[..., : self.height, : self.width]


class _Block(nn.Module):
    r"""A residual block, :math:`x + W\, \phi(g \odot V \phi(x))`, with V over 3x3 and W over 1x1 pixels.

    The second weights start at zero, so that a deep network starts as a shallow one. The gain g is given where
    latents steer each channel (Perez et al., FiLM, arXiv:1709.07871).
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 1)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, gain: Tensor | None = None) -> Tensor:
        h = self.first(F.silu(x))
        if gain is not None:
            h = h * gain
        out: Tensor = x + self.second(F.silu(h))
        return out


class _Grain(nn.Module):
    """A fixed pattern of noise, of which each channel takes what it needs.

    A convolution does the same at every place, so that texture that no code tells of can only repeat itself, which is
    seen as a grid. Noise that is another at each place, and the same for all images, lets it be irregular.
    """

    noise: Tensor

    def __init__(self, width: int, rows: int, columns: int) -> None:
        super().__init__()
        self.register_buffer("noise", torch.randn(1, _GRAINS, rows, columns))
        self.taken = nn.Conv2d(_GRAINS, width, 1, bias=False)
        nn.init.normal_(self.taken.weight, std=0.1)

    def forward(self) -> Tensor:
        """(1, width, rows, columns)."""
        taken: Tensor = self.taken(self.noise)
        return taken


class ConvEncoder(nn.Module):
    """Patches with their coordinates, residual blocks on ever coarser grids, a dense layer.

    Args:
        shape: (C, H, W) of an image, 8 to 256 pixels a side.
        widths: the channels of each level; deeper levels have those of the last.
        blocks: residual blocks a level.
        most_patches: to a side of the image, >= 4: above that their side doubles.

    Source: He et al., arXiv:1603.05027; patches: Dosovitskiy et al., arXiv:2010.11929; coordinates: Liu et al.,
    arXiv:1807.03247.

    Example:
        >>> ConvEncoder((3, 64, 96), (32, 48))(torch.zeros(2, 3, 64, 96)).shape
        torch.Size([2, 336])
    """

    class Config(EncoderConfig, kind="conv"):
        """Residual convolutions over patches, with a few points of attention."""

        widths: tuple[int, ...] = option(
            "the channels of each level, from the finest; the last for all deeper ones", default=(256, 256, 256),
            low=1, high=_WIDEST,
        )  # fmt: skip
        blocks: int = option("residual blocks a level", default=1, low=0, high=64)
        most_patches: int | None = option(
            "the most patches, to a side, that an image is cut into: above that their side doubles; none for 4 pixels "
            "a side, however large the image", default=None, low=4, high=256,
        )  # fmt: skip

        def build(self, shape: Shape) -> ConvEncoder:
            """See :class:`EncoderConfig`."""
            return ConvEncoder(shape, self.widths, self.blocks, self.most_patches)

    place: Tensor

    def __init__(self, shape: Shape, widths: Sequence[int], blocks: int = 1, most_patches: int | None = None) -> None:
        super().__init__()
        self.frame = frame = _Frame(shape, widths, most_patches)
        rows, columns = frame.grids[0]
        down, across = torch.linspace(-1, 1, rows), torch.linspace(-1, 1, columns)
        place = torch.stack([down[:, None].expand(rows, columns), across.expand(rows, columns)])
        self.register_buffer("place", place[None], persistent=False)
        self.stem = nn.Conv2d(frame.values, frame.widths[0], 3, padding=1)
        self.locate = nn.Conv2d(2, frame.widths[0], 3, padding=1, bias=False)
        self.blocks = nn.ModuleList(_Block(width) for width in frame.widths for _ in range(blocks))
        wider = [*frame.widths, frame.widths[-1]]
        self.coarser = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in pairwise(wider))
        self.points = nn.Conv2d(frame.widths[0], _POINTS, 1)
        self.dense = nn.Linear(frame.flat, _FEATURES)
        self.features = _FEATURES + 2 * _POINTS + frame.widths[-1]

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) in [0, 1] to (B, features)."""
        h = self.stem(self.frame.cut(2 * x - 1)) + self.locate(self.place)
        count = len(self.blocks) // len(self.coarser)
        where = h
        for i, coarser in enumerate(self.coarser):
            for block in self.blocks[i * count : (i + 1) * count]:
                h = block(h)
            if not i:
                where = self._where(h)
            h = coarser(h)
        h = F.silu(h)
        dense = F.silu(self.dense(h.permute(0, 2, 3, 1).flatten(1)))
        return torch.cat([dense, where, h.mean((2, 3))], 1)

    def _where(self, h: Tensor) -> Tensor:
        """(B, 2 points) in -1..1: the middles of some maps of attention, which follow what they attend to."""
        maps = self.points(h).flatten(2).float().softmax(-1)  # (B, points, rows * columns)
        middles: Tensor = (maps @ self.place[0].flatten(1).t()).flatten(1)
        return middles


class ConvDecoder(nn.Module):
    """The way back: dense layers to the coarsest grid, residual blocks that the latent steers, patches.

    Args:
        latent_dim: d, >= 1.
        shape: (C, H, W) of what comes out, 8 to 256 pixels a side.
        widths: the channels of each level, from the finest to the coarsest.
        blocks: residual blocks a level.
        fine_widths: the channels of levels finer than the encoder's patches, each of which halves these, as often as
            they can be halved.
        most_patches: to a side of the image, >= 4: above that their side doubles.

    Example:
        >>> ConvDecoder(32, (1, 28, 20), (32, 48))(torch.zeros(2, 32)).shape
        torch.Size([2, 1, 28, 20])
    """

    class Config(DecoderConfig, kind="conv"):
        """Residual convolutions that the latents steer, to patches."""

        widths: tuple[int, ...] = option(
            "the channels of each level, from the finest; the last for all deeper ones", default=(256, 256, 256),
            low=1, high=_WIDEST,
        )  # fmt: skip
        blocks: int = option("residual blocks a level", default=1, low=0, high=64)
        fine_widths: tuple[int, ...] | None = option(
            "the channels of levels finer than the encoder's patches, each of which halves these, as often as they "
            "can be halved; none for none", default=None, low=1, high=_WIDEST,
        )  # fmt: skip
        most_patches: int | None = option(
            "the most patches, to a side, that an image is cut into: above that their side doubles; none for 4 pixels "
            "a side, however large the image", default=None, low=4, high=256,
        )  # fmt: skip

        def build(self, latent_dim: int, shape: Shape) -> ConvDecoder:
            """See :class:`DecoderConfig`."""
            return ConvDecoder(latent_dim, shape, self.widths, self.blocks, self.fine_widths or (), self.most_patches)

    def __init__(
        self,
        latent_dim: int,
        shape: Shape,
        widths: Sequence[int],
        blocks: int = 1,
        fine_widths: Sequence[int] = (),
        most_patches: int | None = None,
    ) -> None:
        super().__init__()
        self.frame = frame = _Frame(shape, widths, most_patches)
        self.dense = nn.Sequential(nn.Linear(latent_dim, _FEATURES), nn.SiLU(), nn.Linear(_FEATURES, frame.flat))
        wider = [*frame.widths, frame.widths[-1]]
        finer = [nn.ConvTranspose2d(b, a, 2, stride=2) for a, b in reversed([*pairwise(wider)])]
        self.finer = nn.ModuleList(finer)
        self.gains = [width for width in reversed(frame.widths) for _ in range(blocks)]
        self.blocks = nn.ModuleList(_Block(width) for width in self.gains)
        self.steer = nn.Linear(latent_dim, sum(self.gains))
        self.points = nn.Linear(latent_dim, 2 * _POINTS)
        self.sharpness = nn.Parameter(torch.full((_POINTS,), 2.0))
        self.blobs = nn.ModuleList(nn.Conv2d(_POINTS, width, 1, bias=False) for width in reversed(frame.widths))
        fine = [frame.widths[0], *fine_widths[: int(math.log2(frame.patch))]]
        self.fine = nn.ModuleList(nn.Conv2d(a, b, 1) for a, b in pairwise(fine))
        grids = [(frame.grids[0][0] << i, frame.grids[0][1] << i) for i in range(1, len(fine))]
        self.grains = nn.ModuleList(_Grain(width, *grid) for width, grid in zip(fine[1:], grids, strict=True))
        self.fine_blocks = nn.ModuleList(_Block(width) for width in fine[1:])
        self.patches = nn.Conv2d(fine[-1], frame.values >> 2 * len(self.fine), 3, padding=1)

    def forward(self, z: Tensor) -> Tensor:
        """(M, d) to (M, C, H, W), 0.5 at the start of training."""
        frame = self.frame
        rows, columns = frame.grids[-1]
        h = self.dense(z).view(-1, rows, columns, frame.widths[-1]).permute(0, 3, 1, 2)
        gains = iter((1 + self.steer(z))[..., None, None].split(self.gains, 1))
        count = len(self.blocks) // len(self.finer)
        for i, finer in enumerate(cast("Iterable[nn.ConvTranspose2d]", self.finer)):
            h = conv_transpose(finer, h)
            h = h + self.blobs[i](self._blobs(z, h.shape[2], h.shape[3]).to(h.dtype))
            for block in self.blocks[i * count : (i + 1) * count]:
                h = block(h, next(gains))
        for mix, grain, block in zip(self.fine, self.grains, self.fine_blocks, strict=True):
            # A transposed convolution draws each place of four by weights of its own, which is seen as a grid.
            h = block(F.interpolate(mix(h), scale_factor=2.0, mode="bilinear") + grain())
        return 0.5 + frame.join(self.patches(F.silu(h)))

    def _blobs(self, z: Tensor, rows: int, columns: int) -> Tensor:
        """(M, points, rows, columns): soft spots at places that the latent says."""
        middle = self.points(z).float().view(-1, _POINTS, 2, 1)
        sharp = self.sharpness.exp()[:, None]
        down, across = torch.linspace(-1, 1, rows, device=z.device), torch.linspace(-1, 1, columns, device=z.device)
        tall = torch.exp(-sharp * (down - middle[:, :, 0]).square())  # (M, points, rows)
        wide = torch.exp(-sharp * (across - middle[:, :, 1]).square())
        return (tall[..., None] * wide[:, :, None]).contiguous(memory_format=torch.channels_last)
