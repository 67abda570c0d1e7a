"""Arrays as people have them: one rule for what is black and white, axes in any order, labels of any kind."""

from __future__ import annotations

import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.pictures import noise

from morphospace.data import Dataset, Preparation, dataset_from_arrays, open_dataset
from morphospace.data.idx import parse_idx
from morphospace.data.store import StoredImages
from morphospace.errors import ArgumentError, DataError, FileError, MorphospaceError
from morphospace.images import fit_image

ARRAYS: list[tuple[dict[str, np.ndarray], tuple[int, int, int]]] = [
    (
        {
            "x_train": noise(0, (9, 8, 8)),
            "y_train": np.arange(9),
            "x_test": noise(1, (4, 8, 8)),
            "y_test": np.arange(4),
        },
        (9, 4, 0),
    ),
    (
        {"train_images": noise(0, (9, 8, 8)), "test_images": noise(1, (4, 8, 8)), "valid_images": noise(2, (3, 8, 8))},
        (9, 4, 3),
    ),
]


def images_of(dataset: Dataset) -> dict[bytes, Any]:
    """The label of each image, by its pixels."""
    found: dict[bytes, Any] = {}
    for split in (dataset.train, dataset.test):
        labels = [None] * len(split) if split.labels is None else [dataset.label_names[i] for i in split.labels]
        found |= {image.tobytes(): label for image, label in zip(split.images, labels, strict=True)}
    return found


def levels(dataset: Dataset) -> list[int]:
    """The grey levels that occur."""
    return sorted(set(np.concatenate([s.images[:].ravel() for s in (dataset.train, dataset.test)]).tolist()))


def spread(low: float, high: float, dtype: Any, count: int = 12) -> np.ndarray:
    """Images 4x4 of different values from ``low`` to ``high``, both of which occur."""
    values = np.linspace(low, high, count * 16).reshape(count, 4, 4)
    return (values if np.dtype(dtype).kind == "f" else np.round(values)).astype(dtype)


# -- one rule for what is black and white --------------------------------------------------------------


@pytest.mark.parametrize(
    ("array", "black", "white", "said"),
    [
        (spread(0, 1.0000001, np.float64), 0.0, 1.0, "0 is black and 1 is white"),
        (spread(0, 1.2, np.float32), 0.0, 1.2, "1.2 is white"),
        (spread(-1, 1, np.float32), -1.0, 1.0, "-1 is black and 1 is white"),
        (spread(0, 255, np.float32), 0.0, 255.0, "255 is white"),
        (spread(0, 4095, np.uint16), 0.0, 4095.0, "4,095 is white"),
        (spread(0, 65535, np.uint16), 0.0, 65535.0, "65,535 is white"),
        (spread(-1000, 3000, np.int16), -1000.0, 3000.0, "-1,000 is black and 3,000 is white"),
        (spread(0, 16, np.float64), 0.0, 16.0, "16 is white"),
        (spread(0, 255, np.int64), 0.0, 255.0, "255 is white"),
    ],
)
def test_one_rule_is_found_from_all_values(array: np.ndarray, black: float, white: float, said: str) -> None:
    found = dataset_from_arrays(array)
    expected = np.floor(np.clip((array.astype(np.float64) - black) / (white - black), 0, 1) * 255 + 0.5)
    by_bytes = images_of(found)
    assert all(image.astype(np.uint8).tobytes() in by_bytes for image in expected)
    assert any(said in note and "`intensity`" in note for note in found.notes)


def test_parts_of_a_set_have_one_rule() -> None:
    found = dataset_from_arrays(spread(0, 100, np.uint16), test_images=spread(0, 1000, np.uint16))
    assert found.train.images[:].max() == round(100 / 1023 * 255)
    assert found.test.images[:].max() == round(1000 / 1023 * 255)


