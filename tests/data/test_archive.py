"""Archives of pictures: unpacked once, safely, and then a folder; and all that can be wrong with them."""

from __future__ import annotations

import io
import os
import shutil
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import Ran
from tests.pictures import encoded, noise, write_folder

import morphospace.data.archive as archive_module
from morphospace.data import Dataset, Preparation, forget, kept_sets, open_dataset, open_item, prepared_folder
from morphospace.data.archive import is_archive, unpacked
from morphospace.errors import DataError, FileError


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MORPHOSPACE_CACHE", str(tmp_path / "cache"))
    return prepared_folder()


def photos(folder: Path) -> Path:
    for i, name in enumerate(["train/cat", "train/dog", "test/cat", "test/dog"]):
        write_folder(folder / "photos" / name, 4, start=4 * i)
    return folder


def zipped(path: Path, files: dict[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", how) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def tarred(path: Path, members: list[tarfile.TarInfo], content: bytes = b"", mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for member in members:
            member.size = len(content) if member.isreg() else 0
            archive.addfile(member, io.BytesIO(content) if member.isreg() else None)
    return path


PICTURES = {f"{i}.png": encoded(noise(i)) for i in range(6)}


def reasons(dataset: Dataset) -> dict[str, str]:
    return {problem.name: problem.reason for problem in dataset.problems}


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "tgz", "tar.bz2", "tar.xz"])
def test_an_archive_is_the_set_that_its_folder_is(kind: str, tmp_path: Path, cache: Path) -> None:
    folder = photos(tmp_path / "f")
    if kind == "zip":
        path = Path(shutil.make_archive(str(tmp_path / "photos"), "zip", folder))
    else:
        with tarfile.open(
            tmp_path / f"photos.{kind}", {"tar": "w", "tgz": "w:gz"}.get(kind, f"w:{kind[4:]}")
        ) as archive:  # type: ignore[call-overload]
            archive.add(folder, ".")
        path = tmp_path / f"photos.{kind}"
    found, expected = open_dataset(path), open_dataset(folder)
    assert found.fingerprint == expected.fingerprint
    assert (found.name, found.source, found.label_names) == ("photos", str(path), ("cat", "dog"))
    assert (len(found.train), len(found.test), found.problems) == (8, 8, ())
    assert (open_item(f"{path}:test/0") == found.test.images[0]).all()


def test_it_is_unpacked_once_and_again_when_it_changes(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zipped(tmp_path / "a.zip", PICTURES)
    first = open_dataset(path)
    with monkeypatch.context() as patch:
        patch.setattr(archive_module, "_unpack", lambda *a: pytest.fail("unpacked again"))
        assert open_dataset(path).fingerprint == first.fingerprint
        assert open_dataset(path, Preparation(size=(8, 8))).shape == (8, 8, 3)
    zipped(path, PICTURES | {"7.png": encoded(noise(7))})
    assert len(open_dataset(path).train) + len(open_dataset(path).test) == 7
    assert len([kept for kept in kept_sets(cache) if kept.files]) == 1, "the old one made place"


def test_what_is_unpacked_is_listed_and_goes(tmp_path: Path, cache: Path, morpho: Callable[..., Ran]) -> None:
    path = zipped(tmp_path / "a.zip", PICTURES)
    fingerprint = open_dataset(path).fingerprint
    (kept,) = [one for one in kept_sets(cache) if one.files]
    assert (kept.files, kept.source, kept.shape) == (6, str(path), None)
    assert kept.nbytes == 6 * 4096
    listed = morpho("data", "list", "--json").json["prepared"]
    assert [one["files"] for one in listed if one["name"] == kept.folder.name] == [6]
    assert "unpacked files" in morpho("data", "list").out
    assert morpho("data", "forget", kept.folder.name, "--json").json["forgotten"] == [kept.folder.name]
    assert not [one for one in kept_sets(cache) if one.files]
    assert path.is_file()
    assert open_dataset(path).fingerprint == fingerprint
    forget(kept_sets(cache))
    assert kept_sets(cache) == []


def test_an_archive_is_known_by_its_content_too(tmp_path: Path) -> None:
    assert is_archive(zipped(tmp_path / "download", PICTURES))
    assert is_archive(tarred(tmp_path / "download.bin", [tarfile.TarInfo("a.png")], PICTURES["0.png"]))
    (tmp_path / "x.bin").write_bytes(b"PKzip it is not")
    assert not is_archive(tmp_path / "x.bin")
    assert not is_archive(tmp_path)
    np.savez(tmp_path / "x.npz", noise(0, (5, 8, 8)))
    assert open_dataset(tmp_path / "x.npz").shape == (8, 8, 1), "which is a zip, and a file of arrays before all"


# -- names --------------------------------------------------------------------------------------------


def test_names_in_other_encodings_survive(tmp_path: Path, cache: Path) -> None:
    path = zipped(tmp_path / "a.zip", {f"{label}/{i}.png": PICTURES[f"{i}.png"] for i, label in enumerate("abcabc")})
    data = path.read_bytes()  # names of the same lengths, without the mark of UTF-8
    for old, new in ((b"a/0.png", "한".encode() + b".png"), (b"b/1.png", b"\x82/1.png")):
        assert len(old) == len(new)
        data = data.replace(old, new)
    path.write_bytes(data)
    folder = unpacked(path, cache=cache).folder
    assert {file.relative_to(folder).as_posix() for file in folder.rglob("*.png")} == {
        "한.png", "é/1.png", "c/2.png", "a/3.png", "b/4.png", "c/5.png",
    }  # fmt: skip
    assert any(
        "1 names in a.zip are in an encoding that it does not say" in words for words in open_dataset(path).notes
    )


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="names of bytes")
def test_names_of_a_tar_that_are_no_text_survive(tmp_path: Path, cache: Path) -> None:
    members = [tarfile.TarInfo(os.fsdecode(b"caf\xe9/1.png")), tarfile.TarInfo("ok/2.png")]
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.GNU_FORMAT, errors="surrogateescape") as archive:
        for member, name in zip(members, ("1.png", "2.png"), strict=True):
            member.size = len(PICTURES[name])
            archive.addfile(member, io.BytesIO(PICTURES[name]))
    assert open_dataset(tmp_path / "a.tar").label_names == ("caf\\udce9", "ok")


