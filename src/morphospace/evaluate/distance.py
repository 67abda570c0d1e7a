"""How far reconstructions lie from their images, by the measure of what trained them."""

from __future__ import annotations

from typing import cast

import torch

from morphospace.codec import batch_for
from morphospace.data import ImageArray
from morphospace.data.dataset import Labels
from morphospace.evaluate.likelihood import in_eval_mode, scored_batch
from morphospace.vae.interfaces import Generative, Model, Objective

__all__ = ["mean_distance"]


@torch.no_grad()
def mean_distance(
    objective: Objective, model: Generative, images: ImageArray, labels: Labels | None = None
) -> float | None:
    """The mean of an objective's own distance over images; None for an objective that has none.

    Args:
        objective: see :meth:`morphospace.vae.interfaces.Objective.distances`; on the device of ``model``.
        model: in eval mode meanwhile.
        images: uint8 (N, H, W, C), N >= 1.
        labels: (N,), for models that are told them.
    """
    total, step = 0.0, batch_for(images.shape)
    with in_eval_mode(model):
        for start in range(0, len(images), step):
            batch = scored_batch(model, images, labels, start, min(start + step, len(images)))
            found = objective.distances(cast("Model", model), batch)
            if found is None:
                return None
            total += float(found.double().sum())
    return total / len(images)
