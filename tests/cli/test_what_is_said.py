"""What a person is told of a set: everything once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import Ran
from tests.pictures import encoded, noise, write_folder

from morphospace.cli.problems import problem_lines
from morphospace.data.folder import Problem


def test_problems_of_one_reason_are_one_line() -> None:
    many = [Problem(f"{i}.png", "empty file") for i in range(7)] + [Problem("x\n.png", "not a picture")]
    assert problem_lines(many) == [
        "0.png, 1.png, 2.png, 3.png, 4.png and 2 more: empty file",
        "x\\n.png: not a picture",
        "--json lists each",
    ]
    assert problem_lines(many[:2]) == ["0.png, 1.png: empty file"]
    others = [Problem(f"{i}.png", f"reason {i}") for i in range(14)]
    assert problem_lines(others)[12:] == ["2 more of other kinds", "--json lists each"]


def test_info_says_everything_once(tmp_path: Path, morpho: Callable[..., Ran]) -> None:
    for folder, start in (("train/cat", 0), ("train/dog", 10), ("test/cat", 20), ("test/dog", 30)):
        write_folder(tmp_path / "set" / folder, 3, start=start)
    (tmp_path / "set" / "cover.png").write_bytes(encoded(noise(99)))
    (tmp_path / "set" / "t.csv").write_text("file,Label\n" + "train/cat/000.png,cat\n")
    said = morpho("data", "info", "set")
    everything = " ".join((said.out + said.err).split())
    assert everything.count("cover.png") == 1
    assert "left out, as it lies beside train/ and test/ (move it into one of these)" in everything
    assert "listed by" not in everything
    assert "attribute Label" not in said.out, "the column of labels is told as labels"


def test_one_picture_is_encoded_as_those_of_a_folder(tmp_path: Path, morpho: Callable[..., Ran]) -> None:
    write_folder(tmp_path / "set", 2)
    assert morpho("encode", "builtin", "set", "--out", "all.csv").code == 0
    assert morpho("encode", "builtin", "set/001.png", "--out", "one.csv").code == 0
    header, _, second = (line.split(",") for line in (tmp_path / "all.csv").read_text().splitlines())
    again, alone = (line.split(",") for line in (tmp_path / "one.csv").read_text().splitlines())
    assert (again, alone[0]) == (header, "001.png")
    assert [float(v) for v in alone[1:]] == pytest.approx([float(v) for v in second[1:]], rel=1e-5)
