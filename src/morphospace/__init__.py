"""Morphospace: turn a set of images into a space to generate from, walk through, and edit along concepts.

Nothing heavy is imported until it is used: names load on first access.
"""

from __future__ import annotations

import importlib
from typing import Any

from morphospace._version import __version__

_HOMES = {
    "Concept": "morphospace.latent.concepts",
    "Dataset": "morphospace.data.dataset",
    "Encoding": "morphospace.codec",
    "Film": "morphospace.pictures",
    "MorphospaceError": "morphospace.errors",
    "Picture": "morphospace.pictures",
    "RECIPES": "morphospace.recipes",
    "Recipe": "morphospace.recipes",
    "Space": "morphospace.space",
    "compare_spaces": "morphospace.evaluate.comparison",
    "dataset_from_arrays": "morphospace.data.in_memory",
    "from_keras": "morphospace.export.keras",
    "learn_from_dataset": "morphospace.workflow",
    "learn_label_classes": "morphospace.workflow",
    "load": "morphospace.space",
    "option": "morphospace.parts",
    "measure": "morphospace.evaluate.measures",
    "open_dataset": "morphospace.data.sources",
    "open_item": "morphospace.data.sources",
    "polish": "morphospace.workflow",
    "recipe": "morphospace.recipes.own",
    "to_keras": "morphospace.export.keras",
    "train": "morphospace.workflow",
    "try_concepts": "morphospace.evaluate.concept_trials",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'morphospace' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
