"""Augmentation: small changes that leave an image one of its set, so that a small set goes further."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

__all__ = ["Augmentation"]


@dataclass(frozen=True)
class Augmentation:
    """What happens to each training image at each step.

    Attributes:
        amount: images are shifted by up to this share of their sides and scaled by up to as much, 0..0.5; what
            comes in at the edges repeats the edge.
        flip: which ways images are mirrored, each with a chance of one half. Only where that makes sense: a
            mirrored "b" is no "b".
        rotate: images are turned about their middle by a random angle of up to so many degrees either way, 0..180;
            corners repeat the edge.
    """

    amount: float = 0.0
    flip: Literal["none", "horizontal", "vertical", "both"] = "none"
    rotate: float = 0.0

    @property
    def changes(self) -> bool:
        """Whether anything happens at all."""
        return self.amount > 0 or self.flip != "none" or self.rotate > 0

    def __call__(self, x: Tensor, generator: Generator) -> Tensor:
        """Images (B, C, H, W) changed, each in its own way.

        Example:
            >>> x = torch.rand(4, 1, 8, 8)
            >>> Augmentation(0.1, "horizontal")(x, torch.Generator().manual_seed(0)).shape
            torch.Size([4, 1, 8, 8])
        """
        drawn = torch.rand((len(x), 5), generator=generator, device=generator.device) * 2 - 1  # (B, 5), -1..1
        scale = 1 + self.amount * drawn[:, 0]
        across = torch.where(drawn[:, 1] < 0, -1.0, 1.0) if self.flip in ("horizontal", "both") else 1.0
        down = torch.where(drawn[:, 2] < 0, -1.0, 1.0) if self.flip in ("vertical", "both") else 1.0
        matrix = torch.zeros((len(x), 2, 3), device=x.device)
        matrix[:, 0, 0], matrix[:, 1, 1] = scale * across, scale * down
        matrix[:, :, 2] = 2 * self.amount * drawn[:, 3:]  # grid units: an image is 2 wide
        if self.rotate:  # drawn after the others, which so are what they are without it
            angles = torch.rand(len(x), generator=generator, device=generator.device) * 2 - 1  # -1..1
            matrix[:, :, :2] = matrix[:, :, :2] @ _turn(angles * math.radians(self.rotate), x.shape[2], x.shape[3])
        return _sampled(x, F.affine_grid(matrix, list(x.shape), align_corners=False))


def _turn(angles: Tensor, height: int, width: int) -> Tensor:
    """(B, 2, 2): where a picture turned counter-clockwise by ``angles`` (B,), in radians, finds its pixels.

    A grid is 2 wide and 2 high whatever the picture's sides; a circle in pixels is to stay one.
    """
    cos, sin = angles.cos(), angles.sin()
    return torch.stack([cos, -sin * height / width, sin * width / height, cos], 1).view(-1, 2, 2)


def _sampled(x: Tensor, grid: Tensor) -> Tensor:
    """Images (B, C, H, W) read at ``grid`` (B, H, W, 2); beyond the edge they repeat it."""
    if x.device.type in ("cpu", "cuda"):
        return F.grid_sample(x, grid, "bilinear", "border", align_corners=False)
    # Older PyTorch has no border on Apple silicon, so places beyond it are moved to the middle of the edge's pixels.
    # Rounding makes that differ by up to 1e-6 from a border; the devices that have one keep its bits.
    edge = torch.tensor([1 - 1 / x.shape[3], 1 - 1 / x.shape[2]], device=x.device)
    return F.grid_sample(x, torch.minimum(torch.maximum(grid, -edge), edge), "bilinear", align_corners=False)
