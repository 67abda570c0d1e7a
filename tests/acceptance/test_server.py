"""The server under strangers' requests, and under more of them than it can answer."""

from __future__ import annotations

import asyncio
import io
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from PIL import Image
from tests.server.fuzzing import fuzz

from morphospace.server import Session, create_app
from morphospace.space import Space

pytestmark = pytest.mark.acceptance

CLIENTS = 64
SECONDS = float(os.environ.get("MORPHOSPACE_LOAD_SECONDS", "60"))
WARM_UP = 0.25  # of the time
CASES = 5000


@pytest.mark.slow  # `make test` asks six hundred
@pytest.mark.timeout(1200)
def test_five_thousand_requests_are_answered_as_described(space: Space) -> None:
    session = Session(space)
    for name, label in (("six", "6"), ("one", "1")):
        session.worker.do(lambda n=name, v=label: session.learn_from_label(n, v)).result(20)  # type: ignore[misc]
    counts = fuzz(create_app(session), 210)
    print(f"{counts.total():,} requests: {dict(sorted(counts.items()))}")
    assert counts.total() >= CASES
    session.close()


@pytest.fixture
def server() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """``morpho explore builtin`` on a free port, and its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "morphospace", "explore", "builtin", "--no-browser", "--device", "cpu"],
        text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | {"COLUMNS": "200"},
    )  # fmt: skip
    assert process.stderr is not None
    yield process, next(found[0] for line in process.stderr if (found := re.search(r"http://\S+", line)))
    process.kill()
    process.communicate()


def resident(pid: int) -> int:
    """Bytes of memory that a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def wishes(rng: random.Random) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, address and body of one request after the other, as a lively page asks."""
    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 48, 3), np.uint8)).save(stream, "PNG")

    def point() -> list[float]:
        return [rng.gauss(0, 1), rng.gauss(0, 1)]

    while True:
        level = rng.randrange(4)
        asked: list[tuple[str, str, dict[str, Any]]] = [
            ("POST", "decode", {"json": {"points": [point() for _ in range(rng.choice([1, 1, 16]))]}}),
            ("GET", f"atlas/{level}/{rng.randrange(-4, 4)}/{rng.randrange(-4, 4)}", {}),
            ("POST", "encode", {"content": stream.getvalue()}),
            ("POST", "edit", {"json": {"points": [point()], "strengths": {"load": rng.uniform(-2, 2)}}}),
            ("POST", "neighbors", {"json": {"point": point(), "n": 12}}),
        ]
        yield from rng.sample(asked, len(asked))


async def load(address: str, pid: int) -> tuple[Counter[str], list[float], list[int]]:
    """Answers by kind, seconds of those that were computed, and the memory before and after the measured part."""
    counts: Counter[str] = Counter()
    seconds: list[float] = []
    memory: list[int] = []
    end = time.monotonic() + SECONDS
    limits = httpx2.Limits(max_connections=CLIENTS, max_keepalive_connections=CLIENTS)
    async with httpx2.AsyncClient(base_url=f"{address}api/v1/", timeout=60, limits=limits) as client:
        learned = await client.post("concepts", json={"name": "load", "label": "6"})
        assert learned.status_code == 201, learned.text

        async def one(seed: int) -> None:
            rng = random.Random(seed)
            for method, path, how in wishes(rng):
                if time.monotonic() > end:
                    return
                began = time.monotonic()
                answer = await client.request(method, path, **how)
                counts[f"{answer.status_code}"] += 1
                if answer.status_code == 200:
                    seconds.append(time.monotonic() - began)
                    continue
                assert answer.status_code == 503, answer.text
                assert answer.headers["retry-after"] == "1"
                await asyncio.sleep(rng.random())

        async def watch() -> None:
            await asyncio.sleep(SECONDS * WARM_UP)
            while time.monotonic() < end:
                memory.append(resident(pid))
                await asyncio.sleep(1)

        await asyncio.gather(watch(), *(one(seed) for seed in range(CLIENTS)))
    return counts, sorted(seconds), memory


@pytest.mark.timed
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_sixty_four_clients_for_a_minute(server: tuple[subprocess.Popen[str], str]) -> None:
    process, address = server
    counts, seconds, memory = asyncio.run(load(address, process.pid))
    p50, p99 = (1000 * seconds[int(len(seconds) * share)] for share in (0.5, 0.99))
    growth = max(memory) / memory[0] - 1
    print(
        f"{CLIENTS} clients, {SECONDS:g} s: {dict(counts)}, {len(seconds) / SECONDS:.0f} answers a second, "
        f"p50 {p50:.0f} ms, p99 {p99:.0f} ms; memory {memory[0] / 1e6:.0f} MB, grew {growth:.1%}"
    )
    assert set(counts) <= {"200", "503"}
    assert growth < 0.1
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    print(f"ended in {time.monotonic() - began:.1f} s")
    assert process.returncode == 0, err
    assert "stopped" in out
    assert "Traceback" not in err
