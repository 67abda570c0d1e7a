"""Where a data set comes from: a name, a folder or archive of pictures, a file of arrays, the hub, or sprites."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from morphospace.data.archive import is_archive
from morphospace.data.arrays import array_file_kind, open_arrays
from morphospace.data.collections import archive_collection, folder_collection, sprites_collection
from morphospace.data.conversion import conversion
from morphospace.data.dataset import Dataset
from morphospace.data.fetch import ProgressCallback, no_progress
from morphospace.data.named import SOURCES, prepared_folder
from morphospace.data.preparation import Preparation
from morphospace.data.prepare import prepare, reshaped
from morphospace.errors import ArgumentError, FileError, did_you_mean

if TYPE_CHECKING:
    from morphospace.images import Images

__all__ = ["is_local", "open_dataset", "open_item"]


def is_local(source: str) -> bool:
    """Whether :func:`open_dataset` opens ``source`` from what lies on this machine, without a download.

    Example:
        >>> is_local("digits"), is_local("hf:someone/something"), is_local("nowhere/at/all")
        (True, False, False)
    """
    if source in SOURCES:
        return SOURCES[source].is_local()
    return Path(source).exists() or source.partition(":")[0] == "sprites"


_KINDS = "a folder, zip or tar of pictures, a file .npz, .npy, .mat or IDX, sprites, hf:NAME"


def open_dataset(
    source: str | Path, preparation: Preparation | None = None, *, progress: ProgressCallback = no_progress
) -> Dataset:
    """Open a data set.

    Args:
        source: a named set ("mnist", found in ``$MORPHOSPACE_DATA`` or the cache, else fetched); the path of a
            folder, zip or tar of pictures, or of a file of arrays; "sprites" or
            "sprites:count=500,size=32,seed=1,colour=grey"; "hf:NAME" for a set of the Hugging Face hub.
        preparation: how pictures are brought to one form.
        progress: told about downloads and preparation.

    Raises:
        ArgumentError: if there is no such set, folder or file.
        FileError: if a file is damaged, or not to be had; it says which files to put where.
        DataError: if the pictures cannot be used.

    Example:
        >>> open_dataset("digits").shape
        (8, 8, 1)
    """
    text = os.fspath(source)
    prepared, cache = preparation or Preparation(), prepared_folder()
    if prepared.label_from is not None and not _has_names(text):
        raise ArgumentError(
            f"{text} has no files with names of their own. Only folders and archives of pictures do.",
            argument="label_from",
        )
    if text in SOURCES:
        return replace(reshaped(SOURCES[text].open(progress), prepared), source=text)
    if text.startswith("hf:"):
        from morphospace.data.hub import hub_collection

        return prepare(hub_collection(text[3:], prepared), prepared, cache=cache, progress=progress)
    if text.partition(":")[0] == "sprites" and not Path(text).exists():
        return prepare(sprites_collection(text, prepared), prepared, cache=cache, progress=progress)
    path, names = Path(text), ", ".join(SOURCES)
    if path.is_dir():
        return prepare(folder_collection(path, prepared), prepared, cache=cache, progress=progress)
    if not array_file_kind(path) and is_archive(path):
        archive = archive_collection(path, prepared, cache=cache, progress=progress)
        return prepare(archive, prepared, cache=cache, progress=progress)
    if path.is_file() and array_file_kind(path):
        arrays = open_arrays(path, prepared, cache=cache, progress=progress)
        return replace(reshaped(arrays, prepared), source=str(path.resolve()))
    if path.is_file() and (words := conversion(path)):
        raise FileError(f"{path} is {words}.", argument="data")
    if path.exists():
        raise ArgumentError(f"{path} is no set of images. Expected {_KINDS}, or a name: {names}.", argument="data")
    if "/" in text or "\\" in text or path.suffix:
        raise FileError(f'there is no folder or file "{text}". Expected {_KINDS}, or a name: {names}.', argument="data")
    raise ArgumentError(
        f'there is no data set, folder or file "{text}". {did_you_mean(text, [*SOURCES, "sprites"])} Or name {_KINDS}.',
        argument="data",
    )


def _has_names(text: str) -> bool:
    """Whether a set is of picture files, if it is there at all."""
    if text in SOURCES or text.startswith("hf:"):
        return False
    path = Path(text)
    return not array_file_kind(path) if path.exists() else text.partition(":")[0] != "sprites"


def open_item(text: str, preparation: Preparation | None = None, *, progress: ProgressCallback = no_progress) -> Images:
    """One image of a set by ``SET:split/index``, uint8 (H, W, C).

    Args:
        text: the set, the split and the place.
        preparation: how the pictures of the set are brought to one form, on which their split depends; images that
            are arrays already stay as they are.
        progress: told about downloads and preparation.

    Raises:
        ArgumentError: for no such text, set, split or place.

    Example:
        >>> open_item("digits:test/3").shape
        (8, 8, 1)
    """
    name, _, rest = text.rpartition(":")
    split_name, _, number = rest.partition("/")
    if not name or not number.isdecimal():
        raise ArgumentError(f'expected a file or an item like "mnist:test/17", got "{text}".', argument="image")
    arrays = name in SOURCES or (Path(name).is_file() and array_file_kind(Path(name)))
    split = open_dataset(name, None if arrays else preparation, progress=progress).split(split_name)
    if int(number) >= len(split):
        raise ArgumentError(
            f'"{text}" is outside its set: {name}:{split_name} holds items 0 to {len(split) - 1}.', argument="image"
        )
    image: Images = split.images[int(number)]
    return image
