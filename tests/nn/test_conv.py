"""Convolutions of any size."""

from __future__ import annotations

import math

import pytest
import torch
from tests.pictures import noise

from morphospace.export.page import LARGEST_MODEL
from morphospace.nn import ConvDecoder, ConvEncoder
from morphospace.parts import part_from_json
from morphospace.recipes import build_model, find_recipe
from morphospace.space import Space


@pytest.mark.parametrize("shape", [(23, 178), (256, 8), (8, 256), (64, 256)])
def test_networks_take_long_images(shape: tuple[int, int]) -> None:
    for name in ("quick", "conv", "photo"):
        recipe = find_recipe(name)
        space = Space(build_model(recipe, (*shape, 1), seed=0), recipe, (*shape, 1))
        codes = space.encode(noise(0, (2, *shape, 1))).mean
        assert codes.shape == (2, recipe.latent_dim)
        assert space.decode(codes).shape == (2, *shape, 1)


@pytest.mark.parametrize("side", [8, 13, 27, 28, 32, 33, 56, 64, 100, 128, 256])
def test_finer_levels_give_pictures_of_any_size(side: int) -> None:
    """Each halves the patches that are left, as often as they can be halved."""
    shape = (3, side, max(8, side - 5))
    patch = ConvDecoder(4, shape, (16,)).frame.patch
    for count in range(5):
        decoder = ConvDecoder(4, shape, (16,), fine_widths=(12, 10, 8, 6)[:count])
        assert len(decoder.fine) == min(count, int(math.log2(patch)))
        left = patch // 2 ** len(decoder.fine)
        assert decoder.patches.out_channels == 3 * left**2
        assert decoder(torch.zeros(2, 4)).shape == (2, *shape)


def test_every_pixel_comes_from_the_finest_level_at_its_place() -> None:
    """A spot in the finest level is a spot in the picture, at the same place."""
    torch.manual_seed(0)
    decoder = ConvDecoder(4, (1, 32, 48), (16,), fine_widths=(8,))
    finest = torch.zeros(1, 8, 16, 24)
    finest[0, :, 5, 17] = 9
    seen = []
    for h in (torch.zeros_like(finest), finest):
        decoder.fine_blocks[0].register_forward_hook(lambda *_, h=h: h)
        seen.append(decoder(torch.zeros(1, 4))[0, 0].detach())
    rows, columns = (seen[1] - seen[0]).abs().gt(1e-6).nonzero().unbind(1)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (2 * 4, 2 * 6 + 1, 2 * 16, 2 * 18 + 1)


def test_without_finer_levels_the_decoder_is_the_one_that_spaces_were_made_with() -> None:
    """Its weights have the names and the order of before; what they train to stands in tests/golden, conv.json."""
    plain = ConvDecoder(4, (3, 32, 32), (16, 24))
    names = list(dict.fromkeys(name.split(".")[0] for name in plain.state_dict()))
    assert names == ["sharpness", "dense", "finer", "blocks", "steer", "points", "blobs", "patches"]
    assert plain.patches.weight.shape == (12, 16, 3, 3)
    assert ConvDecoder.Config().fine_widths is None


@pytest.mark.parametrize("side", [32, 64, 128, 256])
def test_spaces_of_photographs_fit_on_a_page(side: int) -> None:
    recipe = find_recipe("photo")
    space = Space(build_model(recipe, (side, side, 3), seed=0), recipe, (side, side, 3))
    assert space.parameters < LARGEST_MODEL / 2


@pytest.mark.parametrize(
    ("shape", "most", "patch", "grid"),
    [
        ((64, 64), 40, 4, (16, 16)),
        ((128, 96), 40, 4, (32, 24)),
        ((160, 160), 40, 4, (40, 40)),
        ((161, 16), 40, 8, (24, 4)),
        ((256, 256), 40, 8, (32, 32)),
        ((256, 256), 16, 16, (16, 16)),
        ((256, 256), None, 4, (64, 64)),
        ((28, 28), 4, 8, (4, 4)),
    ],
)
def test_larger_images_are_cut_into_larger_patches(
    shape: tuple[int, int], most: int | None, patch: int, grid: tuple[int, int]
) -> None:
    encoder = ConvEncoder((3, *shape), (8,), most_patches=most)
    decoder = ConvDecoder(4, (3, *shape), (8,), fine_widths=(8,), most_patches=most)
    for frame in (encoder.frame, decoder.frame):
        assert frame.patch == patch
        assert frame.grids[0] == grid
    assert encoder(torch.zeros(1, 3, *shape)).shape == (1, encoder.features)
    assert decoder(torch.zeros(1, 4)).shape == (1, 3, *shape)


def test_a_part_that_says_nothing_of_its_patches_is_the_one_that_it_was() -> None:
    """Spaces keep the options of their parts: one that was made without this one opens with the network it had."""
    part = part_from_json("decoder", {"kind": "conv", "widths": [8], "blocks": 1})
    assert isinstance(part, ConvDecoder.Config)
    assert part.build(4, (3, 256, 256)).frame.patch == 4
