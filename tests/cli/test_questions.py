"""Analogies, neighbours and outliers, on a small run of digits; and what they say when they are used wrongly."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file, save_file

from morphospace.data import open_dataset
from morphospace.images import read_text, write_png
from morphospace.space import load
from morphospace.workflow import train

Morpho = Callable[..., Any]
RUN = Path("runs") / "0001-digits-quick"
VERBS = {
    "analogy": ("analogy", "latest", "digits:test/3", "digits:test/5", "digits:test/4"),
    "neighbors": ("neighbors", "latest", "digits:test/3", "-n", "5"),
    "outliers": ("outliers", "latest", "digits:test", "-n", "5"),
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    train("digits", epochs=2, seed=7, precision="fp32", out=folder / "runs")
    return folder


@pytest.fixture
def home(trained: Path, tmp_path: Path) -> Path:
    """A folder with a finished run in it; each test has its own."""
    return Path(shutil.copytree(trained, tmp_path / "home"))


@pytest.fixture
def at(home: Path, morpho: Morpho) -> Morpho:
    """Run a verb in that folder."""
    return lambda *arguments: morpho(*arguments, cwd=home)


@pytest.mark.parametrize("name", VERBS)
def test_verbs_write_numbered_files_and_never_overwrite(at: Morpho, home: Path, name: str) -> None:
    arguments = VERBS[name]
    first, second = at(*arguments, "--json"), at(*arguments, "--json")
    assert first.code == second.code == 0, first.err + second.err
    assert [Path(ran.json["outputs"][0]).name for ran in (first, second)] == [f"000{i}-{name}.png" for i in (1, 2)]
    assert first.json["seed"] == 0
    for path in first.json["outputs"]:
        text = read_text(home / path)
        assert text["kind"] == name
        assert f"morpho {name} latest" in text["command"]
    assert at(*arguments, "--out", "x.png").code == 0
    again = at(*arguments, "--out", "x.png")
    assert again.code == 1
    assert "--force" in again.err
    assert at(*arguments, "--out", "x.png", "--force").code == 0
    assert "--json" in at(name, "--help").out


def test_an_analogy(at: Morpho, home: Path) -> None:
    said = at(*VERBS["analogy"], "--out", "a.png", "--json").json
    assert said["outputs"] == ["a.png", "a-sheet.png"]
    assert said["images"] == ["digits:test/3", "digits:test/5", "digits:test/4"]
    space, images = load(home / RUN), open_dataset("digits").test.images
    a, b, c = images[3], images[5], images[4]
    assert (np.asarray(Image.open(home / "a.png")) == space.analogy(a, b, c)[0, ..., 0]).all()
    assert said["typicality"] == space.typicality(space.analogy_points(a, b, c))[0]
    assert said["atypical"] == (said["typicality"] < 0.01)
    with Image.open(home / "a-sheet.png") as sheet:
        assert min(sheet.size) > 400
    (home / "b-sheet.png").touch()
    assert "b-sheet.png exists" in at(*VERBS["analogy"], "--out", "b.png").err
    assert not (home / "b.png").exists()


def test_an_atypical_answer_is_noted(at: Morpho, home: Path) -> None:
    space, images = load(home / RUN), open_dataset("digits").test.images
    z = space.encode(images).mean
    low, high = int(z[:, 0].argmin()), int(z[:, 0].argmax())
    items = [f"digits:test/{i}" for i in (low, high, high)]
    far = at("analogy", "latest", *items, "--json")
    assert far.json["atypical"]
    assert far.json["typicality"] == 0
    assert "empty region" in far.err
    path = home / RUN / "space" / "reference.safetensors"
    save_file({name: values[:3] for name, values in load_file(path).items()}, path)
    unknown = at("analogy", "latest", *items, "--json")
    assert unknown.json["typicality"] is None
    assert not unknown.json["atypical"]
    assert "empty region" not in unknown.err


def test_neighbors(at: Morpho, home: Path) -> None:
    said = at(*VERBS["neighbors"], "--json").json
    digits, space = open_dataset("digits"), load(home / RUN)
    assert said["images"] == 1797
    assert len(said["neighbors"]) == 5
    distances = [line["distance"] for line in said["neighbors"]]
    assert distances == sorted(distances)
    names = [line["item"] for line in said["neighbors"]]
    assert "digits:test/3" not in names
    images = np.concatenate([digits.train.images[:], digits.test.images[:]])
    places, expected = space.neighbors(digits.test.images[3], images, 6)
    assert places[0] == len(digits.train) + 3
    assert np.allclose(distances, expected[1:], atol=1e-3)
    first = int(places[1])
    split, i = ("train", first) if first < len(digits.train) else ("test", first - len(digits.train))
    assert names[0] == f"digits:{split}/{i}"
    labels = digits.split(split).labels
    assert labels is not None
    assert said["neighbors"][0]["label"] == digits.label_names[labels[i]]
    table = at(*VERBS["neighbors"]).out
    assert f"1  digits:{split}/{i}" in table


def test_neighbors_of_a_file_and_of_another_split(at: Morpho, home: Path) -> None:
    write_png(home / "three.png", open_dataset("digits").test.images[3])
    said = at("neighbors", "latest", "three.png", "-n", "2", "--json").json
    assert said["neighbors"][0]["item"] == "digits:test/3", "a file is not taken for an item"
    assert said["neighbors"][0]["distance"] == pytest.approx(0, abs=1e-4)
    bundle = str(RUN / "space")
    train_only = at("neighbors", bundle, "digits:test/3", "--data", "digits:train", "-n", "3", "--json").json
    assert [line["item"].rpartition("/")[0] for line in train_only["neighbors"]] == ["digits:train"] * 3
    everything = at("neighbors", bundle, "digits:test/3", "--data", "digits:test", "-n", "1000", "--json").json
    assert len(everything["neighbors"]) == 194
    shutil.move(home / bundle, home / "bundle")
    assert at("neighbors", "bundle", "digits:test/3", "--json").json["data"] == "digits", "known by its name alone"


def test_outliers_of_a_folder(at: Morpho, home: Path) -> None:
    assert at("data", "export", "digits", "pictures").code == 0
    folder = home / "mixed"
    shutil.copytree(home / "pictures" / "test", folder)
    rng = np.random.default_rng(0)
    for i in range(3):
        write_png(folder / "noise" / f"{i}.png", rng.integers(0, 256, (8, 8, 1), np.uint8))
    (folder / "broken.png").write_bytes(b"\x89PNG")
    ran = at("outliers", "latest", "mixed", "-n", "8", "--json")
    assert "broken.png" in ran.err
    said = ran.json
    assert said["images"] == 198
    assert said["against"] == "the test images"
    assert [problem["name"] for problem in said["problems"]] == ["broken.png"]
    assert {line["name"] for line in said["worst"][:3]} == {f"noise/{i}.png" for i in range(3)}
    for line in said["worst"][:3]:
        assert line["outlier"]
        assert line["share_as_badly_reconstructed"] == 0
        assert line["reasons"][0] == "badly reconstructed (worse than all of the test images)"
    assert 3 <= said["outliers"] <= 10
    assert said["badly_reconstructed"] >= 3
    assert len(said["worst"]) == 8
    assert sum(line["outlier"] for line in said["worst"]) == min(said["outliers"], 8)
    text = at("outliers", "latest", "mixed", "-n", "3").out
    assert f"of 198 images are outliers: {said['badly_reconstructed']} badly reconstructed" in text
    assert "noise/0.png" in text


def test_outliers_without_the_errors_of_the_test_images(at: Morpho, home: Path) -> None:
    own = at(*VERBS["outliers"], "--json")
    assert own.json["against"] == "the test images"
    assert own.json["images"] == 195
    assert "problems" not in own.json
    path = home / RUN / "space" / "reference.safetensors"
    kept = load_file(path)
    save_file({name: values for name, values in kept.items() if name != "errors"}, path)
    old = at(*VERBS["outliers"], "--json")
    assert "compared with each other" in old.err
    assert old.json["against"] == "these images"
    assert [line["nats"] for line in old.json["worst"]] == pytest.approx([line["nats"] for line in own.json["worst"]])
    save_file(kept | {"errors": kept["errors"][:-1]}, path)
    damaged = at(*VERBS["outliers"])
    assert damaged.code == 1
    assert "damaged" in damaged.err
    assert len(damaged.err.strip().splitlines()) == 1


def test_wrong_usage_is_one_clear_line(at: Morpho, home: Path) -> None:
    (home / "empty").mkdir()
    cases: list[tuple[tuple[str, ...], int, str]] = [
        (("analogy", "latest", "digits:test/0", "digits:test/1"), 2, "C"),
        (("analogy", "latest", "digits:test/0", "digits:test/1", "nowhere.png"), 1, "no file"),
        (("analogy", "latest", "digits:test/0", "digits:test/1", "empty"), 2, "is a folder"),
        (("analogy", "latest", "digits:test/0", "digits:test/1", "digits:test/2", "--out", "x.gif"), 2, ".png"),
        (("neighbors", "latest", "digits:test/100000"), 2, "items 0 to"),
        (("neighbors", "latest", "digits:best/1"), 2, '"best"'),
        (("neighbors", "latest", "digits:test/1", "-n", "0"), 2, "-n"),
        (("neighbors", "latest", "digits:test/1", "--data", "mnits"), 2, 'Did you mean "mnist"'),
        (("neighbors", "latest", "digits:test/1", "--data", "digits:best"), 2, "train"),
        (("neighbors", "latest", "digits:test/1", "--out", "runs"), 1, "folder"),
        (("outliers", "latest"), 2, "DATA"),
        (("outliers", "latest", "empty"), 1, "no pictures"),
        (("outliers", "latest", "nothing"), 2, "no data set"),
        (("outliers", "nowhere", "digits"), 1, "does not exist"),
        (("outliers", "latest", "digits", "--out", "x.csv"), 2, ".png"),
    ]
    before = set(home.rglob("*"))
    for arguments, code, words in cases:
        ran = at(*arguments)
        assert ran.code == code, (arguments, ran.err)
        assert words in ran.err, (arguments, ran.err)
        assert "Traceback" not in ran.err
    assert set(home.rglob("*")) == before, "nothing half-written"
