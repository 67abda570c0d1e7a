"""Which images are held out: by what they are, whatever their size and colours; runs of before keep their split."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tests.conftest import Ran
from tests.pictures import encoded, noise, write_files, write_folder

from morphospace.cli.space_data import data_for
from morphospace.data import Dataset, Preparation, Split, dataset_from_arrays, open_dataset, with_validation
from morphospace.data.dataset import array_keys, every_key
from morphospace.data.splitting import held_out, kept_together, key_of, lowest, split_kinds
from morphospace.errors import DataError, FileError
from morphospace.space import Space, load
from morphospace.training.runs import read_trained_on
from morphospace.workflow import own_preparation, resume_run, train

TINY = {"encoder_widths": (8,), "decoder_widths": (8,), "batch": 16}
COUNT = 8


def photos(folder: Path) -> Path:
    """Sixty pictures of three labels, of which version 0.1 made the set below."""
    for label, start in (("1", 0), ("2", 20), ("10", 40)):
        write_folder(folder / label, 20, start=start)
    return folder


# What version 0.1.0 wrote of that folder into recipe.json, and what it held out.
BEFORE = {
    "name": "photos",
    "fingerprint": "f091d0051b055fb524342440355b4bb3f162c37acb841bae552541fac495f544",
    "train_images": 56,
    "test_images": 4,
    "label_names": ["1", "10", "2"],
    "licence": "",
    "resize": "crop",
    "preparation": {"size": None, "resize": "crop", "colour": "auto", "strict": False},
}


HELD_OUT_BEFORE, CHOSEN_BEFORE = [0, 11, 23, 24], [36, 37, 42, 52, 54, 58]


def numbers(split: Split) -> list[int]:
    """Which of the pictures of ``photos`` are in a split."""
    known = {noise(i).tobytes(): i for i in range(60)}
    return sorted(known[image.tobytes()] for image in split.images)


def keys_of(split: Split) -> list[int]:
    assert split.keys is not None
    found: list[int] = split.keys.tolist()
    return found


# -- the split does not depend on the form ------------------------------------------------------------


def test_the_split_is_the_same_in_every_form(tmp_path: Path) -> None:
    folder = photos(tmp_path / "photos")
    names = [f"{label}/{path.name}" for label in ("1", "2", "10") for path in sorted((folder / label).iterdir())]
    expected = sorted(n for n in names if key_of((folder / n).read_bytes()) < 0.1 * 2**64)
    assert expected, "there are some"
    wishes: list[dict[str, Any]] = [{}, {"size": (8, 8)}, {"colour": "grey"}, {"size": (20, 9), "resize": "pad"}]
    found = [open_dataset(folder, Preparation(**wish)) for wish in wishes]
    name_of = {key_of((folder / n).read_bytes()): n for n in names}
    for one in found:
        assert sorted(name_of[key] for key in keys_of(one.test)) == expected
        assert keys_of(with_validation(one)[1]) == keys_of(with_validation(found[0])[1])
    assert len({one.content for one in found}) == 1
    assert len({one.fingerprint for one in found}) == 4


def test_sprites_are_split_by_their_numbers() -> None:
    forms = [open_dataset("sprites:count=200,size=8"), open_dataset("sprites:count=200,size=12,colour=grey")]
    assert forms[0].content == forms[1].content
    expected = [i for i in range(200) if key_of(f"sprite 0 {i}".encode()) < 0.1 * 2**64]
    assert len(forms[0].test) == len(expected)
    assert open_dataset("sprites:count=200,size=8,seed=1").content != forms[0].content


def test_arrays_of_bytes_keep_the_split_that_they_had(digits: Dataset) -> None:
    assert digits.fingerprint == "b7284607637a9b372955c08a8efe064590ac56e56bd192dc3a378f8d7e17ed1d"  # as of 0.1.0
    assert (len(digits.test), with_validation(digits)[1].labels[:5].tolist()) == (195, [7, 9, 4, 9, 9])  # type: ignore[index]
    assert open_dataset("digits", Preparation(size=(12, 12))).content == digits.content


def test_other_arrays_go_by_the_bytes_that_they_came_as() -> None:
    wide = noise(0, (50, 6, 5)).astype(np.int32)
    found = dataset_from_arrays(wide)
    assert set(keys_of(found.test)) == set(array_keys(wide)[held_out(array_keys(wide))].tolist())


def test_copies_stay_together_and_lie_on_both_sides_only_where_the_set_has_them(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "f", 30)
    for i in range(30):
        shutil.copy(folder / f"{i:03d}.png", folder / f"copy{i:03d}.png")
    found = open_dataset(folder)
    train, test = keys_of(found.train), keys_of(found.test)
    assert not set(train) & set(test)
    assert {test.count(key) for key in test} == {2}
    official = tmp_path / "official"
    write_folder(official / "train", 10)
    write_folder(official / "test", 4, start=8)
    assert "2 of the 4 test pictures are copies of training pictures" in open_dataset(official).notes


# -- groups -------------------------------------------------------------------------------------------


def test_groups_stay_on_one_side_and_join_by_copies() -> None:
    rng = np.random.default_rng(0)
    keys = rng.integers(0, 2**64, 600, np.uint64)
    groups = [f"patient {i % 60}" for i in range(600)]
    keys[3] = keys[14]  # patients 3 and 14 share a picture
    together = kept_together(keys, groups)
    assert len(set(together.tolist())) == 59
    assert together[3] == together[14] == together[63] == key_of(b"patient 14")
    assert together[0] == key_of(b"patient 0")
    held = held_out(together)
    assert 0 < held.sum() < 300
    for group in range(60):
        assert len(set(held[group::60].tolist())) == 1
    more = kept_together(np.append(keys, np.uint64(5)), [*groups, "patient 60"])
    assert (more[:-1] == together).all(), "a set that grows moves nothing"


def test_pictures_of_no_group_go_by_themselves_or_with_their_copies() -> None:
    keys = np.array([1, 2, 2, 3], np.uint64)
    assert kept_together(keys, ["a", "a", "", ""]).tolist() == [key_of(b"a")] * 3 + [3]


def test_a_split_of_the_sets_own_wins_over_groups_and_it_is_said() -> None:
    keys, good = np.arange(4, dtype=np.uint64), np.zeros(4, bool)
    groups = kept_together(keys, ["a", "b", "a", "b"])
    kinds, notes = split_kinds("f", ["train", "train", "test", "train"], keys, groups, good)
    assert kinds.tolist() == [0, 0, 1, 0]
    assert notes == [
        "1 groups lie on both sides of the split: the set has a split of its own, and `group` does not change that"
    ]
    with pytest.raises(DataError, match="belong together, by their groups and copies"):
        split_kinds("f", [], keys, kept_together(keys, ["a"] * 4), good)
    kinds, notes = split_kinds("f", [], keys, groups, good)
    assert sorted(np.bincount(kinds).tolist()) == [2, 2]
    assert notes == ["as groups stay together, 50% of the pictures are the test, not a tenth"]


def test_validation_images_are_whole_groups() -> None:
    keys = np.random.default_rng(1).integers(0, 2**64, 300, np.uint64)
    together = kept_together(keys, [f"{i // 10}" for i in range(300)])
    images = noise(0, (300, 4, 4, 1))
    dataset = Dataset("g", Split(images, keys=keys, groups=together), Split(images[:1]))
    learned, chosen = with_validation(dataset)
    assert learned.groups is not None
    assert chosen.groups is not None
    assert not set(learned.groups.tolist()) & set(chosen.groups.tolist())
    assert len(chosen) == 30 == int(lowest(together).sum())


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with photos/ and with runs/, in which a space was trained on them."""
    folder = tmp_path_factory.mktemp("home")
    train(photos(folder / "photos"), "quick", epochs=1, settings=TINY, out=folder / "runs")
    return folder


