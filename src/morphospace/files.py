"""Files, written whole or not at all: atomic writes, numbered names, strict JSON."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import BaseFileLock, FileLock, Timeout

from morphospace.errors import FileError

__all__ = [
    "atomic_file",
    "atomic_folder",
    "check_replaceable",
    "claim_folder",
    "claimed_number",
    "natural_order",
    "next_numbered",
    "number_of",
    "parse_json",
    "read_bytes",
    "read_json",
    "remove_leftovers",
    "safe_name",
    "write_bytes",
    "write_json",
]

_NUMBER = re.compile(r"\d+")
_LEFTOVER = ".morpho-partial-"
_DEEPEST = 32  # levels of JSON; what is nested deeper is no work of ours, and ends Python's recursion
_MARK = ".morphospace"  # in every folder made here: what may be replaced


def _cannot_write(path: Path, error: OSError) -> FileError:
    reason = error.strerror or str(error)
    return FileError(f"cannot write {path}: {reason}. Free space, or name a place that you may write to.")


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; on success it takes the name ``path``, on failure it goes.

    Args:
        path: the file to make or replace; its folder is made when it is missing.

    Raises:
        FileError: if the folder or file cannot be written.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=_LEFTOVER, suffix=path.suffix, dir=path.parent)
        os.close(handle)
    except OSError as error:
        raise _cannot_write(path, error) from error
    partial = Path(name)
    try:
        yield partial
        # mkstemp makes files that only their owner may read; pictures are for sharing.
        partial.chmod(0o666 & ~_umask())
        _sync_file(partial)
        partial.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside ``path`` that replaces ``path`` on success.

    A reader sees the old folder or the new one, each whole; only between the two renames, for
    microseconds, may it see neither.

    Raises:
        FileError: if something is there that this package did not write, or the folder cannot be written.
    """
    path = Path(path)
    check_replaceable(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=_LEFTOVER, dir=path.parent))
    except OSError as error:
        raise _cannot_write(path, error) from error
    try:
        yield partial
        claim_folder(partial)
        partial.chmod(0o777 & ~_umask())
        _sync_all(partial)
        old = None
        if path.exists():
            old = Path(tempfile.mkdtemp(prefix=_LEFTOVER, dir=path.parent))
            path.replace(old / path.name)
        partial.replace(path)
        _sync_folder(path.parent)
        if old is not None:
            shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def check_replaceable(path: Path) -> None:
    """See to it that a folder named ``path`` would take the place of nothing but a folder made here, or an empty one.

    Raises:
        FileError: if it would.
    """
    if path.is_dir():
        if not (path / _MARK).exists() and any(path.iterdir()):
            raise FileError(f"{path} holds files that Morphospace did not write: they stay. Name another folder.")
    elif path.exists():
        raise FileError(f"{path} is a file, expected the name of a folder. Choose another name.")


def claim_folder(path: Path) -> None:
    """Make the folder ``path`` where it is missing, and mark it as one that may be replaced when that is asked for."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        (path / _MARK).write_text("Morphospace made this folder, and replaces it where force=True says so.\n")
    except OSError as error:
        raise _cannot_write(path, error) from error


def _sync_all(folder: Path) -> None:
    """Wait until all that is in ``folder`` is on the disk: a name must not arrive there before what it names."""
    for place, _, names in os.walk(folder):
        for name in names:
            _sync_file(Path(place, name))
        _sync_folder(Path(place))


def _sync_file(path: Path) -> None:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


def _sync_folder(path: Path) -> None:
    with suppress(OSError):  # not every system opens folders, or knows how to sync them
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def remove_leftovers(folder: Path) -> None:
    """Remove what a killed process left half-written in ``folder``."""
    for partial in Path(folder).glob(_LEFTOVER + "*"):
        if partial.is_dir():
            shutil.rmtree(partial, ignore_errors=True)
        else:
            partial.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` atomically."""
    with atomic_file(path) as partial:
        partial.write_bytes(data)


