"""What was decided for a person is said in Python as in the command, and stays in the report and the model card."""

from __future__ import annotations

import logging
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import morphospace as ms
from morphospace.card import model_card
from morphospace.cli.spaces import info
from morphospace.data import Preparation, dataset_from_arrays, open_dataset

SMALL: dict[str, Any] = {"epochs": 1, "settings": {"encoder_widths": (8,), "decoder_widths": (8,)}, "recipe": "quick"}
TWELVE = np.random.default_rng(0).integers(0, 4096, (60, 8, 8)).astype(np.uint16)
RULE = "so 12 bits are in use: 0 is black and 4,095 is white in all pictures"


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


def test_bytes_that_stay_what_they_are_need_no_words() -> None:
    found = dataset_from_arrays(np.random.default_rng(0).integers(0, 256, (20, 8, 8), np.uint8))
    assert found.notes == ()
    config = {"shape": [8, 8, 1], "recipe": {"name": "quick", "latent_dim": 2}, "parameters": 1}
    card = model_card(config | {"data": {"interpretation": found.preparation["interpretation"]}})
    assert "What it takes" not in card


def test_training_names_a_file_that_it_leaves_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for i in range(12):
        Image.fromarray(np.random.default_rng(i).integers(0, 256, (8, 8), np.uint8)).save(tmp_path / f"{i}.png")
    (tmp_path / "3.png").write_bytes(b"nothing")
    ms.train(tmp_path, **SMALL)
    assert sum("1 file was left out; the first is 3.png: " in words for words in caplog.messages) == 1


@pytest.mark.parametrize(
    ("beside", "said"),
    [
        ({"z": np.zeros((20, 512))}, "z (20, 512) was passed over"),
        ({"mean": np.zeros((8, 8)), "seed": np.array(3)}, "mean (8, 8), seed () were passed over"),
        ({"x": np.zeros((20, 4, 4))}, "x (20, 4, 4) was passed over"),
        ({"labels": np.zeros(20, int), "target": np.arange(20)}, "target (20,) was passed over"),
        ({"age": np.arange(20)}, None),
        ({"factors": np.zeros((20, 2)), "factor_names": np.array(["a", "b"])}, None),
    ],
)
def test_arrays_of_no_use_are_named(tmp_path: Path, beside: dict[str, np.ndarray], said: str | None) -> None:
    images = np.random.default_rng(0).integers(0, 256, (20, 8, 8), np.uint8)
    np.savez(tmp_path / "set.npz", images=images, **beside)  # type: ignore[arg-type]
    notes = [words for words in open_dataset(tmp_path / "set.npz").notes if "passed over" in words]
    assert len(notes) == (said is not None)
    assert said is None or notes[0].startswith(said)


def test_a_fourth_channel_is_said_to_be_transparency() -> None:
    images = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 4), np.uint8)
    (words,) = dataset_from_arrays(images).notes
    assert words.startswith("the last of 4 channels was taken for transparency, over #FFFFFF; `background` changes")
    assert dataset_from_arrays(images, preparation=Preparation(channels=(1, 2, 3))).notes == ()
