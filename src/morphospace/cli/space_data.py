"""The set that a space is measured on: the one that is named, else its own; and whether it learned from its tests."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from morphospace.cli.opening import space_folder
from morphospace.cli.screen import note
from morphospace.errors import ArgumentError

if TYPE_CHECKING:
    from morphospace.data import Dataset, Preparation
    from morphospace.space import Space

__all__ = ["data_for", "note_overlap"]


def data_for(name: str, space: Space, data: str | None) -> tuple[str, Preparation]:
    """The set to open for the space SPACE, and how: ``data`` if it is named, else the set that it was trained on.

    A run knows where its images lie, and how they were labelled and split; a bundle alone only what the set is called.

    Args:
        name: what SPACE is called.
        space: what it is.
        data: what ``--data`` says.

    Raises:
        ArgumentError: for no ``data`` and a space that does not know its own.
    """
    from morphospace.training.runs import run_data
    from morphospace.workflow import own_preparation, preparation_for

    run = run_data(space_folder(name))
    known = str((run or {}).get("source") or "")
    split = _split(data or "")
    if known and (data is None or _place(data.removesuffix(split)) == known):
        return known + split, own_preparation(space, run)
    if data is not None:
        return data, preparation_for(space)
    called = str(space.about.get("data", {}).get("name", ""))
    if not called:
        raise ArgumentError(
            "this space does not know what it was trained on. Name a set: --data mnist", argument="data"
        )
    return called, own_preparation(space, run)


def _split(data: str) -> str:
    """The ``:test`` of ``photos:test``, or nothing."""
    from morphospace.data.splitting import SPLITS

    return "" if Path(data).exists() else next((f":{split}" for split in SPLITS if data.endswith(f":{split}")), "")


def _place(data: str) -> str:
    """A folder or file as a set of it is called."""
    from morphospace.data.folder import shown_name

    return shown_name(os.fspath(Path(data).resolve())) if Path(data).exists() else data


def note_overlap(name: str, space: Space, dataset: Dataset, called: str = "this space") -> int | None:
    """Say so where SPACE learned from test images of ``dataset``, or where that cannot be known; returns how many."""
    from morphospace.evaluate.overlap import trained_on, words_of_overlap
    from morphospace.training.runs import read_trained_on

    count = trained_on(space, dataset, read_trained_on(space_folder(name)))
    if words := words_of_overlap(count, len(dataset.test), called):
        note(words)
    return count
