"""Who may ask, how much, and what is on every answer."""

from __future__ import annotations

import asyncio
import io
import struct
import zlib
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient
from starlette.types import Message
from tests.pictures import encoded, noise
from tests.server.conftest import Ask, visitor

from morphospace.errors import ArgumentError
from morphospace.server import Session, create_app, run
from morphospace.server.safety import COOKIE, Gate, is_loopback

API = "/api/v1"
HEALTH = f"{API}/health"


def refused(answer: Any, status: int, code: str) -> None:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    error = answer.json()["error"]
    assert error["code"] == code
    assert error["message"].endswith((".", "token=..."))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8765", "localhost:1", "LOCALHOST", "[::1]:8765", "[::1]"])
def test_this_machine_may_ask_under_its_names(client: TestClient, host: str) -> None:
    assert client.get(HEALTH, headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8765", "localhost.evil.example", "127.0.0.1.evil.example", "", "::1", "a@b"]
)
def test_a_name_that_was_made_to_point_here_is_refused(client: TestClient, host: str) -> None:
    refused(client.get(HEALTH, headers={"host": host}), 403, "forbidden")


def test_the_address_that_is_bound_is_known(ask: Ask) -> None:
    assert ask(host="127.0.0.2").get(HEALTH, headers={"host": "127.0.0.2:80"}).status_code == 200
    assert Gate("::ffff:127.0.0.1", None).hosts > {"[::ffff:127.0.0.1]"}


OTHERS = (
    "0.0.0.0", "::", "[::]", "", "0", "my-machine", "example.org", "localhost.evil.example", "192.168.0.7", "10.1.2.3",
    "fe80::1", "::ffff:0.0.0.0", "::ffff:192.168.0.7", "2130706433", " 127.0.0.1",
)  # fmt: skip


@pytest.mark.parametrize("host", OTHERS)
def test_where_others_can_come_a_token_is_needed(session: Session, host: str) -> None:
    """From Python too: not only the command refuses."""
    for make in (create_app, run.serve):
        with pytest.raises(ArgumentError, match=r"^host: .* without a token .*`token`") as failed:
            make(session, host=host)
        assert f'"{host}"' in str(failed.value)
    with pytest.raises(ArgumentError, match=r"^host: "):
        Gate(host, None)
    assert Gate(host, "open sesame").token == "open sesame"


@pytest.mark.parametrize("token", ["", "short", " " * 8, "pässword", "tab\tin between"])
def test_a_token_that_keeps_nobody_out_is_refused(session: Session, token: str) -> None:
    for host in ("0.0.0.0", "127.0.0.1"):
        with pytest.raises(ArgumentError, match=r"^token: expected 8"):
            create_app(session, host=host, token=token)


@pytest.mark.parametrize("peer", ["192.168.0.7", "10.1.2.3", "fe80::1", "::ffff:192.168.0.7", "somebody"])
def test_another_machine_is_refused_wherever_an_own_server_listens(session: Session, peer: str) -> None:
    """``uvicorn.run(create_app(session), host="0.0.0.0")``: the name we are called by is the visitor's word."""
    answer = visitor(create_app(session), peer).get(HEALTH, headers={"host": "127.0.0.1"})
    refused(answer, 403, "forbidden")
    assert "token" in answer.json()["error"]["message"]
    with_token = visitor(create_app(session, token="open sesame"), peer)
    assert with_token.get(HEALTH, headers={"authorization": "Bearer open sesame"}).status_code == 200


def test_this_machine_is_known_by_all_its_addresses(session: Session) -> None:
    for peer in ("127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"):
        assert visitor(create_app(session), peer).get(HEALTH).status_code == 200


def test_who_comes_from_nowhere_is_refused(session: Session) -> None:
    async def nothing() -> AsyncIterator[Message]:
        yield {"type": "http.request", "body": b"{}", "more_body": False}

    start, _ = spoken(session, nothing(), f"{API}/sample", peer=None)
    assert start["status"] == 403


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:1", "http://localhost:8765", "file://"]
)
def test_pages_of_others_are_refused(client: TestClient, origin: str) -> None:
    refused(client.post(f"{API}/decode", json={"points": [[0, 0]]}, headers={"origin": origin}), 403, "forbidden")


