"""A set that lies in a file is never read whole: not in training, not at its end, not when it is evaluated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from morphospace.data import Dataset, Split
from morphospace.data.store import StoredImages
from morphospace.errors import DataError
from morphospace.evaluate import evaluate_space
from morphospace.images import Images
from morphospace.recipes import changed, find_recipe
from morphospace.training import Machine
from morphospace.workflow import train_run
from morphospace.workflow.pace import measured_pace

TRAIN, TEST, MOST = 1800, 1300, 500  # images; the most that may be read at once

RECIPE = changed(
    find_recipe("quick"),
    {"encoder_widths": "8", "decoder_widths": "8", "epochs": "1", "batch": "300", "patience": "1", "fourier": "0"},
)


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """Images in a file, of which no more than ``MOST`` may be read at once."""
    path = tmp_path / "images.npy"
    np.save(path, np.random.default_rng(0).integers(0, 256, (TRAIN + TEST, 4, 4, 1), np.uint8))
    read = StoredImages.__getitem__

    def watched(self: StoredImages, index: Any) -> Images:
        found = read(self, index)
        assert found.ndim == 3 or len(found) <= MOST, f"{len(found)} images are in memory at once"
        return found

    monkeypatch.setattr(StoredImages, "__getitem__", watched)
    images = StoredImages(path)
    train, test = (Split(images.take(rows)) for rows in np.split(np.arange(TRAIN + TEST), [TRAIN]))
    return Dataset("many", train, test)


def test_a_run_reads_its_images_in_batches_to_the_end(stored: Dataset, tmp_path: Path) -> None:
    result = train_run(stored, RECIPE, out=tmp_path, seed=0, machine=Machine())
    assert result.space.reference is not None
    assert len(result.space.reference) == TEST
    figures = evaluate_space(result.space, stored, samples=1)
    assert figures["images"] == TEST
    assert figures["test"]["psnr"] == pytest.approx(result.test.psnr)


def test_how_long_a_run_takes_is_measured_by_batches_too(stored: Dataset) -> None:
    recipe = changed(RECIPE, {"sampler": "mixture", "patience": "0"})
    pace = measured_pace(stored, recipe.for_images(TRAIN), machine=Machine(), seed=0, seconds=1)
    assert pace.steps == (TRAIN // 300,)
    assert min(*pace.epochs, pace.start, pace.score, pace.sheets, pace.end) > 0


def test_images_of_another_size_are_refused_by_looking_at_one(stored: Dataset, digits: Dataset, tmp_path: Path) -> None:
    space = train_run(digits, RECIPE, out=None, seed=0, machine=Machine()).space
    with pytest.raises(DataError, match=r"takes images of shape \(8, 8, 1\)"):
        evaluate_space(space, stored)
    with pytest.raises(DataError, match=r"takes images of shape \(8, 8, 1\)"):
        space.encode(stored.test.images)
