"""The map: what it shows is what the decoder draws, wherever one goes."""

from __future__ import annotations

import re

import numpy as np
import pytest
from PIL import Image
from tests.browser.conftest import Explorer, Opener, thorough
from tests.browser.serving import serving

import morphospace as ms
from morphospace.data import Dataset


def plain(explorer: Explorer) -> None:
    """Nothing over the tiles."""
    explorer.page.get_by_role("button", name="Fade where there is no data").click()
    explorer.page.get_by_role("button", name="Show the data").click()
    explorer.hide(".tools", ".legend", ".lens", ".cross", ".overlay")
    explorer.ready()
    explorer.pause(300)


def cell_at(explorer: Explorer, across: float, down: float) -> tuple[np.ndarray, np.ndarray]:
    """The cell of the map at a place as it is on the screen, and as PyTorch draws its middle, both 28x28."""
    u, v, scale = explorer.view
    shot = explorer.screenshot()
    width = 2.0 ** -np.floor(np.log2(scale / 32))
    x, y = across * shot.shape[1], down * shot.shape[0]
    column = np.floor((u + (x - shot.shape[1] / 2) / scale) / width)
    row = np.floor((v - (y - shot.shape[0] / 2) / scale) / width)
    left = (column * width - u) * scale + shot.shape[1] / 2
    top = shot.shape[0] / 2 - ((row + 1) * width - v) * scale
    box = (left, top, left + width * scale, top + width * scale)
    seen = Image.fromarray(shot).convert("L").resize((28, 28), Image.Resampling.BILINEAR, box=box)
    drawn = explorer.decoded([(column + 0.5) * width, (row + 0.5) * width])
    return np.asarray(seen, float), drawn.astype(float)


@pytest.mark.parametrize("place", [(0.4, 0.4), thorough((0.55, 0.6)), thorough((0.7, 0.45))])
def test_each_cell_is_what_the_decoder_draws_in_its_middle(explorer: Explorer, place: tuple[float, float]) -> None:
    plain(explorer)
    seen, drawn = cell_at(explorer, *place)
    assert np.corrcoef(seen.ravel(), drawn.ravel())[0, 1] > 0.97


def test_the_wheel_zooms_about_the_pointer_and_decodes_afresh(explorer: Explorer) -> None:
    plain(explorer)
    before, scale = explorer.move(0.4, 0.45), explorer.view[2]
    for _ in range(6):
        explorer.page.mouse.wheel(0, -400)
    explorer.pause(100)
    x, y = explorer.at(0.4, 0.45)
    assert explorer.view[2] > 20 * scale
    assert np.abs(explorer.latent(x, y) - before).max() < 1e-3
    explorer.pause(200)
    explorer.ready()
    explorer.pause(300)
    seen, drawn = cell_at(explorer, 0.5, 0.5)
    assert np.corrcoef(seen.ravel(), drawn.ravel())[0, 1] > 0.97
    explorer.page.get_by_role("button", name="Show everything").click()
    explorer.pause(50)
    assert explorer.view[2] == pytest.approx(scale)


def test_dragging_pans_by_as_much_as_the_pointer_goes(explorer: Explorer) -> None:
    u, v, scale = explorer.view
    x, y = explorer.at(0.5, 0.5)
    explorer.page.mouse.move(x, y)
    explorer.page.mouse.down()
    explorer.page.mouse.move(x + 120, y + 45, steps=5)
    explorer.page.mouse.up()
    after = explorer.view
    assert after[0] == pytest.approx(u - 120 / scale, abs=1e-6)
    assert after[1] == pytest.approx(v + 45 / scale, abs=1e-6)
    assert "pins" not in explorer.state  # a drag is no click


def test_what_does_not_move_the_plane_leaves_its_pictures(explorer: Explorer) -> None:
    explorer.page.evaluate(
        """() => {
            const { prototype } = WebGL2RenderingContext, upload = prototype.texImage2D;
            window.uploads = 0;
            prototype.texImage2D = function (...all) {
                if (all.at(-1)) window.uploads++; // not empty layers
                return upload.apply(this, all);
            };
        }"""
    )
    explorer.click(0.45, 0.55)
    explorer.tab("concepts")
    explorer.page.get_by_label("Strength of slant", exact=True).fill("1.5")
    explorer.pause(500)
    assert explorer.page.evaluate("window.uploads") == 0