def test_own_pages_may_ask(client: TestClient) -> None:
    for origin in ("http://127.0.0.1:8765", "https://127.0.0.1:8765"):
        assert client.get(HEALTH, headers={"origin": origin}).status_code == 200


def test_other_sites_may_open_the_page_and_nothing_else(client: TestClient) -> None:
    foreign = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    refused(client.get("/", headers=foreign), 404, "not_found")  # let in: there is no page here
    refused(client.get("/", headers=foreign | {"sec-fetch-mode": "no-cors"}), 403, "forbidden")
    refused(client.get(HEALTH, headers=foreign), 403, "forbidden")
    refused(client.post(f"{API}/sample", headers=foreign), 403, "forbidden")
    refused(client.get(HEALTH, headers={"sec-fetch-site": "same-site"}), 403, "forbidden")
    assert client.get(HEALTH, headers={"sec-fetch-site": "same-origin"}).status_code == 200
    assert client.get(HEALTH, headers={"sec-fetch-site": "none"}).status_code == 200


def test_a_token_is_asked_for_everywhere(ask: Ask) -> None:
    client = ask(host="0.0.0.0", token="open sesame")
    for address in ("/", HEALTH, f"{API}/openapi.json", f"{API}/docs", f"{API}/docs.css", "/nothing"):
        refused(client.get(address, headers={"host": "somewhere.example"}), 403, "forbidden")
    for shown in ("Bearer wrong", "Bearer ", "open sesame", "Basic b3Blbg==", "Bearer open sesame2", "Bearer öpen"):
        refused(client.get(HEALTH, headers=[(b"authorization", shown.encode())]), 403, "forbidden")
    refused(client.get(f"{HEALTH}?token=open+sesame"), 403, "forbidden")
    refused(client.get("/?token=wrong"), 403, "forbidden")
    for scheme in ("Bearer", "bearer"):
        headers = {"host": "somewhere.example", "authorization": f"{scheme} open sesame"}
        assert client.get(HEALTH, headers=headers).status_code == 200


def test_the_printed_address_leaves_a_cookie(ask: Ask) -> None:
    client = ask(host="0.0.0.0", token="open-sesame")
    answer = client.get("/?token=open-sesame", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert client.get(HEALTH).status_code == 200
    client.cookies.clear()
    refused(client.get(HEALTH, headers={"cookie": f"{COOKIE}=wrong"}), 403, "forbidden")
    refused(client.get(HEALTH, headers={"cookie": "\x00;;=,"}), 403, "forbidden")


def test_a_token_does_not_let_other_sites_in(ask: Ask) -> None:
    headers = {"authorization": "Bearer open-sesame", "origin": "http://evil.example"}
    refused(ask(token="open-sesame").get(HEALTH, headers=headers), 403, "forbidden")


def test_loopback_is_known() -> None:
    here = ("localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1", "[::1]", "::ffff:127.0.0.1")
    assert [host for host in here if not is_loopback(host)] == []
    assert [host for host in OTHERS if is_loopback(host)] == []


def test_every_answer_is_secured(ask: Ask, client: TestClient) -> None:
    answers = [
        client.get(HEALTH), client.get("/"), client.get("/nothing"), client.put(HEALTH), client.get(f"{API}/docs"),
        client.post(f"{API}/decode"), client.get(HEALTH, headers={"host": "evil"}), client.get(f"{API}/points/codes"),
        ask(token="open-sesame").get("/?token=open-sesame", follow_redirects=False), client.delete(f"{API}/concepts/x"),
    ]  # fmt: skip
    for answer in answers:
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["cross-origin-embedder-policy"] == "require-corp"
        assert answer.headers["cache-control"] == "no-store"
        assert "server" not in answer.headers
        assert "access-control-allow-origin" not in answer.headers


# -- bodies ----------------------------------------------------------------------------------------------


def test_bodies_have_a_largest_size(client: TestClient) -> None:
    refused(client.post(f"{API}/decode", content=b" " * 4_000_001), 413, "too_large")
    refused(client.post(f"{API}/encode", content=b" " * 32_000_001), 413, "too_large")
    refused(client.post(f"{API}/encode", content=b" " * 4_000_001), 415, "not_a_picture")
    refused(client.post(f"{API}/sample", headers={"content-length": "9" * 50}), 413, "too_large")
    refused(client.post(f"{API}/sample", headers={"content-length": "-1"}), 413, "too_large")


def spoken(
    session: Session, messages: AsyncIterator[Message], path: str, peer: str | None = "127.0.0.1", **options: Any
) -> list[Message]:
    """What the application answers to the messages of a connection."""
    said: list[Message] = []
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "client": peer and (peer, 1),
        "server": ("127.0.0.1", 2), "headers": [(b"host", b"localhost"), (b"content-type", b"application/json")],
    }  # fmt: skip

    async def send(message: Message) -> None:
        said.append(message)

    async def talk() -> None:
        await create_app(session, **options)(scope, lambda: anext(messages), send)

    asyncio.run(talk())
    return said


