"""The space that comes with the package: MNIST in two latents, trained by our own recipe."""

from __future__ import annotations

from pathlib import Path

__all__ = ["BUILTIN", "builtin_folder", "space_path"]

BUILTIN = "builtin"
"""What users call it."""


def builtin_folder() -> Path:
    """Its bundle: weights as 16-bit floats, the codes and labels of the test images, and no image.

    Its card says how it was trained; ``docs/builtin_space.py`` makes it.
    """
    return Path(__file__).parent / "spaces" / "mnist"


def space_path(name: str | Path) -> Path:
    """The folder that a user names: ``builtin`` is the built-in space, unless there is a folder of that name.

    Example:
        >>> space_path("runs/0001-mnist-quick").as_posix()
        'runs/0001-mnist-quick'
    """
    path = Path(name)
    return builtin_folder() if str(name) == BUILTIN and not path.exists() else path