def test_bytes_stay_what_they_are_and_are_not_copied() -> None:
    array = noise(0, (30, 6, 6))
    found = dataset_from_arrays(array, test_images=noise(1, (3, 6, 6)))
    assert np.shares_memory(found.train.images, array)
    assert found.notes == ()
    assert found.preparation["interpretation"]["intensity"] == {"8-bit": [0, 255]}


def test_masks_are_black_and_white_without_a_copy_eight_times_as_large() -> None:
    array = np.random.default_rng(0).integers(0, 2, (12_000, 64, 64), np.uint8)
    tracemalloc.start()
    found = dataset_from_arrays(array, test_images=array[:5])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert levels(found) == [0, 255]
    assert peak < 2 * array.nbytes  # the levels, and some of them more at a time
    assert (found.train.images[:] == array[..., None] * 255).all()
    assert any("as masks have" in note for note in found.notes)


def test_the_rule_can_be_given_and_what_is_clipped_is_said() -> None:
    array = spread(0, 4095, np.uint16)
    found = dataset_from_arrays(array, preparation=Preparation(intensity="0:1000"))
    assert any("75.52% lie outside and were clipped" in note for note in found.notes)
    full = dataset_from_arrays(array, preparation=Preparation(intensity="full"))
    assert max(levels(full)) == 16
    cut = dataset_from_arrays(array, preparation=Preparation(intensity="10%:90%"))
    assert cut.preparation["interpretation"]["intensity"]["16-bit"] == pytest.approx([409.6, 3685.4], abs=1)


def test_holes_are_said_where_they_are() -> None:
    array = np.random.default_rng(0).random((20, 4, 4))
    array[7, 1, 1] = np.nan
    with pytest.raises(DataError, match=r"image 7 \(from 0\) is the first.*nan_to_num"):
        dataset_from_arrays(array)


def test_a_set_of_before_is_read_as_it_was(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", images=spread(0, 16, np.float64))
    before = Preparation.from_json({})
    assert max(levels(open_dataset(tmp_path / "x.npz", before))) == 16
    assert max(levels(open_dataset(tmp_path / "x.npz"))) == 255
    np.savez(tmp_path / "y.npz", images=spread(0, 300, np.float64))
    with pytest.raises(DataError, match='`intensity="auto"` takes any'):
        open_dataset(tmp_path / "y.npz", before)


def test_the_split_goes_by_what_came_not_by_the_rule() -> None:
    array = np.random.default_rng(0).integers(0, 4096, (200, 4, 4)).astype(np.uint16)
    one = dataset_from_arrays(array)
    other = dataset_from_arrays(array, preparation=Preparation(intensity="0:1000"))
    assert one.test.keys is not None
    assert other.test.keys is not None
    assert one.test.keys.tolist() == other.test.keys.tolist()
    assert one.content == other.content
    assert one.fingerprint != other.fingerprint


# -- axes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda a: a, None),
        (lambda a: np.moveaxis(a, -1, 1), None),
        (lambda a: a.transpose(0, 3, 1, 2).reshape(len(a), -1), "each of 40 rows of 192 values"),
        (lambda a: a.transpose(1, 2, 3, 0), "counted by the last axis"),
    ],
)
def test_colours_may_come_in_any_order(change: Callable[[np.ndarray], np.ndarray], said: str | None) -> None:
    images = noise(0, (40, 8, 8, 3))
    found = dataset_from_arrays(change(images))
    assert images_of(found).keys() == {image.tobytes() for image in images}
    assert any(said in note for note in found.notes) if said else found.notes == ()