def test_a_body_that_does_not_say_its_size_is_counted_and_not_read_on(session: Session) -> None:
    taken = []

    async def endless() -> AsyncIterator[Message]:
        for piece in range(100):
            taken.append(piece)
            yield {"type": "http.request", "body": b" " * 1_000_000, "more_body": True}

    start, body = spoken(session, endless(), f"{API}/decode")
    assert start["status"] == 413
    assert b'"too_large"' in body["body"]
    assert len(taken) == 5  # of 1 MB each, where 4 MB are the most


def test_a_body_that_does_not_arrive_is_not_waited_for(session: Session) -> None:
    async def slowly() -> AsyncIterator[Message]:
        while True:
            yield {"type": "http.request", "body": b" ", "more_body": True}
            await asyncio.sleep(0.02)

    start, body = spoken(session, slowly(), f"{API}/sample", body_seconds=0.2)
    assert start["status"] == 408
    assert b'"timeout"' in body["body"]


def test_nothing_is_answered_to_who_has_gone(session: Session) -> None:
    async def leaves() -> AsyncIterator[Message]:
        yield {"type": "http.request", "body": b"{", "more_body": True}
        yield {"type": "http.disconnect"}

    assert spoken(session, leaves(), f"{API}/sample") == []


def test_all_bodies_together_are_bounded(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("morphospace.server.safety._ALL_BODIES", 1000)
    for _ in range(3):
        answer = client.post(f"{API}/encode", content=b" " * 1001)
        refused(answer, 503, "busy")
        assert answer.headers["retry-after"] == "1"
        assert client.post(f"{API}/sample", json={"n": 1, "seed": 0}).status_code == 200


def test_requests_are_bounded(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("morphospace.server.safety._MOST_REQUESTS", 0)
    refused(client.get(HEALTH), 503, "busy")


# -- pictures --------------------------------------------------------------------------------------------


def claims(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims to be large."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("width", "height"), [(50_000, 20_000), (25_000_001, 1), (5001, 5000), (2**31 - 1, 2**31 - 1)])
def test_a_picture_that_claims_too_much_is_refused_by_its_header(client: TestClient, width: int, height: int) -> None:
    refused(client.post(f"{API}/encode", content=claims(width, height)), 413, "too_large")


def test_a_jpeg_that_is_too_large_is_refused_too(client: TestClient) -> None:
    stream = io.BytesIO()
    Image.new("L", (5001, 5000)).save(stream, "JPEG")
    refused(client.post(f"{API}/encode", content=stream.getvalue()), 413, "too_large")


@pytest.mark.parametrize(
    "data",
    [
        b"", b"hello", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", b"PK\x03\x04", encoded(noise(0, (64, 64, 3)))[:-400],
        encoded(noise(0, (64, 64, 3)), "JPEG")[:900],
    ],
)  # fmt: skip
def test_what_is_no_whole_picture_is_said_so(client: TestClient, data: bytes) -> None:
    refused(client.post(f"{API}/encode", content=data), 415, "not_a_picture")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
def test_pictures_of_all_kinds_are_taken(client: TestClient, kind: str) -> None:
    headers = {"content-type": "text/plain"}  # whatever the browser calls it
    answer = client.post(f"{API}/encode", content=encoded(noise(1, (40, 30, 3)), kind), headers=headers)
    assert answer.status_code == 200
    assert np.isfinite(answer.json()["mean"]).all()
