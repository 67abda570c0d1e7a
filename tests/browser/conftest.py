"""A real browser on the explorer's page: behind a server, and as one file with the network off."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from tests.browser.serving import serving

import morphospace as ms
from morphospace.builtin import builtin_folder
from morphospace.export.page import write_page
from morphospace.space import Space

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = ["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking"]
Pixels = NDArray[np.uint8]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if len(list(item.iter_markers("acceptance"))) > 1:  # a thorough test, of the page as a file too
                item.add_marker(pytest.mark.slow)


def browser_path() -> str | None:
    """The browser that is here."""
    named = os.environ.get("MORPHOSPACE_BROWSER")
    return named or next((path for name in BROWSERS if (path := shutil.which(name))), None)


@pytest.fixture(scope="module")  # Playwright keeps an event loop running, in which other tests cannot have theirs
def browser() -> Iterator[Browser]:
    found = browser_path()
    if found is None:
        pytest.skip("there is no browser here: install chromium, or set MORPHOSPACE_BROWSER")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture(scope="session")
def builtin() -> Space:
    return ms.load(builtin_folder())


@pytest.fixture(scope="session")
def served() -> Iterator[str]:
    with serving(ms.load(builtin_folder()), builtin_folder(), writable=False) as address:
        yield address


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, builtin: Space) -> str:
    path = tmp_path_factory.mktemp("shared") / "space.html"
    write_page(path, builtin)
    return path.as_uri()


@dataclass
class Explorer:
    """A page with what a person does on it.

    Attributes:
        page: Playwright's.
        space: the same space in PyTorch.
        requests: every address that was asked for.
        complaints: what the page wrote to the console as errors.
    """

    page: Page
    space: Space
    requests: list[str]
    complaints: list[str]

    def ready(self) -> None:
        """Wait until every tile of the view is there."""
        self.page.wait_for_selector("#map[data-ready=yes]", timeout=20_000)

    def pause(self, milliseconds: int) -> None:
        """Wait by the page's own clock: whatever it had to do before then, it has done, however slow the machine."""
        self.page.evaluate("t => new Promise((done) => setTimeout(() => requestAnimationFrame(done), t))", milliseconds)

    def eventually(self, holds: Callable[[], bool], seconds: float = 20) -> None:
        """Wait until it holds."""
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, f"it does not come to hold within {seconds:g} s"
            self.pause(100)

    @property
    def view(self) -> tuple[float, float, float]:
        u, v, scale = (self.page.locator("#map").get_attribute("data-view") or "").split(",")
        return float(u), float(v), float(scale)

    @property
    def box(self) -> dict[str, float]:
        box = self.page.locator("#map").bounding_box()
        assert box is not None
        return {"x": box["x"], "y": box["y"], "width": box["width"], "height": box["height"]}

    def at(self, across: float, down: float) -> tuple[float, float]:
        """Where on the screen the share (across, down) of the map lies."""
        box = self.box
        return round(box["x"] + across * box["width"]), round(box["y"] + down * box["height"])

    def latent(self, x: float, y: float) -> NDArray[np.float32]:
        """The latent under a place on the screen, in a space of two latents."""
        u, v, scale = self.view
        box = self.box
        z = [u + (x - box["x"] - box["width"] / 2) / scale, v - (y - box["y"] - box["height"] / 2) / scale]
        return np.array(z, np.float32)

    def hide(self, *selectors: str) -> None:
        """Take parts of the page out of the picture; the page's policy forbids a style of our own."""
        rule = f"{', '.join(selectors)} {{ opacity: 0 !important }}"
        self.page.evaluate("rule => document.styleSheets[0].insertRule(rule, 0)", rule)

    def move(self, across: float, down: float) -> NDArray[np.float32]:
        x, y = self.at(across, down)
        self.page.mouse.move(x, y)
        return self.latent(x, y)

    def click(self, across: float, down: float) -> NDArray[np.float32]:
        x, y = self.at(across, down)
        self.page.mouse.click(x, y)
        return self.latent(x, y)

    def lone_point(self) -> tuple[int, float, float]:
        """A test image that lies alone, so that no other is nearer to a pointer on it: its number, and where it is."""
        u, v, scale = self.view
        box = self.box
        middle = np.array([box["width"] / 2, box["height"] / 2])
        places = (np.asarray(self.space.reference) - [u, v]) * [scale, -scale]  # from the middle of the map
        inside = np.flatnonzero((np.abs(places) < [300, 200]).all(1))
        alone = next(i for i in inside if np.sort(np.square(places - places[i]).sum(1))[1] > 20**2)
        x, y = places[alone] + middle + [box["x"], box["y"]]
        return int(alone), float(x), float(y)

    def tab(self, name: str) -> None:
        self.page.click(f"#tab-{name}")

    @property
    def state(self) -> dict[str, str]:
        """What the address says, once it has caught up."""
        self.pause(350)
        return {key: value[0] for key, value in parse_qs(self.page.url.partition("#")[2]).items()}

    def pixels(self, picture: str, nth: int = 0) -> Pixels:
        """What a canvas shows, (H, W) of grey."""
        data: list[int] = (
            self.page.locator(f"canvas[data-picture={picture}]")
            .nth(nth)
            .evaluate("c => [c.height, c.width, ...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]")
        )
        height, width = data[:2]
        return np.array(data[2:], np.uint8).reshape(height, width, 4)[..., 0]

    def shows(self, picture: str, expected: Pixels, *, nth: int = 0, within: int = 2) -> None:
        """Wait until a canvas shows ``expected`` (H, W), to within some grey levels."""
        end = time.monotonic() + 10
        while (apart := self._apart(self.pixels(picture, nth), expected)) > within:
            if time.monotonic() > end:
                pytest.fail(f"{picture} differs from what PyTorch draws by {apart} grey levels")
            self.pause(50)

    @staticmethod
    def _apart(one: Pixels, other: Pixels) -> int:
        return int(np.abs(one.astype(int) - other).max()) if one.shape == other.shape else 256

    def decoded(self, z: Any) -> Pixels:
        picture: Pixels = self.space.decode(z)[0, ..., 0]
        return picture

    def page_latent(self) -> list[str]:
        """The numbers of the latent that the page says is under the pointer."""
        return (self.page.locator(".numbers").text_content() or "").split()

    def screenshot(self) -> Pixels:
        """What the map shows, (H, W, 3)."""
        import io

        from PIL import Image

        return np.asarray(Image.open(io.BytesIO(self.page.locator("#map").screenshot())).convert("RGB"))


