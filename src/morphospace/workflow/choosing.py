"""Which recipe trains: the one that was named, what images get by default, or that of a space to go on from."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from morphospace.errors import ArgumentError, FileError
from morphospace.parts import Foreign, Part, fields_of
from morphospace.recipes import RECIPES, Recipe, changed, default_recipe, find_recipe
from morphospace.space import Space
from morphospace.vae import Generative
from morphospace.workflow.stretches import gentler_optimiser

__all__ = ["choose_recipe", "epochs_note"]

_SHAPES = (8, 8, 1), (64, 64, 1), (64, 64, 3)  # one for each recipe that "auto" may be


def choose_recipe(
    recipe: str | Recipe,
    *,
    shape: tuple[int, int, int] | None,
    start: Space | None = None,
    latent_dim: int | None = None,
    epochs: int | None = None,
    settings: Mapping[str, Any] | None = None,
    model: Generative | None = None,
    foreign: Foreign | None = None,
) -> Recipe:
    """A recipe for images of ``shape`` with the user's changes, checked; that of ``start``, gentler, to go on from it.

    Where the shape is not known yet (None), what "auto" may turn out to be is tried: only what fits none is refused.

    Raises:
        ArgumentError: for unknown recipes and keys, keys that the recipe has no use for, and a network that is not the
            one of ``start``.
        FileError: for weights that it needs and that are not on this machine.
    """
    if not isinstance(recipe, (str, Recipe)):
        raise ArgumentError(f"expected a name or a Recipe, got {type(recipe).__name__}.", argument="recipe")
    if settings is not None and not isinstance(settings, Mapping):
        raise ArgumentError(
            f'expected a mapping like {{"beta": 0.5}}, got {type(settings).__name__}.', argument="settings"
        )
    if start is not None and recipe != "auto":
        raise ArgumentError("a space that training starts from keeps its own. Leave it out.", argument="recipe")
    changes: dict[str, Any] = dict(settings or {})
    said: dict[str, object] = {"latent_dim": latent_dim, "epochs": epochs, "model": model}
    for key, value in said.items():
        if value is not None:
            if key in changes:
                raise ArgumentError(f"given twice, as {value} and in `settings`.", argument=key)
            changes[key] = value
    if start is not None:
        found = [_going_on(start.recipe)]
    elif isinstance(recipe, Recipe):
        found = [recipe]
    elif recipe != "auto":
        found = [find_recipe(recipe)]
    else:
        other_model = "model" in changes
        found = [default_recipe(one, other_model=other_model) for one in (_SHAPES if shape is None else [shape])]
    chosen = _first_that_fits(found, changes, foreign)
    if start is not None and (other := _different(chosen.model, start.recipe.model)):
        raise ArgumentError(f"{other} of a trained space cannot change. Leave it out, or train anew.", argument="start")
    try:
        chosen.check_here()
    except FileError as error:
        if start is not None:
            raise
        words = f'{error.words} (`recipe="conv"` compares pixels alone, and needs none)'
        raise FileError(words, argument=error.argument) from error
    return chosen


def _first_that_fits(recipes: Sequence[Recipe], changes: Mapping[str, Any], foreign: Foreign | None) -> Recipe:
    """The first of some recipes that takes the changes, with them; what the first of all says if none does."""
    first, *others = recipes
    try:
        return changed(first, changes, foreign)
    except ArgumentError:
        for other in others:
            with suppress(ArgumentError):
                return changed(other, changes, foreign)
        raise


def epochs_note(recipe: Recipe, epochs: int | None) -> list[str]:
    """What a person should know who asked for ``epochs`` of several stages: these are of the first alone."""
    others = [f"`stage{number}.epochs`" for number in range(2, len(recipe.stages) + 1)]
    if epochs is None or not others:
        return []
    return [f"`epochs={epochs}` is of the first stage alone; {' and '.join(others)} decides on what comes after it"]


def _going_on(recipe: Recipe) -> Recipe:
    """The recipe of a space that goes on: its own, with the schedule that it is named for, gentler."""
    own = find_recipe(recipe.name) if recipe.name in RECIPES else recipe
    named = own.stages if len(own.stages) == len(recipe.stages) else recipe.stages
    stages = []
    for stage, like in zip(recipe.stages, named, strict=True):
        schedule = {key: getattr(like, key) for key in ("batch", "least_batch", "epochs", "min_steps")}
        rate = stage.optimiser.replace(learning_rate=like.optimiser.learning_rate, warm_up=like.optimiser.warm_up)
        stages.append(stage.replace(objective=stage.objective.risen(), optimiser=gentler_optimiser(rate), **schedule))
    images = recipe.images.like(own.images)
    return dataclasses.replace(recipe, stages=tuple(stages), images=images, patience=own.patience)


def _different(part: Part, before: Part, front: str = "") -> str | None:
    """The first key in which two models differ by more than where training starts; None if their weights fit."""
    if part.kind != before.kind:
        return front.rstrip(".") or "model"
    for field in fields_of(type(part)):
        one, other = getattr(part, field.name), getattr(before, field.name)
        if isinstance(one, Part):
            if found := _different(one, other, f"{front}{field.name}."):
                return found
        elif one != other and not field.starts:
            return f"{front}{field.name}"
    return None
