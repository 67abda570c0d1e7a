"""Recipes: whichever way one is made, it means something."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from morphospace.errors import ArgumentError
from morphospace.recipes import RECIPES, find_recipe, recipe_from_json, with_settings


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_comes_back_from_json(name: str) -> None:
    recipe = find_recipe(name)
    assert recipe_from_json(recipe.to_json()) == recipe
    assert recipe_from_json(recipe.for_images(300).to_json()) == recipe.for_images(300)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"latent_dim": 0}, "--latent-dim: expected at least 1, got 0"),
        ({"epochs": -1}, "--epochs: expected 1 to 1e.09, got -1"),
        ({"beta": float("nan")}, "--set beta: expected 0 to 1e.09, got nan"),
        ({"anneal": 1.5}, "--set anneal: expected 0 to 1, got 1.5"),
        ({"posterior": "point"}, "Add --set objective=reconstruction"),
        ({"objective": "reconstruction"}, "Add --set posterior=point"),
        ({"l1": 2.0}, "only the objective"),
    ],
)
def test_what_has_no_meaning_is_refused_however_it_is_said(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        dataclasses.replace(find_recipe("quick"), **change)
    with pytest.raises(ArgumentError, match=words):
        with_settings(find_recipe("quick"), {key: str(value) for key, value in change.items()})
    with pytest.raises(ArgumentError, match=words):
        recipe_from_json(find_recipe("quick").to_json() | change)


def test_words_for_numbers_are_refused() -> None:
    with pytest.raises(ArgumentError, match='--set epochs: expected a whole number, got "many"'):
        with_settings(find_recipe("quick"), ["epochs=many"])
    with pytest.raises(ArgumentError, match="--epochs: expected"):
        dataclasses.replace(find_recipe("quick"), epochs="many")  # type: ignore[arg-type]