Opener = Callable[..., Explorer]


def thorough(*values: Any) -> Any:
    """Parameters of a test that `make test` leaves to `make acceptance`."""
    return pytest.param(*values, marks=pytest.mark.acceptance)


@pytest.fixture
def opened(browser: Browser) -> Iterator[Opener]:
    """Open a page; what it asked for and what it complained about is watched."""
    contexts: list[BrowserContext] = []

    def open_page(address: str, space: Space, script: str = "", **wishes: Any) -> Explorer:
        wishes.setdefault("viewport", {"width": 1280, "height": 720})
        wishes.setdefault("locale", "en-GB")
        wishes.setdefault("color_scheme", "dark")
        context = browser.new_context(offline=address.startswith("file:"), **wishes)
        contexts.append(context)
        context.add_init_script(script or "")
        page = context.new_page()
        explorer = Explorer(page, space, [], [])
        page.on("request", lambda request: explorer.requests.append(request.url))
        page.on("pageerror", lambda error: explorer.complaints.append(str(error)))
        page.on("console", lambda said: explorer.complaints.append(said.text) if said.type == "error" else None)
        page.goto(address)
        explorer.ready()
        return explorer

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture(params=["served", pytest.param("shared", marks=pytest.mark.acceptance)])
def explorer(request: pytest.FixtureRequest, opened: Opener, builtin: Space) -> Iterator[Explorer]:
    """The built-in space, behind a server and as a file."""
    found = opened(request.getfixturevalue(request.param), builtin)
    yield found
    assert not found.complaints
