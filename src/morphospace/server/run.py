"""Listening: a port, a browser when the server is there, and an end without noise."""

from __future__ import annotations

import logging
import socket
import threading
import webbrowser
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import uvicorn

from morphospace.errors import ArgumentError
from morphospace.server.app import create_app
from morphospace.server.session import Session

__all__ = ["USUAL_PORT", "listen", "serve"]

USUAL_PORT = 8765
_GRACE = 3  # seconds for what is being answered


def listen(host: str, port: int) -> socket.socket:
    """A socket at ``host`` and ``port``; 0 is the usual port if it is free, else any that is.

    Raises:
        ArgumentError: if the port is taken, or there is no such address.
    """
    tried = (port,) if port else (USUAL_PORT, 0)
    for number in tried:
        try:
            return _bound(host, number)
        except (OSError, UnicodeError) as error:  # the latter for a name that no host can have, like .x
            if number != tried[-1]:
                continue
            reason = getattr(error, "strerror", None) or error
            words = f"cannot listen at {host}, port {port}: {reason}. "
            raise ArgumentError(words + "Choose another, or `port=0` for one that is free.", argument="port") from error
    raise AssertionError("there is always a last one")


def _bound(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    bound = socket.socket(family, kind, protocol)
    try:
        if hasattr(socket, "SO_REUSEADDR") and not hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # not on Windows, where it means another thing
        bound.bind(address)
        bound.listen()  # from here on nobody else can have the port
    except OSError:
        bound.close()
        raise
    return bound


class _Server(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config, listening: Callable[[], None]) -> None:
        super().__init__(config)
        self.listening = listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.should_exit:
            self.listening()


def serve(
    session: Session,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    token: str | None = None,
    browser: bool = False,
    announce: Callable[[str], None] = print,
    **more: Any,
) -> None:
    """Answer until Ctrl-C.

    Args:
        session: what to serve; it is closed at the end.
        host: the address to listen at.
        port: 0 for a free one.
        token: see :func:`morphospace.server.create_app`.
        browser: open the page in one.
        announce: told the page's address as soon as the server listens.
        **more: for :func:`morphospace.server.create_app`.

    Raises:
        ArgumentError: if the port is taken, or :func:`morphospace.server.create_app` refuses.
    """
    app = create_app(session, host=host, token=token, **more)  # before anybody can knock
    bound = listen(host, port)
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{bound.getsockname()[1]}/" + (f"?token={quote(token, safe='')}" if token else "")

    def listening() -> None:
        announce(address)
        if browser:
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()

    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    config = uvicorn.Config(
        app, http="h11", ws="none", lifespan="on", log_config=None, access_log=False, server_header=False,
        proxy_headers=False, timeout_graceful_shutdown=_GRACE,
    )  # fmt: skip
    try:
        _Server(config, listening).run(sockets=[bound])
    except KeyboardInterrupt:  # uvicorn has ended, and passes it on
        pass
    finally:
        bound.close()
        session.close()
