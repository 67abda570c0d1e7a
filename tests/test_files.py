"""Files are written whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from morphospace import files
from morphospace.errors import ArgumentError, FileError
from morphospace.files import (
    atomic_file,
    atomic_folder,
    claimed_number,
    next_numbered,
    read_json,
    remove_leftovers,
    write_json,
)
from morphospace.images import fit_image, read_image, write_gif
from morphospace.pictures import Film, Picture, enlarge, tile
from morphospace.points import PointTable, file_names, read_points, write_points


def test_a_failure_leaves_the_old_file_and_no_leftover(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic_file(path) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    with atomic_file(path) as partial:
        partial.write_text("new")
    assert path.read_text() == "new"


def test_a_folder_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "f"
    for content in ("one", "two"):
        with atomic_folder(path) as partial:
            (partial / content).touch()
        assert sorted(p.name for p in path.iterdir()) == [".morphospace", content]
    with pytest.raises(RuntimeError), atomic_folder(path) as partial:
        (partial / "three").touch()
        raise RuntimeError
    assert sorted(p.name for p in path.iterdir()) == [".morphospace", "two"]
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


@pytest.mark.parametrize("there", ["holiday.png", "deep/holiday.png"])
def test_a_folder_of_somebody_elses_files_is_never_replaced(tmp_path: Path, there: str) -> None:
    mine = tmp_path / "photos" / there
    mine.parent.mkdir(parents=True)
    mine.touch()
    with pytest.raises(FileError, match="did not write"), atomic_folder(tmp_path / "photos"):
        pytest.fail("it began to write")
    with pytest.raises(FileError, match="is a file"), atomic_folder(mine):
        pytest.fail("it began to write")
    assert mine.exists()
    (tmp_path / "empty").mkdir()
    with atomic_folder(tmp_path / "empty") as partial:
        (partial / "one").touch()
    assert (tmp_path / "empty" / "one").exists()


def test_leftovers_of_a_kill_are_removed(tmp_path: Path) -> None:
    (tmp_path / ".morpho-partial-x").mkdir()
    (tmp_path / ".morpho-partial-y").touch()
    (tmp_path / "kept").touch()
    remove_leftovers(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["kept"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_an_error_of_one_line(tmp_path: Path) -> None:
    path = tmp_path / "x.json"

    def full(*_: object, **__: object) -> None:
        with Path("/dev/full").open("wb", buffering=0) as stream:
            stream.write(b"x")

    with pytest.raises(FileError, match="No space left on device"), atomic_file(path) as partial:
        full(partial)
    assert not list(tmp_path.iterdir())


def test_a_parent_that_is_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match="cannot write"):
        write_json(tmp_path / "file" / "x.json", {})


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_an_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(FileError, match="cannot write"):
        write_json(tmp_path / "x.json", {})


@pytest.mark.parametrize("content", ["", "[1]", "{", "\x00\xff"])
def test_damaged_json(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(FileError, match="recipe"):
        read_json(path, "recipe")


def test_numbers_go_on(tmp_path: Path) -> None:
    assert next_numbered(tmp_path, "a", ".png").name == "0001-a.png"
    (tmp_path / "0041-b.gif").touch()
    (tmp_path / "12-c").touch()
    assert next_numbered(tmp_path, "a", ".png").name == "0042-a.png"
    (tmp_path / "10000-b").touch()
    assert next_numbered(tmp_path, "a").name == "10001-a"


def test_a_number_is_claimed_by_one_alone(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with claimed_number(folder, "a", ".png") as first:
        with claimed_number(folder, "b", ".gif") as second:
            second.touch()
        with claimed_number(folder, "c") as third:
            pass
        first.touch()
    assert [first.name, second.name, third.name] == ["0001-a.png", "0002-b.gif", "0003-c"]
    assert sorted(folder.iterdir()) == [first, second]


def test_a_claim_of_which_nothing_came_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with pytest.raises(RuntimeError), claimed_number(folder, "a", ".png"):
        raise RuntimeError
    assert not folder.exists()
    folder.mkdir()
    (folder / ".0001.claim").touch()  # as a kill leaves it
    with claimed_number(folder, "a", ".png") as path:
        path.touch()
    assert [p.name for p in folder.iterdir()] == ["0001-a.png"]


def test_a_claim_that_comes_too_late_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process writes its file, and drops its claim, between our look and our claim."""
    look = files.next_numbered
    late = iter([tmp_path / "0001-other.png"])

    def outrun(folder: Path, stem: str, suffix: str = "", *, after: int = 0) -> Path:
        found = look(folder, stem, suffix, after=after)
        for path in late:
            path.touch()
        return found

    monkeypatch.setattr(files, "next_numbered", outrun)
    with claimed_number(tmp_path, "a", ".png") as path:
        path.touch()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["0001-other.png", "0002-a.png"]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match=r"0001-a\.png"), claimed_number(tmp_path / "file", "a", ".png"):
        pass


