"""Spaces for other software."""

from morphospace.export.keras import from_keras, to_keras

__all__ = ["from_keras", "to_keras"]
