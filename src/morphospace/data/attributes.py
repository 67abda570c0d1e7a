"""Attributes: what tables say of each image, by the name of its file."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from morphospace.data.folder import Problem, shown_name
from morphospace.data.tables import UNRELATED, Table, parse_table, shortened
from morphospace.decoding import PICTURE_SUFFIXES
from morphospace.errors import FileError
from morphospace.files import read_bytes

__all__ = ["Attribute", "Attributes", "TableAttributes", "read_tables"]

Attribute: TypeAlias = NDArray[np.float64] | NDArray[np.str_]
"""One value for each image: numbers, NaN where unknown, or words, "" where unknown."""

Attributes: TypeAlias = Mapping[str, Attribute]

_PREFERRED = ("attributes.csv", "labels.csv", "metadata.csv")
_UNKNOWN = frozenset(["na", "n/a", "#n/a", "nan", "null", "none", "-", "?", "unknown"])  # in a column of numbers
_POINT_IS_COMMA = re.compile(r"[+-]?\d*,\d+")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_FROM_ROOT = re.compile("(?:[A-Za-z]:)?/")
_SHOWN = 20  # rows that are named one by one


class TableAttributes(NamedTuple):
    """What tables say of N files: attributes (N,) by name, what does not fit, and what was decided to read them."""

    attributes: dict[str, Attribute]
    problems: list[Problem]
    notes: list[str]


class _Column(NamedTuple):
    """A column of one or several tables: the cell of each file, "" where it has none."""

    cells: list[str]
    decimal_comma: bool


def read_tables(root: Path, tables: Sequence[str], files: Sequence[str]) -> TableAttributes:
    """The columns of tables as attributes of ``files``.

    One column of a table, called file, image, name or path, or the one of which most cells are, has the names of
    files: relative to the table's folder or to ``root``, or without their folders, or without their endings, as long
    as they stay unique. Columns of several tables that have one name are one attribute. A column whose values are all
    numbers is a numeric attribute, any other one has words; files without a value have NaN or "".

    No table stands in the way of a set: what cannot be read is said and passed over.

    Args:
        root: the folder of the set.
        tables: relative to it, with ``/``; see :func:`morphospace.data.tables.parse_table` for their kinds.
        files: relative to it, too.
    """
    places = _places(files)
    problems: list[Problem] = []
    notes: list[str] = []
    columns: dict[str, _Column] = {}
    told: set[int] = set()
    last = len(_PREFERRED)
    telling = [PurePosixPath(name).name.lower() for name in tables]
    order = sorted(range(len(tables)), key=lambda i: _PREFERRED.index(telling[i]) if telling[i] in _PREFERRED else last)
    for name in (tables[i] for i in order):
        folder = PurePosixPath(name).parent.as_posix()
        place_of = _placing(places, folder)
        try:
            data = read_bytes(root / name, "table")
        except FileError as error:
            problems.append(Problem(shown_name(name), str(error)))
            continue
        found = parse_table(data, shown_name(name), place_of)
        if found == UNRELATED:
            found, place_of = _read_loosely(data, shown_name(name), files, folder)
        if isinstance(found, str):
            problems.append(Problem(shown_name(name), f"passed over: {found}"))
            continue
        if len(found.header) < 2:
            problems.append(Problem(shown_name(name), "passed over: it has no column beside the names of files"))
            continue
        notes += found.notes
        problems += found.problems
        rows = _rows_of_files(found, shown_name(name), place_of, problems)
        _join(columns, shown_name(name), found, rows, len(files), notes)
        told.update(rows)
    if columns and (missing := len(files) - len(told)):
        first = shown_name(next(name for i, name in enumerate(files) if i not in told))
        problems.append(
            Problem(
                ", ".join(map(shown_name, tables)), f"no row for {missing} of {len(files)} files, {first} is the first"
            )
        )
    return TableAttributes(_attributes(columns, notes), problems, notes)


def _read_loosely(
    data: bytes, name: str, files: Sequence[str], folder: str
) -> tuple[Table | str, Callable[[str], int | None]]:
    """A table that names no file as it is called, by names in any case and of any ending; or why it is none."""
    plain = [_plain(file) for file in files]
    several = dict.fromkeys(place for file in plain for place in (file, file.rpartition("/")[2]))
    counts = Counter(plain)
    by_plain = _placing(
        _places([name if counts[name] == 1 else file for name, file in zip(plain, files, strict=True)]), folder.lower()
    )

    def place_of(cell: str) -> int | None:
        return by_plain(_plain(cell))

    found = parse_table(data, name, place_of)
    if isinstance(found, Table):
        found.notes.append(f"{name} has names of other cases or endings than the files: these were passed over")
    elif found == UNRELATED:
        known = _placing(dict.fromkeys(several, 0), folder.lower())
        if isinstance(parse_table(data, name, lambda cell: known(_plain(cell))), Table):
            found = "its names are each of several pictures: they need their folders, or endings"
    return found, place_of


def _plain(name: str) -> str:
    """A name in lower case, without the ending of a picture."""
    stem, dot, ending = name.strip().lower().rpartition(".")
    return stem if dot + ending in PICTURE_SUFFIXES else name.strip().lower()


def _placing(places: Mapping[str, int], folder: str) -> Callable[[str], int | None]:
    """The place of the file that a cell of a table in ``folder`` names."""
    prefix = "" if folder == "." else folder + "/"

    def place_of(cell: str) -> int | None:
        name = cell.strip().removeprefix("./").replace("\\", "/")
        found = places.get(prefix + name) if prefix else None
        found = places.get(name) if found is None else found
        if found is None and _FROM_ROOT.match(name):  # on another machine: what it ends with tells the picture
            ends = name.split("/")[1:]
            found = next((places[end] for i in range(len(ends)) if (end := "/".join(ends[i:])) in places), None)
        return found

    return place_of


def _rows_of_files(
    table: Table, name: str, place_of: Callable[[str], int | None], problems: list[Problem]
) -> dict[int, Sequence[str]]:
    """The row of each file that has one."""
    found: dict[int, Sequence[str]] = {}
    unknown = 0
    for row in table.rows:
        place = place_of(row[table.key])
        if place is None:
            unknown += 1
            if unknown <= _SHOWN:
                problems.append(Problem(f"{name}: {row[table.key]}", "a row of a file that is not in the set"))
            continue
        if place in found:
            problems.append(Problem(f"{name}: {row[table.key]}", "a second row of a file; the last one counts"))
        found[place] = row
    if unknown > _SHOWN:
        problems.append(Problem(name, f"{unknown - _SHOWN} more rows of files that are not in the set"))
    return found


def _join(
    columns: dict[str, _Column],
    name: str,
    table: Table,
    rows: Mapping[int, Sequence[str]],
    count: int,
    notes: list[str],
) -> None:
    """Add the columns of one table to those of the others."""
    for column, some in zip(table.header, zip(*rows.values(), strict=True), strict=True):
        if column == table.header[table.key]:
            continue
        cells = [""] * count
        for place, cell in zip(rows, some, strict=True):
            cells[place] = cell.strip()
        before = columns.get(column)
        if before is None:
            columns[column] = _Column(cells, table.decimal_comma)
            continue
        both = list(zip(before.cells, cells, strict=True))
        if clashes := sum(bool(first and second) and first != second for first, second in both):
            notes.append(
                f'{name} says otherwise than another table in the column "{column}" for {clashes:,} files: '
                "the other one counts; rename the column to have both"
            )
        comma = before.decimal_comma and table.decimal_comma
        columns[column] = _Column([first or second for first, second in both], comma)


def _attributes(columns: Mapping[str, _Column], notes: list[str]) -> dict[str, Attribute]:
    """Columns of cells as numbers or words, with what was decided in ``notes``."""
    found: dict[str, Attribute] = {}
    said: dict[str, list[str]] = {}
    for name, column in columns.items():
        numbers, reading = _numbers(column.cells, decimal_comma=column.decimal_comma)
        found[name] = np.array(column.cells, np.str_) if numbers is None else np.array(numbers, np.float64)
        if reading:
            said.setdefault(reading, []).append(name)
    notes += [f"{shortened(names)}: {reading}" for reading, names in said.items()]
    _signs(found, notes)
    return found


def _numbers(cells: Sequence[str], *, decimal_comma: bool) -> tuple[list[float] | None, str]:
    """Cells as numbers, with what was decided for that; None where they are words."""
    known = dict.fromkeys(cells)
    known.pop("", None)
    unknown = {cell for cell in known if cell.lower() in _UNKNOWN}
    plain = [cell for cell in known if cell not in unknown]
    said = [f"{shortened(sorted(unknown))} was taken for unknown"] if unknown - {"nan", "NaN"} else []
    commas = [cell for cell in plain if "," in cell]
    value = dict.fromkeys(["", *unknown], math.nan)
    thousands = bool(commas) and not decimal_comma and all(map(_THOUSANDS.fullmatch, commas))
    if thousands:
        said.append(f"the comma in numbers like {commas[0]} was taken to part thousands")
    elif commas and all(map(_POINT_IS_COMMA.fullmatch, commas)):
        said.append(f"the comma in numbers like {commas[0]} was taken for their decimal point")
    try:
        for cell in plain:
            if "_" in cell:  # which Python reads over, and nobody else
                return None, ""
            value[cell] = float(cell.replace(",", "" if thousands else "."))
    except ValueError:
        return None, ""
    return [value[cell] for cell in cells], "; ".join(said)


def _signs(attributes: dict[str, Attribute], notes: list[str]) -> None:
    """Columns of -1 and 1, which some tables write for no and yes, as 0 and 1."""
    signed = [
        name
        for name, values in attributes.items()
        if values.dtype.kind == "f" and (known := set(values[~np.isnan(values)].tolist())) and known <= {-1.0, 1.0}
        and -1.0 in known
    ]  # fmt: skip
    for name in signed:
        attributes[name] = np.where(attributes[name] == -1, 0.0, attributes[name])
    if signed:
        notes.append(f"-1 and 1 were taken for no and yes, and became 0 and 1: {shortened(signed)}")


def _places(files: Sequence[str]) -> dict[str, int]:
    """Every name by which a file may be called, to its place; names that two files share call none."""
    whole = {name: i for i, name in enumerate(files)}
    found: dict[str, int] = {}
    without_folder = [name.rpartition("/")[2] for name in files]
    without_ending = [name.rpartition(".")[0] for name in files]
    for names in (without_folder, [name.rpartition(".")[0] for name in without_folder], without_ending):
        counts = Counter(names)
        found |= {name: i for i, name in enumerate(names) if name and counts[name] == 1 and name not in found}
    return found | whole
