"""Where verbs write: the file or folder that was named, or the next number in morpho-out/."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from morphospace.errors import FileError

__all__ = ["output_path", "release_numbers"]

_OUT = Path("morpho-out")
_claims = ExitStack()  # of the verb that runs: the numbers of what it writes


def output_path(out: Path | None, stem: str, suffix: str, *, force: bool) -> Path:
    """Where a verb writes: ``out``, or the next number in morpho-out/.

    Raises:
        FileError: if ``out`` exists and ``--force`` is not given, or it is a folder with other people's files.
    """
    from morphospace.files import check_replaceable, claimed_number

    if out is None:
        return _claims.enter_context(claimed_number(_OUT, stem, suffix))
    if out.is_dir() and suffix:
        raise FileError(f"{out} is a folder, expected the name of a file like {out / (stem + suffix)}.", argument="out")
    if out.exists() and not force:
        raise FileError(f"{out} exists. Choose another name, or pass --force to replace it.", argument="out")
    if not suffix:
        check_replaceable(out)
    return out


def release_numbers() -> None:
    """Give back the numbers that a verb claimed, once it is over."""
    _claims.close()
