"""Images in a file: like an array, and an error where it is cut."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tests.pictures import write_folder

import morphospace.data.prepared as prepared_module
from morphospace.data import open_dataset
from morphospace.data.store import StoredImages, write_header
from morphospace.errors import FileError


@settings(max_examples=50, deadline=None)
@given(hnp.arrays(np.uint8, st.tuples(*[st.integers(1, 6)] * 3, st.sampled_from([1, 3]))), st.data())
def test_images_in_a_file_behave_like_an_array(
    tmp_path_factory: pytest.TempPathFactory, images: np.ndarray, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("s") / "images.npy"
    write_header(path, images.shape)
    with path.open("ab") as stream:
        stream.write(images.tobytes())
    assert (np.load(path) == images).all()
    rows = np.array(data.draw(st.lists(st.integers(0, len(images) - 1), min_size=1, max_size=9)))
    stored, array = StoredImages(path, rows), images[rows]
    assert stored.shape == array.shape
    assert stored.nbytes == array.nbytes
    index: Any = data.draw(
        st.integers(-len(rows), len(rows) - 1)
        | st.slices(len(rows))
        | st.lists(st.integers(0, len(rows) - 1), max_size=5).map(lambda found: np.array(found, np.int64))
        | st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)).map(np.array)
    )
    assert (stored[index] == array[index]).all()
    assert (np.asarray(stored) == array).all()
    mask = np.arange(len(rows)) % 2 == 0
    assert (stored.take(mask)[:] == array[mask]).all()
    assert all((one == other).all() for one, other in zip(stored, array, strict=True))


def test_a_cut_file_of_images_is_an_error(tmp_path: Path) -> None:
    write_header(tmp_path / "a.npy", (5, 4, 4, 1))
    with pytest.raises(FileError, match="cannot read the images"):
        StoredImages(tmp_path / "a.npy")


def test_a_file_of_images_that_is_cut_while_it_is_read_is_an_error(tmp_path: Path) -> None:
    write_header(tmp_path / "a.npy", (5, 4, 4, 1))
    with (tmp_path / "a.npy").open("ab") as stream:
        stream.write(bytes(80))
    stored = StoredImages(tmp_path / "a.npy")
    with (tmp_path / "a.npy").open("r+b") as stream:
        stream.truncate(stream.seek(0, 2) - 20)
    assert stored[:3].shape == (3, 4, 4, 1)
    with pytest.raises(FileError, match=r"a\.npy: the file ends early"):
        stored[[0, 4]]


def test_large_sets_train_to_the_same_bits_from_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from morphospace.workflow import train

    folder = write_folder(tmp_path / "f", 40)
    weights = []
    for limit in (64 << 20, 0):
        monkeypatch.setattr(prepared_module, "_IN_MEMORY", limit)
        dataset = open_dataset(folder)
        assert isinstance(dataset.train.images, StoredImages) == (limit == 0)
        space = train(
            dataset, "quick", epochs=2, settings={"batch": 8, "encoder_widths": (16,), "decoder_widths": (16,)}
        )
        weights.append(space.model.state_dict())
    assert all((weights[0][name] == weights[1][name]).all() for name in weights[0])
