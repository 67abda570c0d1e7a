"""Draw the README's pictures of the explorer, on the built-in space: python docs/explorer_images.py

Needs MNIST for the originals, and Chromium (its path in MORPHOSPACE_BROWSER, or on the path).
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser.conftest import ARGUMENTS, Explorer, browser_path  # noqa: E402
from tests.browser.serving import serving  # noqa: E402

import morphospace as ms  # noqa: E402
from morphospace.builtin import builtin_folder  # noqa: E402

PINS = ((0.45, 0.55), (0.6, 0.35), (0.25, 0.6))
WAYS = ((0.2, 0.5), (0.45, 0.25), (0.7, 0.5), (0.55, 0.72))


def save(page: Page, name: str) -> None:
    page.wait_for_timeout(900)
    with Image.open(io.BytesIO(page.screenshot())) as shot:
        path = ROOT / "docs" / "images" / name
        shot.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path}: {path.stat().st_size:,} bytes")


def main() -> None:
    space = ms.load("builtin")
    with serving(space, builtin_folder(), writable=False) as address, sync_playwright() as playwright:
        page = playwright.chromium.launch(executable_path=browser_path(), args=ARGUMENTS).new_page(
            viewport={"width": 1440, "height": 900}, color_scheme="dark", locale="en-GB"
        )
        page.goto(address)
        explorer = Explorer(page, space, [], [])
        explorer.ready()
        page.wait_for_timeout(3000)  # the originals are found in the background
        for pin in PINS:
            explorer.click(*pin)
        explorer.move(0.62, 0.42)
        save(page, "explorer.png")
        explorer.tab("path")
        for way in WAYS:
            explorer.click(*way)
        page.wait_for_selector(".film")
        page.locator(".film input[type=range]").fill("14")
        save(page, "explorer-path.png")


if __name__ == "__main__":
    main()
