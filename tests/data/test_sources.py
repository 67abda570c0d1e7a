"""Data sets: the split, the fingerprint, where they are looked for, downloads."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from morphospace.data import Dataset, batch_indices, dataset_from_arrays, open_dataset, open_item
from morphospace.data import named as named_module
from morphospace.data.fetch import download
from morphospace.data.idx import parse_idx, unpack
from morphospace.errors import ArgumentError, DataError, FileError
from morphospace.images import as_images


def test_digits_are_real_and_split_by_content(digits: Dataset) -> None:
    assert digits.shape == (8, 8, 1)
    assert len(digits.train) + len(digits.test) == 1797
    assert 0.08 < len(digits.test) / 1797 < 0.12
    assert digits.train.images.dtype == np.uint8
    assert np.max(digits.train.images[:]) == 255
    assert digits.label_names == tuple("0123456789")
    assert open_dataset("digits").fingerprint == digits.fingerprint


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(images=hnp.arrays(np.uint8, st.tuples(st.integers(2, 60), st.just(3), st.just(2))), data=st.data())
def test_the_split_depends_on_content_only(images: np.ndarray, data: st.DataObject) -> None:
    if (images == images[0]).all():
        with pytest.raises(DataError, match="different images"):
            dataset_from_arrays(images)
        return
    first = dataset_from_arrays(images)
    order = np.array(data.draw(st.permutations(range(len(images)))))
    second = dataset_from_arrays(images[order])
    kinds = [{image.tobytes() for image in s.test.images} for s in (first, second)]
    assert kinds[0] == kinds[1]
    assert not kinds[0] & {image.tobytes() for image in first.train.images}
    assert len(first.test) >= 1
    assert len(first.train) >= 1


def test_fingerprint_sees_pixels_labels_and_shape() -> None:
    images = np.arange(5 * 4 * 4, dtype=np.uint8).reshape(5, 4, 4)
    labels = np.arange(5)
    base = dataset_from_arrays(images, labels, test_images=images)
    changed = images.copy()
    changed[0, 0, 0] += 1
    others = [
        dataset_from_arrays(changed, labels, test_images=images),
        dataset_from_arrays(images, labels[::-1].copy(), test_images=images),
        dataset_from_arrays(images.reshape(5, 2, 8), labels, test_images=images.reshape(5, 2, 8)),
    ]
    assert len({s.fingerprint for s in (base, *others)}) == 4


@given(
    count=st.integers(1, 300), seed=st.integers(0, 2**40), stage=st.integers(0, 3), epoch=st.integers(0, 99),
    data=st.data(),
)  # fmt: skip
@settings(max_examples=50, deadline=None)
def test_batches_use_each_image_at_most_once(
    count: int, seed: int, stage: int, epoch: int, data: st.DataObject
) -> None:
    batch = data.draw(st.integers(1, count))
    found = batch_indices(count, batch, seed=seed, stage=stage, epoch=epoch)
    assert found.shape == (count // batch, batch)
    assert len(set(found.ravel().tolist())) == found.size
    assert (found == batch_indices(count, batch, seed=seed, stage=stage, epoch=epoch)).all()


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (np.full((3, 4, 4), np.nan), "NaN"),
        (np.full((3, 4, 4), -1), "0..255, got -1"),
        (np.full((3, 4, 4), 256), "0..255, got 256"),
        (np.full((3, 4, 4), 0.5), "fractions"),
        (np.zeros((3, 4, 4, 2), np.uint8), "C 1 or 3"),
        (np.zeros((0, 4, 4), np.uint8), "at least one image"),
        (np.zeros(4, np.uint8), "shape"),
        ([], "empty"),
        ("/nowhere.png", "cannot read"),
        (object(), "array of numbers"),
        ([np.zeros((4, 4)), np.zeros((5, 4))], "one size"),
    ],
)
def test_images_that_are_none_are_refused(images: object, words: str) -> None:
    with pytest.raises((DataError, FileError), match=re.escape(words)):
        as_images(images)


def test_images_of_many_kinds_are_taken() -> None:
    assert as_images(np.ones((4, 5))).shape == (1, 4, 5, 1)
    assert as_images(np.array([[True, False]])).ravel().tolist() == [255, 0]
    for kind in (np.float32, np.int64, np.int8):
        assert as_images(np.array([[0, 1]], kind)).ravel().tolist() == [0, 255]
    assert as_images(np.array([[0, 1]], np.uint8)).ravel().tolist() == [0, 1]
    assert as_images([np.array([[0, 1]]), np.array([[0, 200]])]).ravel().tolist() == [0, 1, 0, 200]
    assert as_images([[1, 2], [3, 4]]).shape == (1, 2, 2, 1)
    frozen = np.zeros((2, 4, 4), np.uint8)
    frozen.setflags(write=False)
    assert as_images(frozen).flags.writeable


@pytest.mark.parametrize("labels", [[0, 1], [0, -1, 1], [0.5, 1.0, 2.0], [[0], [1], [2]]])
def test_labels_that_do_not_fit_are_refused(labels: list[int]) -> None:
    images = np.arange(48, dtype=np.uint8).reshape(3, 4, 4)
    with pytest.raises(DataError, match="labels"):
        dataset_from_arrays(images, labels)


@pytest.mark.parametrize("item", ["digits:test/3", "digits:train/0"])
def test_items(item: str, digits: Dataset) -> None:
    split = digits.split(item[7:].partition("/")[0])
    assert (open_item(item) == split.images[int(item.rpartition("/")[2])]).all()


@pytest.mark.parametrize(
    "item", ["digits:test/99999", "digits:best/0", "digits:test/x", "digits:test/-1", "dgits:test/0"]
)
def test_items_that_are_none(item: str) -> None:
    with pytest.raises(ArgumentError):
        open_item(item)


def test_a_mistyped_set_suggests_the_right_one() -> None:
    with pytest.raises(ArgumentError, match='Did you mean "mnist"'):
        open_dataset("mnits")


# -- IDX ---------------------------------------------------------------------------------------------


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


@given(hnp.arrays(np.uint8, st.lists(st.integers(1, 5), min_size=1, max_size=4).map(tuple)))
def test_idx_round_trip(array: np.ndarray) -> None:
    assert (parse_idx(idx(array), "x") == array).all()
    assert (parse_idx(unpack(gzip.compress(idx(array)), "x"), "x") == array).all()


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60), st.integers(0, 40), st.integers(0, 255))
def test_mutated_idx_is_an_error_or_an_array(tail: bytes, place: int, value: int) -> None:
    data = bytearray(idx(np.arange(24, dtype=np.uint8).reshape(2, 3, 4)) + tail)
    data[min(place, len(data) - 1)] = value
    for content in (bytes(data), gzip.compress(bytes(data))[:-3], tail):
        try:
            assert parse_idx(unpack(content, "x"), "x").dtype == np.uint8
        except FileError as error:
            assert "x is" in str(error)


# -- where files come from ---------------------------------------------------------------------------


def small_mnist() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "train-images-idx3-ubyte": rng.integers(0, 255, (30, 28, 28), np.uint8),
        "train-labels-idx1-ubyte": rng.integers(0, 9, 30).astype(np.uint8),
        "t10k-images-idx3-ubyte": rng.integers(0, 255, (10, 28, 28), np.uint8),
        "t10k-labels-idx1-ubyte": rng.integers(0, 9, 10).astype(np.uint8),
    }


class Server:
    """Serves files from memory, with ranges; may break off in the middle."""

    def __init__(self, files: dict[str, bytes], break_after: int | None = None) -> None:
        self.asked: list[tuple[str, str | None]] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append((self.path, self.headers.get("Range")))
                data = files.get(self.path.lstrip("/"))
                if data is None:
                    self.send_error(404)
                    return
                start = int(re.findall(r"\d+", self.headers.get("Range", "0"))[0])
                if start >= len(data):
                    self.send_error(416)
                    return
                self.send_response(206 if start else 200)
                self.send_header("Content-Length", str(len(data) - start))
                self.end_headers()
                stop = len(data) if break_after is None else min(len(data), start + break_after)
                self.wfile.write(data[start:stop])

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def serve() -> Iterator[type[Server]]:
    made: list[Server] = []

    class Tracked(Server):
        def __init__(self, files: dict[str, bytes], break_after: int | None = None) -> None:
            super().__init__(files, break_after)
            made.append(self)

    yield Tracked
    for server in made:
        server.server.shutdown()
        server.server.server_close()


def test_download_resumes_where_it_broke_and_checks_the_content(serve: type[Server], tmp_path: Path) -> None:
    content = np.random.default_rng(0).bytes(300_000)
    data = gzip.compress(content)
    sha256 = hashlib.sha256(content).hexdigest()
    server = serve({"f.gz": data}, break_after=200_000)
    path = tmp_path / "cache" / "f.gz"
    with pytest.raises(FileError, match="broke after"):
        download([server.url + "f.gz"], path, sha256)
    assert not path.exists()
    seen: list[tuple[Any, ...]] = []
    download([server.url + "f.gz"], path, sha256, progress=lambda *a: seen.append(a))
    assert path.read_bytes() == data
    assert server.asked[1][1] == "bytes=200000-"
    assert seen[-1] == ("fetching f.gz", len(data), len(data), "bytes")
    assert not list(path.parent.glob("*.part"))


def test_download_goes_on_to_the_next_mirror(serve: type[Server], tmp_path: Path) -> None:
    content = b"right"
    sha256 = hashlib.sha256(content).hexdigest()
    server = serve({"wrong": b"wrong", "cut.gz": gzip.compress(content)[:-4], "right": content})
    urls = [server.url + name for name in ("missing", "wrong", "cut.gz", "right")]
    download(urls, tmp_path / "f", sha256)
    assert (tmp_path / "f").read_bytes() == content
    with pytest.raises(FileError, match="expected"):
        download(urls[:3], tmp_path / "g", sha256)
    assert not list(tmp_path.glob("g*"))


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
