"""What has a name is on the disk: the bytes go there before the name does, and the name before anything goes on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from morphospace.files import atomic_file, atomic_folder
from morphospace.training.journal import append_metrics


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
