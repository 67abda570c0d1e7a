"""What a recipe is: a complete, frozen configuration of model and training, made of parts."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from morphospace.errors import ArgumentError
from morphospace.parts import Foreign, part_from_json
from morphospace.recipes.migrations import FORMAT, migrated
from morphospace.samplers.interfaces import SamplerConfig
from morphospace.samplers.prior import PriorConfig
from morphospace.training.augmentation import Augmentation, ImagesConfig
from morphospace.training.stages import StageConfig
from morphospace.vae.slots import ModelConfig

__all__ = ["Recipe", "recipe_from_json"]

_FEW_STEPS = 50
_SMALL = 2000  # training images


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A model and its training.

    Attributes:
        name: what users type.
        summary: a line for people.
        model: encoder, posterior, prior, decoder and likelihood, of :class:`morphospace.vae.VAE`, or another model.
        stages: what is trained one after the other, each with its objective, optimiser and epochs.
        images: what happens to training images.
        sampler: where samples come from.
        patience: training stops after so many epochs without a better validation score, and keeps the best; 0 never
            stops and keeps the last; None is a fifth of the epochs for sets of fewer than 2,000 and 0 for others.

    Raises:
        ArgumentError: for parts that do not fit each other.
    """

    name: str
    summary: str
    model: ModelConfig
    stages: tuple[StageConfig, ...]
    images: ImagesConfig = Augmentation.Config()  # noqa: RUF009 - frozen
    sampler: SamplerConfig = PriorConfig()  # noqa: RUF009
    patience: int | None = 0

    def __post_init__(self) -> None:
        for name, value in (("name", self.name), ("summary", self.summary)):
            if not isinstance(value, str):
                raise ArgumentError(f"expected words, got {value!r}.", argument=name)
        expected = {"model": ModelConfig, "images": ImagesConfig, "sampler": SamplerConfig}
        for name, kind in expected.items():
            if not isinstance(getattr(self, name), kind):
                raise ArgumentError(f"expected a part, got {getattr(self, name)!r:.60}.", argument=name)
        stages: object = self.stages
        if not isinstance(stages, tuple) or not stages or not all(isinstance(stage, StageConfig) for stage in stages):
            raise ArgumentError(f"expected one stage or more, got {stages!r:.60}.", argument="stages")
        patience: object = self.patience
        if patience is not None and (isinstance(patience, bool) or not isinstance(patience, int)):
            raise ArgumentError(f"expected a whole number, or none, got {patience!r}.", argument="patience")
        if patience is not None and not 0 <= patience <= 1e9:
            raise ArgumentError(f"expected 0 to 1e+09, got {patience}.", argument="patience")
        self.model.check()
        for stage in self.stages:
            stage.objective.check(self.model)
        if self.sampler.from_prior and self.model.draws == "points":
            raise ArgumentError(
                "a posterior that is a point has no prior to sample from. Take a sampler that is fitted to codes, like "
                "mixture.",
                argument="sampler",
            )

    @property
    def latent_dim(self) -> int:
        """d, the number of latents."""
        return self.model.latent_dim

    @property
    def epochs(self) -> int:
        """Passes over the training images, of all stages."""
        return sum(stage.epochs for stage in self.stages)

    @property
    def batch(self) -> int:
        """Images a step of the first stage."""
        return self.stages[0].batch

    def weight(self, shape: tuple[int, int, int]) -> float:
        """The weight of the KL in nats, of the first stage, for images of ``shape`` (H, W, C); 0 without a KL."""
        height, width, channels = shape
        return self.stages[0].objective.kl_weight(self.latent_dim, (channels, height, width))

    @property
    def penalty(self) -> str | None:
        """The key of what keeps codes near 0; None where nothing does."""
        return None if self.model.draws == "codes" else self.stages[0].objective.penalty

    def for_images(self, images: int) -> Recipe:
        """The recipe as a set of ``images`` training images gets it: batch, rate, epochs, augmentation, patience."""
        stages = tuple(_stage_for(stage, images) for stage in self.stages)
        small, epochs = images < _SMALL, sum(stage.epochs for stage in stages)
        patience = (-(-epochs // 5) if small else 0) if self.patience is None else self.patience
        return dataclasses.replace(self, stages=stages, images=self.images.for_images(small), patience=patience)

    def for_fewer(self, wanted: Recipe, images: int) -> Recipe:
        """This recipe of :meth:`for_images`, where only so many are learned from and the rest choose the epoch.

        Args:
            wanted: what it was made of.
            images: that are learned from.
        """
        stages = []
        for stage, asked in zip(self.stages, wanted.stages, strict=True):
            batch = min(stage.batch, images)
            stages.append(stage.replace(batch=batch, epochs=epochs_of(asked, images, batch)))
        return dataclasses.replace(self, stages=tuple(stages))

    def check_here(self) -> None:
        """Refuse to train on a machine that lacks something that an objective needs.

        Raises:
            FileError: with how to get it.
        """
        for stage in self.stages:
            stage.objective.check_here()

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "format": FORMAT,
            "name": self.name,
            "summary": self.summary,
            "model": self.model.to_json(),
            "stages": [stage.to_json() for stage in self.stages],
            "images": self.images.to_json(),
            "sampler": self.sampler.to_json(),
            "patience": self.patience,
        }


def epochs_of(stage: StageConfig, images: int, batch: int) -> int:
    """So many epochs that ``images`` to learn from, in batches of ``batch``, make the stage's ``min_steps``."""
    return max(stage.epochs, math.ceil(stage.min_steps / (images // batch)))


def _stage_for(stage: StageConfig, images: int) -> StageConfig:
    # About 50 steps an epoch at least, by a power of two; noisier gradients want shorter steps.
    few = 2 ** int(math.log2(max(1, images / _FEW_STEPS)))
    batch = min(stage.batch, max(stage.least_batch, few), images)
    rate = stage.optimiser.learning_rate * math.sqrt(batch / stage.batch)
    return stage.replace(
        batch=batch,
        least_batch=batch,
        epochs=epochs_of(stage, images, batch),
        min_steps=0,
        optimiser=stage.optimiser.replace(learning_rate=rate),
    )


def recipe_from_json(values: Mapping[str, Any], foreign: Foreign | None = None) -> Recipe:
    """The recipe that :meth:`Recipe.to_json` gave, of this version or an earlier one, checked as a user's keys are.

    A key that is not there takes its default: it came after what was written.

    Args:
        values: of any format that was ever written.
        foreign: parts of other packages that it may name: see :func:`morphospace.parts.foreign_parts`.

    Raises:
        ArgumentError: for unknown keys, missing ones that have no default, wrong types or ranges.
    """
    values = migrated(values)
    known = {field.name for field in dataclasses.fields(Recipe)}
    unknown = sorted(set(values) - known - {"format"})
    missing = sorted({"name", "summary", "model", "stages"} - set(values))
    if unknown or missing:
        raise ArgumentError(f"unknown keys {unknown}, missing keys {missing}.", argument="recipe")

    def part(slot: str, found: Any) -> Any:
        return part_from_json(slot, found, foreign)

    if not isinstance(values["stages"], list):
        raise ArgumentError(f"expected a list, got {values['stages']!r:.60}.", argument="stages")
    parts: dict[str, Any] = {
        name: part(name, values[name]) for name in ("model", "images", "sampler") if name in values
    }
    stages = tuple(part("stage", stage) for stage in values["stages"])
    plain = {name: values[name] for name in ("name", "summary", "patience") if name in values}
    return Recipe(**plain, **parts, stages=stages)
