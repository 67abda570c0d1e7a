"""How a decoder goes on alone: one more stage, after those that a space was trained by."""

from __future__ import annotations

import dataclasses

from morphospace.recipes.recipe import Recipe
from morphospace.training.stages import StageConfig
from morphospace.vae.objectives.perceptual import Perceptual
from morphospace.vae.optimisers import Adam
from morphospace.vae.slots import ObjectiveConfig

__all__ = ["polished_recipe", "polishing_recipe"]

_STAGE = StageConfig(
    objective=Perceptual.Config(),
    optimiser=Adam(learning_rate=1e-3, beta1=0.5, beta2=0.98, decay="cosine", clip=1.0),
    epochs=5,
    batch=32,
)


def polishing_recipe(
    recipe: Recipe,
    decoding: tuple[str, ...],
    *,
    objective: ObjectiveConfig | None = None,
    features: str | None = None,
    epochs: int | None = None,
) -> Recipe:
    """The polish alone, as a recipe of one stage: the decoder trains, under a perceptual distance.

    Args:
        recipe: of the space.
        decoding: how the names of what only decodes begin, see :class:`morphospace.vae.Generative`.
        objective: another one to descend.
        features: the feature network that tells how far pictures are apart, by its name; the objective's own if left
            out.
        epochs: passes over the training images.

    Raises:
        ArgumentError: for an objective that cannot train such a model.
    """
    stage = _STAGE.replace(trains=decoding, epochs=_STAGE.epochs if epochs is None else epochs)
    stage = stage.replace(objective=objective or stage.objective)
    if features is not None:
        stage = stage.replace(objective=stage.objective.replace(features=features))
    return dataclasses.replace(recipe, stages=(stage,), patience=None)


def polished_recipe(recipe: Recipe, polish: Recipe, epochs: int | None = None) -> Recipe:
    """The recipe of a polished space: the stages that it was trained by, and the polish.

    Args:
        recipe: of the space before.
        polish: of one stage, as its set gets it (:meth:`Recipe.for_images`).
        epochs: how many the space was trained for, where that is known: it may have had enough before the end.
    """
    *earlier, last = recipe.stages
    if epochs is not None:
        last = last.replace(epochs=max(1, epochs - sum(stage.epochs for stage in earlier)))
    return dataclasses.replace(polish, stages=(*earlier, last, *polish.stages))
