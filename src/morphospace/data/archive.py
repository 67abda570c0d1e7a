"""Archives of pictures: a zip or tar is unpacked once into the cache, and is a folder from then on.

What is unpacked lies below one folder, whatever its names say, holds no links, and has room on the disk.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import re
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple

from morphospace.data.fetch import ProgressCallback, no_progress
from morphospace.data.folder import Problem, is_passed_over, shown_name
from morphospace.data.prepared import entry_of
from morphospace.errors import FileError, MorphospaceError
from morphospace.files import atomic_folder, read_json, remove_leftovers, safe_name, write_json

__all__ = ["ABOUT", "FILES", "UNPACKED", "Unpacked", "archive_stem", "is_archive", "unpacked"]

UNPACKED, FILES, ABOUT = "unpacked", "files", "unpacked.json"  # in a folder of the cache
_FORMAT = "morphospace-unpacked-1"
_ENDING = re.compile(r"\.(?:zip|tar|tgz|tbz2?|txz|tar\.(?:gz|bz2|xz))$", re.IGNORECASE)
_PACKED: dict[bytes, Literal["r:gz", "r:bz2", "r:xz"]] = {
    b"\x1f\x8b": "r:gz",
    b"BZh": "r:bz2",
    b"\xfd7zXZ\0": "r:xz",
}  # fmt: skip
_NAMES = (  # headers that hold names of others
    tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE,
)  # fmt: skip
_RATIO = 250  # times the size of the archive; pictures of pixels hardly get smaller by packing
_ALWAYS = 1 << 30  # bytes that any archive may hold
_BLOCK = 4096  # bytes that the smallest file takes
_CHUNK = 1 << 20


class Unpacked(NamedTuple):
    """An archive in the cache.

    Attributes:
        folder: where its files are.
        key: another key, another archive.
        problems: what could not be unpacked.
        notes: what a person should know of it.
    """

    folder: Path
    key: str
    problems: list[Problem]
    notes: list[str]


class _Member(NamedTuple):
    """A file in an archive: its name, why it stays where it is (or ""), and what opens it."""

    name: str
    why: str
    content: Callable[[], IO[bytes] | None] = io.BytesIO


def archive_stem(path: Path) -> str:
    """The name of an archive without its ending.

    Example:
        >>> archive_stem(Path("photos.tar.gz")), archive_stem(Path("photos.2024"))
        ('photos', 'photos.2024')
    """
    return _ENDING.sub("", path.name)


def is_archive(path: Path) -> bool:
    """Whether a file is a zip or tar, by its name or, where that does not tell, by its first bytes."""
    if not path.is_file():
        return False
    if _ENDING.search(path.name):
        return True
    try:
        with path.open("rb") as stream:
            head = stream.read(512)
    except OSError:
        return False
    return head.startswith(b"PK\x03\x04") or head[257:262] == b"ustar"


def unpacked(path: Path, *, cache: Path, progress: ProgressCallback = no_progress) -> Unpacked:
    """The files of an archive, from ``cache`` if they are there already and the archive is unchanged.

    Raises:
        FileError: if it is damaged, encrypted or unsafe, or takes more room than there is.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror}.", argument="data") from error
    key = f"{_FORMAT} {path.name} {found.st_size} {found.st_mtime_ns}"
    source = shown_name(os.fspath(path.resolve()))
    name = hashlib.sha256(f"unpacked {source}".encode()).hexdigest()[:16]
    with entry_of(cache, f"{safe_name(path.name)}-{name}") as entry:
        place = entry / UNPACKED
        about: dict[str, Any] = {}
        with suppress(FileError):
            about = read_json(place / ABOUT, "unpacked archive")
        if about.get("key") != key:
            remove_leftovers(entry)
            with atomic_folder(place) as partial:
                about = {"format": _FORMAT, "source": source, "key": key, **_unpack(path, partial / FILES, progress)}
                write_json(partial / ABOUT, about)
    return Unpacked(place / FILES, key, [Problem(*one) for one in about["problems"]], about["notes"])


def _unpack(path: Path, folder: Path, progress: ProgressCallback) -> dict[str, Any]:
    """Write the files of an archive into ``folder``; says how many, their bytes, and what is wrong."""
    folder.mkdir()
    room = _Room(path, folder)
    problems: list[Problem] = []
    notes: list[str] = []
    names: Counter[str] = Counter()
    try:
        for member in _members(path, room, notes):
            parts = _parts(member.name, path)
            if not parts or any(is_passed_over(part) for part in parts):
                continue
            shown = shown_name("/".join(parts))
            if why := member.why or _write(member.content, folder.joinpath(*parts), room):
                problems.append(Problem(shown, why))
                continue
            names["/".join(parts)] += 1
            if names["/".join(parts)] == 2:
                problems.append(Problem(shown, "twice in the archive; the last one counts"))
            progress(f"unpacking {path.name}", len(names), None, "files")
    except MorphospaceError:
        raise
    except NotImplementedError as error:
        raise FileError(
            f"{path} is packed in a way that cannot be read here ({error}). Unpack it, and name the folder.",
            argument="data",
        ) from error
    except Exception as error:  # damaged archives raise nearly anything
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of the disk
        words = " ".join(str(error).split())[:100] or type(error).__name__
        raise FileError(
            f"{path} is damaged: expected a whole zip or tar ({words}). Fetch or pack it again.", argument="data"
        ) from error
    progress(f"unpacking {path.name}", len(names), len(names), "files")
    return {"files": len(names), "bytes": room.taken, "problems": problems, "notes": notes}


