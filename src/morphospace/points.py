"""Files of latent points: .npz, .npy and .csv, with labels and names kept."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from morphospace.errors import ArgumentError, DataError, FileError
from morphospace.files import atomic_file, read_bytes

__all__ = ["PointTable", "file_names", "read_points", "write_points"]


class PointTable(NamedTuple):
    """``z`` float32 (N, d); ``labels`` int64 (N,) or None; ``names`` of N images, or none."""

    z: NDArray[np.float32]
    labels: NDArray[np.int64] | None = None
    names: Sequence[str] = ()


def write_points(path: Path, table: PointTable, about: Mapping[str, str] | None = None) -> None:
    """Write ``table`` as .npz or .csv, by the name's ending; an .npz also keeps ``about`` (seed, command, ...).

    Raises:
        ArgumentError: for another ending.
    """
    kind = path.suffix.lower()
    if kind == ".npz":
        columns: dict[str, NDArray[np.generic]] = {"z": table.z}
        if table.labels is not None:
            columns["labels"] = table.labels
        if table.names:
            columns["names"] = np.array(table.names, np.str_)
        if about:
            columns["about"] = np.array(json.dumps(dict(about)))
        with atomic_file(path) as partial, partial.open("wb") as stream:
            np.savez_compressed(stream, **columns)  # type: ignore[arg-type]
    elif kind == ".csv":
        with atomic_file(path) as partial, partial.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            names = ["name"] if table.names else []
            labels = ["label"] if table.labels is not None else []
            writer.writerow([*names, *labels, *(f"z{i + 1}" for i in range(table.z.shape[1]))])
            for i, z in enumerate(table.z):
                name = [table.names[i]] if table.names else []
                label = [int(table.labels[i])] if table.labels is not None else []
                writer.writerow([*name, *label, *(repr(float(value)) for value in z)])
    else:
        raise ArgumentError(f"--out: expected a name that ends in .npz or .csv, got {path.name}.")


def read_points(path: Path) -> PointTable:
    """Read what :func:`write_points` wrote, or an .npy of shape (N, d).

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
    for name, column in (("labels", table.labels), ("names", table.names)):
        if column is not None and len(column) not in (0, len(table.z)):
            raise FileError(f"{path}: expected {len(table.z)} {name}, one for each point, got {len(column)}.")
    return table


def _arrays(data: bytes) -> PointTable:
    loaded = np.load(io.BytesIO(data), allow_pickle=False)
    if isinstance(loaded, np.ndarray):
        return PointTable(loaded.astype(np.float32))
    with loaded:
        labels = loaded["labels"].astype(np.int64) if "labels" in loaded else None
        names = [str(name) for name in loaded["names"]] if "names" in loaded else []
        return PointTable(loaded["z"].astype(np.float32), labels, names)


def _csv(data: bytes) -> PointTable:
    table = [row for row in csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")) if row]
    if len(table) < 2:
        raise DataError("no rows")
    header, *rows = table
    for i, row in enumerate(rows, 2):
        if len(row) != len(header):
            raise DataError(f"row {i} has {len(row)} values, expected {len(header)} as in the header")
    # By number, not by place: tables are sorted by other programs, and those put z10 before z2.
    columns = sorted((int(name[1:]), place) for place, name in enumerate(header) if re.fullmatch(r"z\d+", name))
    if [number for number, _ in columns] != list(range(1, len(columns) + 1)):
        found = ", ".join(f"z{number}" for number, _ in columns)
        raise DataError(f"expected columns z1, z2, ... without gaps, each once, got {found}")
    z = np.array([[float(row[place]) for _, place in columns] for row in rows], np.float32)
    labels = np.array([int(row[header.index("label")]) for row in rows], np.int64) if "label" in header else None
    return PointTable(z, labels, [row[header.index("name")] for row in rows] if "name" in header else [])


def file_names(table: PointTable) -> list[str]:
    """A safe, unique file name without ending for each point: its own name as far as that is one.

    Example:
        >>> file_names(PointTable(np.zeros((2, 2), np.float32), None, ["mnist:test/17", "../../x"]))
        ['mnist-test-17', 'x']
    """
    if not table.names:
        return [f"{i:06d}" for i in range(len(table.z))]
    found: list[str] = []
    seen: set[str] = set()
    for i, name in enumerate(table.names):
        safe = re.sub(r"[^\w.]+", "-", name).strip("-.")[:100] or f"{i:06d}"
        unique = safe if safe.lower() not in seen else f"{safe}-{i:06d}"
        seen.add(unique.lower())
        found.append(unique)
    return found
