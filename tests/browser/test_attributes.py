"""What a set's table says of its images colours the map, behind a server and in a file: each point by its own value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from playwright.sync_api import expect
from tests.browser.conftest import Explorer, Opener
from tests.browser.serving import serving

import morphospace as ms
from morphospace.export.page import write_page
from morphospace.space import Space

LOW, HIGH, UNKNOWN, OTHER, PLAIN = (60, 70, 180), (253, 231, 130), (104, 110, 122), (176, 182, 194), (190, 198, 215)
HEIGHTS = np.array([3, np.nan, 0, 11, 7, 5, 4, 8, 1, 10, 2, 9.0])
TREES = np.array(["oak", "ash", "", "oak", "물푸레", "oak", "ash", "", "oak", "ash", "oak", ""])


@pytest.fixture(scope="module")
def trees() -> Space:
    """Twelve points far from each other; nothing is known of them but what a table says."""
    space = ms.load("builtin")
    places = np.stack(np.meshgrid(np.linspace(-1.5, 1.5, 4), np.linspace(-1, 1, 3)), -1).reshape(-1, 2)
    space.reference, space.reference_labels, space.errors = places.astype(np.float32), None, None
    space.reference_attributes = {"height": HEIGHTS, "tree": TREES, "name": np.array([f"no. {i}" for i in range(12)])}
    return space


@pytest.fixture(scope="module", params=["served", "shared"])
def address(request: pytest.FixtureRequest, trees: Space, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if request.param == "shared":
        path = tmp_path_factory.mktemp("trees") / "trees.html"
        write_page(path, trees)
        yield path.as_uri()
    else:
        with serving(trees, None) as found:
            yield found


@pytest.fixture
def map_of_trees(opened: Opener, address: str, trees: Space) -> Iterator[Explorer]:
    found = opened(address, trees)
    found.hide(".tools", ".legend", ".lens", ".cross", ".overlay")
    yield found
    assert not found.complaints


def choose(explorer: Explorer, wish: str) -> None:
    explorer.page.get_by_label("Colour by").get_by_role("combobox").select_option(wish)


def colours(explorer: Explorer) -> np.ndarray:
    """The colour in the middle of each point, (N, 3)."""
    explorer.pause(300)
    u, v, scale = explorer.view
    shot = explorer.screenshot()
    places = (np.asarray(explorer.space.reference) - [u, v]) * [scale, -scale] + np.array(shot.shape[1::-1]) / 2
    found: np.ndarray = np.stack([shot[int(y), int(x)] for x, y in places]).astype(int)
    return found


def near(found: np.ndarray, expected: Sequence[int] | np.ndarray) -> bool:
    return bool((np.abs(found - np.asarray(expected)) < 20).all())  # points are a little transparent


def swatches(explorer: Explorer) -> dict[str, list[int]]:
    """The legend: each name and its colour."""
    found: dict[str, list[int]] = explorer.page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll(".label:not(.all)")].map((e) => [
            e.innerText.trim(), getComputedStyle(e.querySelector("i")).backgroundColor.match(/\\d+/g).map(Number)]))"""
    )
    return found


def test_numbers_colour_the_map_by_a_scale(map_of_trees: Explorer, opened: Opener) -> None:
    choice = map_of_trees.page.get_by_label("Colour by").get_by_role("combobox")
    assert choice.locator("option").all_inner_texts()[-4:] == ["height", "tree", "name", "nothing"]
    assert choice.locator("option[value=label]").count() == 0
    assert choice.input_value() == "nothing"
    assert all(near(found, PLAIN) for found in colours(map_of_trees))
    choose(map_of_trees, "attribute:height")
    expect(map_of_trees.page.locator(".ends span")).to_have_text(["0", "11"])
    expect(map_of_trees.page.locator(".legend .unknown")).to_have_text("unknown (1)")
    found = colours(map_of_trees)
    assert near(found[2], LOW)
    assert near(found[3], HIGH)
    assert near(found[1], UNKNOWN)
    lightness = found[np.argsort(HEIGHTS)[:-1]] @ [0.3, 0.6, 0.1]  # the last is unknown
    assert (np.diff(lightness) > 0).all()
    again = opened(map_of_trees.page.url.partition("#")[0] + "#by=attribute:height", map_of_trees.space)
    expect(again.page.locator(".ends span")).to_have_text(["0", "11"])
    x, y = again.at(0.5, 0.5)
    again.page.mouse.move(x, y)
    again.page.mouse.move(*np.array([x, y]) + np.array([-0.5, 0]) * again.view[2])
    expect(again.page.locator(".what")).to_have_text("test image 5 · height: 5")


def test_words_colour_the_map_and_the_legend_hides_them(map_of_trees: Explorer) -> None:
    choose(map_of_trees, "attribute:tree")
    legend = map_of_trees.page.locator(".label")
    expect(legend).to_have_text(["oak", "ash", "물푸레", "unknown"])  # the most common first, the unknown last
    swatch = swatches(map_of_trees)
    assert swatch["unknown"] == list(UNKNOWN)
    assert len({tuple(colour) for colour in swatch.values()}) == 4
    before = colours(map_of_trees)
    assert all(near(found, swatch[tree or "unknown"]) for found, tree in zip(before, TREES, strict=True))
    legend.filter(has_text="ash").click()
    assert map_of_trees.state["hide"] == "1"
    after = colours(map_of_trees)
    assert [near(found, swatch["ash"]) for found in after] == [False] * 12
    assert all(near(found, then) for found, then, tree in zip(after, before, TREES, strict=True) if tree != "ash")
    choose(map_of_trees, "attribute:height")  # which lists no words that could be hidden
    assert "hide" not in map_of_trees.state
    assert near(colours(map_of_trees)[3], HIGH)


def test_of_many_words_the_legend_says_how_many_are_grey(map_of_trees: Explorer) -> None:
    choose(map_of_trees, "attribute:name")
    expect(map_of_trees.page.locator(".label")).to_have_text(
        [f"no. {i}" for i in (0, 1, 10, 11, 2, 3, 4, 5, 6)] + ["3 other words"]  # in the order of words: all are rare
    )
    assert swatches(map_of_trees)["3 other words"] == list(OTHER)
    found = colours(map_of_trees)
    assert [near(colour, OTHER) for colour in found] == [i in (7, 8, 9) for i in range(12)]
