"""The page as a whole: its address, its languages, its manners."""

from __future__ import annotations

import re

import numpy as np
import pytest
from tests.browser.conftest import Explorer, Opener, thorough

from morphospace.space import Space

TABS = ("here", "path", "concepts", "image")


def test_an_address_brings_everything_back(explorer: Explorer, opened: Opener) -> None:
    explorer.page.get_by_role("button", name="Show the data").click()
    z = explorer.click(0.45, 0.55)
    explorer.tab("concepts")
    explorer.page.get_by_label("Strength of 0", exact=True).fill("1")
    edited = explorer.decoded(explorer.space.move(z, {"0": 1.0}))
    explorer.shows("after", edited)
    for _ in range(2):
        explorer.page.get_by_role("button", name="Zoom in").click()
    assert explorer.state["tab"] == "concepts"
    again = opened(explorer.page.url, explorer.space)
    assert again.view == pytest.approx(explorer.view, rel=1e-5)
    again.shows("after", edited)
    assert again.page.locator("#tab-concepts").get_attribute("aria-selected") == "true"


@pytest.mark.parametrize(
    "behind",
    [
        "#at=NaN,1,2&z=1,2,3&pins=a;b&path=9e999,1&edit=x:y,6&hide=-1,99&kind=<b>&frames=1e9&tab=nope&plane=images:1",
        thorough("#at=1,2,-5&edit=%E0%A4%A:1&keep=%&to=nobody&by=concept:none&made=ghost&plane=concepts:a,b&off=NaN"),
    ],
)
def test_an_address_from_anywhere_does_no_harm(explorer: Explorer, opened: Opener, behind: str) -> None:
    again = opened(explorer.page.url.partition("#")[0] + behind, explorer.space)
    z = again.move(0.5, 0.5)
    again.shows("lens", again.decoded(z))
    for tab in TABS:
        again.tab(tab)
    assert not again.complaints


@pytest.mark.acceptance
def test_bookmarks_keep_a_view(explorer: Explorer) -> None:
    page = explorer.page
    for _ in range(3):
        page.get_by_role("button", name="Zoom in").click()
    kept = explorer.view
    page.get_by_role("button", name="Bookmark this view").click()
    page.locator("a.picture").wait_for()
    page.get_by_role("button", name="Show everything").click()
    assert explorer.view[2] < kept[2]
    page.locator("a.picture").click()
    explorer.pause(100)
    assert explorer.view == pytest.approx(kept, rel=1e-5)
    page.get_by_role("button", name=re.compile("^Remove .*20")).click()
    assert page.locator("a.picture").count() == 0


def test_themes_and_languages(explorer: Explorer) -> None:
    page = explorer.page
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    page.get_by_role("button", name="Light or dark").click()
    assert page.evaluate(ground) != dark
    page.get_by_role("button", name="Language").click()
    assert page.evaluate("document.documentElement.lang") == "ko"
    seen = ""
    for tab in TABS:
        explorer.tab(tab)
        seen += page.locator("aside").inner_text()
    english = re.findall(r"[A-Za-z]{3,}", seen)
    names = {"mnist", "slant", "stroke", "width", "AUC", "Esc", "Enter", "GIF", "PNG"}
    assert set(english) <= names
    page.reload()
    explorer.ready()
    assert page.evaluate("document.documentElement.lang") == "ko"  # it is remembered


def test_the_language_switch_is_read_without_korean_fonts(explorer: Explorer) -> None:
    switch = explorer.page.locator("button.language")
    for language, words in (("en", "KO"), ("ko", "EN"), ("en", "KO")):
        assert explorer.page.evaluate("document.documentElement.lang") == language
        assert switch.inner_text() == words
        switch.click()
    assert switch.get_attribute("aria-label") == "언어"  # for whoever hears the page


def test_nothing_leaves_the_machine(explorer: Explorer) -> None:
    page = explorer.page
    for tab in TABS:
        explorer.tab(tab)
    explorer.click(0.4, 0.4)
    page.keyboard.press("r")
    explorer.pause(500)
    own = page.evaluate("location.origin")
    kinds = ("blob:", "data:", "file:") if own in ("null", "file://") else ("blob:", "data:", own + "/")
    assert all(address.startswith(kinds) for address in explorer.requests)
    if own in ("null", "file://"):
        assert len([address for address in explorer.requests if address.startswith("file:")]) == 1


def test_no_text_becomes_code(explorer: Explorer) -> None:
    """The policy forbids what an attacker would need; the page itself needs none of it."""
    # Later, when no debugger is at work: what that evaluates itself is free of the policy.
    evaluated = explorer.page.evaluate(
        """() => new Promise((done) => setTimeout(() => {
            try { done(Function("return 'yes'")()); } catch { done("no"); }
        }))"""
    )
    assert evaluated == "no"
    ran = explorer.page.evaluate(
        """async () => {
            globalThis.ran = "no";
            const script = document.createElement("script");
            script.textContent = "globalThis.ran = 'yes'";
            document.body.append(script);
            await new Promise((done) => setTimeout(done, 50));
            return globalThis.ran;
        }"""
    )
    assert ran == "no"
    explorer.complaints.clear()  # the browser reports both


@pytest.mark.parametrize(
    ("size", "language"),
    [
        ((390, 844), "ko-KR"), thorough((390, 844), "en-GB"), thorough((844, 390), "en-GB"),
        thorough((820, 1180), "ko-KR"), ((1440, 900), "en-GB"), thorough((1440, 900), "ko-KR"),
    ],
)  # fmt: skip
def test_nothing_is_cut(opened: Opener, served: str, builtin: Space, size: tuple[int, int], language: str) -> None:
    explorer = opened(served, builtin, viewport={"width": size[0], "height": size[1]}, locale=language)
    explorer.tab("path")
    for way in ((0.45, 0.4), (0.7, 0.3)):
        explorer.click(*way)
    explorer.page.wait_for_selector(".film")
    for tab in TABS:
        explorer.tab(tab)
        explorer.pause(100)
        wide = explorer.page.evaluate(
            """["html", "header", "header h1", "header nav", "aside", ".panel", ".film", ".panel button", ".panel p"]
                .flatMap((kind) => [...document.querySelectorAll(kind)])
                .filter((e) => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline")
                .map((e) => e.tagName + "." + e.className)"""
        )
        assert wide == []
    box = explorer.box
    assert box["height"] >= 150
    assert box["width"] >= 390


@pytest.mark.acceptance
def test_the_page_opens_where_the_browser_trusts_less(explorer: Explorer) -> None:
    """From another machine, without https, some of what browsers offer is not there."""
    explorer.page.add_init_script("delete Crypto.prototype.randomUUID")
    explorer.page.reload()
    explorer.ready()
    assert not explorer.complaints


def test_a_random_place_is_pinned_and_shown(explorer: Explorer) -> None:
    explorer.page.get_by_role("button", name="A random place").click()
    z = np.array([float(n) for n in explorer.state["z"].split(",")], np.float32)
    assert np.abs(np.array(explorer.view[:2]) - z).max() < 1e-5
    explorer.shows("pin", explorer.decoded(z))
