"""Opening what was named: SPACE, DATA, IMAGE, a folder of pictures."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING

from morphospace.cli.allowing import allowed
from morphospace.cli.giving import as_given
from morphospace.cli.notes import note_tally
from morphospace.cli.problems import problem_summary
from morphospace.cli.screen import data_progress, note
from morphospace.errors import ArgumentError, FileError, plural

if TYPE_CHECKING:
    from morphospace.data import Dataset, Preparation, Split
    from morphospace.images import Images
    from morphospace.space import Space

__all__ = [
    "folder_pictures",
    "forget_latest",
    "image_argument",
    "open_data",
    "open_space",
    "open_splits",
    "space_folder",
]


def space_folder(name: str) -> Path:
    """The folder that SPACE names: of a run, or of a bundle."""
    from morphospace.builtin import space_path

    return _latest() if name == "latest" else space_path(name)


@functools.cache
def _latest() -> Path:
    """Looked up once for a verb: another run may finish while it works."""
    from morphospace.training.runs import latest_run

    return latest_run()


def forget_latest() -> None:
    """Look it up again in the next verb."""
    _latest.cache_clear()


def open_space(name: str, device: str = "auto") -> Space:
    """The space that SPACE names."""
    from morphospace.space import load
    from morphospace.training.machine import choose_device, keep_freed_memory

    keep_freed_memory()
    chosen = choose_device(device)
    return as_given(load(space_folder(name), device=chosen, parts=allowed()))


def open_data(name: str, preparation: Preparation | None = None, *, listed: bool = False) -> Dataset:
    """The data set that DATA names; what was left out of it, and why, is said, unless it will be ``listed``."""
    from morphospace.data import open_dataset

    dataset = open_dataset(name, preparation, progress=data_progress)
    if dataset.problems and not listed:
        note(problem_summary(dataset))
    for words in dataset.notes:
        note(words)
    return dataset


def open_splits(text: str, preparation: Preparation | None = None) -> tuple[Dataset, dict[str, Split]]:
    """``mnist`` as all its splits, ``mnist:test`` as one.

    Raises:
        ArgumentError: if the set has no such split.
    """
    from morphospace.data import SOURCES

    name, _, split = text.rpartition(":")
    known = name in SOURCES or name.startswith(("sprites", "hf:")) or (name and Path(name).exists())
    if not known or "=" in split or Path(text).exists():
        name, split = text, ""
    dataset = open_data(name, preparation)
    splits = [split] if split else ["train", "test", *(["validation"] if dataset.validation is not None else [])]
    return dataset, {kind: dataset.split(kind) for kind in splits}


def folder_pictures(text: str, *, listed: bool = False) -> list[tuple[str, Path]] | None:
    """(name, path) of each picture of a folder; None if it is none. Others are said, unless they will be ``listed``."""
    path = Path(text)
    if not path.is_dir():
        return None
    from morphospace.data.folder import list_folder, shown_name

    listing = list_folder(path)
    if listing.problems and not listed:
        first = listing.problems[0]
        note(f"{plural(len(listing.problems), 'file')} in {text} left out; the first is {first.name}: {first.reason}")
    return [(shown_name(name), path / name) for name in listing.files]


def image_argument(space: Space, text: str) -> Images:
    """IMAGE, a file or an item like ``mnist:test/17``, at the space's size: uint8 (1, H, W, C).

    Raises:
        FileError: if there is no such file.
        ArgumentError: if it looks like an item and is none.
    """
    from morphospace.data import SOURCES, open_item
    from morphospace.data.tally import Tally
    from morphospace.images import fit_image, read_image
    from morphospace.workflow import preparation_for

    if not Path(text).exists():
        if text.partition(":")[0] in (*SOURCES, "sprites", "hf") or re.search(r":\w+/\d+$", text):
            image = open_item(text, preparation_for(space), progress=data_progress)
            return fit_image(image, space.shape, space.resize)[None]
        raise FileError(
            f'there is no file "{text}". Expected a picture, or an item like "mnist:test/17".', argument="image"
        )
    if Path(text).is_dir():
        raise ArgumentError(f"{text} is a folder, expected a picture file.", argument="image")
    tally = Tally()  # of one picture
    image = read_image(text, space.interpretation, near=max(space.shape[:2]), notice=tally.count)
    note_tally(tally, space)
    return fit_image(image, space.shape, space.resize)[None]
