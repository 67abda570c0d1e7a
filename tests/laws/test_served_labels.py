"""A server of a space that is told labels draws and reads as the one that a request gives."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient
from tests.server.conftest import visitor

from morphospace.images import png_bytes
from morphospace.server import Session, create_app
from morphospace.space import Space

API = "/api/v1"


@pytest.fixture
def client(told: Space, tmp_path: Path) -> Iterator[TestClient]:
    session = Session(told)
    yield visitor(create_app(session, static=tmp_path / "no page"))
    session.close()


def pixels(answer: bytes) -> np.ndarray:
    return np.frombuffer(answer, np.uint8).reshape(-1, 8, 8, 1)


def test_points_are_drawn_as_the_label_that_is_given(client: TestClient, told: Space) -> None:
    z = told.sample_points(3, seed=1)
    for given in ("6", "9"):
        found = client.post(f"{API}/decode", json={"points": z.tolist(), "given": given})
        assert np.abs(pixels(found.content).astype(int) - told.given(given).decode(z)).max() <= 1
    first = client.post(f"{API}/decode", json={"points": z.tolist()})
    assert np.abs(pixels(first.content).astype(int) - told.given(0).decode(z)).max() <= 1


def test_requests_of_several_labels_are_decoded_together(told: Space) -> None:
    session = Session(told)
    z = told.sample_points(4, seed=2)
    gate = threading.Event()
    blocked = session.worker.do(gate.wait)
    jobs = [session.worker.decode(z, label=label) for label in (3, 5)]  # both wait, and are taken at once
    gate.set()
    assert blocked.result(10)
    for label, job in zip((3, 5), jobs, strict=True):
        assert np.abs(job.result(10).astype(int) - told.given(label).decode(z)).max() <= 1
    session.close()


def test_a_picture_is_read_as_what_is_given_or_as_the_likeliest(client: TestClient, told: Space) -> None:
    image = told.given("6").decode(np.zeros((1, 2)))
    sent = png_bytes(image[0], {})
    given = client.post(f"{API}/encode?given=4", content=sent).json()
    assert given["label"] == "4"
    assert given["mean"] == pytest.approx(told.given("4").encode(image).mean[0].tolist(), abs=1e-5)
    assert client.post(f"{API}/encode", content=sent).json()["label"] == "6"


def test_the_map_and_edits_take_it_too(client: TestClient, told: Space) -> None:
    tile = client.get(f"{API}/atlas/0/0/0?cells=1&given=7")
    assert np.abs(pixels(tile.content).astype(int) - told.given("7").decode([[0.5, 0.5]])).max() <= 1
    way = client.post(f"{API}/morph", json={"points": [[0, 0], [1, 1]], "frames": 3, "path": "geodesic", "given": "7"})
    assert len(way.json()["points"]) == 3
    assert client.post(f"{API}/edit", json={"points": [[0, 0]], "given": "7"}).json()["points"] == [[0.0, 0.0]]
    refused = client.post(f"{API}/edit", json={"points": [[0, 0]], "target": "7"})
    assert (refused.status_code, refused.json()["error"]["argument"]) == (422, "target")


def test_labels_that_there_are_not_are_refused(client: TestClient) -> None:
    for answer in (
        client.post(f"{API}/decode", json={"points": [[0, 0]], "given": "66"}),
        client.post(f"{API}/encode?given=66", content=png_bytes(np.zeros((8, 8, 1), np.uint8), {})),
        client.get(f"{API}/atlas/0/0/0?given=66"),
    ):
        assert answer.status_code == 422
        assert answer.json()["error"]["argument"] == "given"
        assert 'there is no label "66"' in answer.json()["error"]["message"]


def test_a_server_that_begins_with_a_label(told: Space, tmp_path: Path) -> None:
    session = Session(told.given("8"))
    client = visitor(create_app(session, static=tmp_path / "no page"))
    assert client.get(f"{API}/space").json()["given"] == "8"
    found = client.post(f"{API}/decode", json={"points": [[0, 0]]})
    assert np.abs(pixels(found.content).astype(int) - told.given("8").decode([[0, 0]])).max() <= 1
    session.close()
