"""How a judge learns."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from morphospace.features.fitting import fit


def test_every_example_is_seen_before_any_is_seen_again_in_an_order_of_the_seed() -> None:
    def seen(seed: int) -> list[list[int]]:
        weight, rows_of = nn.Parameter(torch.zeros(1)), []

        def loss(rows: NDArray[np.int64]) -> Tensor:
            rows_of.append(rows.tolist())
            return weight.square().sum()

        fit([weight], loss, 12, batch=4, steps=6, seed=seed)
        return rows_of

    for cycle in (seen(0)[:3], seen(0)[3:]):
        assert sorted(row for rows in cycle for row in rows) == list(range(12))
        assert all(rows == sorted(rows) for rows in cycle)
    assert seen(0) == seen(0)
    assert seen(0) != seen(1)
