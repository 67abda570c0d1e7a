"""The picture under the pointer, pins, and morphs along paths."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.browser.conftest import Explorer, thorough

from morphospace.latent import path_through

WAYS = ((0.35, 0.5), (0.5, 0.3), (0.65, 0.5))


@pytest.mark.parametrize("place", [(0.3, 0.4), thorough((0.62, 0.41)), thorough((0.5, 0.8))])
def test_the_lens_shows_what_pytorch_draws_there(explorer: Explorer, place: tuple[float, float]) -> None:
    z = explorer.move(*place)
    explorer.shows("lens", explorer.decoded(z))
    explorer.shows("spot", explorer.decoded(z))


@pytest.mark.acceptance
def test_the_lens_follows_a_quick_pointer_to_where_it_stops(explorer: Explorer) -> None:
    for i in range(40):
        z = explorer.move(0.3 + 0.01 * i, 0.4 + 0.005 * i)
    explorer.shows("lens", explorer.decoded(z))


def test_a_click_pins_and_the_address_remembers(explorer: Explorer) -> None:
    explorer.page.get_by_role("button", name="Show the data").click()
    first, second = explorer.click(0.4, 0.4), explorer.click(0.6, 0.6)
    explorer.shows("pin", explorer.decoded(first), nth=0)
    explorer.shows("pin", explorer.decoded(second), nth=1)
    pins = np.array([[float(n) for n in pin.split(",")] for pin in explorer.state["pins"].split(";")])
    assert np.abs(pins - [first, second]).max() < 1e-5
    explorer.page.reload()
    explorer.ready()
    explorer.shows("pin", explorer.decoded(first), nth=0)
    explorer.page.get_by_role("button", name="Remove Pinned 1").click()
    explorer.shows("pin", explorer.decoded(second), nth=0)


@pytest.mark.acceptance
def test_a_click_on_a_point_pins_its_code_and_shows_what_is_known(explorer: Explorer) -> None:
    reference = explorer.space.reference
    assert reference is not None
    alone, x, y = explorer.lone_point()
    explorer.page.mouse.move(x, y)
    explorer.page.get_by_text(f"test image {alone},").wait_for()
    explorer.page.mouse.click(x, y)
    z = np.array([float(n) for n in explorer.state["z"].split(",")], np.float32)
    assert np.abs(z - reference[alone]).max() < 1e-5


def test_keys_do_what_the_pointer_does(explorer: Explorer) -> None:
    page = explorer.page
    page.locator("#map").focus()
    u, v, scale = explorer.view
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    assert explorer.view[0] == pytest.approx(u + 60 / scale, abs=1e-6)
    assert explorer.view[1] == pytest.approx(v + 60 / scale, abs=1e-6)
    page.keyboard.press("+")
    assert explorer.view[2] == pytest.approx(1.5 * scale)
    middle = np.array(explorer.view[:2], np.float32)
    explorer.shows("lens", explorer.decoded(middle))
    page.keyboard.press("Enter")
    explorer.shows("pin", explorer.decoded(middle))
    page.keyboard.press("0")
    assert explorer.view[2] == pytest.approx(scale)
    page.keyboard.press("2")
    assert page.locator("#tab-path").get_attribute("aria-selected") == "true"
    page.locator("#map").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    page.wait_for_selector(".film")
    page.keyboard.press("?")
    assert page.get_by_role("dialog").is_visible()
    page.keyboard.press("Escape")
    assert not page.get_by_role("dialog").is_visible()


def test_a_path_is_the_one_that_python_walks(explorer: Explorer) -> None:
    explorer.tab("path")
    ways = [explorer.click(*way) for way in WAYS]
    page = explorer.page
    page.wait_for_selector(".film[data-frames='32']")
    for kind in ("lerp", "slerp", "gaussian"):
        page.get_by_label("Kind of path").select_option(kind)
        explorer.pause(500)
        points = path_through(ways, 32, kind)
        for frame in (0, 7, 16, 31):
            page.locator(".film input[type=range]").fill(str(frame))
            explorer.shows("frame", explorer.decoded(points[frame]))
        assert explorer.state.get("kind", "lerp") == kind
    drawn = page.locator("polyline.path").last.get_attribute("points") or ""
    assert len(drawn.split()) == 32


@pytest.mark.acceptance
def test_a_geodesic_goes_evenly(explorer: Explorer) -> None:
    """Equal steps of the picture, which the straight line does not have, and no longer a way."""
    explorer.tab("path")
    for way in WAYS[:2]:
        explorer.click(*way)
    page = explorer.page
    page.wait_for_selector(".film")
    straight = page.get_by_text("The picture changes by").text_content() or ""
    page.get_by_label("Kind of path").select_option("geodesic")
    page.wait_for_function(
        "before => document.querySelector('.panel').textContent.includes('along the way') && "
        "!document.querySelector('.panel').textContent.includes(before)",
        arg=straight,
        timeout=30_000,
    )
    numbers = [float(n.split(" ")[0]) for n in _numbers(page.get_by_text("The picture changes by").text_content())]
    before = [float(n) for n in _numbers(straight)]
    assert numbers[0] <= 1.02 * before[0]
    assert numbers[1] < 10 < before[1]


def _numbers(text: str | None) -> list[str]:
    import re

    return re.findall(r"\d+(?:\.\d+)?", text or "")


@pytest.mark.acceptance
def test_a_way_point_is_dragged_and_nudged(explorer: Explorer) -> None:
    explorer.tab("path")
    explorer.click(0.3, 0.5)
    last = explorer.click(0.6, 0.5)
    page = explorer.page
    page.wait_for_selector(".film")
    x, y = explorer.at(0.6, 0.5)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 50, y - 80, steps=6)
    page.mouse.up()
    moved = np.array([float(n) for n in explorer.state["path"].split(";")[1].split(",")])
    scale = explorer.view[2]
    assert np.abs(moved - (last + np.array([50, 80]) / scale)).max() < 2.5 / scale
    page.get_by_role("button", name="way-point 1", exact=True).focus()
    page.keyboard.press("Delete")
    assert ";" not in explorer.state["path"]


def test_the_film_plays_and_is_saved(explorer: Explorer, tmp_path: Path) -> None:
    explorer.tab("path")
    ways = [explorer.click(*way) for way in WAYS[:2]]
    page = explorer.page
    page.wait_for_selector(".film")
    slider = page.locator(".film input[type=range]")
    page.get_by_role("tabpanel").get_by_role("button", name="Play").click()
    explorer.pause(700)
    page.get_by_role("tabpanel").get_by_role("button", name="Stop").click()
    assert 1 <= int(slider.input_value()) <= 31
    with page.expect_download() as download:
        page.get_by_role("button", name="Save GIF").click()
    download.value.save_as(tmp_path / "morph.gif")
    with Image.open(tmp_path / "morph.gif") as film:
        assert getattr(film, "n_frames", 0) == 62  # there and back
        assert film.size == (224, 224)
        words = film.info["comment"].decode()
        assert "path: lerp; frames: 32; way-points: " in words
        assert "latents: " in words
    with page.expect_download() as download:
        page.get_by_role("button", name="Save film strip").click()
    download.value.save_as(tmp_path / "strip.png")
    with Image.open(tmp_path / "strip.png") as strip:
        strip.load()
        assert strip.size == (32 * 112, 112)
        latents = np.array([[float(n) for n in z.split(" ")] for z in strip.info["latents"].split("; ")])
        assert strip.info["data"] == "mnist"
        assert np.abs(latents - path_through(ways, 32, "lerp")).max() < 1e-4
        first = np.asarray(strip.convert("L").crop((0, 0, 112, 112)).resize((28, 28), Image.Resampling.BOX), float)
    assert np.corrcoef(first.ravel(), explorer.decoded(ways[0]).ravel().astype(float))[0, 1] > 0.98


@pytest.mark.acceptance
def test_a_saved_picture_carries_its_seed_and_latent(explorer: Explorer) -> None:
    z = explorer.move(0.45, 0.4)
    explorer.shows("spot", explorer.decoded(z))
    with explorer.page.expect_download() as download:
        explorer.page.get_by_role("button", name="Save PNG").click()
    with Image.open(io.BytesIO(Path(download.value.path()).read_bytes())) as picture:
        picture.load()
        latent = np.array([float(n) for n in picture.info["latent"].split(" ")])
        assert picture.info["seed"] == "2"
        assert picture.info["recipe"] == "minute"
    assert np.abs(latent - z).max() < 0.02  # the pointer crossed the map on its way to the button