def write_json(path: Path, value: object) -> None:
    """Write ``value`` as indented, strict JSON (no NaN) to ``path`` atomically."""
    write_bytes(path, (json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode())


def read_bytes(path: Path, what: str) -> bytes:
    """The content of ``path``; ``what`` names it in errors ("recipe", "concepts", ...)."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise FileError(f"cannot read the {what} {path}: {reason}.") from error


def parse_json(text: str | bytes) -> Any:
    """The plain values of strict JSON, which can be written again: no NaN, no infinity, nothing beyond 64 bits.

    Raises:
        ValueError: for anything else.

    Example:
        >>> parse_json('{"seed": 3}')
        {'seed': 3}
    """
    try:
        value = json.loads(text)
    except RecursionError as error:
        raise ValueError(f"it is nested deeper than {_DEEPEST} levels") from error
    _check_plain(value, _DEEPEST)
    return value


def _check_plain(value: object, levels: int) -> None:
    if not levels:
        raise ValueError(f"it is nested deeper than {_DEEPEST} levels")
    if isinstance(value, dict):
        for key, part in value.items():
            _check_plain(key, levels)
            _check_plain(part, levels - 1)
    elif isinstance(value, list):
        for part in value:
            _check_plain(part, levels - 1)
    elif isinstance(value, str):
        value.encode()  # half a character has no bytes
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError("a number in it is not finite")
    elif isinstance(value, int) and abs(value) >= 1 << 64:
        raise ValueError("a number in it has more than 64 bits")


def read_json(path: Path, what: str) -> dict[str, Any]:
    """A JSON object from ``path``.

    Raises:
        FileError: if the file is missing, is not JSON, or holds something else than an object.
    """
    try:
        value = parse_json(read_bytes(path, what))
    except FileError:
        raise
    except ValueError as error:
        raise FileError(f"the {what} {path} is damaged: expected JSON ({error}). Restore it from a copy.") from error
    if not isinstance(value, dict):
        raise FileError(f"the {what} {path} is foreign: expected a JSON object, got {type(value).__name__}.")
    return value


def next_numbered(folder: Path, stem: str, suffix: str = "", *, after: int = 0) -> Path:
    """The next free name ``folder/0001-stem.suffix``, numbered over everything in ``folder``, and after ``after``.

    Example:
        >>> next_numbered(Path("nowhere"), "atlas", ".png").as_posix()
        'nowhere/0001-atlas.png'
    """
    folder = Path(folder)
    numbers = [number_of(p) for p in folder.glob("[0-9][0-9][0-9][0-9]*-*")] if folder.is_dir() else []
    return folder / f"{max([after, *numbers]) + 1:04d}-{stem}{suffix}"


@contextmanager
def claimed_number(folder: Path, stem: str, suffix: str = "") -> Iterator[Path]:
    """Yield the next free name as :func:`next_numbered` does, with a number that no other process gets meanwhile.

    Raises:
        FileError: if nothing can be written to ``folder``.
    """
    folder, taken = Path(folder), 0
    while True:
        path = next_numbered(folder, stem, suffix, after=taken)
        number = number_of(path)
        claim = FileLock(folder / f".{number:04d}.claim", timeout=0)
        try:
            claim.acquire()
        except Timeout:
            taken = number
            continue
        except OSError as error:
            raise _cannot_write(path, error) from error
        if next_numbered(folder, stem, suffix, after=taken) == path:  # who had the claim before may have written
            break
        _drop(claim)
    try:
        yield path
    finally:
        _drop(claim)
        with suppress(OSError):
            folder.rmdir()  # nothing came of it


def _drop(claim: BaseFileLock) -> None:
    with suppress(OSError):
        Path(claim.lock_file).unlink()
    claim.release()


def number_of(path: Path) -> int:
    """The number that a name begins with; 0 for none.

    Example:
        >>> number_of(Path("runs/10000-mnist-quick"))
        10000
    """
    digits = path.name.partition("-")[0]
    return int(digits) if digits.isdecimal() else 0


def natural_order(name: str) -> tuple[str, str]:
    """What names are sorted by, so that numbers in them count as numbers.

    Example:
        >>> sorted(["10.png", "2.png", "1.png", "b1", "a2"], key=natural_order)
        ['1.png', '2.png', '10.png', 'a2', 'b1']
    """
    return _NUMBER.sub(_by_length, name), name  # the name itself, too: 01 and 1 are two


def _by_length(number: re.Match[str]) -> str:
    """Digits as a text that is sorted by their value: of two numbers the longer one is larger."""
    digits = number[0].lstrip("0")
    return f"0{chr(len(digits))}{digits}"


def safe_name(name: str) -> str:
    """A set's name as part of a folder's: no separators, no line breaks, not too long.

    Example:
        >>> safe_name("sprites:count=300,size=16"), safe_name("../..")
        ('sprites-count-300-size-16', 'images')
    """
    return re.sub(r"[^\w.-]+", "-", name).strip("-.")[:60] or "images"
