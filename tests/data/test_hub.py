"""Sets of the hub."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.pictures import noise

from morphospace.data import open_dataset
from morphospace.errors import FileError


def test_a_set_of_the_hub_library(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")

    columns = {
        "image": [Image.fromarray(noise(i, (9, 8, 3))) for i in range(30)],
        "label": [i % 2 for i in range(30)],
        "weight": [float(i) for i in range(30)],
    }
    features = datasets.Features(
        {
            "image": datasets.Image(),
            "label": datasets.ClassLabel(names=["cat", "dog"]),
            "weight": datasets.Value("float64"),
        }
    )
    datasets.Dataset.from_dict(columns, features=features).to_parquet(tmp_path / "hub" / "train.parquet")
    found = open_dataset(f"hf:{tmp_path / 'hub'}")
    assert found.shape == (9, 8, 3)
    assert found.label_names == ("cat", "dog")
    assert len(found.train) + len(found.test) == 30
    assert found.train.labels is not None
    weights = np.asarray(found.train.attributes["weight"], float)
    for image, label, weight in zip(found.train.images, found.train.labels, weights, strict=True):
        assert (noise(int(weight), (9, 8, 3)) == image).all()
        assert label == int(weight) % 2
    with pytest.raises(FileError, match="cannot be loaded"):
        open_dataset(f"hf:{tmp_path / 'nothing'}")
