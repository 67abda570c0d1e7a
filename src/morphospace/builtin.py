"""The space that comes with the package: MNIST in two latents, trained by our own recipe."""

from __future__ import annotations

from pathlib import Path

__all__ = ["BUILTIN", "builtin_folder"]

BUILTIN = "builtin"
"""What users call it."""


def builtin_folder() -> Path:
    """Its bundle: weights as 16-bit floats, the codes and labels of the test images, and no image.

    Its card says how it was trained; ``docs/builtin_space.py`` makes it.
    """
    return Path(__file__).parent / "spaces" / "mnist"
