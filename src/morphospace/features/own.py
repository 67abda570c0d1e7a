"""A judge of one's own pictures: convolutions that have learned to tell the labels of a set apart."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from morphospace.errors import ArgumentError
from morphospace.features.fitting import fit
from morphospace.features.network import Features, Pictures
from morphospace.features.untrained import LEAST, random_layers

__all__ = ["OwnFeatures"]

_BATCH = 64
_STEPS, _FEWEST_STEPS, _EPOCHS = 300, 100, 15


class OwnFeatures(Features):
    """The convolutions of :func:`random_features`, which learn to tell labels apart when they look at a set.

    A label is told by the mean over all places of the features at every depth, so that each depth learns of it.

    Example:
        >>> network = OwnFeatures()
        >>> x = torch.rand(40, 1, 8, 8)
        >>> network.look_at(lambda index: x[index], (x.mean((1, 2, 3)) > 0.5).long(), seed=0)
        >>> [tuple(h.shape[1:]) for h in network(x)]
        [(16, 8, 8), (32, 4, 4), (64, 2, 2), (128, 1, 1)]
    """

    taught = False

    def __init__(self) -> None:
        layers = random_layers(0)
        super().__init__(layers, range(len(layers)), least=LEAST)

    def look_at(self, pictures: Pictures, labels: Tensor | None, *, seed: int) -> None:
        """See :class:`Features`: it learns anew each time, the same from the same.

        Raises:
            ArgumentError: without labels of two kinds or more.
        """
        if labels is None or (kinds := int(labels.max()) + 1) < 2:
            came = "no labels" if labels is None else "one"
            raise ArgumentError(
                f"this network learns the labels of a set: expected two kinds or more, got {came}. "
                "Take another network, like random, or label the pictures.",
                argument="features",
            )
        told = labels  # int64 (N,)
        with torch.random.fork_rng(devices=[]):  # layers draw weights, which are then replaced
            self.layers.load_state_dict(nn.ModuleList(random_layers(seed)).state_dict())
            head = nn.Linear(sum(self.channels), kinds).to(told.device)
        self.layers.requires_grad_(True)
        for parameter in head.parameters():
            nn.init.zeros_(parameter)

        def loss(rows: NDArray[np.int64]) -> Tensor:
            index = torch.from_numpy(rows).to(told.device)
            means = [h.mean((2, 3)) for h in Features.forward(self, pictures(index))]
            return F.cross_entropy(head(torch.cat(means, 1)).float(), told[index])

        batch = min(_BATCH, len(told))
        steps = min(_STEPS, max(_FEWEST_STEPS, _EPOCHS * len(told) // batch))
        fit([*self.layers.parameters(), *head.parameters()], loss, len(told), batch=batch, steps=steps, seed=seed)
        self.zero_grad()
        self.requires_grad_(False)
        self.taught = True

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """See :class:`Features`.

        Raises:
            ArgumentError: before it has looked at a set.
        """
        if not self.taught:
            raise ArgumentError("this network has not looked at a set yet: call its look_at.", argument="features")
        return super().forward(x)
