"""Broken files are named, and --json carries them all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.pictures import write_folder

Morpho = Callable[..., Any]


@pytest.fixture
def pets(tmp_path: Path) -> list[dict[str, str]]:
    """A folder of pictures; what is wrong with seven of them."""
    write_folder(tmp_path / "pets", 20, (28, 28))
    names = [f"bad {i}.png" for i in range(6)] + ["line\nbreak.png"]
    for name in names:
        (tmp_path / "pets" / name).write_bytes(b"")
    return [{"name": name, "reason": "empty file"} for name in names]


TRAIN = ["--recipe", "quick", "--epochs", "1", "--set", "encoder_widths=8", "--set", "decoder_widths=8"]


@pytest.mark.parametrize(
    "arguments", [("train", "pets", *TRAIN), ("data", "prepare", "pets"), ("encode", "builtin", "pets:train")]
)
def test_the_first_are_named_and_json_has_them_all(
    morpho: Morpho, pets: list[dict[str, str]], arguments: tuple[str, ...]
) -> None:
    ran = morpho(*arguments, "--json")
    assert ran.code == 0, ran.err
    assert ran.json["problems"] == pets
    first = "bad 0.png, bad 1.png, bad 2.png, bad 3.png, bad 4.png"
    assert f"7 problems: empty file (7); the first are {first}; listed by morpho data info" in ran.err


def test_few_are_named_all_and_on_one_line(morpho: Morpho, tmp_path: Path) -> None:
    write_folder(tmp_path / "few", 9, (28, 28))
    (tmp_path / "few" / "line\nbreak.png").write_bytes(b"")
    ran = morpho("data", "prepare", "few", "--json")
    assert "1 problem: empty file (1); line\\nbreak.png; listed by" in ran.err
    assert ran.json["problems"] == [{"name": "line\nbreak.png", "reason": "empty file"}]
    resumed = morpho("train", "few", *TRAIN, "--json")
    assert resumed.json["problems"] == ran.json["problems"]
    again = morpho("resume", "latest", "--more-epochs", "1", "--json")
    assert again.json["problems"] == ran.json["problems"]