def test_debris_backslashes_and_doubles(tmp_path: Path, cache: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name, content in PICTURES.items():
            archive.writestr(f"cat\\{name}" if name < "3" else f"./dog/{name}", content)
        archive.writestr("__MACOSX/cat/._0.png", b"resource fork")
        archive.writestr("cat/.DS_Store", b"x")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("./dog/5.png", PICTURES["5.png"])
        archive.writestr("dog", b"no folder")
    found = open_dataset(tmp_path / "a.zip")
    assert found.label_names == ("cat", "dog")
    assert reasons(found) == {
        "dog/5.png": "twice in the archive; the last one counts",
        "dog": "a file and a folder of one name",
    }


# -- what is refused ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["../x.png", "a/../../x.png", "/tmp/x.png", "C:/x.png", "..\\x.png"])
def test_names_that_lead_outside_are_refused(name: str, tmp_path: Path, cache: Path) -> None:
    with pytest.raises(FileError, match="outside of its folder"):
        open_dataset(zipped(tmp_path / "a.zip", PICTURES | {name: PICTURES["0.png"]}))
    if "\\" not in name:
        with pytest.raises(FileError, match="outside of its folder"):
            open_dataset(tarred(tmp_path / "a.tar", [tarfile.TarInfo(name)], PICTURES["0.png"]))
    assert kept_sets(cache) == []
    assert not (tmp_path / "x.png").exists()


def test_links_and_devices_are_not_unpacked_and_it_is_said(tmp_path: Path, cache: Path) -> None:
    members = [tarfile.TarInfo(f"{i}.png") for i in range(3)]
    for name, kind in (("s", tarfile.SYMTYPE), ("h", tarfile.LNKTYPE), ("c", tarfile.CHRTYPE), ("f", tarfile.FIFOTYPE)):
        odd = tarfile.TarInfo(f"{name}.png")
        odd.type, odd.linkname = kind, "/etc/passwd"
        members.append(odd)
    folder = tmp_path / "t"
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for i, member in enumerate(members):
            content = PICTURES.get(member.name, b"") if i < 3 else b""
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    found = open_dataset(tmp_path / "a.tar")
    assert reasons(found) == {
        "s.png": "a link, not unpacked", "h.png": "a link, not unpacked",
        "c.png": "no regular file, not unpacked", "f.png": "no regular file, not unpacked",
    }  # fmt: skip
    link = zipfile.ZipInfo("link.png")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
        for name, content in PICTURES.items():
            archive.writestr(name, content)
    assert reasons(open_dataset(tmp_path / "b.zip")) == {"link.png": "a link, not unpacked"}
    assert not folder.exists()


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_bombs_are_refused_and_leave_nothing(
    kind: str, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_module, "_ALWAYS", 1 << 20)
    zeros = bytes(8 << 20)
    path = tmp_path / f"a.{kind}"
    if kind == "zip":
        zipped(path, {"a.png": zeros})
    else:
        tarred(path, [tarfile.TarInfo("a.png")], zeros, "w:gz")
    with pytest.raises(FileError, match="more than 250 times its size: it was taken for a bomb"):
        open_dataset(path)
    assert kept_sets(cache) == []
    monkeypatch.setattr(archive_module, "_ALWAYS", 1 << 30)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(9, 9, 1_000_000))
    with pytest.raises(FileError, match=r"more than the 0\.0 GB that are free"):
        open_dataset(path)


