"""Recipes: complete, frozen configurations of model and training; the named ones, and what is built from them."""

from morphospace.recipes.building import build_model, build_stages
from morphospace.recipes.catalogue import find_parts
from morphospace.recipes.keys import changed, is_key, keys_of, setting_pairs
from morphospace.recipes.named import RECIPES, default_recipe, find_recipe, recipe_notes
from morphospace.recipes.own import recipe
from morphospace.recipes.polishing import polished_recipe, polishing_recipe
from morphospace.recipes.recipe import Recipe, recipe_from_json

__all__ = [
    "RECIPES",
    "Recipe",
    "build_model",
    "build_stages",
    "changed",
    "default_recipe",
    "find_parts",
    "find_recipe",
    "is_key",
    "keys_of",
    "polished_recipe",
    "polishing_recipe",
    "recipe",
    "recipe_from_json",
    "recipe_notes",
    "setting_pairs",
]
