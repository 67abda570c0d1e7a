"""The documents as a site: built without a warning, no dead link, a picture first, every verb within two clicks."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import ModuleType
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import Browser
from tests.browser.conftest import browser
from typer.main import get_command

from morphospace.cli.app import app

__all__ = ["browser"]  # a fixture

ROOT = Path(__file__).parents[2]
SITE = ROOT / "docs" / "site"


class Links(HTMLParser):
    """Where a page's links and pictures lead, and what can be linked to in it."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.anchors |= {str(found[key]) for key in ("id", "name") if found.get(key)}
        if tag == "a" and found.get("href"):
            self.targets.append(str(found["href"]))
        if tag in ("img", "script", "source", "iframe") and found.get("src"):
            self.loaded.append(str(found["src"]))
        if tag == "link" and "stylesheet" in str(found.get("rel")):
            self.loaded.append(str(found["href"]))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built") / "site"
    built = subprocess.run(
        [sys.executable, str(SITE / "build.py"), str(folder)], capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Links]:
    return {page: Links(page) for page in site.rglob("*.html") if page.name != "404.html"}


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, SITE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def verbs(group: object, prefix: str = "morpho") -> Iterator[str]:
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        if hasattr(command, "commands"):
            yield from verbs(command, f"{prefix} {name}")
        else:
            yield f"{prefix} {name}"


def test_every_link_of_the_site_leads_somewhere(site: Path, pages: dict[Path, Links]) -> None:
    dead = []
    for page, links in pages.items():
        for target in (*links.targets, *links.loaded):
            parts = urlsplit(target)
            if parts.scheme:
                continue
            file = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            if not file.is_file() or (
                parts.fragment and file in pages and unquote(parts.fragment) not in pages[file].anchors
            ):
                dead.append((page.relative_to(site).as_posix(), target))
    assert not dead


def test_the_site_asks_no_other_server(pages: dict[Path, Links]) -> None:
    assert not [target for links in pages.values() for target in links.loaded if urlsplit(target).netloc]


def test_every_page_is_reached_from_the_first_one(site: Path, pages: dict[Path, Links]) -> None:
    home = site / "index.html"
    linked = {(site / unquote(urlsplit(t).path)).resolve() for t in pages[home].targets if not urlsplit(t).scheme}
    assert set(pages) - linked - {home} == set()


def test_every_verb_is_two_clicks_away(site: Path, pages: dict[Path, Links]) -> None:
    """The first is in the bar above every page; the second, in the table at the top of the page it leads to."""
    assert "command-line.html" in pages[site / "index.html"].targets
    second = pages[site / "command-line.html"]
    for name in verbs(get_command(app)):
        anchor = name.replace(" ", "-")
        assert f"#{anchor}" in second.targets
        assert anchor in second.anchors


def test_the_page_of_the_command_line_is_what_the_command_says() -> None:
    written = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    assert script("command_line").command_line() == written, "run: python docs/site/command_line.py"


def test_the_page_of_parts_is_what_they_say() -> None:
    written = (ROOT / "docs" / "parts.md").read_text(encoding="utf-8")
    assert script("parts").parts_page() == written, "run: python docs/site/parts.py"


def test_formulas_of_docstrings_are_drawn(site: Path) -> None:
    reference = (site / "reference.html").read_text(encoding="utf-8")
    assert "<math" in reference
    for left in (":math:", ":class:", ":func:", ":meth:"):
        assert left not in reference


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """The site behind a plain server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=site))
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.browser
@pytest.mark.parametrize("size", [(1280, 800), (390, 844)])
def test_a_picture_is_in_the_first_screen(address: str, browser: Browser, size: tuple[int, int]) -> None:
    page = browser.new_page(viewport={"width": size[0], "height": size[1]})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("response", lambda response: asked.append(f"{response.status}") if response.status >= 400 else None)
    page.goto(address)
    picture = page.locator("article img").first
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 600
    box = picture.bounding_box()
    assert box is not None
    assert box["y"] + 0.6 * box["height"] < size[1]
    assert box["width"] > 0.5 * min(size[0], 800)
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert all(url.startswith((address, "data:", "blob:")) for url in asked)
    page.close()
