"""Preparation: what becomes of pictures, what is kept, and what a kill or a full disk leaves."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image
from tests.pictures import encoded, noise, write_folder

import morphospace.data.prepared as prepared_module
from morphospace.data import Dataset, Preparation, dataset_from_arrays, open_dataset
from morphospace.data.export import export_folder
from morphospace.data.store import StoredImages, write_header
from morphospace.errors import DataError, FileError
from morphospace.images import fit_image, read_image

KILLS = 50


# -- form ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((28, 20), (28, 20)),
        ((64, 96), (64, 96)),
        ((128, 100), (128, 100)),
        ((300, 200), (78, 52)),
        ((200, 300), (52, 78)),
    ],
)
def test_a_set_of_one_size_keeps_it_or_its_proportions(tmp_path: Path, size: tuple[int, int], expected: Any) -> None:
    write_folder(tmp_path, 6, (*size, 3))
    assert open_dataset(tmp_path).shape == (*expected, 3)


def test_many_sizes_get_the_middle_one_and_it_is_said(tmp_path: Path) -> None:
    for i in range(9):
        (tmp_path / f"{i}.png").write_bytes(encoded(noise(i, (40 + i, 80 + i, 3))))
    found = open_dataset(tmp_path)
    assert found.shape == (44, 84, 3)
    assert "pictures of 9 sizes were scaled and cropped to 84x44" in found.notes[0]


def test_the_sizes_of_files_are_their_own_however_they_are_decoded(tmp_path: Path) -> None:
    """Large JPEGs are decoded at a part of their size, and some lie on their side."""
    for i in range(4):
        (tmp_path / f"{i}.jpg").write_bytes(encoded(noise(i, (600, 800, 3)), "JPEG"))
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(tmp_path / "3.jpg") as picture:
        picture.save(tmp_path / "3.jpg", exif=exif)
    assert open_dataset(tmp_path).preparation["sizes"] == {"800x600": 3, "600x800": 1}


def test_colour_is_chosen_by_what_the_pictures_are(tmp_path: Path) -> None:
    grey = write_folder(tmp_path / "grey", 6, (10, 10))
    for i in range(6, 12):
        (grey / f"{i}.png").write_bytes(encoded(np.repeat(noise(i, (10, 10, 1)), 3, -1)))
    assert open_dataset(grey).shape == (10, 10, 1)
    assert open_dataset(grey, Preparation(colour="colour")).shape == (10, 10, 3)
    (grey / "x.png").write_bytes(encoded(noise(99, (10, 10, 3))))
    assert open_dataset(grey).shape == (10, 10, 3)
    turned = open_dataset(grey, Preparation(colour="grey"))
    assert turned.shape == (10, 10, 1)
    assert "1 picture with colour became grey" in turned.notes[0]


@pytest.mark.parametrize("resize", ["crop", "pad", "fit"])
def test_what_is_prepared_is_what_a_single_picture_becomes(tmp_path: Path, resize: Any) -> None:
    """A space must see a file as training saw it."""
    for i in range(8):
        (tmp_path / f"{i}.jpg").write_bytes(encoded(noise(i, (90 + i, 150, 3)), "JPEG"))
    found = open_dataset(tmp_path, Preparation(size=(16, 24), resize=resize))
    alone = {fit_image(read_image(tmp_path / f"{i}.jpg", near=24), (16, 24, 3), resize).tobytes() for i in range(8)}
    assert {image.tobytes() for image in [*found.train.images, *found.test.images]} == alone


def test_arrays_take_another_form_too() -> None:
    found = open_dataset("digits", Preparation(size=(12, 10), colour="colour"))
    assert found.shape == (12, 10, 3)
    assert found.fingerprint != open_dataset("digits").fingerprint


# -- sprites ------------------------------------------------------------------------------------------


def test_sprites_are_deterministic_and_grow_without_moving() -> None:
    some = open_dataset("sprites:count=300,size=24x16")
    more = open_dataset("sprites:count=400,size=24x16")
    assert some.shape == (16, 24, 3)
    assert some.label_names == ("ellipse", "heart", "square")
    assert set(some.train.attributes) == {"shape", "scale", "rotation", "x", "y", "hue"}
    pictures = {image.tobytes() for image in more.train.images}
    assert sum(image.tobytes() in pictures for image in some.train.images) == len(some.train)
    assert open_dataset("sprites:count=300,size=24x16,seed=1").fingerprint != some.fingerprint
    assert open_dataset("sprites:count=300", Preparation(size=(16, 24))).fingerprint == some.fingerprint
    assert open_dataset("sprites:count=50,size=16,colour=grey").shape == (16, 16, 1)


def test_the_factors_of_sprites_are_in_their_pictures() -> None:
    found = open_dataset("sprites:count=400,size=32").train
    ink = 255.0 - found.images[:].astype(float)
    dark = ink.sum(-1)  # (N, H, W)
    weight = dark.sum((1, 2))
    assert (weight > 0).all()
    across = (dark.sum(1) * np.arange(32)).sum(1) / weight
    down = (dark.sum(2) * np.arange(32)).sum(1) / weight
    for name, middle in (("x", across), ("y", down)):
        assert np.corrcoef(np.asarray(found.attributes[name], float), middle)[0, 1] > 0.99
    covered = (dark > 30).sum((1, 2))
    squares = np.asarray(found.attributes["shape"]) == "square"
    scale = np.asarray(found.attributes["scale"], float)
    assert np.corrcoef(scale[squares] ** 2, covered[squares])[0, 1] > 0.95
    soft = (dark > 0) & (dark < dark.max((1, 2), keepdims=True) * 0.95)
    assert 0.05 < soft.sum() / (dark > 0).sum() < 0.6, "edges are anti-aliased"


# -- in and out ---------------------------------------------------------------------------------------


def test_a_set_written_out_and_read_in_is_the_same_set(tmp_path: Path) -> None:
    before = open_dataset("sprites:count=120,size=16")
    assert export_folder(before, tmp_path / "out") == 120
    after = open_dataset(tmp_path / "out")
    assert after.label_names == before.label_names
    for split in ("train", "test"):
        old, new = before.split(split), after.split(split)
        assert (new.images[:] == old.images[:]).all(), "in the same order, so that it trains to the same bits"
        assert np.array_equal(new.labels, old.labels)  # type: ignore[arg-type]
        assert {"shape", "scale", "x", "y", "hue"} <= set(old.attributes) == set(new.attributes)
        for name, values in old.attributes.items():
            assert (new.attributes[name] == values).all()


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


def test_a_set_of_the_hub_library(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    from PIL import Image

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


def test_binarized_mnist(mnist: Dataset) -> None:
    found = open_dataset("binarized-mnist")
    assert (len(found.train), len(found.test)) == (50_000, 10_000)
    assert found.validation is not None
    assert len(found.validation) == 10_000
    assert set(np.unique(found.test.images[:500])) == {0, 255}
    assert found.test.labels is not None
    assert len(set(found.test.labels[:100])) == 10, "not sorted by label"


# -- in a file ----------------------------------------------------------------------------------------


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


# -- a cache that holds -------------------------------------------------------------------------------


def cache() -> Path:
    return Path(os.environ["MORPHOSPACE_CACHE"]) / "prepared"


@pytest.mark.parametrize("name", ["prepared.json", "images.npy", "columns.npz"])
def test_a_damaged_cache_is_made_anew(tmp_path: Path, name: str) -> None:
    folder = write_folder(tmp_path / "f", 10)
    first = open_dataset(folder)
    path = Path(first.preparation["folder"]) / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert open_dataset(folder).fingerprint == first.fingerprint


PREPARE = [sys.executable, "-m", "morphospace", "data", "prepare"]


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "MORPHOSPACE_CACHE": str(folder)}


# As in the tests of resuming: a new process would mostly be killed in its imports, so children are forked.
KILLER = """
import os, random, signal, sys, time
from morphospace.data import open_dataset
import morphospace.data.prepare, morphospace.data.items, PIL.PngImagePlugin, loky

