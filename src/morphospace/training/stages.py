"""The stages of a training."""

from __future__ import annotations

from dataclasses import dataclass

from morphospace.parts import Part, Shape, option
from morphospace.training.augmentation import Augmentation
from morphospace.vae.interfaces import Model, Objective
from morphospace.vae.objectives.elbo import ELBO
from morphospace.vae.objectives.fitting import fitting_objective
from morphospace.vae.optimisers import Adam, OptimiserConfig
from morphospace.vae.slots import ObjectiveConfig

__all__ = ["Stage", "StageConfig"]


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stretch of training.

    Attributes:
        objective: what to descend.
        epochs: passes over the data, >= 1.
        batch: images a step, >= 1; at most the images there are.
        optimiser: of the players that bring none of their own.
        augmentation: what happens to training images, if anything.
        trains: the beginnings of the names of the model's parameters that train; all if empty.
        goes_on: with the optimisers' moments of the stage before, instead of fresh ones.
    """

    objective: Objective
    epochs: int
    batch: int
    optimiser: OptimiserConfig = Adam()  # noqa: RUF009 - frozen
    augmentation: Augmentation | None = None
    trains: tuple[str, ...] = ()
    goes_on: bool = False


class _StageSlot(Part, slot="stage"):
    """One stretch of training."""


class StageConfig(_StageSlot, kind="stage"):
    """What one stretch of training descends, how, and for how long."""

    objective: ObjectiveConfig = option("what is descended", default=ELBO.Config())
    optimiser: OptimiserConfig = option("how parameters step", default=Adam())
    epochs: int = option("passes over the training images", default=10, low=1, high=1e9)
    batch: int = option("images a step", default=256, low=1, high=1e9)
    least_batch: int = option(
        "sets of fewer than 50 batches get smaller ones, down to this, at a rate lower by the square root", default=16,
        low=1, high=1e9,
    )  # fmt: skip
    min_steps: int = option("small sets get more epochs until there are so many steps", default=0, low=0, high=1e12)
    trains: tuple[str, ...] = option(
        "the beginnings of the names of what trains, like decoder,likelihood; all of the model if left out", default=()
    )

    def build(self, model: Model, shape: Shape, augmentation: Augmentation | None) -> Stage:
        """The stage for ``model`` and images of ``shape``."""
        objective = self.objective.build(model, shape)
        fitting_objective(objective, model, shape, self.optimiser)
        return Stage(
            objective=objective,
            optimiser=self.optimiser,
            epochs=self.epochs,
            batch=self.batch,
            augmentation=augmentation,
            trains=self.trains,
        )
