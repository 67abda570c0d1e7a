"""The perceptual distance, and what windows let it see."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from morphospace.errors import ArgumentError
from morphospace.features import Features, feature_network, looked_at, perceptual_distance, weights_are_here


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def smooth(generator: torch.Generator, count: int = 8, side: int = 64) -> Tensor:
    coarse = torch.rand(count, 3, 4, 4, generator=generator)
    return nn.functional.interpolate(coarse, size=(side, side), mode="bicubic").clamp(0, 1)


def identity(stride: int = 1) -> Features:
    layer = nn.Conv2d(3, 3, 1, stride, bias=False)
    nn.init.dirac_(layer.weight)
    return Features([layer], read=(0,), least=1)


def test_the_distance_in_closed_form() -> None:
    network = identity()
    x = network.mean + network.std * torch.tensor([3.0, 4.0, 0.0])[:, None, None]
    y = network.mean + network.std * torch.tensor([0.0, 0.0, 2.0])[:, None, None]
    half = torch.cat([x, y], 2)  # of two places one is the same
    distance = perceptual_distance(network, x[None], y[None])
    assert distance.tolist() == pytest.approx([0.6**2 + 0.8**2 + 1])
    assert perceptual_distance(network, half[None], x.expand(3, 2, 1)[None]).tolist() == pytest.approx([1.0])


def test_depths_add_up() -> None:
    once, twice = identity(), Features([nn.Identity(), nn.Identity()], read=(0, 1), least=1)
    x, y = torch.rand(2, 3, 3, 5, 4)
    torch.testing.assert_close(perceptual_distance(twice, x, y), 2 * perceptual_distance(once, x, y))


def test_it_is_zero_for_the_same_only_and_is_symmetrical(generator: torch.Generator) -> None:
    network = feature_network("random")
    x = torch.rand(3, 1, 16, 24, generator=generator)
    y = x.clone()
    y[1, 0, 5, 7] += 0.2
    there, back = perceptual_distance(network, x, y), perceptual_distance(network, y, x)
    assert there.shape == (3,)
    assert (there > 0).tolist() == [False, True, False]
    torch.testing.assert_close(there, back)


def test_gradients_reach_the_picture_through_a_window_and_no_weight(generator: torch.Generator) -> None:
    network = feature_network("random")
    x, y = torch.rand(2, 2, 3, 16, 16, generator=generator)
    y.requires_grad_()
    draws = torch.rand(2, 3, generator=generator)
    windows = [looked_at(picture, draws, 16, 1.0, 1.5) for picture in (x, y)]
    perceptual_distance(network, *windows).sum().backward()  # type: ignore[no-untyped-call]
    assert y.grad is not None
    assert (y.grad.flatten(1).norm(dim=1) > 0).all()
    assert all(parameter.grad is None for parameter in network.parameters())


def test_in_coarse_numbers_it_is_still_measured_in_fine_ones(generator: torch.Generator) -> None:
    network, x = feature_network("random"), torch.rand(2, 3, 16, 16, generator=generator)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        coarse = perceptual_distance(network, x, x.flip(3))
    assert coarse.dtype == torch.float32
    torch.testing.assert_close(coarse, perceptual_distance(network, x, x.flip(3)), rtol=0.05, atol=0)


def test_a_window_in_the_middle_and_one_that_sticks_out_by_two_pixels() -> None:
    x = torch.rand(2, 3, 12, 20)
    middle = looked_at(x, torch.full((2, 3), 0.5), 8, 1.0, 1.0)
    torch.testing.assert_close(middle, x[:, :, 2:10, 6:14])
    corner = looked_at(x, torch.tensor([[0.5, 0.0, 1.0]]).expand(2, 3), 8, 1.0, 1.0)
    torch.testing.assert_close(corner[:, :, :6, 2:], x[:, :, 6:12, :6])
    torch.testing.assert_close(corner[:, :, :6, :2], x[:, :, 6:12, :2].flip(3))
    torch.testing.assert_close(corner[:, :, 6:, 2:], x[:, :, 10:12, :6].flip(2))


def test_factors_are_even_in_their_logarithm() -> None:
    x = torch.arange(40.0).expand(3, 1, 40, 40)
    draws = torch.tensor([[0.0, 0.5, 0.5], [0.5, 0.5, 0.5], [1.0, 0.5, 0.5]])
    steps = looked_at(x, draws, 16, 1.0, 4.0).diff(dim=3).mean((1, 2, 3))
    assert steps.tolist() == pytest.approx([1, 1 / 2, 1 / 4], rel=1e-4)


def test_a_picture_that_is_smaller_than_the_window_lies_whole_in_it() -> None:
    x = torch.rand(4, 3, 8, 12)
    for places in ([0.0, 0.0], [1.0, 0.3], [0.5, 0.5]):
        seen = looked_at(x, torch.tensor([[0.0, *places]]).expand(4, 3), 24, 1.0, 1.0)
        assert seen.shape == (4, 3, 24, 24)
        # Mirrored at its edges it keeps its mean, nearly; black edges would take it down.
        torch.testing.assert_close(seen.mean(), x.mean(), rtol=0.1, atol=0)


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (2.0, 1.0), (-1.0, 1.0)])
def test_factors_that_are_none(low: float, high: float) -> None:
    with pytest.raises(ArgumentError, match="0 < low <= high"):
        looked_at(torch.rand(1, 3, 8, 8), torch.rand(1, 3), 8, low, high)


def test_a_checkerboard_hides_from_a_network_that_strides_until_the_window_moves(generator: torch.Generator) -> None:
    """The law: what lies between the places of a strided layer costs nothing, and through moving windows it does."""
    blind, x = identity(stride=2), smooth(generator)
    board = torch.zeros(64, 64)
    board[1::2, ::2] = board[::2, 1::2] = 0.1  # the black fields, which a stride of two steps over
    assert perceptual_distance(blind, x, x + board).max() == 0
    draws = torch.rand(8, 3, generator=generator)
    for low, high, least in ((1.0, 1.0, 1e-4), (1.25, 2.0, 1e-4)):
        seen = perceptual_distance(
            blind, looked_at(x, draws, 64, low, high), looked_at(x + board, draws, 64, low, high)
        )
        assert (seen > least).all()


@pytest.mark.skipif(not weights_are_here("efficientnet-lite0"), reason="needs the extra features")
def test_of_the_patterns_of_period_two_windows_see_best_what_the_stem_sees_least(generator: torch.Generator) -> None:
    network, x = feature_network("efficientnet-lite0"), smooth(generator)
    draws = torch.rand(8, 3, generator=generator)
    stem = network.layers[0][0]  # type: ignore[index]
    tiles = (torch.eye(12).view(12, 3, 2, 2) / network.std).repeat(1, 1, 4, 4)
    patterns = torch.linalg.svd((stem(tiles) - stem.bias[:, None, None])[:, :, 1, 1]).U.T.view(12, 3, 2, 2)
    gains: list[float] = []
    still: list[float] = []
    for pattern in (patterns[0], patterns[-3]):  # the loudest to the stem, and one of the quietest
        y = x + 0.02 * (pattern / pattern.square().mean().sqrt()).repeat(1, 32, 32)
        plain = perceptual_distance(network, x, y).mean().item()
        for low, high, found in ((1.25, 2.0, gains), (1.0, 1.0, still)):
            through = perceptual_distance(network, *(looked_at(p, draws, 80, low, high) for p in (x, y)))
            found.append(through.mean().item() / plain)
    assert gains[0] < 1.5
    assert gains[1] > 4
    assert gains[1] > 3 * still[1]


def test_window_network_and_distance_are_one_graph_whose_shape_nothing_seen_decides(generator: torch.Generator) -> None:
    network = feature_network("random")

    def loss(x: Tensor, y: Tensor, draws: Tensor) -> Tensor:
        return perceptual_distance(network, looked_at(x, draws, 16, 1.0, 1.5), looked_at(y, draws, 16, 1.0, 1.5))

    x, y = torch.rand(2, 2, 3, 16, 16, generator=generator)
    draws = torch.rand(2, 3, generator=generator)
    compiled = torch.compile(loss, fullgraph=True, dynamic=False, backend="eager")
    torch.testing.assert_close(compiled(x, y, draws), loss(x, y, draws))
