"""The folder that a run leaves, and the promise that only one process writes into it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from morphospace.errors import FileError, RunBusyError
from morphospace.files import atomic_file, next_numbered, number_of, read_json, remove_leftovers, write_json

__all__ = [
    "BEST",
    "CHECKPOINT",
    "METRICS",
    "RECIPE",
    "SPACE",
    "START",
    "bundle_folder",
    "create_run",
    "latest_run",
    "latest_unfinished",
    "locked",
    "read_run",
    "read_trained_on",
    "run_data",
    "run_of",
    "write_trained_on",
]

RECIPE = "recipe.json"
CHECKPOINT = "checkpoint/state.safetensors"
BEST = "checkpoint/best.safetensors"
METRICS = "metrics.jsonl"
TRAINED_ON = "trained-on.npy"
SPACE = "space"
START = "start"  # the space whose encoder a run holds still, as it was when the run began
_LOCK = ".lock"
_FORMAT = "morphospace-run-1"


def create_run(parent: Path, name: str, description: dict[str, Any]) -> Path:
    """Make ``parent/0001-name`` with ``description`` in its ``recipe.json``; the next number that is free."""
    while True:
        path = next_numbered(parent, name)
        try:
            path.mkdir(parents=True)
            break
        except FileExistsError:
            if not path.is_dir():
                raise
            continue  # another process took the number: take the next one
        except OSError as error:
            raise FileError(
                f"cannot make {path}: {error.strerror}. Name a folder you may write to.", argument="out"
            ) from error
    write_json(path / RECIPE, {"format": _FORMAT, **description})
    return path


def read_run(path: Path) -> dict[str, Any]:
    """The description of a run.

    Raises:
        FileError: if ``path`` is no run folder.
    """
    if not (path / RECIPE).is_file():
        what = "is no run folder" if path.exists() else "does not exist"
        raise FileError(f"{path} {what}: expected a folder with {RECIPE}, like runs/0001-mnist-quick.", argument="run")
    description = read_json(path / RECIPE, "run's recipe")
    if description.get("format") != _FORMAT:
        raise FileError(f"{path / RECIPE} is foreign: expected format {_FORMAT}.", argument="run")
    return description


def latest_run(parent: Path = Path("runs")) -> Path:
    """The run with the highest number that has a finished space."""
    found = parent.glob(f"[0-9][0-9][0-9][0-9]*-*/{SPACE}/config.json")
    runs = sorted(found, key=lambda path: (number_of(path.parents[1]), path))
    if not runs:
        raise FileError(
            f'"latest" found no finished run in {parent}/. Train one: morpho train digits', argument="space"
        )
    return runs[-1].parent.parent


def latest_unfinished(parent: Path = Path("runs")) -> Path | None:
    """The run with the highest number that was interrupted; None if there is none."""
    runs = [path.parent for path in parent.glob(f"[0-9][0-9][0-9][0-9]*-*/{RECIPE}")]
    left = [run for run in runs if not (run / SPACE / "config.json").is_file()]
    return max(left, key=lambda run: (number_of(run), run), default=None)


def bundle_folder(folder: Path) -> Path:
    """The bundle's folder of a run folder, or of a bundle folder itself."""
    return folder / SPACE if (folder / SPACE).is_dir() else folder


def run_of(folder: Path) -> Path | None:
    """The run that ``folder`` is, or whose bundle it is; None for a bundle alone."""
    return next((place for place in (folder, folder.parent) if (place / RECIPE).is_file()), None)


def run_data(folder: Path) -> dict[str, Any] | None:
    """What the run that ``folder`` or its bundle belongs to says of its images; None for a bundle alone.

    Among it are ``source``, what :func:`morphospace.data.open_dataset` takes, and ``preparation``.
    """
    if (run := run_of(folder)) is None:
        return None
    found: dict[str, Any] = read_run(run)["data"]
    return found


def write_trained_on(run: Path, keys: NDArray[np.uint64]) -> None:
    """Keep the sorted keys of the images that a run learns from: its space can then be measured on others.

    They stay with the run, and never go into its bundle: who has a picture could tell by them that it was learned from.
    """
    with atomic_file(run / TRAINED_ON) as partial, partial.open("wb") as stream:
        np.save(stream, keys)


def read_trained_on(folder: Path) -> NDArray[np.uint64] | None:
    """The keys that the run that ``folder`` or its bundle belongs to keeps; None where there are none."""
    for place in (folder, folder.parent):
        if (place / TRAINED_ON).is_file():
            try:
                keys: NDArray[np.uint64] = np.load(place / TRAINED_ON, allow_pickle=False).astype("<u8", casting="safe")
            except (OSError, ValueError, EOFError, TypeError) as error:
                raise FileError(
                    f"{place / TRAINED_ON} is damaged: expected the keys of images ({error}). Remove it: what the "
                    "space learned from is then unknown."
                ) from error
            return keys
    return None


@contextmanager
def locked(run: Path) -> Iterator[None]:
    """Hold the run; the operating system lets go of the lock of a process that was killed.

    Raises:
        RunBusyError: if another process holds it.
    """
    lock = FileLock(run / _LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise RunBusyError(f"{run} is being trained by another process. Wait for it, or stop it.") from error
    except OSError as error:
        raise FileError(f"cannot lock {run}: {error.strerror}. It must be a folder you may write to.") from error
    try:
        for folder in (run, run / "checkpoint", run / "sheets"):
            remove_leftovers(folder)
        yield
    finally:
        lock.release()
