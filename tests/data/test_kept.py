"""Prepared sets that are kept: listed as they are, and gone when they are to go."""

from __future__ import annotations

import os
import pickle
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from filelock import FileLock
from tests.pictures import write_folder

import morphospace.data.prepared as prepared_module
from morphospace.cli.opening import image_argument
from morphospace.data import Preparation, forget, kept_sets, open_dataset, open_item, prepared_folder
from morphospace.data.store import StoredImages
from morphospace.errors import FileError
from morphospace.space import Space
from morphospace.workflow import preparation_for


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MORPHOSPACE_CACHE", str(tmp_path / "cache"))
    return prepared_folder()


def test_each_form_of_a_set_is_listed_the_last_used_first(tmp_path: Path, cache: Path) -> None:
    assert kept_sets(cache) == []
    photos = write_folder(tmp_path / "photos", 6, (10, 12, 3))
    forms = [Preparation(), Preparation(size=(8, 8), colour="grey")]
    for i, form in enumerate(forms):
        folder = Path(open_dataset(photos, form).preparation["folder"]).parent
        os.utime(folder, (i, i))
    small, large = kept_sets(cache)
    assert (small.shape, large.shape) == ((6, 8, 8, 1), (6, 10, 12, 3))
    assert small.source == large.source == str(photos)
    assert small.nbytes > 6 * 64
    open_dataset(photos)  # from the cache, which is a use
    assert kept_sets(cache)[0].shape == large.shape


def test_what_is_forgotten_is_gone_and_comes_again_and_the_pictures_stay(tmp_path: Path, cache: Path) -> None:
    photos = write_folder(tmp_path / "photos", 6, (10, 12, 3))
    before = {path: path.read_bytes() for path in photos.iterdir()}
    found = open_dataset(photos)
    open_dataset("sprites:count=4,size=8")
    drawn, kept = kept_sets(cache)
    forget([kept])
    assert kept_sets(cache) == [drawn]
    assert [path.name for path in kept.folder.iterdir()] == [".lock"]
    assert {path: path.read_bytes() for path in photos.iterdir()} == before
    assert open_dataset(photos).fingerprint == found.fingerprint


def test_a_large_set_that_is_open_reads_on_when_it_is_forgotten(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepared_module, "_IN_MEMORY", 0)
    photos = write_folder(tmp_path / "photos", 6, (10, 12, 3))
    images = open_dataset(photos).train.images
    assert isinstance(images, StoredImages)
    before = images[:].copy()
    forget(kept_sets(cache))
    assert (images[:] == before).all()


def test_what_a_kill_left_is_listed_and_goes(cache: Path) -> None:
    partial = cache / "photos-0123456789abcdef" / ".morpho-partial-x"
    partial.mkdir(parents=True)
    (partial / "images.npy").write_bytes(bytes(1000))
    (kept,) = kept_sets(cache)
    assert (kept.shape, kept.source, kept.nbytes) == (None, "", 1000)
    forget([kept])
    assert kept_sets(cache) == []


def test_a_set_that_is_being_prepared_stays(tmp_path: Path, cache: Path) -> None:
    open_dataset(write_folder(tmp_path / "photos", 6, (10, 12, 3)))
    (kept,) = kept_sets(cache)
    with FileLock(kept.folder / ".lock"), pytest.raises(FileError, match="being prepared by another process"):
        forget([kept])
    assert kept_sets(cache) == [kept]


def test_attributes_are_those_of_the_set_that_was_opened(tmp_path: Path, cache: Path) -> None:
    photos = write_folder(tmp_path / "photos", 30, (10, 12, 3), start=10)
    names = [path.name for path in sorted(photos.iterdir())]
    (photos / "attributes.csv").write_text("\n".join(["file,age", *(f"{n},{n[:3]}" for n in names)]))
    found = open_dataset(photos)
    write_folder(photos, 3, (10, 12, 3))  # sorted before the others
    open_dataset(photos)
    assert sorted([*found.train.attributes["age"], *found.test.attributes["age"]]) == list(range(10, 40))
    forget(kept_sets(cache))
    assert len(found.train.attributes["age"]) == len(found.train)


def test_an_item_is_that_of_the_set_as_the_space_takes_it(tmp_path: Path, cache: Path, space: Space) -> None:
    """The split of a folder depends on its pixels, and these on its preparation."""
    photos = write_folder(tmp_path / "photos", 40, (30, 30, 3))
    prepared = open_dataset(photos, preparation_for(space))
    for i in range(len(prepared.test)):
        image = image_argument(space, f"{photos}:test/{i}")
        assert (image == prepared.test.images[i : i + 1]).all()
    assert open_item(f"{photos}:test/0", preparation_for(space)).shape == space.shape


def test_who_waits_for_the_lock_of_a_set_that_is_forgotten_prepares_it(tmp_path: Path, cache: Path) -> None:
    photos = write_folder(tmp_path / "photos", 6, (10, 12, 3))
    before = open_dataset(photos).fingerprint
    (kept,) = kept_sets(cache)
    with ThreadPoolExecutor(1) as pool:
        with FileLock(kept.folder / ".lock"):
            waiting = pool.submit(open_dataset, photos)
            time.sleep(0.3)
            shutil.rmtree(kept.folder / "set")  # as forget does within its lock
        assert waiting.result(30).fingerprint == before
    assert [k.folder for k in kept_sets(cache)] == [kept.folder]


def test_a_small_set_is_a_value(tmp_path: Path, cache: Path) -> None:
    found = open_dataset("sprites:count=30,size=8")
    again = pickle.loads(pickle.dumps(found))
    assert again.fingerprint == found.fingerprint
    assert (again.train.attributes["scale"] == found.train.attributes["scale"]).all()
