"""The plane of the map is found once, beside the loop that answers everybody."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator

import httpx2
import numpy as np
import pytest

from morphospace.pictures import tile
from morphospace.recipes import build_model, changed, find_recipe
from morphospace.server import Session, create_app
from morphospace.space import Space

API = "/api/v1"
TAKES = 0.5  # seconds


@pytest.fixture
def session() -> Iterator[Session]:
    """Of a space of three latents, whose map is the plane along which the codes spread most."""
    recipe = changed(find_recipe("quick"), {"latent_dim": 3})
    codes = np.random.default_rng(0).normal(0, [1, 4, 2], (60, 3)).astype(np.float32)
    made = Session(Space(build_model(recipe, (8, 8, 1), seed=0), recipe, (8, 8, 1), reference=codes))
    yield made
    made.close()


@pytest.fixture
def looked(session: Session, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The threads in which the axes were computed, which takes a while."""
    threads: list[str] = []
    inner = session.space.plane

    def slowly() -> object:
        threads.append(threading.current_thread().name)
        time.sleep(TAKES)
        return inner()

    monkeypatch.setattr(session.space, "plane", slowly)
    return threads


async def tiles(session: Session) -> tuple[list[httpx2.Response], float]:
    """Four tiles, two by two, and the longest time for which nobody could be answered."""
    transport = httpx2.ASGITransport(app=create_app(session))
    gaps = [time.monotonic()]

    async def tick() -> None:
        while True:
            await asyncio.sleep(0.01)
            gaps.append(time.monotonic())

    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        await client.get(f"{API}/openapi.json")  # made at the first request where nothing has started the application
        gaps[:] = [time.monotonic()]
        ticking = asyncio.create_task(tick())
        answers = []
        for row in range(2):
            both = (client.get(f"{API}/atlas/1/{column}/{row}?cells=2") for column in range(2))
            answers += await asyncio.gather(*both)
        ticking.cancel()
    return answers, max(np.diff([*gaps, time.monotonic()]))


def test_the_plane_is_found_once_and_nobody_waits_for_it_but_those_who_want_it(
    session: Session, looked: list[str]
) -> None:
    answers, gap = asyncio.run(tiles(session))
    assert looked == ["model"]
    assert gap < 0.8 * TAKES
    plane = session.space.plane()
    for answer, (u, v) in zip(answers, [(0, 0), (1, 0), (0, 1), (1, 1)], strict=True):
        cells = [(u + a, v + b) for b in (0.75, 0.25) for a in (0.25, 0.75)]
        points = [plane.origin + x * plane.axes[0] + y * plane.axes[1] for x, y in cells]
        assert answer.content == tile(session.space.decode(points), 2).tobytes()


def test_it_is_there_when_the_server_has_started(session: Session, looked: list[str]) -> None:
    session.start()
    session.worker.do(lambda: None).result(20)
    asyncio.run(tiles(session))
    assert looked == ["model"]