@pytest.fixture
def run(home: Path, tmp_path: Path) -> Path:
    """A copy of that run."""
    (found,) = (home / "runs").iterdir()
    return shutil.copytree(found, tmp_path / "run")


# -- runs of before -----------------------------------------------------------------------------------


def test_a_set_is_opened_as_version_0_1_did_where_a_run_says_so(tmp_path: Path) -> None:
    folder = photos(tmp_path / "photos")
    (folder / "more.dat").write_bytes(encoded(noise(99)))  # which that version did not read
    asked = Preparation.from_json(BEFORE["preparation"])  # type: ignore[arg-type]
    found = open_dataset(folder, asked)
    assert found.fingerprint == BEFORE["fingerprint"]
    assert found.label_names == ("1", "10", "2")
    assert numbers(found.test) == HELD_OUT_BEFORE
    assert numbers(with_validation(found)[1]) == CHOSEN_BEFORE
    now = open_dataset(folder)
    assert now.label_names == ("(no folder)", "1", "2", "10")
    wrapped = tmp_path / "wrapped"
    for label, start in (("cat", 0), ("dog", 20)):
        write_folder(wrapped / "train" / label, 20, start=start)
    before = open_dataset(wrapped, asked)
    assert before.fingerprint == "f38916fbc83ffde685afdfd4601d632e9fd60217becf52d86584b55718c1a7aa"
    assert (before.label_names, open_dataset(wrapped).label_names) == ((), ("cat", "dog"))