@pytest.mark.parametrize(
    ("mode", "pixel", "expected"),
    [
        ("L", 7, [7]),
        ("1", 1, [255]),
        ("RGB", (1, 2, 3), [1, 2, 3]),
        ("RGBA", (10, 20, 30, 0), [255, 255, 255]),
        ("RGBA", (10, 20, 30, 255), [10, 20, 30]),
        ("LA", (9, 0), [255]),
        ("I;16", 65535, [255]),
        ("CMYK", (0, 255, 255, 0), [255, 0, 0]),
    ],
)
def test_pictures_of_every_mode(tmp_path: Path, mode: str, pixel: object, expected: list[int]) -> None:
    path = tmp_path / ("x.tif" if mode == "CMYK" else "x.png")
    Image.new(mode, (3, 2), pixel).save(path)  # type: ignore[arg-type]
    image = read_image(path)
    assert image.shape == (2, 3, len(expected))
    assert image[0, 0].tolist() == expected


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 50])
def test_files_that_are_no_pictures(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(content)
    with pytest.raises(FileError, match=r"x\.png"):
        read_image(path)


def test_a_truncated_picture(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(FileError, match="ends early"):
        read_image(path)


def test_fitting_pads_with_the_border_and_keeps_the_middle() -> None:
    tall = np.full((40, 10, 3), 200, np.uint8)
    fitted = fit_image(tall, (28, 28, 1))
    assert fitted.shape == (28, 28, 1)
    assert (np.abs(fitted.astype(int) - 200) <= 1).all()
    same = np.arange(64, dtype=np.uint8).reshape(8, 8, 1)
    assert fit_image(same, (8, 8, 1)) is same


def test_gif_has_every_frame_there_and_back(tmp_path: Path) -> None:
    frames = np.stack([np.full((4, 4, 1), v, np.uint8) for v in (0, 90, 180, 250)])
    write_gif(tmp_path / "x.gif", frames, comment="seed: 1")
    with Image.open(tmp_path / "x.gif") as picture:
        assert picture.n_frames == 6  # type: ignore[attr-defined]
        assert picture.info["comment"] == b"seed: 1"
        assert picture.info["loop"] == 0


def test_tiles_and_enlarging() -> None:
    images = np.arange(5, dtype=np.uint8).reshape(5, 1, 1, 1).repeat(2, 1).repeat(2, 2)
    sheet = tile(images, 3, gap=1, background=9)
    assert sheet.shape == (5, 8, 1)
    assert sheet[0, 3, 0] == 1
    assert sheet[2, 0, 0] == 9
    assert sheet[3, 6, 0] == 9
    assert enlarge(images, 8).shape == (5, 8, 8, 1)
    assert enlarge(images, 1) is images


def test_pictures_show_and_save_themselves(tmp_path: Path) -> None:
    picture = Picture(np.zeros((4, 4, 1), np.uint8), {"seed": "1"})
    assert picture._repr_png_().startswith(b"\x89PNG")
    assert np.asarray(picture).shape == (4, 4, 1)
    film = Film(np.zeros((3, 4, 4, 1), np.uint8), np.zeros((3, 2), np.float32))
    assert "data:image/gif" in film._repr_html_()
    assert film.save(tmp_path / "strip.png", side=8).exists()
    for bad in (picture, film):
        with pytest.raises(ArgumentError, match="ends in"):
            bad.save(tmp_path / "x.bmp")


@pytest.mark.parametrize("ending", [".npz", ".csv"])
def test_points_keep_labels_and_names(tmp_path: Path, ending: str) -> None:
    z = np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32)
    table = PointTable(z, ["3", "1", "", "0"], ["a,b", "ü", 'q"', "line\nbreak"])
    write_points(tmp_path / f"z{ending}", table, {"seed": "7"})
    again = read_points(tmp_path / f"z{ending}")
    assert (again.z == z).all()
    assert list(again.labels) == ["3", "1", "", "0"]
    assert list(again.names) == list(table.names)
    if ending == ".npz":
        with np.load(tmp_path / "z.npz") as stored:
            assert json.loads(str(stored["about"])) == {"seed": "7"}


@pytest.mark.parametrize("name", ["z.npz", "z.npy", "z.csv"])
@pytest.mark.parametrize("content", [b"", b"foreign", b"a,b\n1,2\n", b"PK\x03\x04broken", b"z1,z2\n1,x\n"])
def test_points_that_are_none(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileError, match="z"):
        read_points(tmp_path / name)


def test_no_pickle_is_ever_loaded(tmp_path: Path) -> None:
    np.save(tmp_path / "z.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(FileError, match="no latents"):
        read_points(tmp_path / "z.npy")


def test_names_become_safe_and_unique() -> None:
    table = PointTable(np.zeros((5, 2), np.float32), names=["a/b", "a-b", "../..", "A-B", "ok.1"])
    names = file_names(table)
    assert len({n.lower() for n in names}) == 5
    assert all("/" not in n and not n.startswith(".") for n in names)
