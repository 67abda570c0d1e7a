"""What lies in a folder of images: the files, their labels and split by sub-folder, their attributes by a CSV."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from morphospace.data.content import HEAD, why_no_picture
from morphospace.data.layout import lay_out, lay_out_as_before
from morphospace.decoding import PICTURE_SUFFIXES
from morphospace.errors import ArgumentError, DataError, FileError, plural
from morphospace.files import natural_order

__all__ = [
    "NO_LABEL",
    "Listing",
    "Problem",
    "is_passed_over",
    "list_folder",
    "problem_kinds",
    "shown_name",
    "unchanged",
]

TABLE_SUFFIXES = frozenset([".csv", ".tsv", ".jsonl", ".txt"])
_MANY_TEXTS = 10  # in one folder: they belong to a picture each, and none is a table of all
# fmt: off
_NO_PICTURES = frozenset([  # so well known that nobody has to look into them
    ".json", ".xml", ".yaml", ".yml", ".toml", ".ini", ".log", ".md", ".rst", ".html",
    ".htm", ".css", ".js", ".py", ".ipynb", ".m", ".r", ".c", ".h", ".sh", ".bat", ".bib", ".tex", ".sqlite",
])
_SPREADSHEETS = frozenset([".xlsx", ".xls", ".ods", ".numbers"])
_OF_SYSTEMS = frozenset([
    "__macosx", "thumbs.db", "desktop.ini", "@eadir", "$recycle.bin", "system volume information",
])
# fmt: on
NO_LABEL = "(no label)"
"""The label of images of which none is known."""


class Problem(NamedTuple):
    """Something that is wrong with one file: ``name`` within the set, ``reason`` in a few words."""

    name: str
    reason: str


def problem_kinds(problems: Sequence[Problem]) -> str:
    """The most common reasons, each with how many files have it; what a reason adds in detail is left out.

    Example:
        >>> problem_kinds([Problem("a", "damaged (x)"), Problem("b", "damaged (y)"), Problem("c", "empty file")])
        'damaged (2), empty file (1)'
    """
    counts = Counter(re.split(r" \(|: |; ", problem.reason)[0] for problem in problems)
    return ", ".join(f"{reason} ({count:,})" for reason, count in counts.most_common(4))


@dataclass(frozen=True)
class Listing:
    """The candidates of a folder, in the order of their names.

    Attributes:
        folder: what was listed.
        files: paths relative to it.
        labels: the label of each file, or none if there are fewer than two.
        splits: "train", "test" or "validation" for each file, or none where sub-folders do not say.
        tables: the files that may be tables of the pictures.
        problems: what lies there and is no candidate, or does not belong to the set, with the reason.
        notes: what was decided of labels and split, with what decides otherwise.
        key: a hash over all names, sizes and times: another key, another folder.
        times: when each folder was changed last.
    """

    folder: Path
    files: list[str]
    labels: list[str] = field(default_factory=list)
    splits: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    key: str = ""
    times: dict[str, int] = field(default_factory=dict)


def shown_name(name: str) -> str:
    r"""A file's name as text that can be printed and stored: bytes that are none are escaped.

    Example:
        >>> shown_name("caf\udce9.png")
        'caf\\udce9.png'
    """
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def is_passed_over(name: str) -> bool:
    """Whether a file or folder is hidden, or what a system left: nobody means it.

    Example:
        >>> is_passed_over(".DS_Store"), is_passed_over("__MACOSX"), is_passed_over("cat.png")
        (True, True, False)
    """
    return name.startswith(".") or name.lower() in _OF_SYSTEMS


def list_folder(folder: Path, *, label_from: str | None = None, as_before: bool = False) -> Listing:
    """List a folder of images, with everything in it.

    Files are pictures by their names or, where these do not tell, by their first bytes. Sub-folders are labels and
    split, see :func:`morphospace.data.layout.lay_out`. Names that begin with a dot, and what systems leave
    (``__MACOSX``, ``Thumbs.db``), are passed over.
    Pictures come in the order of their own names, 2 before 10, whatever folders they lie in.
    Links are followed; one that leads back is not followed twice.

    Args:
        folder: what to list.
        label_from: a regular expression; what its first group finds in a file's name is the label.
        as_before: list as version 0.1 did, so that its runs find their set again.

    Raises:
        FileError: if the folder cannot be read.
        DataError: if there is nothing in it that could be a picture.
        ArgumentError: if ``label_from`` finds nothing in any name.
    """
    found = _found_in(folder, as_before=as_before)
    files = _in_order(found.files, as_before=as_before)
    layout = lay_out_as_before(files) if as_before else lay_out(files)
    if label_from is None:
        labels, notes = layout.labels, layout.notes + layout.label_notes
    else:
        labels, more = _labels_from(label_from, files)
        notes = layout.notes + more
    kept = [i for i in range(len(files)) if i not in layout.left_out]
    return replace(
        found,
        files=[files[i] for i in kept],
        labels=[shown_name(labels[i]) for i in kept] if labels else [],
        splits=[layout.splits[i] for i in kept] if layout.splits else [],
        problems=found.problems + [Problem(shown_name(files[i]), why) for i, why in sorted(layout.left_out.items())],
        notes=[shown_name(words) for words in notes],
    )


def _in_order(files: Sequence[str], *, as_before: bool) -> list[str]:
    """By name before folder: pictures numbered across labels, as an exported set's are, come in that order again."""
    if as_before:
        return sorted(files, key=lambda name: (name.rpartition("/")[2], name))
    folders = {folder: natural_order(folder) for folder in {name.rpartition("/")[0] for name in files}}
    parted = ((*name.rpartition("/")[::2], name) for name in files)
    return [name for *_, name in sorted((natural_order(own), folders[folder], name) for folder, own, name in parted)]


