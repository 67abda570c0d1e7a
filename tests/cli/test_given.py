"""``--given``: as which label a verb reads and draws; one way for every verb that computes with a space."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from morphospace.cli.app import app
from morphospace.data import Dataset
from morphospace.images import read_image, write_png
from morphospace.points import read_points
from morphospace.space import Space

Morpho = Callable[..., Any]


@pytest.fixture
def bundle(told: Space, tmp_path: Path, digits: Dataset) -> Path:
    write_png(tmp_path / "a.png", digits.test.images[0])
    return told.save(tmp_path / "told")


def test_samples_of_one_label(morpho: Morpho, bundle: Path, told: Space, tmp_path: Path) -> None:
    for given in ("6", "label=6"):
        ran = morpho("sample", str(bundle), "--given", given, "-n", "4", "--out", "six/", "--force")
        assert ran.code == 0, ran.err
        expected = told.given("6").sample(4)
        for i in range(4):
            assert np.abs(read_image(tmp_path / "six" / f"{i}.png").astype(int) - expected[i]).max() <= 1


def test_a_sheet_of_samples_has_a_row_for_each_label(morpho: Morpho, bundle: Path, tmp_path: Path) -> None:
    assert morpho("sample", str(bundle), "-n", "50", "--out", "all.png").code == 0
    assert morpho("sample", str(bundle), "-n", "50", "--given", "3", "--out", "three.png").code == 0
    height, width = read_image(tmp_path / "all.png").shape[:2]
    assert height > 10 * 80  # ten rows
    assert width < 10 * 80  # of five


def test_what_is_guessed_is_said_once_and_what_is_given_is_not(morpho: Morpho, bundle: Path) -> None:
    ran = morpho("reconstruct", str(bundle), "a.png", "--out", "made.png")
    assert ran.code == 0, ran.err
    assert ran.err.count("note: read as ") == 1
    assert "the label as which it is likeliest; --given says another" in ran.err
    assert "note" not in morpho("reconstruct", str(bundle), "a.png", "--given", "3", "--out", "again.png").err
    assert 'note: drawn as "0", the first label; --given says another' in morpho("atlas", str(bundle)).err
    assert "note" not in morpho("atlas", str(bundle), "--given", "5").err


def test_an_edit_to_another_class_draws_the_same_code_as_it(
    morpho: Morpho, bundle: Path, told: Space, tmp_path: Path, digits: Dataset
) -> None:
    ran = morpho("edit", str(bundle), "a.png", "--to", "3", "--out", "edit.png", "--json")
    assert ran.code == 0, ran.err
    code = told.encode(digits.test.images[:1]).mean
    assert np.abs(read_image(tmp_path / "edit.png").astype(int) - told.given("3").decode(code)[0]).max() <= 1
    refused = morpho("edit", str(bundle), "a.png", "--to", "3", "--strength", "0.5")
    assert refused.code == 2
    assert "Leave --strength and --until out." in refused.err


def test_a_file_of_codes_remembers_the_labels_that_they_were_read_as(
    morpho: Morpho, bundle: Path, told: Space, tmp_path: Path, digits: Dataset
) -> None:
    ran = morpho("encode", str(bundle), "digits:test", "--out", "z.npz")
    assert ran.code == 0, ran.err
    assert "note" not in ran.err  # the set says which
    labels = np.asarray(digits.test.labels)
    table = read_points(tmp_path / "z.npz")
    np.testing.assert_allclose(table.z, told.encode(digits.test.images, labels).mean, atol=1e-5)
    assert morpho("decode", str(bundle), "z.npz", "--out", "back").code == 0
    expected = told.decode(table.z[:5], labels=labels[:5])
    for i in range(5):
        path = tmp_path / "back" / f"digits-test-{i}.png"
        assert np.abs(read_image(path).astype(int) - expected[i]).max() <= 1


def test_a_training_reads_and_draws_as_the_set_says(morpho: Morpho, tmp_path: Path) -> None:
    ran = morpho("train", "digits", "--recipe", "conditional", "--epochs", "1", "--seed", "1", "--out", "runs")
    assert ran.code == 0, ran.err
    assert "likeliest" not in ran.err
    assert "first label" not in ran.err
    (run,) = (path for path in (tmp_path / "runs").iterdir() if path.is_dir() and not path.name.startswith("."))
    (sheet,) = (run / "sheets").glob("*-samples.png")
    assert read_image(sheet).shape[0] > 10 * 80  # a row for each label
    assert "the label is told beside" in (run / "report.html").read_text(encoding="utf-8")


def test_a_space_that_is_told_none_refuses_it(morpho: Morpho) -> None:
    ran = morpho("sample", "builtin", "--given", "6")
    assert ran.code == 2
    assert "--given: this space is told no label; one is that is trained with --set condition=label." in ran.err


def test_a_label_that_there_is_not(morpho: Morpho, bundle: Path) -> None:
    ran = morpho("sample", str(bundle), "--given", "66")
    assert ran.code == 2
    assert '--given: there is no label "66".' in ran.err


def test_every_verb_that_computes_with_a_space_has_it() -> None:
    from typer.main import get_command

    verbs = get_command(app).commands  # type: ignore[attr-defined]
    having = {name for name, verb in verbs.items() if any(p.name == "given" for p in verb.params)}
    assert having >= {
        "sample", "atlas", "reconstruct", "morph", "edit", "traverse", "encode", "decode", "analogy", "neighbors",
        "outliers", "explore", "serve",
    }  # fmt: skip
    assert not having & {"train", "info", "export", "share", "recipes"}
