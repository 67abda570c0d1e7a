"""Every part that there is, found by importing what lies in the packages of parts."""

from __future__ import annotations

import importlib
import pkgutil

__all__ = ["find_parts"]

_PACKAGES = (
    "morphospace.nn", "morphospace.vae", "morphospace.samplers", "morphospace.training.augmentation",
)  # fmt: skip


def find_parts() -> None:
    """Import every module of the packages of parts: what is made there is known from then on, by slot and kind."""
    for name in _PACKAGES:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(getattr(package, "__path__", []), f"{name}."):
            importlib.import_module(module.name)


find_parts()
