"""Tables in files, as people have them: a header and rows of cells, whatever separates and encodes them."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from morphospace.data.folder import Problem

__all__ = ["UNRELATED", "Table", "parse_table", "shortened"]

UNRELATED = "no table about these pictures"

_SHOWN = 20  # bad rows that are named one by one
_LOOKED_AT = 200  # rows that decide which column has the names of files
_KEYS = ("file", "filename", "file_name", "image", "image_id", "name", "path")
_PREFACE = 20  # lines that may be remarks
_LINES = 20  # of one cell; more are a quotation mark that nothing closes

Row = Sequence[str]


class Table(NamedTuple):
    """Cells as text.

    Attributes:
        header: the names of the columns, all different.
        rows: each with as many cells.
        key: the column that has the names of files.
        decimal_comma: whether a comma in a number can be its point: what separates cells is none.
        problems: rows that were passed over.
        notes: what was decided to read it.
    """

    header: list[str]
    rows: Sequence[Row]
    key: int
    decimal_comma: bool
    problems: list[Problem]
    notes: list[str]


def parse_table(data: bytes, name: str, place_of: Callable[[str], int | None]) -> Table | str:
    r"""The table in the bytes of a file; a few words that say why where there is none for these files.

    Cells are separated by commas, semicolons, tabs, bars or, where there are none of these, white space; a JSONL file
    has an object in each line. A first line that only counts the rows, or is a remark, is passed over. A header that
    has one name less than the rows have cells leaves out the name of the first column. Without a header, columns are
    called by their places, or a single one by the file.

    Args:
        data: the content of the file.
        name: what to call it.
        place_of: the place of the file that a cell names, None where it names none.

    Example:
        >>> table = parse_table(b"file;age\na.png;1,5\n", "t.csv", {"a.png": 0}.get)
        >>> table.header, table.rows, table.key
        (['file', 'age'], [['a.png', '1,5']], 0)
    """
    notes: list[str] = []
    text = _decoded(data, name, notes)
    if text is None:
        return "no text"
    if name.lower().endswith(".jsonl"):
        return _of_objects(text, name, place_of)
    whole = text.count("\n")
    for _ in range(_PREFACE):
        if not _is_preface(text):
            break
        text = text.lstrip().partition("\n")[2]
    before = whole - text.count("\n")
    separator = _separator(text)
    try:
        header, rows = _cells(text, separator, name, notes)
    except csv.Error as error:
        return f"no table ({error})"
    if not header:
        return "an empty table"
    rows = [(line + before, row) for line, row in rows]
    if any(place_of(cell) is not None for cell in header):
        rows = [(1, header), *rows]
        header = _without_header(len(header), name)
        columns = "its column is" if len(header) == 2 else "its columns are"
        notes.append(f"{name} has no header: {columns} called {', '.join(header[1:])}")
    width = Counter(len(row) for _, row in rows).most_common(1)[0][0] if rows else len(header)
    if width == len(header) + 1 and not any(column.lower() in _KEYS for column in header):
        header = ["file", *header]
    problems = _odd_rows(rows, len(header), name)
    good = [row for _, row in rows if len(row) == len(header)]
    key = _key_column(header, good, place_of)
    if key is None:
        return UNRELATED
    if header[key].lower() not in _KEYS and not any("." in row[key] for row in good):
        notes.append(f'{name}: the column "{header[key]}" was taken for the names of files; "file" is a sure name')
    return Table(_different(header, name, notes), good, key, separator != ",", problems, notes)


def _decoded(data: bytes, name: str, notes: list[str]) -> str | None:
    """The text in some bytes; None where they are none."""
    for marks, encoding in (((b"\xef\xbb\xbf",), "utf-8-sig"), ((b"\xff\xfe", b"\xfe\xff"), "utf-16")):
        if data.startswith(marks):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError:
                return None
    if b"\0" in data:
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        notes.append(f"{name} is no UTF-8: it was read as Windows-1252; save it as UTF-8 if letters are wrong")
        return data.decode("cp1252", "replace")


def _is_preface(text: str) -> bool:
    """Whether a first line is none of the table: the number of its rows, ``sep=;`` as Excel has it, or a remark."""
    first, *others = (line.strip() for line in text.lstrip().split("\n", _PREFACE)[:_PREFACE])
    header = next((line for line in others if line and not line.startswith("#")), "")
    remark = first.startswith("#") and (_separator(header) or " ") not in first[1:].strip()
    return bool(header) and (first.isdecimal() or re.fullmatch("sep=.", first.lower()) is not None or remark)


def _separator(text: str) -> str | None:
    """What stands between cells: of comma, semicolon, tab and bar the most frequent; None for white space."""
    first = next((line for line in text.split("\n") if line.strip()), "")
    found = max(",;\t|", key=first.count)
    return found if found in first else None


def _cells(text: str, separator: str | None, name: str, notes: list[str]) -> tuple[list[str], list[tuple[int, Row]]]:
    """The header, and the rows with their line numbers."""
    if separator is None:
        rows: list[tuple[int, Row]] = [(i, line.split()) for i, line in enumerate(text.splitlines(), 1) if line.strip()]
    else:
        rows = _separated(text, separator)
        if any(cell.count("\n") > _LINES for _, row in rows for cell in row):
            notes.append(f"{name} has a quotation mark that nothing closes: quotation marks were read as letters")
            rows = _separated(text, separator, csv.QUOTE_NONE)
    if not rows:
        return [], []
    header = [cell.strip() for cell in rows[0][1]]
    while len(header) > 1 and not header[-1] and not any(any(row[len(header) - 1 :]) for _, row in rows[1:]):
        header.pop()  # a separator at the end of each line
        rows = [(i, row[: len(header)]) for i, row in rows]
    return header, rows[1:]


def _separated(text: str, separator: str, quoting: Any = csv.QUOTE_MINIMAL) -> list[tuple[int, Row]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, quoting=quoting)
    return [(reader.line_num, row) for row in reader if any(row)]


def _without_header(width: int, name: str) -> list[str]:
    return (
        ["file", PurePosixPath(name).stem] if width == 2 else ["file", *(f"column {i + 2}" for i in range(width - 1))]
    )


def _odd_rows(rows: Sequence[tuple[int, Row]], width: int, name: str) -> list[Problem]:
    """Rows of another length than the header."""
    odd = [(line, len(row)) for line, row in rows if len(row) != width]
    problems = [
        Problem(f"{name}: line {line}", f"a row of {count} cells, expected {width} as in the header; passed over")
        for line, count in odd[:_SHOWN]
    ]
    return problems + _more(odd, name, "rows of another length than the header")


def _more(found: Collection[Any], name: str, what: str) -> list[Problem]:
    return [Problem(name, f"{len(found) - _SHOWN:,} more {what}")] if len(found) > _SHOWN else []


def _key_column(header: Sequence[str], rows: Sequence[Row], place_of: Callable[[str], int | None]) -> int | None:
    """The column that has the names of files: one that is called so, or the one of which most cells are.

    Numbers and words are names, too, but not where most are of no file, or of one again and again: prices are none.
    """
    some, columns = rows[:: max(1, len(rows) // _LOOKED_AT)], range(len(header))
    found = [[place for row in some if (place := place_of(row[j])) is not None] for j in columns]
    if not any(found):  # a long table about a set of which a few pictures are here
        some = rows
        found = [[place for row in some if (place := place_of(row[j])) is not None] for j in columns]
    called = [j for j, column in enumerate(header) if column.lower() in _KEYS and found[j]]
    if called:
        return called[0]
    best = max(range(len(header)), key=lambda j: len(set(found[j])))
    whole = any("." in row[best] and place_of(row[best]) is not None for row in some)
    return best if found[best] and (whole or 2 * len(set(found[best])) > len(some)) else None


def _different(header: Sequence[str], name: str, notes: list[str]) -> list[str]:
    """Names that are all different and not empty."""
    found: list[str] = []
    for place, column in enumerate(header, 1):
        plain = column or f"column {place}"
        number = 2
        called = plain
        while called in found:
            called, number = f"{plain} {number}", number + 1
        if called != plain:
            notes.append(f'{name} has two columns "{plain}": the later one is called "{called}"')
        found.append(called)
    return found


def _of_objects(text: str, name: str, place_of: Callable[[str], int | None]) -> Table | str:
    """A table of which each line is a JSON object."""
    rows: list[dict[str, Any]] = []
    bad: list[int] = []
    for line, words in enumerate(text.splitlines(), 1):
        if not words.strip():
            continue
        try:
            found = json.loads(words)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, dict):
            rows.append(found)
        else:
            bad.append(line)
    header = list(dict.fromkeys(str(key) for row in rows for key in row))
    nested = [key for key in header if any(isinstance(row.get(key), (dict, list)) for row in rows)]
    header = [key for key in header if key not in nested]
    if not header:
        return "no table (no line is a JSON object)"
    notes = [f'{name}: "{key}" has lists or objects, which are no attribute; it was passed over' for key in nested]
    problems = [Problem(f"{name}: line {line}", "no JSON object; passed over") for line in bad[:_SHOWN]]
    cells = [[_cell(row.get(key)) for key in header] for row in rows]
    key = _key_column(header, cells, place_of)
    if key is None:
        return UNRELATED
    return Table(header, cells, key, False, problems + _more(bad, name, "lines that are no JSON object"), notes)


def _cell(value: object) -> str:
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, bool) else str(value)


def shortened(words: Iterable[str], most: int = 5) -> str:
    """Some of many words, for a note.

    Example:
        >>> shortened("abcdefg", 3)
        'a, b, c and 4 more'
    """
    every = list(words)
    return ", ".join(every[:most]) + (f" and {len(every) - most:,} more" if len(every) > most else "")
