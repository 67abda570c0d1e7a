"""Recipes with parts of one's own."""

from __future__ import annotations

from typing import Any

from morphospace.recipes.keys import changed
from morphospace.recipes.named import find_recipe
from morphospace.recipes.recipe import Recipe

__all__ = ["recipe"]


def recipe(name: str, **changes: Any) -> Recipe:
    """A named recipe with some of its keys and parts changed.

    Args:
        name: from ``morpho recipes``.
        **changes: keys as ``--set`` takes them, with plain values (``latent_dim=3``); and parts: the names of kinds
            (``prior="vamp"``), their configurations, or networks and objectives of your own (``encoder=MyEncoder()``).
            For a dot in a key write two underlines: ``encoder__widths=(64, 32)``.

    Raises:
        ArgumentError: for an unknown recipe or key, one that the chosen parts have no use for, or a value of the wrong
            type or range.

    Example:
        >>> own = recipe("quick", latent_dim=3, epochs=2, likelihood="continuous-bernoulli")
        >>> own.latent_dim, own.model.to_json()["likelihood"]
        (3, {'kind': 'continuous-bernoulli'})
    """
    return changed(find_recipe(name), {key.replace("__", "."): value for key, value in changes.items()})
