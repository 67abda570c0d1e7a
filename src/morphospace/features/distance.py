"""How far pictures are from each other to a network's eye, and how it is made to look everywhere."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from morphospace.errors import ArgumentError
from morphospace.features.network import Features

__all__ = ["features_distance", "looked_at", "perceptual_distance"]

_TINY = 1e-6  # added to a squared length: features that are all 0 stay so
_OVER = 2.0  # pixels by which a window may stick out of a picture


def perceptual_distance(network: Features, x: Tensor, y: Tensor) -> Tensor:
    """How different pictures look to ``network``: (B,), 0 for the same, at most 4 for each of its depths.

    At each depth and place the features are scaled to length 1 over their channels; the distance is the squared
    difference of the two, its mean over the places, its sum over the depths. No gradient reaches the network; it
    reaches ``x`` and ``y`` where they ask for one.

    Args:
        network: see :func:`feature_network`.
        x: (B, C, H, W) in [0, 1].
        y: as ``x``; what lies outside [0, 1] counts as it is.

    Source: Johnson et al., arXiv:1603.08155; Zhang et al., LPIPS, arXiv:1801.03924, here with all channels alike.

    Example:
        >>> from morphospace.features import feature_network
        >>> x = torch.rand(2, 3, 16, 16)
        >>> perceptual_distance(feature_network("random"), x, x)
        tensor([0., 0.])
    """
    return features_distance(network(x), network(y))


def features_distance(x: Sequence[Tensor], y: Sequence[Tensor]) -> Tensor:
    """The same, (B,), of what the network saw of each: (B, c, h, w) at each depth."""
    pairs = zip(x, y, strict=True)
    return torch.stack([(_unit(h) - _unit(k)).square().sum(1).mean((1, 2)) for h, k in pairs]).sum(0)


def _unit(h: Tensor) -> Tensor:
    """Features (B, c, h, w) at length 1 over their channels, in float32 whatever the network ran in."""
    h = h.float()
    return h / (h.square().sum(1, keepdim=True) + _TINY).sqrt()


def looked_at(x: Tensor, draws: Tensor, side: int, low: float, high: float) -> Tensor:
    """Each picture enlarged by a factor of its own, and of that a window at a place of its own: (B, C, side, side).

    A network whose first layer strides by two sees every other place only: what hides between them, like a checkerboard
    of two pixels, costs nothing, and is learned. Seen at other places and sizes each time, it cannot hide. Windows
    may stick out of a picture by two of its pixels, where it is mirrored: so they move even where it is not enlarged.
    Between pixels a pattern of two pixels fades, and half way it is gone: it shows best enlarged by 1.25 or more. The
    same ``draws`` look at two pictures alike.

    Args:
        x: (B, C, H, W).
        draws: (B, 3) in 0..1: of the factor, and of the window's place from left to right and from top to bottom.
        side: pixels of the window, >= 1.
        low: the smallest factor, > 0; below 1 pixels are skipped, and hide again.
        high: the largest, >= ``low``; factors are uniform in their logarithm.

    Raises:
        ArgumentError: for other factors.

    Source: Odena et al., Deconvolution and checkerboard artifacts, Distill, 2016.

    Example:
        >>> x = torch.rand(2, 1, 24, 32)
        >>> looked_at(x, torch.rand(2, 3), 16, 1.0, 1.5).shape
        torch.Size([2, 1, 16, 16])
        >>> bool((looked_at(x, torch.full((2, 3), 0.5), 16, 1.0, 1.0) - x[:, :, 4:20, 8:24]).abs().max() < 1e-5)
        True
    """
    if not 0 < low <= high:
        raise ArgumentError(f"expected factors 0 < low <= high, got low {low:g} and high {high:g}.", argument="low")
    height, width = x.shape[2:]
    factor = low * (high / low) ** draws[:, 0]
    # Places count from -1 to 1 over a picture.
    across, down = side / (factor * width), side / (factor * height)
    right = (2 * draws[:, 1] - 1) * ((1 - across).abs() + 2 * _OVER / width)
    below = (2 * draws[:, 2] - 1) * ((1 - down).abs() + 2 * _OVER / height)
    places = torch.linspace(1 / side - 1, 1 - 1 / side, side, device=x.device)  # the middles of the window's pixels
    columns, rows = (a[:, None] * places + b[:, None] for a, b in ((across, right), (down, below)))
    grid = torch.stack([columns[:, None, :].expand(-1, side, -1), rows[:, :, None].expand(-1, -1, side)], 3)
    return F.grid_sample(x.float(), grid, "bilinear", "reflection", align_corners=False)
