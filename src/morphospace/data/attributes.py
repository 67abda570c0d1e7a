"""Attributes: what a table says of each image, by the name of its file."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from morphospace.data.folder import Problem, shown_name
from morphospace.errors import FileError
from morphospace.files import read_bytes

__all__ = ["Attribute", "Attributes", "Table", "find_table", "read_table"]

Attribute: TypeAlias = NDArray[np.float64] | NDArray[np.str_]
"""One value for each image: numbers, NaN where unknown, or words, "" where unknown."""

Attributes: TypeAlias = Mapping[str, Attribute]

_PREFERRED = ("attributes.csv", "labels.csv", "metadata.csv")
_KEYS = ("file", "filename", "file_name", "image", "image_id", "name", "path")


class Table(NamedTuple):
    """The attributes of N files, and what does not fit."""

    attributes: dict[str, Attribute]
    problems: list[Problem]


def find_table(tables: Sequence[str]) -> str | None:
    """Which CSV of a folder has the attributes: the one there is, or the one with a telling name.

    Example:
        >>> find_table(["notes.csv", "attributes.csv"])
        'attributes.csv'
    """
    telling = [name for name in _PREFERRED if name in tables]
    return telling[0] if telling else tables[0] if len(tables) == 1 else None


def read_table(path: Path, files: Sequence[str]) -> Table:
    """The columns of a CSV as attributes of ``files``.

    The first column, or one called file, image, name or path, has the file names: relative to the table's
    folder, or without their folders, or without their endings, as long as they stay unique. A column whose values
    are all numbers is a numeric attribute, any other one has words.

    Args:
        path: a CSV with a header, in UTF-8, separated by commas, semicolons or tabs.
        files: relative to the table's folder, with ``/``.

    Returns:
        an attribute for each other column; files without a row have NaN or "". Rows of files that are not there,
        files without a row and second rows of a file are problems.

    Raises:
        FileError: if the table cannot be read, has no header, no second column, or rows of another length.
    """
    header, rows = _rows(path)
    key = next((i for i, name in enumerate(header) if name.strip().lower() in _KEYS), 0)
    places = _places(files)
    values: dict[int, list[str]] = {}
    problems: list[Problem] = []
    unknown = 0
    for row in rows:
        place = places.get(row[key].strip().removeprefix("./").replace("\\", "/"))
        if place is None:
            unknown += 1
            if unknown <= 20:
                problems.append(Problem(f"{path.name}: {row[key]}", "a row of a file that is not there"))
        else:
            if place in values:
                problems.append(Problem(f"{path.name}: {row[key]}", "a second row of a file; the last one counts"))
            values[place] = row
    if unknown > 20:
        problems.append(Problem(path.name, f"{unknown - 20} more rows of files that are not there"))
    if missing := len(files) - len(values):
        first = shown_name(next(name for i, name in enumerate(files) if i not in values))
        problems.append(Problem(path.name, f"no row for {missing} of {len(files)} files, {first} is the first"))
    empty = [""] * len(header)
    columns = {
        name.strip(): _column([values.get(i, empty)[j].strip() for i in range(len(files))])
        for j, name in enumerate(header)
        if j != key
    }
    return Table(columns, problems)


def _rows(path: Path) -> tuple[list[str], list[list[str]]]:
    try:
        text = read_bytes(path, "table of attributes").decode("utf-8-sig")
        first = text.split("\n", 1)[0]
        delimiter = max(",;\t", key=first.count)
        header, *rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row]
    except UnicodeDecodeError as error:
        raise FileError(f"{path} is no UTF-8 text ({error}). Save the table as CSV in UTF-8.") from error
    except (csv.Error, ValueError) as error:
        raise FileError(f"{path} is no table: expected a header and rows with commas between ({error}).") from error
    if len(header) < 2 or len(set(header)) < len(header):
        raise FileError(
            f"{path}: expected a header with a column of file names and at least one other, all of different "
            f"names; got {header}."
        )
    for i, row in enumerate(rows):
        if len(row) != len(header):
            raise FileError(f"{path}: row {i + 2} has {len(row)} values, expected {len(header)} as in the header.")
    return header, rows


def _places(files: Sequence[str]) -> dict[str, int]:
    """Every name by which a file may be called, to its place; names that two files share call none."""
    whole = {name: i for i, name in enumerate(files)}
    found: dict[str, int] = {}
    without_folder = [name.rpartition("/")[2] for name in files]
    for names in (without_folder, [name.rpartition(".")[0] for name in without_folder]):
        counts = Counter(names)
        found |= {name: i for i, name in enumerate(names) if name and counts[name] == 1 and name not in found}
    return found | whole


def _column(values: list[str]) -> Attribute:
    try:
        numbers = [float(value) if value else math.nan for value in values]
    except ValueError:
        return np.array(values, np.str_)
    return np.array(numbers, np.float64)
