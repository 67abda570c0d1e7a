"""Convolutions of any size."""

from __future__ import annotations

import pytest
from tests.pictures import noise

from morphospace.recipes import build_model, find_recipe
from morphospace.space import Space


@pytest.mark.parametrize("shape", [(23, 178), (256, 8), (8, 256), (64, 256)])
def test_networks_take_long_images(shape: tuple[int, int]) -> None:
    for name in ("quick", "conv"):
        recipe = find_recipe(name)
        space = Space(build_model(recipe, (*shape, 1), seed=0), recipe, (*shape, 1))
        codes = space.encode(noise(0, (2, *shape, 1))).mean
        assert codes.shape == (2, recipe.latent_dim)
        assert space.decode(codes).shape == (2, *shape, 1)
