"""Prepared sets on disk: what is kept, and what a kill or a full disk leaves."""

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

import pytest
from tests.pictures import write_folder

from morphospace.data import open_dataset
from morphospace.errors import FileError

KILLS = 50


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
