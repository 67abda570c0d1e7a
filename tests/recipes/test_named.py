"""Which recipe images get by default, and what is said of it."""

from __future__ import annotations

import pytest

from morphospace.errors import FileError
from morphospace.features.weights import Weights
from morphospace.recipes import changed, default_recipe, find_recipe, recipe_notes

PHOTO = (64, 64, 3)
MIRRORED = "training images are mirrored at random"


@pytest.fixture(params=[True, False], ids=["with the weights", "without the weights"])
def here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether weights that others have trained are on this machine."""

    def check(weights: Weights) -> None:
        if not request.param:
            raise FileError("not here.", argument="features")

    monkeypatch.setattr(Weights, "check_here", check)
    return bool(request.param)


@pytest.mark.parametrize(
    ("shape", "name"),
    [
        ((28, 28, 1), "quick"), ((32, 32, 1), "quick"), ((33, 32, 1), "conv"), ((128, 128, 1), "conv"),
        ((8, 8, 3), "conv"), ((31, 31, 3), "conv"), ((31, 200, 3), "conv"), ((200, 31, 3), "conv"),
        ((32, 32, 3), "photo"), ((32, 200, 3), "photo"), ((128, 96, 3), "photo"),
    ],
)  # fmt: skip
def test_colour_from_32_pixels_a_side_on_is_a_photograph(shape: tuple[int, int, int], name: str, here: bool) -> None:
    assert default_recipe(shape).name == (name if here or name != "photo" else "conv")
    assert default_recipe(shape, other_model=True).name == (name if name != "photo" else "conv")


def test_what_is_missing_is_said_where_nobody_chose(here: bool) -> None:
    conv = find_recipe("conv")
    notes = recipe_notes(conv, PHOTO, auto=True)
    assert len(notes) == (0 if here else 1)
    assert here or all(words in notes[0] for words in ("soft", "morphospace[features]", '`recipe="conv"`'))
    assert not recipe_notes(conv, PHOTO, auto=False)
    assert not recipe_notes(conv, (31, 64, 3), auto=True), "photo is no better there, as far as anybody knows"
    assert not recipe_notes(conv, (64, 64, 1), auto=True)
    assert not recipe_notes(changed(conv, {"model": "ladder"}), PHOTO, auto=True)


@pytest.mark.usefixtures("here")
def test_mirrored_images_are_said_unless_somebody_asked_for_something_else() -> None:
    photo = find_recipe("photo")
    for auto in (True, False):
        (said,) = recipe_notes(photo, PHOTO, auto=auto)
        assert said.startswith(f'{MIRRORED} (`flip="horizontal"`)')
        assert '`flip="none"` leaves them as they are' in said
    assert not recipe_notes(changed(photo, {"flip": "none"}), PHOTO, auto=False)
    assert not recipe_notes(changed(find_recipe("conv"), {"flip": "horizontal"}), PHOTO, auto=False)


@pytest.mark.parametrize(
    ("shape", "words", "default"),
    [
        ((28, 20, 1), "these are grey, of 20x28", "quick"),
        ((64, 64, 1), "these are grey, of 64x64", "conv"),
        ((30, 40, 3), "these are in colour, of 40x30", "conv"),
    ],
)
def test_photo_for_what_is_no_photograph_is_said(shape: tuple[int, int, int], words: str, default: str) -> None:
    first, second = recipe_notes(find_recipe("photo"), shape, auto=False)
    assert words in first
    assert first.endswith(f'trained with {default}: `recipe="{default}"`')
    assert second.startswith(MIRRORED)


def test_only_weights_that_a_recipe_needs_are_asked_for(here: bool) -> None:
    find_recipe("conv").check_here()
    changed(find_recipe("photo"), {"features": "random"}).check_here()
    if here:
        find_recipe("photo").check_here()
    else:
        with pytest.raises(FileError, match="not here"):
            find_recipe("photo").check_here()