def test_grey_rows_and_stacks_are_pictures() -> None:
    images = noise(0, (90, 10, 10))
    for array in (images.reshape(90, 100), np.moveaxis(images, 0, -1)):
        found = dataset_from_arrays(array)
        assert images_of(found).keys() == {image.tobytes() for image in images}
        assert len(found.notes) == 1
    by_labels = dataset_from_arrays(np.moveaxis(images[:30], 0, -1), np.arange(30) % 3)
    assert images_of(by_labels).keys() == {image.tobytes() for image in images[:30]}


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((20, 10), r"Rows of values need their height and width back, images.reshape\(-1, H, W\); if each column"),
        ((30, 30, 3), "got one of shape"),
        ((5, 20, 20, 20), r"volumes.*reshape\(-1, H, W\)"),
        ((2, 3, 4, 5, 6), "slices"),
        ((12, 9, 9, 2), r"2 channels: say which is grey, `channels=\(1,\)`\. If"),
        ((12, 5, 20, 20), r"5 channels: say which.*`channels=\(1, 2, 3\)`"),
        ((0, 4, 4), "expected numbers of shape"),
    ],
)
def test_other_shapes_say_what_to_do(shape: tuple[int, ...], words: str) -> None:
    with pytest.raises(DataError, match=words):
        dataset_from_arrays(np.zeros(shape, np.uint8))


def test_channels_are_chosen_by_their_places() -> None:
    array = noise(0, (20, 6, 6, 5))
    found = dataset_from_arrays(array, preparation=Preparation(channels=(5, 1, 2)))
    assert images_of(found).keys() == {image.tobytes() for image in array[..., [4, 0, 1]]}
    grey = dataset_from_arrays(array, preparation=Preparation(channels=(2,)))
    assert images_of(grey).keys() == {image.tobytes() for image in array[..., 1]}
    with pytest.raises(DataError, match="the train images of arrays have 5 channels, got 6"):
        dataset_from_arrays(array, preparation=Preparation(channels=(6,)))


def test_transparency_lies_over_the_background() -> None:
    array = np.zeros((6, 4, 4, 4), np.uint8)
    array[..., :3], array[..., 3] = 100, np.arange(6)[:, None, None] * 51
    white = {round(100 * a / 255 + 255 * (1 - a / 255)) for a in range(0, 256, 51)}
    assert set(levels(dataset_from_arrays(array))) == white
    black = dataset_from_arrays(array, preparation=Preparation(background="black"))
    assert set(levels(black)) == {round(100 * a / 255) for a in range(0, 256, 51)}


# -- labels ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("labels", "names", "said"),
    [
        (["dog", "cat", ""] * 10, ("(no label)", "cat", "dog"), "without a word"),
        ([b"dog", b"cat"] * 15, ("cat", "dog"), None),
        ([1, 2, 10] * 10, ("1", "2", "10"), None),
        ([0, 1, -1] * 10, ("0", "1", "(no label)"), "-1 or nothing"),
        ([2.0, 1.0, np.nan] * 10, ("1", "2", "(no label)"), "-1 or nothing"),
        ([True, False] * 15, ("0", "1"), None),
        ([[3], [4]] * 15, ("3", "4"), None),
        ([[0, 1, 0], [1, 0, 0]] * 15, ("0", "1"), "were taken for one label"),
    ],
)
def test_labels_of_any_kind_have_their_names(labels: list[Any], names: tuple[str, ...], said: str | None) -> None:
    images = noise(0, (30, 4, 4))
    found = dataset_from_arrays(images, labels)
    assert found.label_names == names

    def called(label: Any) -> str:
        if isinstance(label, list):
            label = label[0] if len(label) == 1 else label.index(1)
        if isinstance(label, bytes):
            label = label.decode()
        if isinstance(label, str):
            return label or "(no label)"
        return "(no label)" if label != label or label == -1 else str(int(label))

    expected = {image.tobytes(): called(label) for image, label in zip(images, labels, strict=True)}
    assert images_of(found) == expected
    assert any(said in note for note in found.notes) if said else found.notes == ()


