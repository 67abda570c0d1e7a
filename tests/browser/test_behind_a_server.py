"""What only a server can do: decode for the page, and show the images themselves."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.browser.conftest import Opener
from tests.browser.serving import serving

from morphospace.builtin import builtin_folder
from morphospace.data import Dataset
from morphospace.server import session
from morphospace.space import Space, load


@pytest.mark.acceptance
def test_a_large_model_is_decoded_by_the_server(
    opened: Opener, builtin: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "LARGEST_MODEL", 1000)
    with serving(load("builtin"), builtin_folder(), writable=False) as address:
        explorer = opened(address, builtin)
        for place in ((0.4, 0.4), (0.6, 0.55)):
            z = explorer.move(*place)
            explorer.shows("lens", explorer.decoded(z))
        explorer.page.get_by_text("drawn by the server").wait_for()
        assert not any("ort.wasm" in asked for asked in explorer.requests)
        explorer.page.get_by_role("button", name="Show the data").click()
        z = explorer.click(0.45, 0.55)
        explorer.tab("concepts")
        explorer.page.get_by_label("Strength of slant", exact=True).fill("1.5")
        explorer.shows("after", explorer.decoded(builtin.move(z, {"slant": 1.5})), within=8)
        explorer.complaints[:] = [said for said in explorer.complaints if "409" not in said]  # superseded, as meant
        assert not explorer.complaints


def test_hovering_shows_the_original_where_it_is_found(opened: Opener, builtin: Space, mnist: Dataset) -> None:
    with serving(load("builtin"), builtin_folder(), writable=False) as address:
        explorer = opened(address, builtin)
        alone, x, y = explorer.lone_point()
        explorer.page.mouse.move(x, y)
        explorer.page.locator("canvas[data-picture=original]").wait_for(timeout=15_000)
        explorer.shows("original", mnist.test.images[alone][..., 0], within=0)


@pytest.mark.acceptance
def test_a_concept_is_kept_in_the_folder_of_a_space(opened: Opener, space: Space, tmp_path: Path) -> None:
    folder = space.save(tmp_path / "space")
    with serving(load(folder), folder) as address:
        explorer = opened(address, space)
        explorer.tab("concepts")
        explorer.page.get_by_label("From labels").select_option("6")
        explorer.page.get_by_role("button", name="Learn it").click()
        row = explorer.page.locator(".concept", has_text="6").first
        row.get_by_role("button", name="Keep", exact=True).click()
        explorer.page.get_by_text("Kept in the space's folder").wait_for()
        assert not explorer.complaints
    kept = load(folder).concepts["6"]
    assert kept.positives > 0
    assert kept.held_out == (kept.positives >= 40)
