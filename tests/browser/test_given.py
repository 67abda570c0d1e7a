"""The choice of a label, on the page of a space that is told labels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import FilePayload
from tests.browser.conftest import Explorer, Opener
from tests.browser.serving import serving

from morphospace.export.page import write_page
from morphospace.images import png_bytes
from morphospace.space import Space


@pytest.fixture(params=["served", "one file"])
def explorer(request: pytest.FixtureRequest, opened: Opener, told: Space, tmp_path: Path) -> Iterator[Explorer]:
    if request.param == "served":
        with serving(told, None) as address:
            yield opened(address, told)
    else:
        write_page(tmp_path / "told.html", told)
        yield opened((tmp_path / "told.html").as_uri(), told)


def choose(explorer: Explorer, label: str) -> None:
    explorer.page.get_by_label("Drawn as").select_option(label)
    explorer.ready()


def test_everything_is_drawn_as_the_label_that_is_chosen(explorer: Explorer, told: Space) -> None:
    z = explorer.click(0.45, 0.5)
    assert "given" not in explorer.state
    explorer.shows("pin", told.given("0").decode(z)[0, ..., 0])
    explorer.shows("spot", told.given("0").decode(explorer.move(0.5, 0.4))[0, ..., 0])
    before = explorer.screenshot()
    choose(explorer, "6")
    explorer.shows("pin", told.given("6").decode(z)[0, ..., 0])
    explorer.shows("spot", told.given("6").decode(explorer.move(0.5, 0.4))[0, ..., 0])
    assert np.abs(explorer.screenshot().astype(int) - before).mean() > 5  # the map, too
    assert explorer.state["given"] == "6"
    explorer.page.get_by_role("button", name="Undo").click()
    explorer.shows("pin", told.given("0").decode(z)[0, ..., 0])
    assert not explorer.complaints


def test_an_address_remembers_the_label(explorer: Explorer, told: Space) -> None:
    explorer.page.goto(explorer.page.url.partition("#")[0] + "#given=3&pins=0.25,-0.5")
    explorer.page.reload()
    explorer.ready()
    assert explorer.page.get_by_label("Drawn as").input_value() == "3"
    explorer.shows("pin", told.given("3").decode([[0.25, -0.5]])[0, ..., 0])


def test_a_picture_is_read_as_the_label_and_drawn_as_the_next(explorer: Explorer, told: Space) -> None:
    image = told.given("6").decode([[0.3, 0.2]])
    choose(explorer, "6")
    explorer.tab("image")
    file: FilePayload = {"name": "six.png", "mimeType": "image/png", "buffer": png_bytes(image[0], {})}
    explorer.page.locator("input[type=file]").set_input_files(file)
    code = told.given("6").encode(image).mean
    explorer.shows("before", told.given("6").decode(code)[0, ..., 0])
    choose(explorer, "9")
    explorer.shows("before", told.given("9").decode(code)[0, ..., 0])


def test_a_space_that_is_told_none_offers_no_choice(opened: Opener, space: Space) -> None:
    with serving(space, None) as address:
        assert opened(address, space).page.get_by_label("Drawn as").count() == 0
