"""Augmentation: small changes that leave an image one of its set, so that a small set goes further."""

from __future__ import annotations

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
    """

    amount: float = 0.0
    flip: Literal["none", "horizontal", "vertical", "both"] = "none"

    @property
    def changes(self) -> bool:
        """Whether anything happens at all."""
        return self.amount > 0 or self.flip != "none"

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
        grid = F.affine_grid(matrix, list(x.shape), align_corners=False)
        return F.grid_sample(x, grid, "bilinear", "border", align_corners=False)
