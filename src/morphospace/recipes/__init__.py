"""Recipes: complete, frozen configurations of model and training; the named ones, and what is built from them."""

from morphospace.recipes.building import build_model, build_stages
from morphospace.recipes.named import RECIPES, default_recipe, find_recipe
from morphospace.recipes.recipe import Recipe, recipe_from_json, setting_pairs, with_settings

__all__ = [
    "RECIPES",
    "Recipe",
    "build_model",
    "build_stages",
    "default_recipe",
    "find_recipe",
    "recipe_from_json",
    "setting_pairs",
    "with_settings",
]
