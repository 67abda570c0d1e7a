"""One request does not hold the model beyond its time: it ends between two decodes, and the next one is answered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2
import pytest
from starlette.types import Message
from tests.models import as_vae
from tests.server.test_safety import spoken

from morphospace.server import Session, create_app
from morphospace.space import Space

API = "/api/v1"
PATIENCE, DECODE = 0.6, 0.15  # seconds

LONG: dict[str, dict[str, Any]] = {
    "decode": {"points": [[0, 0]] * 1024},
    "morph": {"points": [[i % 3, i % 2] for i in range(32)], "frames": 512, "path": "geodesic"},
    "edit": {"points": [[0, 0]], "until": {"six": 0.999999}, "keep": ["one"]},
}


@pytest.fixture
def slow(session: Session, space: Space) -> Iterator[list[float]]:
    """A model of which each decode takes a while; when each began."""
    for name, label in (("six", "6"), ("one", "1")):
        session.worker.do(lambda n=name, v=label: session.learn_from_label(n, v)).result(20)  # type: ignore[misc]
    session.start()
    session.worker.do(lambda: None).result(20)
    session.patience = PATIENCE
    decodes: list[float] = []

    def wait(*_: object) -> None:
        decodes.append(time.monotonic())
        time.sleep(DECODE)

    hook = as_vae(space.model).decoder.register_forward_pre_hook(wait)
    yield decodes
    hook.remove()


async def ask(session: Session, *requests: tuple[str, dict[str, Any]]) -> list[httpx2.Response]:
    """Ask one after the other begins, without waiting for the answers."""
    transport = httpx2.ASGITransport(app=create_app(session))
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        tasks = []
        for route, body in requests:
            tasks.append(asyncio.create_task(client.post(f"{API}/{route}", json=body)))
            await asyncio.sleep(DECODE)
        return await asyncio.gather(*tasks)


@pytest.mark.parametrize("route", LONG)
def test_a_long_request_ends_between_decodes_and_the_next_one_is_answered(
    session: Session, space: Space, slow: list[float], route: str
) -> None:
    long, short = asyncio.run(ask(session, (route, LONG[route]), ("decode", {"points": [[0.5, 1]]})))
    assert (long.status_code, long.json()["error"]["code"]) == (504, "timeout")
    assert "more than 0.6 seconds to compute. Ask for less" in long.json()["error"]["message"]
    assert (short.status_code, short.content) == (200, space.decode([0.5, 1]).tobytes())
    assert len(slow) <= 1 + PATIENCE / DECODE + 2  # those of the long request, the short one's, and ours


def test_a_client_that_goes_frees_the_model_between_decodes(session: Session, slow: list[float]) -> None:
    async def leaves() -> AsyncIterator[Message]:
        body = b'{"points": [[0, 0]], "until": {"six": 0.999999}}'
        yield {"type": "http.request", "body": body, "more_body": False}
        await asyncio.sleep(2 * DECODE)
        yield {"type": "http.disconnect"}

    session.patience = 30.0
    spoken(session, leaves(), f"{API}/edit")
    session.worker.do(lambda: None).result(20)
    assert 1 <= len(slow) <= 4