def test_a_header_of_gigabytes_is_not_read(tmp_path: Path) -> None:
    head = tarfile.TarInfo("././@LongLink")
    head.type, head.size = tarfile.GNUTYPE_LONGNAME, 1 << 33
    (tmp_path / "a.tar").write_bytes(head.tobuf(tarfile.GNU_FORMAT) + bytes(2048))
    with pytest.raises(FileError, match="a header of 8,589,934,592 bytes"):
        open_dataset(tmp_path / "a.tar")


def test_an_encrypted_zip_says_so(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", PICTURES)
    data = bytearray(path.read_bytes())
    for mark, place in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        start = -1
        while (start := data.find(mark, start + 1)) >= 0:
            data[start + place] |= 1
    path.write_bytes(bytes(data))
    with pytest.raises(FileError, match=r"is encrypted\. Unpack it with its password"):
        open_dataset(path)


def test_broken_archives_say_so(tmp_path: Path, cache: Path) -> None:
    whole = zipped(tmp_path / "a.zip", PICTURES, zipfile.ZIP_STORED).read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.zip").write_bytes(b"no archive at all")
    members = [tarfile.TarInfo(f"{i}.png") for i in range(4)]
    packed = tarred(tmp_path / "a.tar.gz", members, PICTURES["0.png"], "w:gz").read_bytes()
    plain = tarred(tmp_path / "a.tar", members, PICTURES["0.png"]).read_bytes()
    (tmp_path / "cut.tar.gz").write_bytes(packed[: len(packed) // 2])
    (tmp_path / "cut.tar").write_bytes(plain[:1500])
    (tmp_path / "head.tar").write_bytes(plain[:1024] + b"x" * 512 + plain[1536:])
    for name in ("cut.zip", "text.zip", "cut.tar.gz", "cut.tar", "head.tar"):
        with pytest.raises(FileError, match="is damaged: expected a whole zip or tar"):
            open_dataset(tmp_path / name)
    assert kept_sets(cache) == []
    with tarfile.open(tmp_path / "b.tar", "w") as archive:
        for name, content in PICTURES.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        end = archive.offset
    (tmp_path / "mark.tar").write_bytes((tmp_path / "b.tar").read_bytes()[:end])
    assert any("mark.tar has no mark at its end" in words for words in open_dataset(tmp_path / "mark.tar").notes)


def test_one_broken_file_in_a_zip_is_one_problem(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", PICTURES, zipfile.ZIP_STORED)
    data = path.read_bytes()
    path.write_bytes(data.replace(PICTURES["3.png"][-40:-20], b"x" * 20))
    found = open_dataset(path)
    assert len(found.train) + len(found.test) == 5
    assert reasons(found) == {"3.png": "damaged within the archive (Bad CRC-32 for file '3.png')"}


def test_archives_of_arrays_and_of_nothing_say_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no pictures: .* found 2 \.npz, 1 \.txt\. Unpack it, and name one of"):
        open_dataset(zipped(tmp_path / "a.zip", {"x.npz": b"1", "y.npz": b"2", "z.txt": b"3"}))
    with pytest.raises(DataError, match=r"holds no pictures: .* found nothing"):
        open_dataset(zipped(tmp_path / "b.zip", {}))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["zip", "tar", "tgz"]), st.integers(0, 4000), st.integers(0, 255), st.integers(0, 4000))
def test_a_mutated_archive_is_a_set_or_an_error(
    tmp_path_factory: pytest.TempPathFactory, kind: str, place: int, value: int, cut: int
) -> None:
    folder = tmp_path_factory.mktemp("m")
    path = folder / f"a.{kind}"
    small = {f"{i}.png": encoded(noise(i, (6, 6))) for i in range(3)}
    if kind == "zip":
        zipped(path, small)
    else:
        tarred(path, [tarfile.TarInfo(f"{i}.png") for i in range(3)], small["0.png"], "w" if kind == "tar" else "w:gz")
    data = bytearray(path.read_bytes())
    data[place % len(data)] = value
    path.write_bytes(bytes(data[: max(1, len(data) - cut % 3 * cut)]))
    try:
        found = unpacked(path, cache=folder / "cache")
    except FileError:
        assert not list((folder / "cache").rglob("*.png"))
        return
    assert all(file.resolve().is_relative_to(found.folder.resolve()) for file in found.folder.rglob("*"))
