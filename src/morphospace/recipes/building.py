"""From a recipe to a model, and to the stages of its training."""

from __future__ import annotations

import math
from typing import cast

import torch

from morphospace.errors import ArgumentError
from morphospace.parts import kinds_of
from morphospace.recipes.recipe import Recipe
from morphospace.training.loop import generator_seed
from morphospace.training.stages import Stage
from morphospace.vae import Generative, Model
from morphospace.vae.models.fitting import fitting_model

__all__ = ["build_model", "build_stages"]

_OBJECTIVE_STREAM = -2  # a "step" that no training has: an objective's own networks share no numbers with it


def build_model(recipe: Recipe, shape: tuple[int, int, int], *, seed: int, labels: int = 0) -> Generative:
    """The untrained model for images of ``shape`` (H, W, C), with weights drawn from ``seed``.

    Args:
        recipe: has the parts.
        shape: (H, W, C) of the images.
        seed: of the weights.
        labels: how many kinds of labels the set has, for models that are told them; 0 for none.

    Raises:
        ArgumentError: if the latent dimension exceeds the number of values in an image, or parts do not fit.

    Example:
        >>> from morphospace.recipes import find_recipe
        >>> model = build_model(find_recipe("book"), (28, 28, 1), seed=0)
        >>> sum(p.numel() for p in model.parameters())
        550629
    """
    height, width, channels = shape
    if recipe.latent_dim > math.prod(shape):
        raise ArgumentError(
            f"expected 1 to {math.prod(shape)}, the number of values in an image, got {recipe.latent_dim}.",
            argument="latent_dim",
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = recipe.model.build((channels, height, width), labels)
    if type(recipe.model) not in kinds_of("model").values():
        fitting_model(model, (channels, height, width))
    return model


def build_stages(recipe: Recipe, model: Generative, shape: tuple[int, int, int], *, seed: int) -> tuple[Stage, ...]:
    """The stages of training ``model`` on images of ``shape`` (H, W, C); ``seed`` is of objectives' own networks."""
    height, width, channels = shape
    augmentation = recipe.images.build()
    stages = []
    for number, stage in enumerate(recipe.stages):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(generator_seed(seed, number, _OBJECTIVE_STREAM))
            # What an objective asks beyond a Generative, its check has found to be there.
            stages.append(stage.build(cast("Model", model), (channels, height, width), augmentation))
    return tuple(stages)
