"""Training: no argument is passed over, and what was decided for a person is said."""

from __future__ import annotations

import logging
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import morphospace as ms
from morphospace.cli.spaces import info
from morphospace.data import Dataset, Preparation, dataset_from_arrays
from morphospace.errors import ArgumentError, DataError
from morphospace.space import Space

SMALL: dict[str, Any] = {"epochs": 1, "settings": {"encoder_widths": (8,), "decoder_widths": (8,)}, "recipe": "quick"}
TWELVE = np.random.default_rng(0).integers(0, 4096, (60, 8, 8)).astype(np.uint16)
RULE = "so 12 bits are in use: 0 is black and 4,095 is white in all pictures"
IMAGES = np.random.default_rng(0).integers(0, 256, (30, 8, 8), np.uint8)
LABELS = np.arange(30) % 3


def test_training_says_what_was_decided_and_what_it_keeps(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    space = ms.train(TWELVE, labels=np.tile([0, 1, -1], 20), out=tmp_path, **SMALL)
    said = [record.getMessage() for record in caplog.records if record.name == "morphospace"]
    assert sum(RULE in words for words in said) == 1
    assert sum('20 images with -1 or nothing have the label "(no label)"' in words for words in said) == 1
    assert {record.levelno for record in caplog.records if record.name == "morphospace"} == {logging.WARNING}
    page = unescape(next(tmp_path.glob("*/report.html")).read_text(encoding="utf-8"))
    assert page.count(RULE) == 1
    assert "16-bit values 0 is black and 4,095 is white" in info(str(next(tmp_path.iterdir()))).text
    assert "Later images are read as those of its set: of 16-bit values 0 is black and 4,095 is white." in space.card()


def test_training_names_a_file_that_it_leaves_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for i in range(12):
        Image.fromarray(np.random.default_rng(i).integers(0, 256, (8, 8), np.uint8)).save(tmp_path / f"{i}.png")
    (tmp_path / "3.png").write_bytes(b"nothing")
    ms.train(tmp_path, **SMALL)
    assert sum("1 file was left out; the first is 3.png: " in words for words in caplog.messages) == 1


def test_labels_are_for_images_in_memory(digits: Dataset, tmp_path: Path) -> None:
    np.save(tmp_path / "images.npy", IMAGES)
    for source in (digits, "digits", tmp_path / "images.npy"):
        with pytest.raises(ArgumentError, match=r"labels: the set .* brings its own labels.*ms\.train\(dataset\.train"):
            ms.train(source, labels=np.zeros(1797, int), epochs=1)
    space = ms.train(IMAGES, labels=LABELS, epochs=1)
    assert space.reference_labels is not None
    assert space.about["data"]["label_names"] == ["0", "1", "2"]


def test_a_preparation_is_for_files_and_arrays(digits: Dataset, space: Space) -> None:
    with pytest.raises(ArgumentError, match=r"preparation: a Dataset has its form already.*Leave it out"):
        ms.train(digits, preparation=Preparation(size=(16, 16)), epochs=1)
    assert ms.train(IMAGES, preparation=Preparation(size=(16, 12)), epochs=1).shape == (16, 12, 1)
    with pytest.raises(ArgumentError, match="size: the space decides the size of images"):
        ms.train("digits", start=space, preparation=Preparation(size=(16, 16)), epochs=1)


@pytest.mark.parametrize("seed", [-1, 1.5, "1", True, None, 1 << 63])
def test_a_seed_is_a_whole_number(seed: Any, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"^seed: expected a whole number from 0 to \d+, got"):
        ms.train(IMAGES, seed=seed, epochs=1, out=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_seed_of_numpy_is_as_good_as_another(tmp_path: Path) -> None:
    spaces = [ms.train(IMAGES, seed=seed, epochs=1, out=tmp_path) for seed in (np.uint8(3), 3)]  # type: ignore[arg-type]
    assert spaces[0].about["seed"] == 3
    assert spaces[0].fingerprint() == spaces[1].fingerprint()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"recipe": 3}, "recipe: expected a name or a Recipe, got int"),
        ({"settings": ["epochs=3"]}, "settings: expected a mapping like"),
        ({"settings": {"epochs": 3}, "epochs": 2}, "epochs: given twice, as 2 and in `settings`"),
        ({"settings": {"latent_dim": 3}, "latent_dim": 2}, "latent_dim: given twice, as 2 and in `settings`"),
        ({"latent_dim": 2.5}, "latent_dim: expected a whole number, got 2.5"),
        ({"compiled": "yes"}, "compiled: expected True, False or None, got 'yes'"),
        ({"device": None}, 'device: "None" is not on this machine'),
        ({"precision": 16}, 'precision: expected auto, bf16 or fp32, got "16"'),
    ],
)
def test_an_argument_of_another_kind_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ArgumentError, match=f"^{words}"):
        ms.train(IMAGES, **given)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"test_labels": LABELS}, "test_labels: there are no test_images that they could be of"),
        ({"validation_labels": LABELS}, "validation_labels: there are no validation_images that they could be of"),
        ({"label_names": ["a", "b"]}, "label_names: there are no labels that they could be the names of"),
    ],
)
def test_names_and_labels_of_nothing_are_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        dataset_from_arrays(IMAGES, **given)
