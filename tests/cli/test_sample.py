"""``morpho sample``: single files, and samples of one label."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from morphospace.errors import ArgumentError, DataError
from morphospace.images import read_image, read_text
from morphospace.latent.classes import Classes
from morphospace.space import Space, load

Morpho = Callable[..., Any]
MEANS = np.array([[-8.0, 0.0], [8.0, 1.0]])


def labelled(space: Space, *, classes: bool = False) -> Space:
    """The built-in space as if its test images were of two labels, far apart; with classes elsewhere, or none."""
    codes = np.random.default_rng(0).normal(np.repeat(MEANS, 200, 0), [0.5, 2.0]).astype(np.float32)
    found = Space(
        space.model, space.recipe, space.shape, reference=codes, reference_labels=np.repeat([0, 1], 200),
        about=space.about | {"data": {"name": "pets", "label_names": ["cat", "dog"]}},
    )  # fmt: skip
    if classes:
        found.classes = Classes(names=("a", "b"), means=MEANS[:, ::-1].copy(), covariances=np.stack([np.eye(2)] * 2))
    return found


@pytest.fixture(scope="module")
def builtin() -> Space:
    return load("builtin")


def test_a_folder_of_single_files(morpho: Morpho, tmp_path: Path, builtin: Space) -> None:
    ran = morpho("sample", "builtin", "-n", "101", "--seed", "3", "--out", "many/", "--json")
    assert ran.code == 0, ran.err
    assert ran.json == {"outputs": ["many"], "seed": 3, "n": 101, "label": None}
    files = sorted(path.name for path in (tmp_path / "many").glob("*.png"))
    assert files == [f"{i:03d}.png" for i in range(101)]
    expected = builtin.sample(101, seed=3)
    for i in (0, 57, 100):
        path = tmp_path / "many" / f"{i:03d}.png"
        assert (read_image(path) == expected[i]).all()
        text = read_text(path)
        assert (text["sample_seed"], text["sample"], text["samples"], text["kind"]) == ("3", str(i), "101", "sample")
        assert "--seed 3" in text["command"]


def test_a_folder_is_replaced_whole_or_not_at_all(
    morpho: Morpho, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert morpho("sample", "builtin", "-n", "3", "--out", "out/").code == 0
    for out in ("out/", "out"):
        again = morpho("sample", "builtin", "-n", "2", "--out", out)
        assert again.code == 1
        assert "--force" in again.err
    with monkeypatch.context() as patch:
        patch.setattr("morphospace.images.png_bytes", lambda *_: 1 / 0)
        assert morpho("sample", "builtin", "-n", "2", "--out", "out/", "--force").code == 1
    assert len(list((tmp_path / "out").glob("*.png"))) == 3, "the first ones are still there"
    assert not list(tmp_path.glob(".morpho-partial-*"))
    assert morpho("sample", "builtin", "-n", "2", "--out", "out", "--force").code == 0
    assert sorted(path.name for path in (tmp_path / "out").glob("*.png")) == ["0.png", "1.png"]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").touch()
    refused = morpho("sample", "builtin", "--out", "mine/", "--force")
    assert refused.code == 1
    assert "did not write" in refused.err
    assert (tmp_path / "mine" / "letter.txt").exists()
    (tmp_path / "file").touch()
    assert "is a file" in morpho("sample", "builtin", "--out", "file/", "--force").err


def test_without_a_slash_there_is_a_sheet_as_before(morpho: Morpho, tmp_path: Path) -> None:
    assert morpho("sample", "builtin", "-n", "4", "--out", "s.png").code == 0
    assert read_text(tmp_path / "s.png")["kind"] == "samples"
    wrong = morpho("sample", "builtin", "--out", "s.jpg")
    assert wrong.code == 2
    assert ".png" in wrong.err


def test_samples_of_a_label_come_from_its_class(builtin: Space) -> None:
    space = labelled(builtin, classes=True)
    points = space.sample_points(4000, seed=1, label="b")
    assert points.mean(0) == pytest.approx([1, 8], abs=0.1)
    assert np.cov(points.T) == pytest.approx(np.eye(2), abs=0.1)
    assert (space.sample(5, seed=1, label="b") == space.decode(space.sample_points(5, seed=1, label="b"))).all()
    assert not (space.sample_points(5, seed=2, label="b") == space.sample_points(5, seed=1, label="b")).any()
    with pytest.raises(ArgumentError, match=r'^label: this space knows no label "dog".*Known: a, b'):
        space.sample(1, label="dog")


def test_without_classes_they_come_from_the_codes_of_its_test_images(builtin: Space) -> None:
    space = labelled(builtin)
    points = space.sample_points(4000, seed=1, label="dog")
    assert points.mean(0) == pytest.approx([8, 1], abs=0.3)
    assert points.std(0) == pytest.approx([0.5, 2.0], rel=0.15)
    space.about["data"] = {"name": "numbers"}
    assert space.sample_points(50, seed=1, label=0)[:, 0].max() < 0, "labels without names are called by their numbers"
    with pytest.raises(ArgumentError, match=r'no label "7".*Known: 0, 1'):
        space.sample(1, label=7)
    space.reference_labels = np.repeat([0, 1], [396, 4])
    with pytest.raises(DataError, match=r'of "1" the space keeps the codes of 4 test images'):
        space.sample(1, label=1)
    space.reference_labels = None
    with pytest.raises(ArgumentError, match="morpho concept classes"):
        space.sample(1, label=1)


def test_the_command_samples_a_label(morpho: Morpho, tmp_path: Path, builtin: Space) -> None:
    for name, space in (("plain", labelled(builtin)), ("learned", labelled(builtin, classes=True))):
        space.save(tmp_path / name)
    sheet = morpho("sample", "plain", "--label", "dog", "-n", "4", "--out", "s.png", "--json")
    assert sheet.code == 0, sheet.err
    assert "this space has learned no classes" in sheet.err
    assert read_text(tmp_path / "s.png")["label"] == "dog"
    files = morpho("sample", "learned", "--label", "b", "-n", "3", "--out", "b/", "--json")
    assert files.json["label"] == "b"
    assert "no classes" not in files.err
    expected = load(tmp_path / "learned").sample(3, label="b")
    assert (read_image(tmp_path / "b" / "2.png") == expected[2]).all()
    assert read_text(tmp_path / "b" / "2.png")["label"] == "b"
    for label, words in (("dgo", 'Did you mean "dog"'), ("", "--label")):
        wrong = morpho("sample", "plain", "--label", label)
        assert wrong.code == 2
        assert words in wrong.err
    assert not (tmp_path / "morpho-out").exists()
