"""Augmentation: small changes that leave an image one of its set, so that a small set goes further."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Generator, Tensor

from morphospace.data.dataset import ImageArray
from morphospace.parts import Part, option

__all__ = ["Augmentation", "ImagesConfig"]

_SMALL_SETS = 0.06
_AT_ONCE = 500  # images

Flip = Literal["none", "horizontal", "vertical", "both"]


class ImagesConfig(Part, slot="images"):
    """What happens to training images."""

    def build(self) -> Augmentation | None:
        """What is done to each batch; None for nothing."""
        raise NotImplementedError

    def for_images(self, small: bool) -> Self:
        """The same where what was left to the size of the set is decided."""
        del small
        return self

    def like(self, other: ImagesConfig) -> Self:
        """The same, where what is left to the size of the set is as in ``other``."""
        del other
        return self

    @property
    def note(self) -> str | None:
        """What a person should know of it who has not asked for it; None for nothing."""
        return None

    def scored(self, images: ImageArray, *, seed: int) -> ImageArray:
        """Test images (N, H, W, C) as figures in nats are of them: by default as they are."""
        del seed
        return images


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
        binarize: each pixel becomes black or white, white with the chance that its grey says.
        noise: of so large a standard deviation is added to what the encoder sees, for pixels from 0 to 1; what the
            decoder is to give stays clean.

    Source: denoising, Vincent et al., ICML 2008; binarization, Salakhutdinov and Murray, ICML 2008.
    """

    class Config(ImagesConfig, kind="images"):
        """Shifted, scaled, mirrored, turned, binarized, made noisy."""

        augment: float | None = option(
            "training images are shifted by up to this share of their sides and scaled by as much, anew at each "
            "step; none is 0.06 for fewer than 2,000 training images, else 0", default=0.0, low=0, high=0.5,
        )  # fmt: skip
        flip: Literal["none", "horizontal", "vertical", "both"] = option(
            "which ways training images are mirrored at random", default="none"
        )
        rotate: float = option(
            "training images are turned about their middle by a random angle of up to so many degrees either way; "
            "corners repeat the edge", default=0.0, low=0, high=180,
        )  # fmt: skip
        binarize: bool = option(
            "each training pixel becomes black or white anew at each step, white with the chance that its grey says",
            default=False,
        )
        noise: float = option(
            "the standard deviation of noise on what the encoder sees, for pixels from 0 to 1; what the decoder is "
            "to give stays clean: a denoising model", default=0.0, low=0, high=10,
        )  # fmt: skip

        def for_images(self, small: bool) -> Self:
            """See :class:`ImagesConfig`."""
            return self.replace(augment=_SMALL_SETS if small else 0.0) if self.augment is None else self

        def like(self, other: ImagesConfig) -> Self:
            """See :class:`ImagesConfig`."""
            return self.replace(augment=other.augment) if isinstance(other, Augmentation.Config) else self

        @property
        def note(self) -> str | None:
            """See :class:`ImagesConfig`."""
            if self.flip == "none":
                return None
            return (
                f'training images are mirrored at random (`flip="{self.flip}"`): a face stays one, but writing '
                'does not, and left is learned as right. `flip="none"` leaves them as they are'
            )

        def scored(self, images: ImageArray, *, seed: int) -> ImageArray:
            """See :class:`ImagesConfig`."""
            return _binarized(images, seed) if self.binarize else images

        def build(self) -> Augmentation | None:
            """See :class:`ImagesConfig`."""
            made = Augmentation(self.augment or 0.0, self.flip, self.rotate, self.binarize, self.noise)
            return made if made != Augmentation() else None

    amount: float = 0.0
    flip: Flip = "none"
    rotate: float = 0.0
    binarize: bool = False
    noise: float = 0.0

    def pair(self, x: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """What the encoder sees of images (B, C, H, W), and what the decoder is to give."""
        target = self(x, generator) if self.changes else x
        if self.binarize:
            target = (torch.rand(target.shape, generator=generator, device=generator.device) < target).to(target.dtype)
        if not self.noise:
            return target, target
        noise = torch.randn(target.shape, generator=generator, device=generator.device)
        return (target + self.noise * noise).clamp(0, 1), target

    @property
    def changes(self) -> bool:
        """Whether images are moved at all."""
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


def _binarized(images: ImageArray, seed: int) -> NDArray[np.uint8]:
    """Images with every pixel at 0 or 255, at 255 with the chance that its grey says."""
    rng = np.random.default_rng(seed)
    found = np.empty(images.shape, np.uint8)
    for start in range(0, len(images), _AT_ONCE):
        some = np.asarray(images[start : start + _AT_ONCE])
        found[start : start + _AT_ONCE] = 255 * (rng.random(some.shape, np.float32) * 255 < some)
    return found


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
