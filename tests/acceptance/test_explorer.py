"""How quick the explorer is, measured in the page itself: software rendering, two cores.

The goals hold on two cores of a current server CPU, and each figure is printed beside its goal. A test may run on any
machine, so that one fails where a figure is ``SLOWEST`` times off, which no machine explains.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.browser.conftest import Explorer, Opener, browser, builtin, opened, served, shared
from tests.browser.serving import serving

import morphospace as ms
from morphospace.builtin import builtin_folder
from morphospace.data import Dataset
from morphospace.evaluate import evaluate_space
from morphospace.space import Space

__all__ = ["browser", "builtin", "opened", "served", "shared"]  # fixtures

pytestmark = [pytest.mark.acceptance, pytest.mark.browser]

OBSERVE = """
    window.timings = [];
    new PerformanceObserver((list) => {
        for (const { name, duration, startTime } of list.getEntries()) timings.push([name, duration, startTime]);
    }).observe({ type: "measure" });
"""
# A pointer that moves 125 times a second; Playwright's own waits for each of its moves to be acknowledged, and half of
# the time nothing would happen.
PAN = """async (seconds) => {
    const canvas = document.querySelector("#map canvas.ground");
    const box = canvas.getBoundingClientRect();
    canvas.setPointerCapture = () => undefined;  // there is no such pointer
    const send = (type, t) => canvas.dispatchEvent(new PointerEvent(type, {
        pointerId: 1, button: 0, buttons: 1, bubbles: true, isPrimary: true,
        clientX: box.x + box.width / 2 + 150 * Math.sin(t / 900),
        clientY: box.y + box.height / 2 + 100 * Math.sin(t / 1400),
    }));
    send("pointerdown", 0);
    const began = performance.now();
    await new Promise((done) => {
        const mouse = setInterval(() => {
            const gone = performance.now() - began;
            send("pointermove", gone);
            if (gone > 1000 * seconds) {
                clearInterval(mouse);
                done();
            }
        }, 8);
    });
    send("pointerup", 1000 * seconds);
}"""
ROUNDS = 3  # a neighbour on the same machine may spoil one
LENS_MS, OPENED_MS, FRAMES, SECONDS = 16.0, 1500.0, 20.0, 6
SLOWEST = 3.0


def timings(explorer: Explorer, name: str) -> np.ndarray:
    """Milliseconds of everything of that name since the last time."""
    found: list[Any] = explorer.page.evaluate(
        "name => { const all = timings.filter(([n]) => n === name); timings = []; return all.map(([, d]) => d) }", name
    )
    return np.array(found)


@pytest.mark.timed
@pytest.mark.parametrize("kind", ["served", "shared"])
def test_pointer_to_picture(kind: str, request: pytest.FixtureRequest, opened: Opener, builtin: Space) -> None:
    explorer = opened(request.getfixturevalue(kind), builtin, script=OBSERVE)
    explorer.page.get_by_text("drawn in this browser").wait_for()
    explorer.page.wait_for_timeout(1500)
    timings(explorer, "lens")
    found = []
    for _ in range(ROUNDS):
        for i in range(300):
            explorer.move(0.2 + 0.002 * i, 0.5 + 0.3 * np.sin(i / 20))
            explorer.page.wait_for_timeout(8)
        took = timings(explorer, "lens")
        assert len(took) > 50
        p50, p95 = np.percentile(took, [50, 95])
        print(
            f"{kind}: pointer to picture, {len(took)} pictures: p50 {p50:.1f} ms, p95 {p95:.1f} ms (goal {LENS_MS:g})"
        )
        found.append(p95)
        if p95 <= LENS_MS:
            break
    assert min(found) <= SLOWEST * LENS_MS


@pytest.mark.timed
def test_first_useful_paint(served: str, opened: Opener, builtin: Space) -> None:
    """From the first request to a map on which every tile and point is drawn; the best of three visits."""
    took = [float(timings(opened(served, builtin, script=OBSERVE), "opened")[0]) for _ in range(3)]
    print("first useful paint: " + ", ".join(f"{ms:.0f} ms" for ms in took), f"(goal {OPENED_MS:g})")
    assert min(took) <= SLOWEST * OPENED_MS


@pytest.mark.timed
def test_panning_seventy_thousand_points(mnist: Dataset, opened: Opener, builtin: Space) -> None:
    crowd = ms.load(builtin_folder())
    crowd.reference = np.concatenate([crowd.encode(split.images).mean for split in (mnist.train, mnist.test)])
    crowd.reference_labels = np.concatenate([np.asarray(split.labels) for split in (mnist.train, mnist.test)])
    crowd.errors = None
    assert len(crowd.reference) == 70_000
    with serving(crowd, None) as address:
        explorer = opened(address, crowd, script=OBSERVE)
        explorer.page.wait_for_timeout(2500)
        before = explorer.view
        found: list[float] = []
        while len(found) < ROUNDS and max(found, default=0.0) < FRAMES:
            timings(explorer, "map")
            explorer.page.evaluate(PAN, SECONDS)
            found.append(len(timings(explorer, "map")) / SECONDS)
            print(f"panning 70,000 points at 1280x720: {found[-1]:.1f} frames/s over {SECONDS} s (goal {FRAMES:g})")
        assert explorer.view != before
    assert max(found) >= FRAMES / SLOWEST


def test_the_built_in_space_is_what_its_card_says(mnist: Dataset, builtin: Space) -> None:
    """Its figures are made again from the stored weights."""
    figures = evaluate_space(builtin, mnist)["test"]
    for name, value in builtin.about["test"].items():
        assert figures[name] == pytest.approx(value, rel=1e-4), name
    assert f"{builtin.about['test']['neg_elbo']:.4f}" in (builtin_folder() / "README.md").read_text()
    assert "morpho train mnist --recipe minute --seed 2" in str(builtin.about["command"])
    assert builtin.reference is not None
    assert np.abs(builtin.encode(mnist.test.images).mean - builtin.reference).max() < 1e-4
    assert np.array_equal(np.asarray(builtin.reference_labels), np.asarray(mnist.test.labels))
    assert sum(file.stat().st_size for file in Path(builtin_folder()).iterdir()) < 3_000_000
