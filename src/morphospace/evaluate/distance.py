"""How far reconstructions lie from their images, by the measure of what trained them."""

from __future__ import annotations

from typing import cast

import torch

from morphospace.codec import batch_for
from morphospace.data import ImageArray
from morphospace.data.dataset import Labels
from morphospace.evaluate.likelihood import in_eval_mode, scored_batch
from morphospace.vae.interfaces import Generative, Model, Objective

__all__ = ["has_distance", "mean_distance"]


def has_distance(objective: Objective) -> bool:
    """Whether an objective has a measure of its own of how far reconstructions lie from their images."""
    return type(objective).distances is not Objective.distances


@torch.no_grad()
def mean_distance(objective: Objective, model: Generative, images: ImageArray, labels: Labels | None = None) -> float:
    """The mean of an objective's own distance over images.

    Args:
        objective: that :func:`has_distance`; on the device of ``model``.
        model: in eval mode meanwhile.
        images: uint8 (N, H, W, C), N >= 1.
        labels: (N,), for models that are told them.
    """
    total, step = 0.0, batch_for(images.shape)
    with in_eval_mode(model):
        for start in range(0, len(images), step):
            batch = scored_batch(model, images, labels, start, min(start + step, len(images)))
            found = objective.distances(cast("Model", model), batch)
            total += float(found.double().sum())
    return total / len(images)
