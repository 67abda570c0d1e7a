"""A frozen network that looks at pictures: its layers, and the depths at which it is read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TypeAlias

import torch
from torch import Tensor, nn

from morphospace.errors import ArgumentError

__all__ = ["Features", "Pictures"]

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's pictures: red, green, blue

Pictures: TypeAlias = Callable[[Tensor], Tensor]
"""From places (B,) in a set to its pictures there, (B, C, H, W) in [0, 1]."""


class Features(nn.Module):
    """Layers, one after the other, whose outputs are read at several depths. Nothing of it trains.

    Args:
        layers: for pictures of three channels, normalised by mean and spread of ImageNet's; those beyond the last one
            that is read are left out.
        read: the places of the layers whose outputs are the features, from 0.
        least: the fewest pixels a side that leave the last of them something to see, >= 1.

    Attributes:
        channels: how many the features have, at each depth.
        least: as given.

    Example:
        >>> network = Features([nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 4, 3)], read=(1,), least=3)
        >>> network.channels, [tuple(h.shape) for h in network(torch.zeros(2, 1, 8, 6))]
        ((8,), [(2, 8, 6, 4)])
    """

    mean: Tensor
    std: Tensor

    def __init__(self, layers: Sequence[nn.Module], read: Collection[int], *, least: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers[: max(read) + 1])
        self.read = frozenset(read)
        self.least = least
        self.register_buffer("mean", torch.tensor(_MEAN)[:, None, None])
        self.register_buffer("std", torch.tensor(_STD)[:, None, None])
        self.requires_grad_(False).eval()
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.channels = tuple(h.shape[1] for h in Features.forward(self, torch.zeros(1, 3, least, least)))

    def look_at(self, pictures: Pictures, labels: Tensor | None, *, seed: int) -> None:
        """Learn of the set that is trained on what this network needs to know: by default nothing.

        What it learns is a function of what is given alone, so that it need not be kept.

        Args:
            pictures: of the set, by their places.
            labels: int64 (N,), or None where there are none.
            seed: of what it draws.
        """

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """The features (B, c, h, w) of pictures, from fine to coarse.

        Args:
            x: (B, C, H, W) in [0, 1]; one channel stands for three alike.

        Raises:
            ArgumentError: for pictures of two channels, or of more than three, or of too few pixels.
        """
        channels, height, width = x.shape[1:]
        if channels not in (1, 3):
            raise ArgumentError(f"expected pictures of 1 or 3 channels, got {channels}.", argument="features")
        if min(height, width) < self.least:
            raise ArgumentError(
                f"this feature network needs pictures of {self.least} pixels a side or more, got {width}x{height} "
                "(width by height). Enlarge them, as looked_at does.",
                argument="features",
            )
        h = (x - self.mean) / self.std  # which makes three channels of one
        found = []
        for place, layer in enumerate(self.layers):
            h = layer(h)
            if place in self.read:
                found.append(h)
        return tuple(found)
