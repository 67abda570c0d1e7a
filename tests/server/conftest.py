"""A server of the small space of digits, asked without a socket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from morphospace.server import Session, create_app
from morphospace.space import Space

ADDRESS = "http://127.0.0.1:8765"
Ask = Callable[..., TestClient]


def visitor(app: ASGIApp, peer: str = "127.0.0.1") -> TestClient:
    """A client of ``app`` that comes from the address ``peer``."""
    return TestClient(app, base_url=ADDRESS, client=(peer, 50_000))


@pytest.fixture
def session(space: Space) -> Iterator[Session]:
    made = Session(space)
    yield made
    made.close()


@pytest.fixture
def ask(session: Session, tmp_path: Path) -> Ask:
    """A client of the session's application, made with the given options; without a page unless they name one."""

    def make(**options: Any) -> TestClient:
        return visitor(create_app(session, **{"static": tmp_path / "no page", **options}))

    return make


@pytest.fixture
def client(ask: Ask) -> TestClient:
    return ask()
