"""How a judge learns: one cycle of Adam over examples in a random order."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

__all__ = ["fit"]

_RATE = 4e-3


def fit(
    parameters: Iterable[nn.Parameter],
    loss: Callable[[NDArray[np.int64]], Tensor],
    count: int,
    *,
    batch: int,
    steps: int,
    seed: int,
) -> None:
    """Descend a loss of a few of ``count`` examples at a time.

    Args:
        parameters: what is changed.
        loss: from the examples' places (batch,), in rising order, to a number.
        count: of examples, >= ``batch``; each is seen once before any is seen again.
        batch: the examples of a step.
        steps: how many are taken, >= 1; the learning rate rises to 4e-3 and falls to nothing in them.
        seed: of the order.

    Source: Smith and Topin, arXiv:1708.07120.

    Example:
        >>> weight, truth = nn.Parameter(torch.zeros(1)), torch.full((10,), 0.1)
        >>> fit([weight], lambda rows: (weight - truth[rows]).square().mean(), 10, batch=5, steps=200, seed=0)
        >>> round(weight.item(), 2)
        0.1
    """
    optimiser = torch.optim.Adam(parameters, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _RATE, total_steps=steps + 1)
    order = np.random.default_rng(seed)
    places = np.empty(0, np.int64)
    for _ in range(steps):
        if len(places) < batch:
            places = order.permutation(count)
        rows, places = np.sort(places[:batch]), places[batch:]
        found = loss(rows)
        optimiser.zero_grad()
        torch.autograd.backward(found)
        optimiser.step()
        schedule.step()
