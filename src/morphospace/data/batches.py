"""Which images make which batch: a pure function of (seed, stage, epoch), so that a run can resume anywhere."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["batch_indices", "steps_per_epoch"]


def steps_per_epoch(count: int, batch: int) -> int:
    """Whole batches in ``count`` images; the remainder is dropped, so that every batch has one static shape."""
    return count // batch


def batch_indices(count: int, batch: int, *, seed: int, stage: int, epoch: int) -> NDArray[np.int64]:
    """The images of each batch of an epoch, (steps, batch), each image at most once.

    Args:
        count: the number of training images.
        batch: the images in a batch, 1..count.
        seed: the run's seed.
        stage: the recipe's stage, from 0.
        epoch: the stage's epoch, from 0.

    Example:
        >>> batch_indices(10, 5, seed=0, stage=0, epoch=0).shape
        (2, 5)
    """
    order = np.random.default_rng((seed, stage, epoch)).permutation(count)
    steps = steps_per_epoch(count, batch)
    return order[: steps * batch].reshape(steps, batch).astype(np.int64)
