"""Files of latent points: whatever is written comes back, and nothing is unpickled."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from morphospace.errors import FileError
from morphospace.points import PointTable, file_names, read_points, write_points


@pytest.mark.parametrize("ending", [".npz", ".csv"])
def test_points_keep_labels_and_names(tmp_path: Path, ending: str) -> None:
    z = np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32)
    table = PointTable(z, ["3", "1", "", "0"], ["a,b", "ü", 'q"', "line\nbreak"])
    write_points(tmp_path / f"z{ending}", table, {"seed": "7"})
    again = read_points(tmp_path / f"z{ending}")
    assert (again.z == z).all()
    assert list(again.labels) == ["3", "1", "", "0"]
    assert list(again.names) == list(table.names)
    if ending == ".npz":
        with np.load(tmp_path / "z.npz") as stored:
            assert json.loads(str(stored["about"])) == {"seed": "7"}


@pytest.mark.parametrize("name", ["z.npz", "z.npy", "z.csv"])
@pytest.mark.parametrize("content", [b"", b"foreign", b"a,b\n1,2\n", b"PK\x03\x04broken", b"z1,z2\n1,x\n"])
def test_points_that_are_none(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileError, match="z"):
        read_points(tmp_path / name)


def test_no_pickle_is_ever_loaded(tmp_path: Path) -> None:
    np.save(tmp_path / "z.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(FileError, match="no latents"):
        read_points(tmp_path / "z.npy")


def test_names_become_safe_and_unique() -> None:
    table = PointTable(np.zeros((5, 2), np.float32), names=["a/b", "a-b", "../..", "A-B", "ok.1"])
    names = file_names(table)
    assert len({n.lower() for n in names}) == 5
    assert all("/" not in n and not n.startswith(".") for n in names)


def test_columns_of_latents_count_by_their_numbers(tmp_path: Path) -> None:
    z = np.arange(24, dtype=np.float32).reshape(2, 12)
    write_points(tmp_path / "z.csv", PointTable(z, ["4", "5"], ["a", "b"]))
    head, *rows = [line.split(",") for line in (tmp_path / "z.csv").read_text().split()]
    order = np.argsort(head)
    assert [head[i] for i in order][2:6] == ["z1", "z10", "z11", "z12"]
    lines = [",".join(row[i] for i in order) for row in (head, *rows)]
    (tmp_path / "sorted.csv").write_text("\n".join(lines))
    found = read_points(tmp_path / "sorted.csv")
    assert (found.z == z).all()
    assert found.labels == ["4", "5"]
    assert found.names == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("z1,z3\n1,2\n", "got z1, z3"),
        ("z2,z3\n1,2\n", "got z2, z3"),
        ("z1,z2,z1\n1,2,3\n", "got z1, z1, z2"),
        ("z1,z01\n1,2\n", "got z1, z1"),
        ("z1,z2\n1,2\n1\n", "row 3 has 1 values, expected 2"),
        ("z1,z2,name\n1,2\n", "row 2 has 2 values, expected 3"),
        ("z1,label\n1\n", "row 2 has 1 values, expected 2"),
        ("z1,z2\n0,5,1,5\n", "row 2 has 4 values, expected 2"),
        (f"z1,name\n1,{'x' * 200_000}\n", "field larger than"),
        ("z1,z2\n", "no rows"),
        ("", "no rows"),
    ],
)
def test_damaged_tables_of_latents_are_said_to_be(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "z.csv").write_bytes(text.encode())
    with pytest.raises(FileError, match=words):
        read_points(tmp_path / "z.csv")