source, kills = sys.argv[1], int(sys.argv[2])
rng, killed, wait = random.Random(3), 0, 1.0
while killed < kills:
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        open_dataset(source)
        os._exit(0)
    began = time.monotonic()
    time.sleep(rng.uniform(0.0, wait))
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        killed += 1
    else:
        wait = 0.9 * wait
        for path in __import__("pathlib").Path(os.environ["MORPHOSPACE_CACHE"]).glob("prepared/*/set/prepared.json"):
            path.unlink()
print(wait)
"""


@pytest.mark.parametrize("kills", [8, pytest.param(KILLS, marks=pytest.mark.acceptance)])
def test_kills_lose_nothing(kills: int, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "f", 600, (24, 24, 3))
    expected = open_dataset(folder).fingerprint
    home = tmp_path / "cache"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", KILLER, str(folder), str(kills)],
        env=environment(home), capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    last = subprocess.run(
        [*PREPARE, str(folder), "--json"], env=environment(home), capture_output=True, text=True, check=True
    )
    said = json.loads(last.stdout)
    assert said["images"] == 600
    assert said["fingerprint"] == expected
    left = [path.name for path in home.rglob("*") if path.is_file()]
    assert sorted(left) == [".lock", ".morphospace", "columns.npz", "images.npy", "prepared.json"]


def test_a_full_disk_leaves_nothing_half_written_and_says_so(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "f", 400, (32, 32, 3))
    home = tmp_path / "cache"

    def limit() -> None:
        # A write beyond this fails as on a full disk; the workers inherit it.
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    ran = subprocess.run(
        [*PREPARE, str(folder)], env=environment(home), capture_output=True, text=True, preexec_fn=limit, check=False
    )
    assert ran.returncode == 1
    assert "cannot write" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert [path.name for path in home.rglob("*") if path.is_file()] == [".lock"]
    subprocess.run([*PREPARE, str(folder)], env=environment(home), capture_output=True, check=True)


def test_too_little_room_is_said_before_work_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_folder(tmp_path / "f", 10)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(9, 9, 9))
    with pytest.raises(FileError, match="GB free"):
        open_dataset(folder)


def test_ctrl_c_ends_all_processes_and_leaves_nothing(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "f", 6000, (32, 32, 3))
    home = tmp_path / "cache"
    process = subprocess.Popen(
        [*PREPARE, str(folder)], env=environment(home), stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        start_new_session=True,
        # A shell's background jobs ignore Ctrl-C, and what they start inherits that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    deadline = time.monotonic() + 30
    while not list(home.rglob("images.npy")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert [path.name for path in home.rglob("*") if path.is_file()] == [".lock"]


def test_two_processes_prepare_a_set_once(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "f", 300, (24, 24, 3))
    both = [
        subprocess.Popen(
            [*PREPARE, str(folder), "--json"], env=environment(tmp_path / "c"), stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    said = [json.loads(process.communicate(timeout=60)[0]) for process in both]
    assert said[0]["fingerprint"] == said[1]["fingerprint"]
    assert len(list((tmp_path / "c" / "prepared").iterdir())) == 1


def test_dataset_from_arrays_takes_a_validation_split() -> None:
    found = dataset_from_arrays(
        noise(0, (9, 4, 4)), test_images=noise(1, (3, 4, 4)), validation_images=noise(2, (2, 4, 4))
    )
    assert found.validation is not None
    with pytest.raises(DataError, match="validation_images"):
        dataset_from_arrays(noise(0, (9, 4, 4)), test_images=noise(1, (3, 4, 4)), validation_images=noise(2, (2, 5, 4)))
