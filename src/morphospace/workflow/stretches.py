"""Training in several stretches: the recipe's own, and those that go on after its end."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from morphospace.recipes import Recipe, build_stages
from morphospace.training.stages import Stage, StageConfig
from morphospace.vae import Generative, OptimiserConfig

__all__ = ["gentler_optimiser", "rate_words", "stages_of"]

GENTLER = 0.3
"""Times the learning rate, where weights are good already."""

_BRIEFLY = 0.05  # of the steps, in which the rate rises again


def stages_of(
    recipe: Recipe, model: Generative, shape: tuple[int, int, int], stretches: Sequence[int] = (), *, seed: int
) -> tuple[Stage, ...]:
    """The stages of a training; each stretch after the first goes on with the weights and moments of the one before.

    A schedule is a function of the steps of its own stretch, so that what was trained already stays as it was: see
    :func:`rate_words`. Weights that the recipe anneals have risen already, and stay.

    Args:
        recipe: of the first stretch.
        model: that is trained.
        shape: (H, W, C) of the images.
        stretches: the epochs of each, of which the first has all but the last stage of the recipe in front; those of
            the recipe alone if left out.
        seed: of an objective's own networks.
    """
    *earlier, last = recipe.stages
    if not stretches:
        return build_stages(recipe, model, shape, seed=seed)
    first, *more = stretches
    own = [*earlier, last.replace(epochs=first - sum(stage.epochs for stage in earlier))]
    again = [_again(last).replace(epochs=epochs) for epochs in more]
    stages = build_stages(dataclasses.replace(recipe, stages=(*own, *again)), model, shape, seed=seed)
    return tuple(dataclasses.replace(stage, goes_on=i >= len(own)) for i, stage in enumerate(stages))


def _again(stage: StageConfig) -> StageConfig:
    """A stage that goes on after its end: nothing rises from 0 again, and the rate starts lower where it had fallen."""
    optimiser = stage.optimiser
    gentler = gentler_optimiser(optimiser) if optimiser.falls else optimiser.replace(warm_up=0.0)
    return stage.replace(objective=stage.objective.risen(), optimiser=gentler)


def gentler_optimiser(optimiser: OptimiserConfig) -> OptimiserConfig:
    """The optimiser for weights that are good already."""
    return optimiser.replace(learning_rate=GENTLER * optimiser.learning_rate, warm_up=min(optimiser.warm_up, _BRIEFLY))


def rate_words(recipe: Recipe) -> str:
    """How the learning rate goes on after the end of ``recipe``, in words."""
    optimiser = recipe.stages[-1].optimiser
    if not optimiser.falls:
        return f"at the rate that it ended with, {optimiser.learning_rate:.3g}"
    rate = GENTLER * optimiser.learning_rate
    return f"at a rate that starts again at {GENTLER:g} of the recipe's highest, {rate:.3g}, and falls to nothing"
