"""Everything that a part of one's own is made of comes with one import."""

from __future__ import annotations

import typing

from morphospace import extending
from morphospace.parts import base_of
from morphospace.recipes.described import SLOTS


def test_each_place_has_its_configuration_and_what_that_builds() -> None:
    names = set(extending.__all__)
    for slot in set(SLOTS) - {"stage", "images"}:
        base = base_of(slot)
        assert base.__name__ in names, slot
        built = typing.get_type_hints(base.build)["return"] if hasattr(base, "build") else object
        if built.__module__.startswith("morphospace."):
            assert built.__name__ in names, slot
    assert all(getattr(extending, name) is not None for name in names)
