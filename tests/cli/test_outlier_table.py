"""``morpho outliers --all``: a row for every image."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.pictures import noise, write_folder

from morphospace.evaluate import outlier_figures, reconstruction_errors
from morphospace.images import read_image
from morphospace.space import load

Morpho = Callable[..., Any]
COLUMNS = ["name", "split", "label", "typicality", "error", "share_as_badly_reconstructed", "outlier", "rank"]


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        assert reader.fieldnames == COLUMNS
        return list(reader)


def test_every_image_of_a_folder_has_a_row(morpho: Morpho, tmp_path: Path) -> None:
    for split, start in (("train", 0), ("test", 6)):
        for label in ("cat", "dog"):
            write_folder(tmp_path / "pets" / split / label, 3, (28, 28), start=start + 3 * (label == "dog"))
    (tmp_path / "pets" / "test" / "cat" / "bad.png").write_bytes(b"")
    ran = morpho("outliers", "builtin", "pets", "--all", "--out", "scores.csv", "-n", "2", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["outputs"] == ["scores.csv"]
    assert "column split" not in ran.err
    assert [problem["name"] for problem in ran.json["problems"]] == ["test/cat/bad.png"]
    rows = table(tmp_path / "scores.csv")
    space = load("builtin")
    paths = sorted((tmp_path / "pets").rglob("0*.png"), key=lambda path: path.name)
    images = np.stack([read_image(path) for path in paths])
    codes = space.encode(images).mean
    errors = reconstruction_errors(space, images, codes)
    found = outlier_figures(errors, space.typicality(codes), space.errors)
    for i, (row, path) in enumerate(zip(rows, paths, strict=True)):
        split, label, _ = path.relative_to(tmp_path / "pets").parts
        assert row["name"] == path.relative_to(tmp_path / "pets").as_posix()
        assert (row["split"], row["label"]) == (split, label)
        assert float(row["error"]) == pytest.approx(errors[i], rel=1e-4)
        assert float(row["typicality"]) == pytest.approx(found.typicality[i], abs=0.01)
        assert float(row["share_as_badly_reconstructed"]) == pytest.approx(found.share[i], abs=1e-3)
        assert row["outlier"] == str(int(found.outliers[i]))
    assert sorted(int(row["rank"]) for row in rows) == list(range(1, 13))
    ranked = sorted(rows, key=lambda row: int(row["rank"]))
    assert [row["name"] for row in ranked[:2]] == [line["name"] for line in ran.json["worst"]]


def test_every_image_of_a_set_has_its_split_and_label_where_known(morpho: Morpho, tmp_path: Path) -> None:
    arrays = {"x_train": noise(0, (4, 28, 28)), "y_train": np.arange(4), "x_test": noise(1, (2, 28, 28))}
    np.savez(tmp_path / "tiny.npz", **arrays)  # type: ignore[arg-type]
    ran = morpho("outliers", "builtin", "tiny.npz", "--all", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["outputs"] == ["morpho-out/0001-outliers.csv"]
    rows = table(tmp_path / ran.json["outputs"][0])
    found = [(row["name"], row["split"], row["label"]) for row in rows]
    assert found[:4] == [(f"tiny:train/{i}", "train", str(i)) for i in range(4)]
    assert found[4:] == [(f"tiny:test/{i}", "test", "") for i in range(2)]


def test_wrong_names_and_what_is_there_already(morpho: Morpho, tmp_path: Path) -> None:
    write_folder(tmp_path / "pets", 3, (28, 28))
    (tmp_path / "there.csv").write_text("mine")
    for arguments, code, words in (
        (("--all", "--out", "x.png"), 2, "ends in .csv with --all"),
        (("--out", "x.csv"), 2, "Add --all for a table"),
        (("--all", "--out", "there.csv"), 1, "--force"),
    ):
        ran = morpho("outliers", "builtin", "pets", *arguments)
        assert ran.code == code, ran.err
        assert words in ran.err
    assert (tmp_path / "there.csv").read_text() == "mine"
    ran = morpho("outliers", "builtin", "pets", "--all", "--out", "there.csv", "--force")
    assert ran.code == 0, ran.err
    assert "pets has no train/ and test/, so the column split is empty" in ran.err
    assert [row["split"] for row in table(tmp_path / "there.csv")] == [""] * 3