def test_several_columns_are_attributes_never_the_largest() -> None:
    columns = np.random.default_rng(0).integers(0, 2, (30, 3))
    columns[:2] = [[1, 1, 0], [0, 0, 0]]
    images = noise(0, (30, 4, 4))
    found = dataset_from_arrays(images, columns)
    assert found.label_names == ()
    assert found.train.labels is None
    assert "became the attributes labels.0 to labels.2" in found.notes[0]
    place = {image.tobytes(): i for i, image in enumerate(images)}
    for split in (found.train, found.test):
        rows = columns[[place[image.tobytes()] for image in split.images]]
        assert all((split.attributes[f"labels.{j}"] == rows[:, j]).all() for j in range(3))


def test_numbers_with_fractions_are_an_attribute() -> None:
    found = dataset_from_arrays(noise(0, (30, 4, 4)), np.linspace(0, 1, 30))
    assert found.label_names == ()
    assert sorted([*found.train.attributes["labels"], *found.test.attributes["labels"]]) == pytest.approx(
        np.linspace(0, 1, 30)
    )


def test_fingerprints_are_those_of_before() -> None:
    """Sets of arrays of version 0.1: bytes, with labels from 0 on, with gaps, and none."""
    images = (np.arange(40 * 16) * 7919 % 256).astype(np.uint8).reshape(40, 4, 4)
    assert dataset_from_arrays(images).fingerprint == FINGERPRINTS["none"]
    assert dataset_from_arrays(images, np.arange(40) % 3).fingerprint == FINGERPRINTS["three"]
    assert dataset_from_arrays(images, np.arange(40) % 3 + 1).fingerprint == FINGERPRINTS["from 1"]
    assert open_dataset("digits").fingerprint == FINGERPRINTS["digits"]


FINGERPRINTS = {
    "none": "ed9665402e43a9b841e6cfa51274b9b2e7f1c5509d98dc7aae69835d4cef7962",
    "three": "7064f091334546dfa2aaf5e4a53d61bf85ac7b4bc969b24e21c9a61f534dbace",
    "from 1": "91919c61ba233854491717e18464ae4097a6a5080ef132903f705ef5c4b8cccc",
    "digits": "b7284607637a9b372955c08a8efe064590ac56e56bd192dc3a378f8d7e17ed1d",
}


# -- files -------------------------------------------------------------------------------------------------


