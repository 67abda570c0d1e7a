"""A real server on a real port, for as long as a test needs it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from morphospace.server.app import create_app
from morphospace.server.session import Session
from morphospace.space import Space


@contextmanager
def serving(space: Space, folder: Path | None, *, writable: bool = True) -> Iterator[str]:
    """Serve ``space``; yields the address of its page."""
    app = create_app(Session(space, folder, writable=writable), host="127.0.0.1")
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.05)
        if not thread.is_alive():
            raise RuntimeError("the server did not start")
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/"
    server.should_exit = True
    thread.join(10)
