"""Files are written whole or not at all, and are on the disk before they have their name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from morphospace import files
from morphospace.errors import FileError
from morphospace.files import (
    atomic_file,
    atomic_folder,
    claimed_number,
    next_numbered,
    read_json,
    remove_leftovers,
    write_json,
)
from morphospace.training.journal import append_metrics


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


@pytest.fixture
def order(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """("sync" or "rename", inode) of each file and folder, as they come."""
    found: list[tuple[str, int]] = []
    sync, replace = os.fsync, Path.replace

    def fsync(handle: int) -> None:
        found.append(("sync", os.fstat(handle).st_ino))
        sync(handle)

    def rename(self: Path, target: Path) -> Path:
        found.append(("rename", self.stat().st_ino))
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", rename)
    return found


def inode(path: Path) -> int:
    return path.stat().st_ino


def test_a_file_is_on_the_disk_before_its_name_and_its_name_before_we_go_on(
    tmp_path: Path, order: list[tuple[str, int]]
) -> None:
    with atomic_file(tmp_path / "a.txt") as partial:
        partial.write_text("whole")
    assert order == [
        ("sync", inode(tmp_path / "a.txt")),
        ("rename", inode(tmp_path / "a.txt")),
        ("sync", inode(tmp_path)),
    ]


@pytest.mark.parametrize("again", [False, True])
def test_all_of_a_folder_is_on_the_disk_before_its_name(
    tmp_path: Path, order: list[tuple[str, int]], again: bool
) -> None:
    path = tmp_path / "space"
    for _ in range(1 + again):
        order.clear()
        with atomic_folder(path) as partial:
            (partial / "deep").mkdir()
            for name in ("one", "deep/two"):
                (partial / name).write_text(name)
    named = order.index(("rename", inode(path)))
    for part in ("one", "deep/two", "deep", ".morphospace", "."):
        assert ("sync", inode(path / part)) in order[:named], part
    assert order[named + 1 :] == [("sync", inode(tmp_path))]


def test_an_epochs_figures_are_on_the_disk_before_its_checkpoint(tmp_path: Path, order: list[tuple[str, int]]) -> None:
    append_metrics(tmp_path / "metrics.jsonl", {"epoch": 1})
    assert order == [("sync", inode(tmp_path / "metrics.jsonl"))]