def test_a_pickled_array_is_passed_over_and_factors_become_attributes(tmp_path: Path) -> None:
    """The field's best-known set of factors: imgs of 0 and 1, latents_values, latents_classes, pickled metadata."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 2, (60, 8, 8), np.uint8)
    values, classes = rng.random((60, 6)), rng.integers(0, 3, (60, 6))
    np.savez_compressed(
        tmp_path / "d.npz", imgs=images, latents_values=values, latents_classes=classes,
        metadata=np.array([{"title": "x"}], object),
    )  # fmt: skip
    found = open_dataset(tmp_path / "d.npz")
    assert images_of(found).keys() == {image.tobytes() for image in images * 255}
    place = {image.tobytes(): i for i, image in enumerate(images * 255)}
    rows = [place[image.tobytes()] for image in found.test.images]
    assert found.test.attributes["latents_values.4"].tolist() == values[rows, 4].tolist()
    assert found.test.attributes["latents_classes.0"].tolist() == classes[rows, 0].tolist()
    assert any("metadata in d.npz is pickled and passed over" in note for note in found.notes)


def test_columns_have_the_names_that_the_file_gives_them(tmp_path: Path) -> None:
    names = np.array(["size", "angle"])
    np.savez(tmp_path / "d.npz", x=noise(0, (20, 4, 4)), factors=np.arange(40.0).reshape(20, 2), factor_names=names)
    assert set(open_dataset(tmp_path / "d.npz").train.attributes) == {"size", "angle"}


def test_parts_of_a_file_have_attributes_of_their_own(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "d.npz", x_train=noise(0, (20, 4, 4)), x_test=noise(1, (5, 4, 4)), y_train=np.array(["a", "b"] * 10),
        y_test=np.array(["b"] * 5), age_train=np.arange(20), age_test=np.arange(5), only_train=np.arange(20),
    )  # fmt: skip
    found = open_dataset(tmp_path / "d.npz")
    assert found.train.attributes["age"].tolist() == list(range(20))
    assert found.test.attributes["age"].tolist() == list(range(5))
    assert "only" not in found.train.attributes
    assert any("only: only the train images have it" in note for note in found.notes)
    assert found.test.labels is not None
    assert [found.label_names[i] for i in found.test.labels] == ["b"] * 5


def test_a_file_of_pickled_images_says_why_there_are_none(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", images=np.array([{}], object))
    with pytest.raises(FileError, match=r"pickled objects alone.*np\.stack"):
        open_dataset(tmp_path / "d.npz")


def test_a_damaged_archive_is_an_error_that_names_it(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", images=noise(0, (20, 4, 4)))
    whole = (tmp_path / "d.npz").read_bytes()
    for cut in (10, 40, len(whole) // 2, len(whole) - 3):
        (tmp_path / "d.npz").write_bytes(whole[:cut])
        with pytest.raises(FileError, match=r"d\.npz is damaged or foreign"):
            open_dataset(tmp_path / "d.npz")


def idx(array: np.ndarray, code: int, dtype: str) -> bytes:
    return (
        bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.astype(dtype).tobytes()
    )


@pytest.mark.parametrize(("code", "dtype"), [(8, "u1"), (9, "i1"), (11, ">i2"), (12, ">i4"), (13, ">f4"), (14, ">f8")])
def test_idx_files_of_all_kinds_of_numbers(code: int, dtype: str) -> None:
    array = np.array([[1, 2, 3], [100, 5, 127]])
    found = parse_idx(idx(array, code, dtype), "x")
    assert found.tolist() == array.tolist()
    assert found.dtype.isnative


@pytest.mark.parametrize(
    ("train", "labels", "test", "test_labels"),
    [
        ("emnist-letters-train-images-idx3-ubyte", "emnist-letters-train-labels-idx1-ubyte",
         "emnist-letters-test-images-idx3-ubyte", "emnist-letters-test-labels-idx1-ubyte"),
        ("train-images.idx3-ubyte", "train-labels.idx1-ubyte", "t10k-images.idx3-ubyte", "t10k-labels.idx1-ubyte"),
        ("k49-train-images-idx3-ubyte", "k49-train-labels-idx1-ubyte", "k49-t10k-images-idx3-ubyte",
         "k49-t10k-labels-idx1-ubyte"),
    ],
)  # fmt: skip
def test_the_official_test_set_is_found_by_its_name(
    tmp_path: Path, train: str, labels: str, test: str, test_labels: str
) -> None:
    for name, array in (
        (train, noise(0, (20, 6, 6))), (labels, np.arange(20) % 4 + 1), (test, noise(1, (7, 6, 6))),
        (test_labels, np.arange(7) % 4 + 1),
    ):  # fmt: skip
        (tmp_path / name).write_bytes(idx(array, 8, "u1"))
    found = open_dataset(tmp_path / train)
    assert (len(found.train), len(found.test)) == (20, 7)
    assert found.label_names == ("1", "2", "3", "4")
    assert (found.test.images[:, ..., 0] == noise(1, (7, 6, 6))).all()


def test_labels_of_many_columns_keep_the_others_as_attributes(tmp_path: Path) -> None:
    (tmp_path / "qmnist-train-images-idx3-ubyte").write_bytes(idx(noise(0, (20, 6, 6)), 8, "u1"))
    columns = np.stack([np.arange(20) % 10, np.arange(20) + 500], 1)
    (tmp_path / "qmnist-train-labels-idx2-int").write_bytes(idx(columns, 12, ">i4"))
    found = open_dataset(tmp_path / "qmnist-train-images-idx3-ubyte")
    assert found.label_names == tuple("0123456789")
    assert sorted([*found.train.attributes["extra.0"], *found.test.attributes["extra.0"]]) == list(range(500, 520))


@pytest.mark.parametrize("large", [False, True])
def test_attributes_of_arrays_are_labels_and_groups_where_they_are_asked_for(
    tmp_path: Path, large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if large:
        monkeypatch.setattr("morphospace.data.arrays.LARGE", 0)
    kinds, patients = np.array(["x", "y"] * 30), np.arange(60) // 6
    np.savez(tmp_path / "d.npz", images=noise(0, (60, 4, 4)), labels=np.arange(60) % 3, kind=kinds, patient=patients)
    found = open_dataset(tmp_path / "d.npz", Preparation(label="Kind", group="patient"))
    place = {image.tobytes(): i for i, image in enumerate(noise(0, (60, 4, 4)))}
    test = [place[image.tobytes()] for image in found.test.images]
    assert found.label_names == ("x", "y")
    assert found.test.labels is not None
    assert [found.label_names[i] for i in found.test.labels] == kinds[test].tolist()
    assert {patients[i] for i in test}.isdisjoint({patients[i] for i in range(60) if i not in test})
    assert any('one "patient" stay on one side of the split; there are 10' in note for note in found.notes)
    with pytest.raises(ArgumentError, match=r'^label: there is no column "colour".*kind'):
        open_dataset(tmp_path / "d.npz", Preparation(label="colour"))


def test_names_of_files_are_no_labels_of_arrays(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", noise(0, (20, 4, 4)))
    with pytest.raises(MorphospaceError, match=r"^label_from: "):
        open_dataset(tmp_path / "x.npy", Preparation(label_from="(a)"))


# -- larger than memory ----------------------------------------------------------------------------------------


@pytest.fixture
def _anything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("morphospace.data.arrays.LARGE", 0)
    monkeypatch.setattr("morphospace.data.prepared._IN_MEMORY", 0)


@pytest.mark.usefixtures("_anything_is_large")
@pytest.mark.parametrize("kind", ["npy", "npz", "packed npz"])
def test_arrays_larger_than_memory_are_the_same_set_from_the_disk(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = np.random.default_rng(0).integers(0, 4096, (300, 12, 10)).astype(np.uint16)
    labels, ages = np.array(["a", "b", "c"] * 100), np.arange(300.0)
    path = tmp_path / f"x.{kind[-3:]}"
    if kind == "npy":
        np.save(path, images)
        expected = dataset_from_arrays(images)
    else:
        (np.savez_compressed if "packed" in kind else np.savez)(path, images=images, labels=labels, age=ages)
        expected = dataset_from_arrays(images, labels)
    monkeypatch.setattr("morphospace.data.levels._BLOCK", 20_000)
    found = open_dataset(path)
    assert isinstance(found.train.images, StoredImages)
    assert (found.train.images[:] == expected.train.images[:]).all()
    assert (found.test.images[:] == expected.test.images[:]).all()
    assert (found.fingerprint, found.content) == (expected.fingerprint, expected.content)
    assert found.label_names == expected.label_names
    assert found.preparation["interpretation"] == expected.preparation["interpretation"]
    assert found.notes == expected.notes
    if kind != "npy":
        assert sorted([*found.train.attributes["age"], *found.test.attributes["age"]]) == ages.tolist()
    monkeypatch.setattr("morphospace.data.large_arrays._write", lambda *_: pytest.fail("prepared again"))
    assert open_dataset(path).fingerprint == found.fingerprint
    assert not list(Path(found.preparation["folder"]).glob("unpacked"))


@pytest.mark.usefixtures("_anything_is_large")
def test_parts_and_sizes_of_large_arrays_are_what_they_should_be(tmp_path: Path) -> None:
    train, test = noise(0, (40, 12, 10, 3)), noise(1, (7, 12, 10, 3))
    np.savez(tmp_path / "x.npz", x_train=train, x_test=test, y_train=np.arange(40) % 2 + 1, y_test=np.arange(7) % 2 + 1)
    whole = open_dataset(tmp_path / "x.npz")
    assert (whole.test.images[:] == test).all()
    assert whole.label_names == ("1", "2")
    assert whole.test.labels is not None
    assert whole.test.labels.tolist() == (np.arange(7) % 2).tolist()
    small = open_dataset(tmp_path / "x.npz", Preparation(size=(6, 5), colour="grey"))
    assert small.shape == (6, 5, 1)
    assert (small.test.images[3] == fit_image(test[3], (6, 5, 1), "crop")).all()
    assert small.content == whole.content


@pytest.mark.usefixtures("_anything_is_large")
def test_large_arrays_take_little_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("morphospace.data.levels._BLOCK", 200_000)
    images = np.random.default_rng(0).integers(0, 2, (20_000, 24, 24), np.uint8)
    np.savez(tmp_path / "x.npz", images=images)
    tracemalloc.start()
    found = open_dataset(tmp_path / "x.npz")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found.train) + len(found.test) == 20_000
    assert peak < images.nbytes / 2


@pytest.mark.parametrize(("arrays", "counts"), ARRAYS)
def test_npz_files_of_known_names(tmp_path: Path, arrays: dict[str, np.ndarray], counts: tuple[int, int, int]) -> None:
    np.savez(tmp_path / "a.npz", **arrays)  # type: ignore[arg-type]
    found = open_dataset(tmp_path / "a.npz")
    validation = 0 if found.validation is None else len(found.validation)
    assert (len(found.train), len(found.test), validation) == counts
    assert found.source == str(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("array", "shape", "top"),
    [
        (noise(0, (20, 8, 6)), (8, 6, 1), 255),
        (noise(0, (20, 3, 8, 6)), (8, 6, 3), 255),
        (noise(0, (20, 8, 6, 4)), (8, 6, 3), 255),
        (noise(0, (20, 8, 6)) > 128, (8, 6, 1), 255),
        ((noise(0, (20, 8, 6)) > 128).astype(np.uint8), (8, 6, 1), 255),
        (noise(0, (20, 8, 6)).astype(np.float32) / 255, (8, 6, 1), 255),
        (noise(0, (20, 8, 6)).astype(np.float64), (8, 6, 1), 255),
    ],
)
def test_arrays_as_people_store_them(tmp_path: Path, array: np.ndarray, shape: tuple[int, int, int], top: int) -> None:
    np.save(tmp_path / "a.npy", array)
    found = open_dataset(tmp_path / "a.npy")
    assert found.shape == shape
    assert np.max(found.train.images[:]) >= top - 3


@pytest.mark.parametrize(
    "array", [np.zeros((5, 784)), np.full((5, 8, 8), -1.0), np.full((5, 8, 8), np.nan), np.zeros((5, 8, 8), "U3")]
)
def test_arrays_that_are_no_images(tmp_path: Path, array: np.ndarray) -> None:
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(DataError, match="expected"):
        open_dataset(tmp_path / "a.npy")


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["npy", "npz"]), st.integers(0, 900), st.integers(0, 900), st.integers(0, 255), st.booleans())
def test_a_mutated_array_file_is_a_set_or_an_error(
    tmp_path_factory: pytest.TempPathFactory, kind: str, cut: int, place: int, value: int, whole: bool
) -> None:
    path = tmp_path_factory.mktemp("a") / f"a.{kind}"
    (np.save if kind == "npy" else np.savez)(path, noise(0, (6, 8, 8)))
    data = bytearray(path.read_bytes() if whole else path.read_bytes()[:cut])
    if data:
        data[place % len(data)] = value
    path.write_bytes(bytes(data))
    try:
        assert open_dataset(path).train.images.dtype == np.uint8
    except (DataError, FileError) as error:
        assert str(error)


def test_pickles_are_not_opened(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(FileError, match="plain numbers"):
        open_dataset(tmp_path / "a.npy")


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
