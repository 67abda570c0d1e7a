"""Downloads that can be trusted: progress, resume where the last try ended, checked by content."""

from __future__ import annotations

import hashlib
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import TypeAlias

from morphospace.data.idx import unpack
from morphospace.errors import FileError
from morphospace.files import read_bytes

__all__ = ["ProgressCallback", "download", "no_progress", "verified_content"]

ProgressCallback: TypeAlias = Callable[[str, int, int | None, str], None]
"""Called with what is going on, how much is done, how much there is (None while unknown), and of what."""

_CHUNK = 1 << 16
_TIMEOUT_SECONDS = 20.0


def no_progress(what: str, done: int, total: int | None, unit: str) -> None:
    """Show nothing."""


def verified_content(path: Path, sha256: str) -> bytes:
    """What a file holds, unpacked: two gzip files of one content are the same.

    Raises:
        FileError: if the file is damaged or its content is not the one that was expected.
    """
    content = unpack(read_bytes(path, "data file"), str(path))
    if (found := hashlib.sha256(content).hexdigest()) != sha256:
        raise FileError(
            f"{path} is damaged or foreign: its content has SHA-256 {found}, expected {sha256}. "
            "Remove it, and it will be fetched again."
        )
    return content


def download(urls: Sequence[str], path: Path, sha256: str, *, progress: ProgressCallback = no_progress) -> None:
    """Fetch a file into ``path`` from the first of ``urls`` that answers with the right content.

    What came before a broken connection stays in ``path`` + ".part" and is continued by the next call.

    Args:
        urls: mirrors of one file.
        path: where to put it; written in one move when it is whole and right.
        sha256: of the *content*, unpacked.
        progress: told after every chunk.

    Raises:
        FileError: if no mirror gave the right content; it names each failure.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    failures = []
    for url in urls:
        try:
            _fetch(url, part, progress)
        except (urllib.error.URLError, OSError, HTTPException) as error:
            failures.append(f"{url}: {error}")
            continue
        try:
            verified_content(part, sha256)
            part.replace(path)
            return
        except FileError as error:  # whole by its length, and yet not what was asked for
            failures.append(f"{url}: {error}")
            part.unlink(missing_ok=True)
    raise FileError(f"cannot download {path.name}: {'; '.join(failures)}.")


def _fetch(url: str, part: Path, progress: ProgressCallback) -> None:
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        response = urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code != 416:  # 416: nothing is left to send, the part is whole
            raise
        return
    with response:
        if response.status != 206:  # the server sends all of it again
            have = 0
        length = response.headers.get("Content-Length")
        total = have + int(length) if length is not None else None
        with part.open("ab" if have else "wb") as stream:
            while chunk := response.read(_CHUNK):
                stream.write(chunk)
                have += len(chunk)
                progress(f"fetching {part.stem}", have, total, "bytes")
            stream.flush()
            os.fsync(stream.fileno())
    if total is not None and have < total:
        raise ConnectionError(f"the connection broke after {have} of {total} bytes")
