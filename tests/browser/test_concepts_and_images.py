"""Edits along concepts, new concepts, and a picture of one's own."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.browser.conftest import Explorer, thorough

from morphospace.latent.classes import class_scores


def pinned(explorer: Explorer, across: float = 0.45, down: float = 0.55) -> np.ndarray:
    """Pin a picture beside the data, and go to the concepts."""
    explorer.page.get_by_role("button", name="Show the data").click()
    z = explorer.click(across, down)
    explorer.tab("concepts")
    explorer.shows("before", explorer.decoded(z))
    return z


def slide(explorer: Explorer, name: str, strength: float) -> None:
    explorer.page.get_by_label(f"Strength of {name}", exact=True).fill(str(strength))


@pytest.mark.parametrize(
    ("name", "strength"), [("0", 1.0), ("slant", 1.5), thorough("2", -0.75), thorough("width", -1.0)]
)
def test_a_slider_edits_as_python_does(explorer: Explorer, name: str, strength: float) -> None:
    z = pinned(explorer)
    slide(explorer, name, strength)
    moved = explorer.space.move(z, {name: strength})
    # Along a field the page sees its own picture, of which a pixel may be off by one.
    explorer.shows("after", explorer.decoded(moved), within=2 if name.isdigit() else 8)
    assert explorer.state["edit"] == f"{name}:{strength:g}"


@pytest.mark.acceptance
def test_sliders_have_the_pictures_of_their_ends(explorer: Explorer) -> None:
    z = pinned(explorer)
    explorer.shows("low", explorer.decoded(explorer.space.move(z, {"0": -2.0})), nth=0)
    explorer.shows("high", explorer.decoded(explorer.space.move(z, {"0": 2.0})), nth=0)
    assert "held-out AUC 0.99" in (explorer.page.locator(".concept").first.text_content() or "")


@pytest.mark.acceptance
def test_two_concepts_and_one_that_is_kept(explorer: Explorer) -> None:
    z = pinned(explorer)
    slide(explorer, "0", 0.6)
    explorer.page.get_by_role("button", name="Keep slant as it is while others move").click()
    moved = explorer.space.move(z, {"0": 0.6}, keep=["slant"])
    explorer.shows("after", explorer.decoded(moved), within=8)
    assert explorer.state["keep"] == "slant"


@pytest.mark.acceptance
def test_to_another_class(explorer: Explorer) -> None:
    z = pinned(explorer)
    explorer.page.get_by_role("button", name="6", exact=True).and_(explorer.page.locator(".chip")).click()
    moved = explorer.space.change_class(z[None], "6")
    explorer.shows("after", explorer.decoded(moved), within=6)
    assert explorer.space.classes is not None
    assert explorer.space.classes.names[int(class_scores(explorer.space.classes, moved).argmax())] == "6"


@pytest.mark.acceptance
def test_to_another_class_with_one_that_is_kept(explorer: Explorer) -> None:
    z = pinned(explorer)
    explorer.page.locator(".chip", has_text="4").click()
    explorer.page.get_by_role("button", name="Keep slant as it is while others move").click()
    moved = explorer.space.move(z, target="4", keep=["slant"])
    assert np.abs(moved - explorer.space.move(z, target="4")).max() > 0.05
    explorer.shows("after", explorer.decoded(moved), within=6)


def test_undo_and_redo(explorer: Explorer) -> None:
    z = pinned(explorer)
    slide(explorer, "0", 1.0)
    edited = explorer.decoded(explorer.space.move(z, {"0": 1.0}))
    explorer.shows("after", edited)
    explorer.page.keyboard.press("Control+z")
    explorer.shows("after", explorer.decoded(z))
    explorer.page.get_by_role("button", name="Redo").click()
    explorer.shows("after", edited)
    explorer.page.get_by_role("button", name="Reset").click()
    explorer.shows("after", explorer.decoded(z))
    assert "edit" not in explorer.state


@pytest.mark.acceptance
def test_arrows_lead_where_strength_one_leads(explorer: Explorer) -> None:
    z = pinned(explorer)
    arrow = explorer.page.locator("g.arrow", has_text="7").locator("line").last
    ends = [float(arrow.get_attribute(key) or "nan") for key in ("x1", "y1", "x2", "y2")]
    direction = explorer.space.concepts["7"].direction * explorer.view[2]
    assert [ends[2] - ends[0], ends[1] - ends[3]] == pytest.approx(direction.tolist(), abs=0.1)
    assert explorer.latent(ends[0] + explorer.box["x"], ends[1] + explorer.box["y"]) == pytest.approx(z, abs=1e-4)
    explorer.page.get_by_label("Show arrows on the map").uncheck()
    assert explorer.page.locator("g.arrow").count() == 0


def test_a_concept_from_labels_is_learned_kept_and_forgotten(explorer: Explorer) -> None:
    space, page = explorer.space, explorer.page
    pinned(explorer)
    assert space.reference is not None
    assert space.reference_labels is not None
    page.get_by_label("From labels").select_option("3")
    page.get_by_label("against").select_option("5")
    page.get_by_label("Name").fill("three not five")
    page.get_by_role("button", name="Learn it").click()
    page.get_by_role("heading", name="three not five").wait_for()
    ends = [space.reference[space.reference_labels == digit].mean(0) for digit in (3, 5)]
    arrow = page.locator("g.arrow", has_text="three not five").locator("line").last
    x1, y1, x2, y2 = (float(arrow.get_attribute(key) or "nan") for key in ("x1", "y1", "x2", "y2"))
    # A fifth of the points is held out, so the means are not quite those of all.
    assert np.array([x2 - x1, y1 - y2]) / explorer.view[2] == pytest.approx(ends[0] - ends[1], abs=0.08)
    page.keyboard.press("Control+z")
    assert page.get_by_role("heading", name="three not five").count() == 0
    page.keyboard.press("Control+Shift+z")
    row = page.locator(".concept", has_text="three not five")
    row.get_by_role("button", name="Keep", exact=True).click()
    page.get_by_text("Kept in this browser").wait_for()
    page.wait_for_url("**tab=concepts**")  # the address follows the state a quarter of a second behind
    page.reload()
    explorer.ready()
    row.wait_for()
    row.get_by_role("button", name="Remove three not five").click()
    row.wait_for(state="detached")


@pytest.mark.acceptance
def test_a_concept_from_a_lasso(explorer: Explorer) -> None:
    page = explorer.page
    explorer.tab("concepts")
    page.get_by_role("button", name="Lasso on the map").click()
    corners = [(0.35, 0.35), (0.65, 0.35), (0.65, 0.6), (0.35, 0.6)]
    latents = []
    for i, corner in enumerate(corners):
        x, y = explorer.at(*corner)
        page.mouse.move(x, y, steps=4)
        latents.append(explorer.latent(x, y))
        if not i:
            page.mouse.down()
    page.mouse.up()
    reference = explorer.space.reference
    assert reference is not None
    low, high = np.min(latents, 0), np.max(latents, 0)
    inside = int(((reference > low) & (reference < high)).all(1).sum())
    words = page.get_by_text("points chosen").text_content() or ""
    assert int(words.split()[0].replace(",", "")) == pytest.approx(inside, rel=0.02)
    page.get_by_label("Name").fill("middle")
    page.get_by_role("button", name="Learn it").click()
    page.get_by_role("heading", name="middle").wait_for()
    row = page.locator(".concept", has_text="middle")
    assert "AUC" in (row.text_content() or "")
    row.get_by_role("button", name="Remove middle").click()  # the server outlives the test
    row.wait_for(state="detached")


def digit(explorer: Explorer, z: Any) -> bytes:
    """A picture file of what is decoded at ``z``."""
    stream = io.BytesIO()
    Image.fromarray(explorer.decoded(z)).save(stream, "PNG")
    return stream.getvalue()


def near_code(explorer: Explorer, expected: np.ndarray) -> None:
    """Wait until what is edited lies at ``expected``."""
    found = np.full(2, np.nan)
    for _ in range(20):
        if "z" in (state := explorer.state):
            found = np.array([float(n) for n in state["z"].split(",")])
            if np.abs(found - expected).max() < 2e-3:
                return
    pytest.fail(f"its code is {found}, PyTorch says {expected}")


def test_a_picture_of_ones_own(explorer: Explorer, tmp_path: Path) -> None:
    data = digit(explorer, [-1.2, 0.6])
    (tmp_path / "own.png").write_bytes(data)
    explorer.tab("image")
    explorer.page.set_input_files("input[type=file]", tmp_path / "own.png")
    encoding = explorer.space.encode(tmp_path / "own.png")
    near_code(explorer, encoding.mean[0])
    explorer.shows("own", np.asarray(Image.open(io.BytesIO(data))))
    explorer.shows("before", explorer.decoded(encoding.mean), within=6)
    assert encoding.log_var is not None
    ring = explorer.page.locator("ellipse.ring")
    axes = sorted(float(ring.get_attribute(axis) or "nan") for axis in ("rx", "ry"))
    expected = np.maximum(3, np.sort(np.exp(0.5 * encoding.log_var[0])) * explorer.view[2])
    assert axes == pytest.approx(expected.tolist(), rel=0.05)
    explorer.page.locator(".chip", has_text="6").click()
    moved = explorer.space.change_class(encoding.mean, "6")
    explorer.shows("after", explorer.decoded(moved), within=10)


@pytest.mark.acceptance
def test_a_picture_is_pasted_and_dropped(explorer: Explorer) -> None:
    for kind, z in (("paste", [1.0, 0.8]), ("drop", [-0.5, -1.0])):
        data = digit(explorer, z)
        explorer.page.evaluate(
            """([kind, bytes]) => {
                const transfer = new DataTransfer();
                transfer.items.add(new File([new Uint8Array(bytes)], "own.png", { type: "image/png" }));
                const event = kind === "paste"
                    ? new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true })
                    : new DragEvent("drop", { dataTransfer: transfer, bubbles: true });
                document.body.dispatchEvent(event);
            }""",
            [kind, list(data)],
        )
        with Image.open(io.BytesIO(data)) as picture:
            near_code(explorer, explorer.space.encode(picture).mean[0])


@pytest.mark.acceptance
def test_a_file_that_is_no_picture_is_refused_in_words(explorer: Explorer, tmp_path: Path) -> None:
    (tmp_path / "no.png").write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")
    explorer.tab("image")
    explorer.page.set_input_files("input[type=file]", tmp_path / "no.png")
    notice = explorer.page.locator(".notice")
    notice.wait_for()
    assert "picture" in (notice.text_content() or "").lower()
    # The server's answer, 415, is an error on the console too.
    explorer.pause(200)
    explorer.complaints[:] = [said for said in explorer.complaints if "415" not in said]


def test_a_drawing_finds_its_place(explorer: Explorer) -> None:
    """A zero drawn by hand: it lies where zeros lie."""
    explorer.tab("image")
    sketch = explorer.page.locator("canvas[data-picture=sketch]")
    sketch.scroll_into_view_if_needed()
    box = sketch.bounding_box()
    assert box is not None
    around = np.linspace(0, 2 * np.pi, 25)
    for i, angle in enumerate(around):
        x = box["x"] + box["width"] * (0.5 + 0.2 * np.cos(angle))
        y = box["y"] + box["height"] * (0.5 + 0.28 * np.sin(angle))
        explorer.page.mouse.move(x, y)
        if not i:
            explorer.page.mouse.down()
    explorer.page.mouse.up()
    classes = explorer.space.classes
    assert classes is not None

    def reads() -> str:
        z = np.array([[float(n) for n in explorer.state.get("z", "0,0").split(",")]], np.float32)
        return classes.names[int(class_scores(classes, z).argmax())]

    explorer.eventually(lambda: reads() == "0")  # half-way round it read as something else