def test_a_run_of_before_is_resumed_and_measured_by_its_own_split(
    run: Path, tmp_path: Path, morpho: Callable[..., Ran]
) -> None:
    folder = photos(tmp_path / "photos")
    shutil.rmtree(run / "space")
    shutil.rmtree(run / "checkpoint")
    (run / "trained-on.npy").unlink()
    description = json.loads((run / "recipe.json").read_text())
    (run / "recipe.json").write_text(json.dumps(description | {"data": {**BEFORE, "source": str(folder)}}))
    result = resume_run(run)
    assert result.space.about["data"]["fingerprint"] == BEFORE["fingerprint"]
    assert result.space.about["data"]["label_names"] == ["1", "10", "2"]
    own = own_preparation(result.space, json.loads((run / "recipe.json").read_text())["data"])
    assert own.split_by == "pixels"
    for data in (None, str(folder), f"{folder}:test"):
        assert data_for(str(run), result.space, data) == (f"{folder}{':test' if data and ':' in data else ''}", own)
    for options in ([], ["--data", str(folder)]):  # its own set, named or not, has the split that it learned from
        said = morpho("evaluate", str(run), *options, "--json")
        assert (said.json["images"], said.json["test_images_trained_on"]) == (4, 0)
        assert "learned from" not in said.err
    (folder / "1" / "000.png").unlink()
    shutil.rmtree(run / "space")
    with pytest.raises(FileError, match=r"is not what .* was trained on"):
        resume_run(run)


# -- measured on what was learned ---------------------------------------------------------------------


def test_a_run_keeps_the_keys_of_its_training_images_and_its_bundle_does_not(home: Path, run: Path) -> None:
    own = open_dataset(home / "photos")
    kept = read_trained_on(run)
    assert kept is not None
    assert kept.tolist() == every_key(own.train).tolist() == np.asarray(read_trained_on(run / "space")).tolist()
    assert set(keys_of(own.train)) <= set(kept.tolist())
    assert not set(keys_of(own.test)) & set(kept.tolist())
    assert not [path for path in (run / "space").rglob("*") if "trained" in path.name]
    about = load(run).about["data"]
    assert (about["content"], about["fingerprint"]) == (own.content, own.fingerprint)
    (run / "trained-on.npy").write_bytes(b"foreign")
    with pytest.raises(FileError, match="damaged: expected the keys"):
        read_trained_on(run)


