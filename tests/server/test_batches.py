"""The thread that owns the model: its order, its batches, its bounds."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError

import httpx2
import numpy as np
import pytest
from tests.models import as_vae

from morphospace.errors import DataError
from morphospace.server import Session, create_app
from morphospace.server.batches import Unwanted, Worker
from morphospace.server.failures import Failure
from morphospace.space import Space

API = "/api/v1"


class Held:
    """A worker that is busy until it is let go, and counts what is decoded at once."""

    def __init__(self, worker: Worker) -> None:
        self.worker, self.release, self.sizes = worker, threading.Event(), []  # type: ignore[var-annotated]
        inner = worker.space.decode

        def counted(points, **how):  # type: ignore[no-untyped-def]
            self.sizes.append(len(points))
            return inner(points, **how)

        worker.space.decode = counted  # type: ignore[method-assign, assignment]
        began = threading.Event()

        def wait() -> None:
            began.set()
            assert self.release.wait(20)

        worker.do(wait)
        assert began.wait(20)


@pytest.fixture
def held(session: Session) -> Iterator[Held]:
    made = Held(session.worker)
    yield made
    made.release.set()


def test_what_waits_is_decoded_together_and_is_the_same_as_alone(held: Held, space: Space) -> None:
    points = [space.sample_points(n, seed=n) for n in (1, 2, 30, 4)]
    alone = [space.decode(z) for z in points]
    held.sizes.clear()
    jobs = [held.worker.decode(z) for z in points]
    held.release.set()
    for job, expected in zip(jobs, alone, strict=True):
        difference = np.abs(job.result(20).astype(int) - expected)
        assert difference.max() <= 1  # other batches may round the last bit otherwise
        assert (difference > 0).mean() < 0.001
    assert held.sizes == [37]


def test_a_batch_is_no_larger_than_fits(held: Held, space: Space) -> None:
    jobs = [held.worker.decode(np.zeros((n, 2), np.float32)) for n in (200, 100, 50, 300, 1)]
    held.release.set()
    assert [len(job.result(20)) for job in jobs] == [200, 100, 50, 300, 1]
    assert held.sizes == [250, 101, 300]


def test_other_work_keeps_its_turn(held: Held) -> None:
    order = []
    jobs = [held.worker.do(lambda i=i: order.append(i)) for i in range(5)]  # type: ignore[misc]
    held.release.set()
    for job in jobs:
        job.result(20)
    assert order == [0, 1, 2, 3, 4]


def test_of_the_same_word_only_the_newest_is_computed(held: Held) -> None:
    z = np.zeros((1, 2), np.float32)
    old, other, older, new = (held.worker.decode(z, latest=word) for word in ("a", "b", "a", "a"))
    plain = held.worker.decode(z)
    for job in (old, older):
        with pytest.raises(Failure, match="newer") as failed:
            job.result(0)
        assert (failed.value.status, failed.value.code) == (409, "superseded")
    held.release.set()
    assert all(len(job.result(20)) == 1 for job in (other, new, plain))
    assert held.sizes == [3]


def test_a_full_queue_says_when_to_come_back(held: Held) -> None:
    z = np.zeros((1, 2), np.float32)
    jobs = [held.worker.decode(z, latest="same" if i == 3 else None) for i in range(64)]
    with pytest.raises(Failure, match="wait") as failed:
        held.worker.decode(z)
    assert (failed.value.status, failed.value.headers) == (503, {"Retry-After": "1"})
    newer = held.worker.decode(z, latest="same")  # takes the place of the one it supersedes
    assert jobs[5].cancel()
    held.worker.decode(z)  # takes the place of the one that has gone
    held.release.set()
    assert len(newer.result(20)) == 1


def test_who_has_gone_is_not_computed_for(held: Held) -> None:
    done = []
    job = held.worker.do(lambda: done.append(1))
    decoded = held.worker.decode(np.zeros((1, 2), np.float32))
    assert job.cancel()
    assert decoded.cancel()
    held.release.set()
    assert held.worker.do(lambda: 5).result(20) == 5
    assert (done, held.sizes) == ([], [])
    with pytest.raises(CancelledError):
        job.result(0)


def test_a_job_can_be_given_up_in_its_midst(session: Session) -> None:
    began = threading.Event()

    def endless() -> None:
        began.set()
        while True:
            session.space.decode(np.zeros(2))

    job = session.worker.do(endless)
    assert began.wait(20)
    job.cancel()
    with pytest.raises(Unwanted):
        job.result(20)


def test_latents_that_break_one_job_do_not_break_those_beside_it(held: Held) -> None:
    good = held.worker.decode(np.zeros((2, 2), np.float32))
    bad = held.worker.decode(np.full((1, 2), np.nan, np.float32))
    held.release.set()
    assert len(good.result(20)) == 2
    with pytest.raises(DataError, match="finite"):
        bad.result(20)


def test_a_closed_worker_takes_nothing_more_and_leaves_the_model_as_it_was(space: Space) -> None:
    hooks = len(as_vae(space.model).decoder._forward_pre_hooks)
    worker = Worker(space)
    began = threading.Event()

    def endless() -> None:
        began.set()
        while True:
            space.decode(np.zeros(2))

    job = worker.do(endless)
    assert began.wait(20)
    worker.close()
    with pytest.raises(Unwanted):
        job.result(20)
    with pytest.raises(Failure, match="wait"):
        worker.do(lambda: 1)
    assert len(as_vae(space.model).decoder._forward_pre_hooks) == hooks


# -- through HTTP ----------------------------------------------------------------------------------------


async def together(session: Session, held: Held, bodies: list[dict[str, object]]) -> list[httpx2.Response]:
    transport = httpx2.ASGITransport(app=create_app(session))
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        tasks = [asyncio.create_task(client.post(f"{API}/decode", json=body)) for body in bodies]
        await asyncio.sleep(0.5)
        held.release.set()
        return await asyncio.gather(*tasks)


def test_a_burst_is_answered_or_told_to_come_back(session: Session, held: Held) -> None:
    answers = asyncio.run(together(session, held, [{"points": [[0, 0]]}] * 80))
    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(200), statuses.count(503)) == (64, 16)
    assert all(answer.headers["retry-after"] == "1" for answer in answers if answer.status_code == 503)
    assert held.sizes == [64]


def test_dragging_gets_the_newest_frame(session: Session, held: Held) -> None:
    bodies: list[dict[str, object]] = [{"points": [[i, 0]], "latest": "drag"} for i in range(10)]
    answers = asyncio.run(together(session, held, bodies))
    assert [answer.status_code for answer in answers] == [409] * 9 + [200]
    assert answers[0].json()["error"]["code"] == "superseded"


def test_a_client_that_leaves_cancels_its_job(session: Session, held: Held) -> None:
    async def leave() -> None:
        transport = httpx2.ASGITransport(app=create_app(session))
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
            task = asyncio.create_task(client.post(f"{API}/decode", json={"points": [[0, 0]]}))
            await asyncio.sleep(0.3)
            assert len(session.worker._waiting) == 1
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(leave())
    held.release.set()
    session.worker.do(lambda: None).result(20)
    assert held.sizes == []