def _parts(name: str, path: Path) -> tuple[str, ...]:
    """The folders and the name of a member.

    Raises:
        FileError: if it would lie outside of where the archive is unpacked.
    """
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    drive = re.match(r"[A-Za-z]:/", name) or (os.name == "nt" and ":" in name)
    if name.startswith("/") or drive or ".." in parts or "\0" in name:
        raise FileError(
            f"{path} holds {shown_name(name)!r}, which would be written outside of its folder. It was not "
            "unpacked. If you trust it, unpack it yourself and name the folder.",
            argument="data",
        )
    return parts


class _Room:
    """The bytes that may be written: as many as the disk has, and not absurdly more than the archive's own."""

    def __init__(self, path: Path, folder: Path) -> None:
        self.path, self.taken = path, 0
        self.free = shutil.disk_usage(folder).free
        self.most = max(_ALWAYS, _RATIO * path.stat().st_size)

    def take(self, count: int) -> None:
        """Count bytes that are to be written.

        Raises:
            FileError: if they are too many.
        """
        self.taken += count
        if self.taken > self.most:
            raise FileError(
                f"{self.path} unpacks to more than {_RATIO} times its size: it was taken for a bomb. If you "
                "trust it, unpack it yourself and name the folder.",
                argument="data",
            )
        if self.taken > self.free:
            raise FileError(
                f"{self.path} unpacks to more than the {self.free / 1e9:.1f} GB that are free for the cache. "
                "Free some, or set MORPHOSPACE_CACHE to a folder on another disk.",
                argument="data",
            )


def _write(content: Callable[[], IO[bytes] | None], path: Path, room: _Room) -> str:
    """Write a member to ``path``; returns why that failed where others can be written all the same."""
    before = room.taken
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as stream, content() or io.BytesIO() as source:
            while chunk := source.read(_CHUNK):
                room.take(len(chunk))
                stream.write(chunk)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        return "a file and a folder of one name"
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
    ) as error:  # a zip knows where the next one is; a tar will not go on
        path.unlink(missing_ok=True)
        return f"damaged within the archive ({' '.join(str(error).split())[:80]})"
    except OSError as error:
        if error.errno in (errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL):
            return f"a name that this system does not take ({error.strerror})"
        raise
    room.take(max(0, _BLOCK - (room.taken - before)))
    return ""


def _members(path: Path, room: _Room, notes: list[str]) -> Iterator[_Member]:
    with path.open("rb") as stream:
        head = stream.read(6)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _of_zip(path, room, notes)
    return _of_tar(path, next((mode for start, mode in _PACKED.items() if head.startswith(start)), "r:"), notes)


def _of_zip(path: Path, room: _Room, notes: list[str]) -> Iterator[_Member]:
    with zipfile.ZipFile(path) as archive:
        files = [info for info in archive.infolist() if not info.is_dir()]
        if any(info.flag_bits & 1 for info in files):
            raise FileError(f"{path} is encrypted. Unpack it with its password, and name the folder.", argument="data")
        claimed = sum(max(_BLOCK, info.file_size) for info in files)
        room.take(claimed)  # before anything is written
        room.taken -= claimed
        guessed = 0
        for info in files:
            name, known = _name_in_zip(info)
            guessed += not known
            link = stat.S_ISLNK(info.external_attr >> 16)
            yield _Member(name.replace("\\", "/"), "a link, not unpacked" if link else "", partial(archive.open, info))
        if guessed:
            notes.append(
                f"{guessed:,} names in {shown_name(path.name)} are in an encoding that it does not say; they were read "
                "as CP437 (unpack it yourself and name the folder where labels look wrong)"
            )


def _name_in_zip(info: zipfile.ZipInfo) -> tuple[str, bool]:
    """The name of a member, and whether its encoding is known."""
    if info.flag_bits & 0x800 or info.filename.isascii():
        return info.filename, True
    try:
        return info.filename.encode("cp437").decode("utf-8"), True  # as most write it without saying so
    except UnicodeError:
        return info.filename, False


class _Entry(tarfile.TarInfo):
    """A header of a tar, which remembers how the last one ended: a tar that was cut looks like one that is whole."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Any:
        """The header in a block of bytes; long names that are no names are not read into memory."""
        found = super().frombuf(buf, encoding, errors)
        if found.type in _NAMES and found.size > _CHUNK:
            raise tarfile.ReadError(f"a header of {found.size:,} bytes")
        return found

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> Any:
        """The next header."""
        try:
            return super().fromtarfile(archive)
        except tarfile.HeaderError as error:
            archive.end = type(error).__name__  # type: ignore[attr-defined]
            raise


def _of_tar(path: Path, mode: Literal["r:", "r:gz", "r:bz2", "r:xz"], notes: list[str]) -> Iterator[_Member]:
    with tarfile.open(path, mode, tarinfo=_Entry) as archive:
        while (info := archive.next()) is not None:
            archive.members = []  # type: ignore[attr-defined]  # a million headers take memory
            if info.isreg():
                yield _Member(info.name, "", partial(archive.extractfile, info))
            elif not info.isdir():
                link = info.issym() or info.islnk()
                yield _Member(info.name, "a link, not unpacked" if link else "no regular file, not unpacked")
        end = getattr(archive, "end", None)
    if end == "EmptyHeaderError":
        notes.append(f"{shown_name(path.name)} has no mark at its end: it may have been cut, and hold more pictures")
    elif end != "EOFHeaderError":
        raise tarfile.ReadError("a header is broken")
