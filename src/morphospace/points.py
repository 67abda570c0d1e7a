"""Files of latent points: .npz, .npy and .csv, with the names, labels and attributes of their images."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from morphospace.data.attributes import Attribute, Attributes
from morphospace.decoding import PICTURE_SUFFIXES
from morphospace.errors import ArgumentError, DataError, FileError
from morphospace.files import atomic_file, read_bytes

__all__ = ["PointTable", "cell", "file_names", "read_points", "write_points"]

_ATTRIBUTE = "attribute."  # before the name of an attribute's array, and of a column that would be called like another
_LATENT = re.compile(r"z\d+")


class PointTable(NamedTuple):
    """``z`` float32 (N, d); the label ("" where there is none) and name of each of N images, or none; attributes."""

    z: NDArray[np.float32]
    labels: Sequence[str] = ()
    names: Sequence[str] = ()
    attributes: Attributes = {}  # noqa: RUF012 - a NamedTuple's default, never changed


def write_points(path: Path, table: PointTable, about: Mapping[str, str] | None = None) -> None:
    """Write ``table`` as .npz or .csv, by the name's ending; an .npz also keeps ``about`` (seed, command, ...).

    Raises:
        ArgumentError: for another ending.
    """
    kind = path.suffix.lower()
    if kind == ".npz":
        columns: dict[str, NDArray[np.generic]] = {"z": table.z}
        if table.labels:
            columns["labels"] = np.array(table.labels, np.str_)
        if table.names:
            columns["names"] = np.array(table.names, np.str_)
        columns |= {f"{_ATTRIBUTE}{name}": np.asarray(values) for name, values in table.attributes.items()}
        if about:
            columns["about"] = np.array(json.dumps(dict(about)))
        with atomic_file(path) as partial, partial.open("wb") as stream:
            np.savez_compressed(stream, **columns)  # type: ignore[arg-type]
    elif kind == ".csv":
        known = {"name": table.names, "label": table.labels}
        texts = {name: values for name, values in known.items() if values}
        texts |= {_column_name(name): [cell(v) for v in values.tolist()] for name, values in table.attributes.items()}
        latents = [f"z{i + 1}" for i in range(table.z.shape[1])]
        with atomic_file(path) as partial, partial.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            writer.writerow([*texts, *latents])
            for i, z in enumerate(table.z.tolist()):
                writer.writerow([*(values[i] for values in texts.values()), *map(repr, z)])
    else:
        raise ArgumentError(f"expected a name that ends in .npz or .csv, got {path.name}.", argument="out")


def cell(value: object) -> str:
    """A value as a cell of a table: "" where it is not known.

    Example:
        >>> cell(3.0), cell(0.25), cell(float("nan")), cell("cat")
        ('3', '0.25', '', 'cat')
    """
    if isinstance(value, float):
        return "" if math.isnan(value) else repr(value).removesuffix(".0")
    return str(value)


def _column_name(attribute: str) -> str:
    """What the column of an attribute is called: by its own name, unless that means something else in a table."""
    taken = attribute in ("", "name", "label") or attribute.startswith(_ATTRIBUTE) or _LATENT.fullmatch(attribute)
    return f"{_ATTRIBUTE}{attribute}" if taken else attribute


def read_points(path: Path) -> PointTable:
    """Read what :func:`write_points` wrote, or an .npy of shape (N, d).

    Labels that are numbers, as earlier versions wrote them, come as words.

    Raises:
        FileError: if the file is missing, damaged, or holds no latents.
    """
    data = read_bytes(path, "file of latents")
    try:
        table = _csv(data) if path.suffix.lower() == ".csv" else _arrays(data)
    except (ValueError, KeyError, EOFError, OSError, zipfile.BadZipFile, csv.Error) as error:
        raise FileError(
            f"{path} holds no latents: expected .npz with an array z (N, d), .npy or .csv as morpho encode "
            f"writes it ({error})."
        ) from error
    if table.z.ndim != 2 or not table.z.size:
        raise FileError(f"{path}: expected latents of shape (N, d) with N and d >= 1, got {table.z.shape}.")
    known = {"labels": table.labels, "names": table.names}
    for name, column in [*((key, values) for key, values in known.items() if values), *table.attributes.items()]:
        if len(column) != len(table.z):
            raise FileError(f"{path}: expected {len(table.z)} {name}, one for each point, got {len(column)}.")
    return table


def _arrays(data: bytes) -> PointTable:
    loaded = np.load(io.BytesIO(data), allow_pickle=False)
    if isinstance(loaded, np.ndarray):
        return PointTable(loaded.astype(np.float32))
    with loaded:
        labels, names = ([str(v) for v in loaded[key]] if key in loaded else [] for key in ("labels", "names"))
        attributes = {key.removeprefix(_ATTRIBUTE): loaded[key] for key in loaded if key.startswith(_ATTRIBUTE)}
        return PointTable(loaded["z"].astype(np.float32), labels, names, attributes)


def _csv(data: bytes) -> PointTable:
    table = [row for row in csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")) if row]
    if len(table) < 2:
        raise DataError("no rows")
    header, *rows = table
    for i, row in enumerate(rows, 2):
        if len(row) != len(header):
            raise DataError(f"row {i} has {len(row)} values, expected {len(header)} as in the header")
    # By number, not by place: tables are sorted by other programs, and those put z10 before z2.
    columns = sorted((int(name[1:]), place) for place, name in enumerate(header) if _LATENT.fullmatch(name))
    if [number for number, _ in columns] != list(range(1, len(columns) + 1)):
        found = ", ".join(f"z{number}" for number, _ in columns)
        raise DataError(f"expected columns z1, z2, ... without gaps, each once, got {found}")
    z = np.array([[float(row[place]) for _, place in columns] for row in rows], np.float32)
    others = {name: place for place, name in enumerate(header) if name and not _LATENT.fullmatch(name)}
    twice = [name for name, count in Counter(header).items() if name in others and count > 1]
    if twice:
        raise DataError(f'expected columns of different names, got "{twice[0]}" twice')
    texts = {name: [row[place] for row in rows] for name, place in others.items()}
    labels, names = texts.pop("label", []), texts.pop("name", [])
    return PointTable(
        z, labels, names, {name.removeprefix(_ATTRIBUTE): _attribute(values) for name, values in texts.items()}
    )


def _attribute(values: list[str]) -> Attribute:
    try:
        return np.array([float(value) if value else math.nan for value in values], np.float64)
    except ValueError:
        return np.array(values, np.str_)


def file_names(table: PointTable) -> list[str]:
    """A safe, unique file name without ending for each point: its own name as far as that is one.

    Example:
        >>> file_names(PointTable(np.zeros((3, 2), np.float32), names=["mnist:test/17", "../../x", "cat/1.png"]))
        ['mnist-test-17', 'x', 'cat-1']
    """
    if not table.names:
        return [f"{i:06d}" for i in range(len(table.z))]
    found: list[str] = []
    seen: set[str] = set()
    for i, name in enumerate(table.names):
        safe = re.sub(r"[^\w.]+", "-", _without_ending(name)).strip("-.")[:100] or f"{i:06d}"
        unique = safe if safe.lower() not in seen else f"{safe}-{i:06d}"
        seen.add(unique.lower())
        found.append(unique)
    return found


def _without_ending(name: str) -> str:
    """A name without the ending of a picture's."""
    stem, _, ending = name.rpartition(".")
    return stem if f".{ending.lower()}" in PICTURE_SUFFIXES and stem else name