@pytest.mark.acceptance
def test_two_fingers_zoom(opened: Opener, served: str, explorer: Explorer) -> None:
    touching = opened(served, explorer.space, has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
    scale = touching.view[2]
    session = touching.page.context.new_cdp_session(touching.page)
    x, y = touching.at(0.5, 0.5)

    def touch(kind: str, apart: float) -> None:
        points = [] if kind == "touchEnd" else [{"x": x - apart, "y": y, "id": 1}, {"x": x + apart, "y": y, "id": 2}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", 30)
    for apart in (40, 60, 80, 90):
        touch("touchMove", apart)
    touch("touchEnd", 0)
    assert touching.view[2] == pytest.approx(3 * scale, rel=0.15)


@pytest.mark.acceptance
def test_empty_regions_fade_and_data_is_drawn_in_its_colours(explorer: Explorer) -> None:
    explorer.hide(".tools", ".legend", ".lens", ".cross", ".overlay")
    for _ in range(2):
        explorer.page.get_by_role("button", name="Zoom out").click(force=True)
    explorer.pause(200)
    explorer.ready()
    explorer.pause(300)
    shot = explorer.screenshot().astype(int)
    corner = shot[:40, :40]
    assert corner.max() < 60  # far from all data even white strokes have faded
    colourful = shot.max(2) - shot.min(2) > 60
    assert colourful.sum() > 500


def test_the_legend_filters_by_label(explorer: Explorer) -> None:
    """Zoomed onto the ones, which are orange; without them hardly anything there is."""
    explorer.hide(".tools", ".legend", ".lens", ".cross", ".overlay")

    def orange() -> int:
        explorer.pause(250)
        r, g, b = np.moveaxis(explorer.screenshot().astype(int), 2, 0)
        return int(((r > 210) & (g > 120) & (g < 200) & (b < 80)).sum())

    before = orange()
    ones = explorer.page.locator(".label", has_text="1")
    ones.click()
    assert ones.get_attribute("aria-pressed") == "false"
    assert explorer.state["hide"] == "1"
    assert orange() < 0.1 * before
    explorer.page.get_by_role("button", name="Show all").click()
    assert orange() > 0.9 * before
    ones.click(modifiers=["Shift"])
    assert explorer.state["hide"] == "0,2,3,4,5,6,7,8,9"
    assert orange() > 0.8 * before


@pytest.mark.acceptance
def test_points_take_the_colour_of_what_is_asked_for(explorer: Explorer) -> None:
    before = explorer.screenshot()
    explorer.page.get_by_label("Colour by").get_by_role("combobox").select_option("concept:slant")
    explorer.pause(300)
    assert explorer.state["by"] == "concept:slant"
    assert explorer.page.locator(".ramp").is_visible()
    assert (np.abs(before.astype(int) - explorer.screenshot()).max(2) > 60).sum() > 500


def lens_agrees(explorer: Explorer) -> None:
    """Look where the latent is said, and come back."""
    explorer.tab("here")
    explorer.pause(300)
    explorer.move(0.58, 0.4)
    explorer.move(0.6, 0.4)
    explorer.pause(300)
    z = [float(n.replace("−", "-")) for n in explorer.page_latent()]
    seen, drawn = explorer.pixels("lens").ravel().astype(float), explorer.decoded(z).ravel().astype(float)
    assert np.corrcoef(seen, drawn)[0, 1] > 0.97  # the page says latents to two decimals
    explorer.tab("plane")


@pytest.mark.acceptance
def test_a_plane_of_a_larger_space(opened: Opener, digits: Dataset) -> None:
    """Six latents: the map is a plane, by each of the ways to choose one, and lens and tiles follow."""
    larger = ms.train(digits, epochs=12, seed=1, latent_dim=6, precision="fp32")
    for label in ("0", "1", "6"):
        ms.learn_from_dataset(larger, label, digits, label=label)
    with serving(larger, None) as address:
        explorer = opened(address, larger)
        explorer.tab("plane")
        lens_agrees(explorer)
        explorer.page.get_by_label("two latents").check()
        explorer.page.get_by_label("to the right").select_option("2")
        explorer.page.get_by_label("upwards").select_option("4")
        assert explorer.state["plane"] == "latents:2,4"
        lens_agrees(explorer)
        before = explorer.screenshot()
        explorer.page.get_by_label(re.compile(r"directions off this plane 1$")).fill("2")
        assert explorer.state["off"].startswith("2,")
        explorer.ready()
        explorer.pause(300)
        assert (np.abs(before.astype(int) - explorer.screenshot()).max(2) > 60).sum() > 500
        lens_agrees(explorer)
        explorer.page.get_by_label("two concepts as axes").check()
        assert explorer.state["plane"] == "concepts:0,1"
        lens_agrees(explorer)
        explorer.tab("here")
        for place in ((0.3, 0.3), (0.6, 0.4), (0.5, 0.7)):
            explorer.click(*place)
        explorer.tab("plane")
        explorer.page.get_by_label("through three pictures").check()
        assert explorer.state["plane"].startswith("images:")
        lens_agrees(explorer)
        assert not explorer.complaints
