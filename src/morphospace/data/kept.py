"""The prepared sets and unpacked archives that a cache holds: what they are, what room they take, and how they go."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

from morphospace.data.archive import ABOUT, UNPACKED
from morphospace.data.prepared import DESCRIPTION, IMAGES, LOCK, SET
from morphospace.data.store import StoredImages
from morphospace.errors import FileError
from morphospace.files import read_json

__all__ = ["KeptSet", "forget", "kept_sets"]


class KeptSet(NamedTuple):
    """One set in one form, or one archive that was unpacked.

    Attributes:
        folder: where it lies; the folder's name is its name.
        source: what it was made from; empty where that is not known, as of an earlier version.
        shape: (N, H, W, C), or None for an archive, and for what a killed process left.
        nbytes: the room that it takes.
        used: when it was last opened, in seconds since 1970.
        files: of an unpacked archive, how many it has; else 0.
    """

    folder: Path
    source: str
    shape: tuple[int, ...] | None
    nbytes: int
    used: float
    files: int = 0


def kept_sets(cache: Path) -> list[KeptSet]:
    """The prepared sets and unpacked archives in the folder ``cache``, the last used first.

    Example:
        >>> kept_sets(Path("nowhere"))
        []
    """
    folders = [path for path in cache.iterdir() if path.is_dir()] if cache.is_dir() else []
    found = []
    for folder in folders:
        with suppress(FileNotFoundError):  # it changes while it is looked at
            found.append(_described(folder))
    return sorted((kept for kept in found if kept.nbytes), key=lambda kept: (-kept.used, kept.folder))


def _described(folder: Path) -> KeptSet:
    used = folder.stat().st_mtime
    with suppress(FileError, KeyError, ValueError):
        about = read_json(folder / UNPACKED / ABOUT, "unpacked archive")  # knows its room: it may be of a million files
        return KeptSet(folder, str(about["source"]), None, int(about["bytes"]), used, int(about["files"]))
    nbytes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and path.name != LOCK)
    source, shape = "", None
    try:
        source = str(read_json(folder / SET / DESCRIPTION, "prepared set").get("source", ""))
        shape = StoredImages(folder / SET / IMAGES).shape
    except FileError:
        pass  # it is listed all the same: it takes room
    return KeptSet(folder, source, shape, nbytes, used)


def forget(sets: Iterable[KeptSet]) -> None:
    """Remove prepared sets and unpacked archives; what they were made from stays, and they can be made from it again.

    Raises:
        FileError: if another process is preparing or opening one of them, or a file cannot be removed.
    """
    for kept in sets:
        try:
            with FileLock(kept.folder / LOCK, timeout=0):
                for path in kept.folder.iterdir():
                    if path.is_dir():
                        shutil.rmtree(path)
                    elif path.name != LOCK:  # which others may wait for
                        path.unlink()
        except Timeout as error:
            raise FileError(f"{kept.folder} is being prepared by another process. Wait until it is done.") from error
        except OSError as error:
            raise FileError(f"cannot remove {kept.folder}: {error.strerror}. Remove it by hand.") from error
