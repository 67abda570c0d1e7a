"""Downloads: resumed, checked, from the next mirror."""

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

from morphospace.data.fetch import download
from morphospace.errors import FileError


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
