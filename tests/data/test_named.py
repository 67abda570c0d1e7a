"""Sets that have a name."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import numpy as np
import pytest
from tests.data.test_idx import idx

from morphospace.data import Dataset, open_dataset
from morphospace.data import named as named_module
from morphospace.errors import FileError


def test_binarized_mnist(mnist: Dataset) -> None:
    found = open_dataset("binarized-mnist")
    assert (len(found.train), len(found.test)) == (50_000, 10_000)
    assert found.validation is not None
    assert len(found.validation) == 10_000
    assert set(np.unique(found.test.images[:500])) == {0, 255}
    assert found.test.labels is not None
    assert len(set(found.test.labels[:100])) == 10, "not sorted by label"


def small_mnist() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "train-images-idx3-ubyte": rng.integers(0, 255, (30, 28, 28), np.uint8),
        "train-labels-idx1-ubyte": rng.integers(0, 9, 30).astype(np.uint8),
        "t10k-images-idx3-ubyte": rng.integers(0, 255, (10, 28, 28), np.uint8),
        "t10k-labels-idx1-ubyte": rng.integers(0, 9, 10).astype(np.uint8),
    }


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, bytes]:
    """MNIST replaced by forty images, an empty cache, and no $MORPHOSPACE_DATA."""
    files = {name: idx(array) for name, array in small_mnist().items()}
    hashes = tuple((name, hashlib.sha256(data).hexdigest()) for name, data in files.items())
    source = named_module._Idx("mnist", tuple("0123456789"), (), hashes)
    monkeypatch.setitem(named_module.SOURCES, "mnist", named_module.Source("small", source.open))
    monkeypatch.setattr(named_module, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.delenv("MORPHOSPACE_DATA", raising=False)
    return files


def test_named_sets_are_found_in_the_variable_then_the_cache(
    little: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(FileError, match=r"Put train-images-idx3-ubyte\.gz.*cache"):
        open_dataset("mnist")
    for name, data in little.items():
        place = tmp_path / ("cache" if "images" in name else "data") / "mnist"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{name}.gz").write_bytes(gzip.compress(data))
    monkeypatch.setenv("MORPHOSPACE_DATA", str(tmp_path / "data"))
    dataset = open_dataset("mnist")
    assert (len(dataset.train), len(dataset.test)) == (30, 10)
    (tmp_path / "data" / "mnist" / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(b"foreign"))
    with pytest.raises(FileError, match="damaged or foreign"):
        open_dataset("mnist")


def test_mnist_is_whole(mnist: Dataset) -> None:
    assert (len(mnist.train), len(mnist.test), mnist.shape) == (60_000, 10_000, (28, 28, 1))
    assert mnist.train.labels is not None
    assert mnist.train.labels[:5].tolist() == [5, 0, 4, 1, 9]
