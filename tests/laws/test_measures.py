"""Measures of drawings: what is drawn is what is measured, between pixels too."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from morphospace.errors import ArgumentError
from morphospace.evaluate.measures import MEASURES, measure
from morphospace.images import Images

FINE = 8  # drawn this much larger, then averaged


def stroke(length: float, thickness: float, lean: float) -> Images:
    """One straight stroke of a pen, in the middle of 40x40 pixels."""
    side = 40 * FINE
    picture = Image.new("L", (side, side))
    across, down = lean * length / 2 * FINE, length / 2 * FINE
    half = thickness / 2 * FINE
    corners = [(across - half, -down), (across + half, -down), (half - across, down), (-across - half, down)]
    ImageDraw.Draw(picture).polygon([(side / 2 + x, side / 2 + y) for x, y in corners], fill=255)
    return np.asarray(picture.reduce(FINE))[None, ..., None]


@given(st.floats(16, 30), st.floats(2, 5), st.floats(-0.5, 0.5))
def test_a_stroke_has_the_measures_it_was_drawn_with(length: float, thickness: float, lean: float) -> None:
    image = stroke(length, thickness, lean)
    assert measure("slant", image)[0] == pytest.approx(lean, abs=0.04)
    assert measure("height", image)[0] == pytest.approx(length, abs=0.6)
    assert measure("ink", image)[0] == pytest.approx(length * thickness, rel=0.15)
    across = thickness / math.hypot(1, lean)  # what a pen held at a right angle draws
    assert measure("stroke-width", image)[0] == pytest.approx(across, rel=0.3)


def test_measures_order_what_they_measure() -> None:
    thick = np.concatenate([stroke(24, thickness, 0.2) for thickness in (2, 3, 4, 5)])
    assert (np.diff(measure("stroke-width", thick)) > 0.5).all()
    assert (np.diff(measure("width", thick)) > 0.5).all()
    tall = np.concatenate([stroke(length, 3, 0) for length in (12, 18, 24)])
    assert np.allclose(measure("size", tall) ** 2, measure("height", tall) * measure("width", tall))


def test_an_empty_picture_has_no_measures_but_its_ink() -> None:
    empty = np.zeros((2, 9, 9, 3), np.uint8)
    assert (measure("ink", empty) == 0).all()
    for name in set(MEASURES) - {"ink"}:
        assert np.isnan(measure(name, empty)).all(), name
    with pytest.raises(ArgumentError, match='Did you mean "slant"'):
        measure("slan", empty)