def _found_in(folder: Path, *, as_before: bool) -> Listing:
    """What lies in a folder, file by file."""
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
        if suffix in TABLE_SUFFIXES:
            tables.append(name)
        elif suffix in PICTURE_SUFFIXES or (as_before and not suffix):
            files.append(name)
        elif suffix in _SPREADSHEETS:
            problems.append(Problem(shown_name(name), "a spreadsheet: save it as CSV to have it read"))
        elif as_before or suffix in _NO_PICTURES:
            problems.append(Problem(shown_name(name), f"not a picture's name ({suffix})"))
        elif why := _why_no_picture(f"{folder}/{name}"):
            problems.append(Problem(shown_name(name), why))
        else:
            files.append(name)
    texts = Counter(name.rpartition("/")[0] for name in tables if name.lower().endswith(".txt"))
    problems += [
        Problem(shown_name(place) or ".", f"{count} texts, of which none was read as a table")
        for place, count in texts.items()
        if count > _MANY_TEXTS
    ]
    tables = [
        name for name in tables if not name.lower().endswith(".txt") or texts[name.rpartition("/")[0]] <= _MANY_TEXTS
    ]
    if not files:
        others = [*map(shown_name, tables), *(problem.name for problem in problems)]
        lies = f"{plural(len(others), 'other file')}, the first is {others[0]}" if others else "nothing"
        why = f" ({problems[0].reason})" if problems and not tables else ""
        if tables and tables[0].lower().endswith((".csv", ".tsv")):
            why = " (a table: where its rows are pixels, name it by itself, and how it becomes a set is said)"
        raise DataError(
            f"the folder {folder} holds no pictures: expected PNG, JPEG, ... files, in sub-folders or not; "
            f"found {lies}{why}.",
            argument="data",
        )
    return Listing(folder, files, tables=tables, problems=problems, key=digest.hexdigest(), times=times)


def _why_no_picture(path: str) -> str:
    """Why the file at ``path``, whose name does not tell, is no picture; "" where it is one."""
    try:
        with open(path, "rb") as stream:  # noqa: PTH123 - a hundred thousand Paths take a second
            return why_no_picture(stream.read(HEAD))
    except OSError as error:
        return f"unreadable ({error.strerror})"


def _labels_from(pattern: str, files: Sequence[str]) -> tuple[list[str], list[str]]:
    """The label of each file by what the first group finds in its name; what a person should know of it."""
    found = [re.search(pattern, shown_name(name)) for name in files]
    labels = [(match and match[1]) or NO_LABEL for match in found]
    without = [name for name, label in zip(files, labels, strict=True) if label == NO_LABEL]
    if len(without) == len(files):
        raise ArgumentError(
            f'"{pattern}" finds nothing in any of {len(files):,} names; the first is '
            f"{shown_name(files[0])}. Names are relative to the folder, with the folders within.",
            argument="label_from",
        )
    counts = len(set(labels) - {NO_LABEL})
    example = next(label for label in labels if label != NO_LABEL)
    notes = [f"labels are what `label_from` finds in names: {counts:,} of them, like {example}"]
    if without:
        notes.append(
            f"`label_from` finds nothing in {len(without):,} of {len(files):,} names, {shown_name(without[0])} is the "
            f'first: their label is "{NO_LABEL}"'
        )
    return (labels if len(set(labels)) > 1 else []), notes


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
                ordered = sorted((e for e in entries if not is_passed_over(e.name)), key=lambda entry: entry.name)
        except OSError as error:
            if not prefix:
                raise FileError(
                    f"cannot read the folder {folder}: {error.strerror}. Expected a folder that you may read.",
                    argument="data",
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
