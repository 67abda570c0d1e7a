"""EfficientNet-lite0, trained on ImageNet: small, quick on a CPU, and made of convolutions alone."""

from __future__ import annotations

from collections.abc import Mapping

import torch.nn.functional as F
from torch import Tensor, nn

from morphospace.features.network import Features

__all__ = ["efficientnet_lite0"]

_STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1)  # of the blocks up to the last one that is read; five more lead to classes
_READ = (0, 1, 3, 5, 8, 11)  # the stem, and blocks 0, 2, 4, 7, 10
_LEAST = 16  # pixels a side, of which the deepest features make one place
_EPSILON = 1e-3  # of the batch normalisations


def efficientnet_lite0(tensors: Mapping[str, Tensor]) -> Features:
    """The stem and eleven blocks of EfficientNet-lite0, read at six depths: each place is 2 to 16 pixels wide.

    The batch normalisations are folded into the convolutions before them.

    Args:
        tensors: the weights by their names, as they were published.

    Source: Tan and Le, EfficientNet, arXiv:1905.11946; "lite" has ReLU6 and no squeeze-and-excitation: Liu, Higher
    accuracy on vision models with EfficientNet-Lite, TensorFlow's blog, 2020.
    """
    layers: list[nn.Module] = [nn.Sequential(_folded(tensors, "_conv_stem", "_bn0", stride=2), nn.ReLU6(inplace=True))]
    for i, stride in enumerate(_STRIDES):
        layers.append(_Block(tensors, f"_blocks.{i}.", stride))
    return Features(layers, _READ, least=_LEAST)


class _Convolution(nn.Conv2d):
    """A convolution that gives a place for each ``stride`` pixels, padded as TensorFlow does: more at the far sides.

    At a stride of two its kernel has a row and a column of zeros in front: over an even number of pixels, padded alike
    on both sides, it then lies where it should, and nothing need be copied to be padded. Over an odd number it lies
    right without them.
    """

    def __init__(self, weight: Tensor, bias: Tensor, *, stride: int) -> None:
        out, each, *_, kernel = weight.shape
        groups = out if each == 1 else 1  # of a depthwise one every channel is a group
        super().__init__(each * groups, out, kernel + stride - 1, stride, kernel // 2, groups=groups)
        self.load_state_dict({"weight": F.pad(weight, (stride - 1, 0, stride - 1, 0)), "bias": bias})

    def forward(self, x: Tensor) -> Tensor:
        """(B, c, H, W) to (B, c', H / stride, W / stride), rounded up."""
        down, across = (size % self.stride[0] for size in x.shape[2:])
        weight = self.weight[..., down:, across:]
        return F.conv2d(x, weight, self.bias, self.stride, self.padding, groups=self.groups)


class _Block(nn.Module):
    """An inverted residual: channels are widened (or not, in the first one), each filtered by itself, and mixed."""

    def __init__(self, tensors: Mapping[str, Tensor], name: str, stride: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        if f"{name}_expand_conv.weight" in tensors:
            layers += [_folded(tensors, f"{name}_expand_conv", f"{name}_bn0"), nn.ReLU6(inplace=True)]
        layers += [_folded(tensors, f"{name}_depthwise_conv", f"{name}_bn1", stride=stride), nn.ReLU6(inplace=True)]
        mixing = _folded(tensors, f"{name}_project_conv", f"{name}_bn2")
        first: nn.Module = layers[0]
        assert isinstance(first, nn.Conv2d)
        self.layers = nn.Sequential(*layers, mixing)
        self.skips = stride == 1 and first.in_channels == mixing.out_channels

    def forward(self, x: Tensor) -> Tensor:
        """(B, c, H, W) to (B, c', H / stride, W / stride)."""
        h: Tensor = self.layers(x)
        return x + h if self.skips else h


def _folded(tensors: Mapping[str, Tensor], name: str, norm: str, *, stride: int = 1) -> _Convolution:
    """The convolution ``name`` with the batch normalisation ``norm`` after it, as one convolution."""
    gain = tensors[f"{norm}.weight"] / (tensors[f"{norm}.running_var"] + _EPSILON).sqrt()
    bias = tensors[f"{norm}.bias"] - tensors[f"{norm}.running_mean"] * gain
    return _Convolution(tensors[f"{name}.weight"] * gain[:, None, None, None], bias, stride=stride)