def test_test_images_that_were_learned_from_are_counted(
    home: Path, run: Path, tmp_path: Path, morpho: Callable[..., Ran]
) -> None:
    own = open_dataset(home / "photos")
    other = tmp_path / "other"  # a tenth is tested on: files of the set, one of them as another file, and new ones
    seen = [
        path for path in sorted((home / "photos").rglob("*.png")) if key_of(path.read_bytes()) in keys_of(own.train)
    ]
    (other / "test").mkdir(parents=True)
    for path in seen[:3]:
        shutil.copy(path, other / "test" / f"{path.parent.name}-{path.name}")
    again = noise(int(seen[3].stem))
    (other / "test" / "again.bmp").write_bytes(encoded(again, "BMP"))
    write_folder(other / "test", 6, start=200)
    write_folder(other / "train", 5, start=300)
    said = morpho("evaluate", str(run), "--data", str(other), "--json")
    assert said.json["test_images_trained_on"] == 4
    assert "4 of the 10 test images are among those that this space learned from" in said.err
    said = morpho("evaluate", str(run), "--json")
    assert said.json["test_images_trained_on"] == 0
    assert "learned from" not in said.err
    bundle = shutil.copytree(run / "space", tmp_path / "bundle")
    said = morpho("evaluate", str(bundle), "--data", str(other), "--json")
    assert said.json["test_images_trained_on"] is None
    assert "whether test images are among those that this space learned from cannot be known" in said.err
    said = morpho("evaluate", str(bundle), "--data", str(home / "photos"), "--json")
    assert said.json["test_images_trained_on"] == 0, "the same content and split"


def test_a_comparison_says_which_space_knows_the_test_images(
    home: Path, run: Path, tmp_path: Path, morpho: Callable[..., Ran]
) -> None:
    other = tmp_path / "other"
    for label in ("1", "2"):
        shutil.copytree(home / "photos" / label, other / "test" / label)
        write_folder(other / "train" / label, 12, start=400 + 20 * int(label))
    bundle = shutil.copytree(run / "space", tmp_path / "bundle")
    said = morpho("compare", str(run), str(bundle), "--data", str(other), "--json")
    assert said.code == 0, said.err
    own = open_dataset(home / "photos")
    files = [path for label in ("1", "2") for path in (home / "photos" / label).iterdir()]
    count = sum(key_of(path.read_bytes()) in keys_of(own.train) for path in files)
    assert list(said.json["test_images_trained_on"].values()) == [count, None]
    assert f"{count} of the 40 test images are among those that quick, 2 latents ({run}) learned from" in said.err
    assert f"among those that quick, 2 latents ({bundle}) learned from cannot be known" in said.err


def test_a_bundle_of_before_knows_how_its_set_was_split(space: Space) -> None:
    assert own_preparation(space, None).split_by == "source"
    space.about = {"data": {"name": "digits", "fingerprint": "x"}}
    assert own_preparation(space, None).split_by == "pixels"
    asked = {"label_from": "(a)", "size": [99, 99], "split_by": "source"}
    own = own_preparation(space, {"preparation": asked})
    assert (own.label_from, own.size, own.split_by) == ("(a)", (8, 8), "source")


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


def test_a_split_of_the_set_itself_is_not_said_to_keep_groups(tmp_path: Path) -> None:
    write_files(tmp_path, [encoded(noise(i)) for i in range(COUNT)], ".png")
    rows = "".join(f"{i}.png,{'train' if i < 6 else 'test'},s{i % 2}\n" for i in range(COUNT))
    (tmp_path / "t.csv").write_text("file,split,specimen\n" + rows)
    words = " | ".join(open_dataset(tmp_path, Preparation(group="specimen")).notes)
    assert "2 groups lie on both sides of the split" in words
    assert "stay on one side" not in words


def test_pictures_of_one_folder_may_stay_together(tmp_path: Path) -> None:
    for i, plate in enumerate(("plate1", "plate2", "plate3")):
        write_folder(tmp_path / plate, COUNT, start=COUNT * i)
    found = open_dataset(tmp_path, Preparation(group="folder"))
    assert found.train.labels is not None
    assert found.test.labels is not None
    assert not set(found.train.labels.tolist()) & set(found.test.labels.tolist())
    assert 'images of one "folder" stay on one side of the split; there are 3 of these' in found.notes
