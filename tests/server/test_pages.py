"""The built page's files, and the description."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.server.conftest import Ask


@pytest.fixture
def static(tmp_path: Path) -> Path:
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html>the page")
    (folder / "assets" / "app.js").write_text("export {}")
    (folder / "assets" / "app.css").write_text("b {}")
    (folder / "ort.wasm.gz").write_bytes(b"\x1f\x8bzipped")
    (folder / ".hidden").write_text("secret")
    (tmp_path / "outside.txt").write_text("secret")
    return folder


def test_files_have_their_types_and_are_not_sent_twice(ask: Ask, static: Path) -> None:
    client = ask(static=static)
    for address, kind in (
        ("/", "text/html; charset=utf-8"),
        ("/assets/app.js", "text/javascript; charset=utf-8"),
        ("/assets/app.css", "text/css; charset=utf-8"),
        ("/ort.wasm.gz", "application/octet-stream"),
    ):
        answer = client.get(address)
        assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
        assert answer.headers["cache-control"] == "no-cache"
        assert "content-encoding" not in answer.headers
        for tag in (answer.headers["etag"], f'"other", W/{answer.headers["etag"]}'):
            again = client.get(address, headers={"if-none-match": tag})
            assert (again.status_code, again.content) == (304, b"")
        assert client.get(address, headers={"if-none-match": '"other"'}).status_code == 200
    assert client.get("/ort.wasm.gz").content == b"\x1f\x8bzipped"
    assert client.head("/").status_code == 200


@pytest.mark.parametrize(
    "address",
    ["/outside.txt", "/../outside.txt", "/..%2foutside.txt", "/%2e%2e/outside.txt", "/.hidden", "/index.html",
     "/assets", "/assets/", "/assets/%00", "/assets/..%5c..%5coutside.txt", "/C:/x"],
)  # fmt: skip
def test_nothing_else_is_served(ask: Ask, static: Path, address: str) -> None:
    answer = ask(static=static).get(address)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


def test_without_a_page_it_is_said_so(ask: Ask, tmp_path: Path) -> None:
    answer = ask(static=tmp_path / "nothing").get("/")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    assert "/api/v1/docs" in answer.json()["error"]["message"]


def test_every_route_is_described_with_what_may_go_wrong(client: TestClient) -> None:
    description = client.get("/api/v1/openapi.json").json()
    assert len(description["paths"]) == 17
    for path, methods in description["paths"].items():
        assert path.startswith("/api/v1/")
        for about in methods.values():
            assert about["description"]
            assert {"403", "422", "500"} < set(about["responses"])
            for status, answer in about["responses"].items():
                if status[0] in "45":
                    schema = answer["content"]["application/json"]["schema"]
                    assert schema == {"$ref": "#/components/schemas/Problem"}
    binary = description["paths"]["/api/v1/decode"]["post"]["responses"]["200"]
    assert set(binary["content"]) == {"application/octet-stream", "image/png"}
    assert "HTTPValidationError" not in description["components"]["schemas"]


def test_the_description_is_a_page_that_needs_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/api/v1/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"

    class Strict(HTMLParser):
        opened: list[str] = []  # noqa: RUF012

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag not in ("script", "style", "iframe", "img")
            assert not any(name.startswith(("on", "style")) for name, _ in attrs)
            if tag not in ("meta", "link", "br"):
                self.opened.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert self.opened.pop() == tag

    parser = Strict()
    parser.feed(page.text)
    assert not parser.opened
    assert set(re.findall(r'(?:href|src)="([^#"]+)"', page.text)) == {"docs.css", "openapi.json"}
    for target in set(re.findall(r'href="#([^"]+)"', page.text)):
        assert f'id="{target}"' in page.text
    assert client.get("/api/v1/docs.css").headers["content-type"].startswith("text/css")
    assert client.get("/docs").status_code == client.get("/redoc").status_code == 404
