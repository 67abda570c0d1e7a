"""What lies in a folder of images: the files, their labels and split by sub-folder, their attributes by a CSV."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from morphospace.decoding import PICTURE_SUFFIXES
from morphospace.errors import DataError, FileError

__all__ = ["NO_FOLDER", "Listing", "Problem", "list_folder", "shown_name", "unchanged"]

_SPLITS = {
    "train": "train",
    "training": "train",
    "test": "test",
    "testing": "test",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
}  # fmt: skip
NO_FOLDER = "(no folder)"
"""The label of images that lie beside the folders of the others."""


class Problem(NamedTuple):
    """Something that is wrong with one file: ``name`` within the set, ``reason`` in a few words."""

    name: str
    reason: str


@dataclass(frozen=True)
class Listing:
    """The candidates of a folder, in the order of their names.

    Attributes:
        folder: what was listed.
        files: paths relative to it.
        labels: the label of each file, or none if there are fewer than two.
        splits: "train", "test" or "validation" for each file, or none where sub-folders do not say.
        tables: the CSV files that lie in the folder itself.
        problems: what lies there and is no candidate, with the reason.
        key: a hash over all names, sizes and times: another key, another folder.
        times: when each folder was changed last.
    """

    folder: Path
    files: list[str]
    labels: list[str] = field(default_factory=list)
    splits: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    key: str = ""
    times: dict[str, int] = field(default_factory=dict)


def shown_name(name: str) -> str:
    r"""A file's name as text that can be printed and stored: bytes that are none are escaped.

    Example:
        >>> shown_name("caf\udce9.png")
        'caf\\udce9.png'
    """
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def list_folder(folder: Path) -> Listing:
    """List a folder of images, with everything in it.

    Sub-folders are labels, by the first level's name. If the first level is ``train`` and ``test`` (or ``val``),
    these are the split and the level below has the labels. Names that begin with a dot are passed over.
    Pictures come in the order of their own names, whatever folders they lie in.
    Links are followed; one that leads back is not followed twice.

    Raises:
        FileError: if the folder cannot be read.
        DataError: if there is nothing in it that could be a picture.
    """
    digest = hashlib.sha256()
    files: list[str] = []
    tables: list[str] = []
    problems: list[Problem] = []
    times: dict[str, int] = {}
    for name, found in _walk(folder, times):
        if isinstance(found, str):
            problems.append(Problem(shown_name(name), found))
            continue
        digest.update(f"{name}\0{found.st_size}\0{found.st_mtime_ns}\n".encode("utf-8", "surrogateescape"))
        suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122 - a hundred thousand Paths take a second
        if suffix == ".csv" and "/" not in name:
            tables.append(name)
        elif suffix in PICTURE_SUFFIXES or not suffix:
            files.append(name)
        else:
            problems.append(Problem(shown_name(name), f"not a picture's name ({suffix})"))
    if not files:
        lies = f"{len(problems)} other files, the first is {problems[0].name}" if problems else "nothing"
        raise DataError(
            f"DATA: the folder {folder} holds no pictures: expected PNG, JPEG, ... files, in sub-folders or not; "
            f"found {lies}."
        )
    # By name before folder: pictures numbered across labels, as an exported set's are, come in that order again.
    files.sort(key=lambda name: (name.rpartition("/")[2], name))
    tops = {name.split("/", 1)[0] if "/" in name else "" for name in files}
    kinds = {_SPLITS.get(top.lower()) for top in tops}
    split = "train" in kinds and len(kinds) > 1 and None not in kinds
    splits = [_SPLITS[name.split("/", 1)[0].lower()] for name in files] if split else []
    if splits and "test" not in splits:  # a validation set is all there is to test on
        splits = ["test" if kind == "validation" else kind for kind in splits]
    depth = 1 if split else 0
    labels = [_label(name, depth) for name in files]
    return Listing(
        folder, files, labels if len(set(labels)) > 1 else [], splits, tables, problems, digest.hexdigest(), times
    )


def _label(name: str, depth: int) -> str:
    parts = name.split("/")
    return shown_name(parts[depth]) if len(parts) > depth + 1 else NO_FOLDER


def unchanged(listing: Listing) -> bool:
    """Whether no file has come to the folder or left it since it was listed."""
    try:
        return all(Path(path).stat().st_mtime_ns == time for path, time in listing.times.items())
    except OSError:
        return False


def _walk(folder: Path, times: dict[str, int]) -> Iterator[tuple[str, os.stat_result | str]]:
    """(name relative to ``folder``, its state or what is wrong with it), sorted by name; folders' ``times`` beside."""
    seen: set[tuple[int, int]] = set()

    def inside(path: str, prefix: str) -> Iterator[tuple[str, os.stat_result | str]]:
        try:
            here = Path(path).stat()
            if (here.st_dev, here.st_ino) in seen:
                yield prefix.rstrip("/"), "a link that leads back to a folder listed already"
                return
            seen.add((here.st_dev, here.st_ino))
            times[path] = here.st_mtime_ns
            with os.scandir(path) as entries:
                ordered = sorted((e for e in entries if not e.name.startswith(".")), key=lambda entry: entry.name)
        except OSError as error:
            if not prefix:
                raise FileError(
                    f"DATA: cannot read the folder {folder}: {error.strerror}. Expected a folder that you may read."
                ) from error
            yield prefix.rstrip("/"), f"unreadable ({error.strerror})"
            return
        for entry in ordered:
            name = prefix + entry.name
            try:
                found = entry.stat()
            except OSError as error:
                yield name, f"unreadable ({error.strerror})"
                continue
            if stat.S_ISDIR(found.st_mode):
                yield from inside(entry.path, name + "/")
            elif stat.S_ISREG(found.st_mode):
                yield name, found
            else:
                yield name, "no regular file"

    yield from inside(str(folder), "")
