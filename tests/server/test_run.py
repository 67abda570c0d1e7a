"""A real server: its port, its end, its verbs."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from morphospace.errors import ArgumentError
from morphospace.server import Session, run
from morphospace.server.run import listen
from morphospace.space import Space

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Ctrl-C cannot be sent there")

Start = Callable[..., tuple[subprocess.Popen[str], str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start ``morpho ARGUMENTS`` in an empty folder; gives the process and the address that it prints."""
    running: list[subprocess.Popen[str]] = []

    def run(*arguments: str) -> tuple[subprocess.Popen[str], str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "morphospace", *arguments], cwd=tmp_path, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | {"COLUMNS": "200"},
        )  # fmt: skip
        running.append(process)
        assert process.stderr is not None
        said = ""
        for line in process.stderr:
            said += line
            if found := re.search(r"http://\S+", line):
                assert "Ctrl-C" in process.stderr.readline()
                return process, found[0]
        pytest.fail(f"no address was printed: {said}")

    yield run
    for process in running:
        process.kill()
        process.communicate()


def stopped(process: subprocess.Popen[str]) -> tuple[str, str]:
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    assert time.monotonic() - began < 12  # three seconds of grace; what was asked for would take longer
    return out, err


def test_explore_shows_the_built_in_space_and_ends_on_ctrl_c(start: Start) -> None:
    process, address = start("explore", "builtin", "--no-browser", "--device", "cpu")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", address)
    with httpx2.Client(base_url=address) as client:
        answer = client.get("api/v1/space")
        assert (answer.status_code, answer.json()["writable"]) == (200, False)
        assert "server" not in answer.headers
        tile = client.get("api/v1/atlas/0/0/0")
        assert tile.headers["x-shape"] == "1,224,224,1"
        large = client.post("api/v1/encode", content=b" " * 40_000_000)
        assert large.status_code == 413
        out, err = stopped(process)  # with a connection that is still open
    assert "stopped" in out
    assert "Traceback" not in err


def test_serve_asks_others_for_a_token(start: Start, space: Space, tmp_path: Path) -> None:
    space.save(tmp_path / "mine")
    process, address = start("serve", "mine", "--host", "0.0.0.0", "--device", "cpu")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{32}", address)
    with httpx2.Client(base_url=address.partition("?")[0]) as client:
        assert client.get("api/v1/health").status_code == 403
        assert client.get(address).status_code == 303
        answer = client.get("api/v1/space")
        assert (answer.status_code, answer.json()["writable"]) == (200, True)
    slow = threading.Thread(target=_ask_for_something_long, args=(address,))
    slow.start()
    time.sleep(0.5)
    stopped(process)
    slow.join(20)


def _ask_for_something_long(address: str) -> None:
    token = address.partition("token=")[2]
    points = [[i / 10, (-1) ** i] for i in range(32)]
    body = {"points": points, "frames": 512, "path": "geodesic"}
    try:
        headers = {"authorization": f"Bearer {token}"}
        httpx2.post(address.partition("?")[0] + "api/v1/morph", json=body, headers=headers, timeout=30)
    except httpx2.HTTPError:
        pass


def test_a_port_that_is_taken_is_said_so(capfd: pytest.CaptureFixture[str]) -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ArgumentError, match=rf"port {port}"):
            listen("127.0.0.1", port)
        with listen("127.0.0.1", 0) as other:
            assert other.getsockname()[1] != port
    with pytest.raises(ArgumentError, match=r"no\.such"):
        listen("no.such.host.example", 0)


def test_the_usual_port_is_taken_when_it_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a free one in its stead: servers of tests beside this one come and go at the usual port itself."""
    assert run.USUAL_PORT == 8765
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    monkeypatch.setattr(run, "USUAL_PORT", free)
    with listen("127.0.0.1", 0) as first:
        assert first.getsockname()[1] == free
        assert first.family is socket.AF_INET
    if socket.has_dualstack_ipv6():
        with listen("::1", 0) as sixth:
            assert sixth.family is socket.AF_INET6


def test_a_browser_opens_when_the_server_listens(space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    done = threading.Event()

    def browse(address: str) -> None:
        opened.append(httpx2.get(address + "api/v1/health").text)
        done.set()

    servers: list[run._Server] = []
    inner = run._Server.__init__

    def remember(self: run._Server, *arguments: Any) -> None:
        inner(self, *arguments)
        servers.append(self)

    monkeypatch.setattr(run._Server, "__init__", remember)
    monkeypatch.setattr("webbrowser.open", browse)
    session = Session(space)
    thread = threading.Thread(target=run.serve, args=(session,), kwargs={"browser": True, "announce": opened.append})
    thread.start()
    assert done.wait(20)
    servers[0].should_exit = True
    thread.join(20)
    assert opened[0].startswith("http://127.0.0.1:")
    assert '"ok"' in opened[1]


def test_importing_the_command_imports_no_server() -> None:
    code = "import sys, morphospace.cli.app; assert not {'torch', 'fastapi', 'uvicorn', 'pydantic'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
