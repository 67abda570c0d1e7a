"""Training in several stretches: the recipe's own, and those that go on after its end."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from morphospace.recipes import Recipe, build_stages
from morphospace.training.loop import Stage

__all__ = ["GENTLER", "rate_words", "stages_of"]

GENTLER = 0.3
"""Times the learning rate, where weights are good already."""

_BRIEFLY = 0.05  # of the steps, in which the rate rises again


def stages_of(recipe: Recipe, shape: tuple[int, int, int], stretches: Sequence[int] = ()) -> tuple[Stage, ...]:
    """The stages of a training; each stretch after the first goes on with the weights and moments of the one before.

    A schedule is a function of the steps of its own stretch, so that what was trained already stays as it was: see
    :func:`rate_words`. Weights that the recipe anneals have risen already, and stay.

    Args:
        recipe: of the first stretch.
        shape: (H, W, C) of the images.
        stretches: the epochs of each; those of the recipe alone if left out.
    """
    first, *more = stretches or (recipe.epochs,)
    stages = list(build_stages(dataclasses.replace(recipe, epochs=first), shape))
    for epochs in more:
        again = dataclasses.replace(recipe, epochs=epochs, anneal=0.0, warm_up=0.0)
        if recipe.decay != "none":
            again = dataclasses.replace(
                again, learning_rate=GENTLER * recipe.learning_rate, warm_up=min(recipe.warm_up, _BRIEFLY)
            )
        stages += [dataclasses.replace(stage, goes_on=True) for stage in build_stages(again, shape)]
    return tuple(stages)


def rate_words(recipe: Recipe) -> str:
    """How the learning rate goes on after the end of ``recipe``, in words."""
    if recipe.decay == "none":
        return f"at the rate that it ended with, {recipe.learning_rate:.3g}"
    rate = GENTLER * recipe.learning_rate
    return f"at a rate that starts again at {GENTLER:g} of the recipe's highest, {rate:.3g}, and falls to nothing"
