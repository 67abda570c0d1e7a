r"""Convolutions by quicker roads: the mathematics of PyTorch's own layers, differentiable like them.

From many channels to one, a convolution multiplies too little at each place to keep a CPU busy; as one matrix product
to the nine taps of its kernel, and a sum of shifted pictures after it, it is five times as fast. And the gradient of a
transposed convolution is slow in the library, while the same numbers come from a plain convolution in which input and
output have swapped roles. What each is worth stands in benchmarks/NOTES.md.
"""

from __future__ import annotations

from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from morphospace.errors import ArgumentError

__all__ = ["conv_to_few", "conv_transpose"]

_TAPS = [(down, across) for down in range(3) for across in range(3)]


def conv_to_few(layer: nn.Conv2d, x: Tensor) -> Tensor:
    r"""A 3x3 convolution to few channels, as one product and nine shifts.

    .. math:: y_{ij} = b + \sum_{p,q} (W_{pq}\, x)_{i+p-1,\, j+q-1}

    Args:
        layer: a 3x3 convolution at stride 1 with padding 1 and a bias; it holds the weights.
        x: (B, C, H, W), channels last in memory.

    Returns:
        What ``layer(x)`` is, (B, out, H, W), one channel after the other in memory.

    Example:
        >>> layer, x = nn.Conv2d(32, 1, 3, padding=1), torch.rand(2, 32, 8, 8)
        >>> torch.allclose(conv_to_few(layer, x), layer(x), atol=1e-5)
        True
    """
    weight = layer.weight.permute(2, 3, 0, 1).flatten(0, 2)  # (9 out, C)
    places = x.permute(0, 2, 3, 1)  # (B, H, W, C)
    # Taps come first: each is then a whole picture, and pictures are added by vectors.
    taps = (weight @ places.flatten(0, 2).t()).view(9, layer.out_channels, *places.shape[:3])
    # Without gradients no Function is in the way of those who trace the network, like the ONNX exporter.
    y = _apply(_Gather, taps) if torch.is_grad_enabled() else _Gather.forward(taps)
    return (y + _bias(layer)[:, None, None, None]).transpose(0, 1)


def conv_transpose(layer: nn.ConvTranspose2d, x: Tensor) -> Tensor:
    """A transposed convolution whose gradients are those of a plain convolution.

    Args:
        layer: the transposed convolution, with a bias; it holds the weights.
        x: (B, C, H, W).

    Returns:
        What ``layer(x)`` is, (B, out, H', W').

    Example:
        >>> layer = nn.ConvTranspose2d(8, 4, 3, stride=2, padding=1, output_padding=1)
        >>> x = torch.rand(2, 8, 5, 5)
        >>> torch.allclose(conv_transpose(layer, x), layer(x), atol=1e-5)
        True
    """
    if not torch.is_grad_enabled():  # no gradients to take another road, and no Function in the way of tracing
        return cast("Tensor", layer(x))
    weight, bias = layer.weight, _bias(layer)
    if torch.is_autocast_enabled(x.device.type):
        dtype = torch.get_autocast_dtype(x.device.type)
        x, weight, bias = x.to(dtype), weight.to(dtype), bias.to(dtype)
    return _apply(_Transposed, x, weight, bias, layer.stride, layer.padding, layer.output_padding)


class _Gather(torch.autograd.Function):
    """From nine taps (9, C, B, H, W) of each place to their sum (C, B, H, W), each taken from its own neighbour."""

    @staticmethod
    def forward(taps: Tensor) -> Tensor:
        height, width = taps.shape[-2:]
        padded = F.pad(taps, (1, 1, 1, 1))
        shifted = [padded[3 * i + j, ..., i : i + height, j : j + width] for i, j in _TAPS]
        total = shifted[0].to(torch.promote_types(taps.dtype, torch.float32))
        for one in shifted[1:]:
            total = total + one
        return total

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        del output
        ctx.dtype = inputs[0].dtype

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        height, width = gradient.shape[-2:]
        padded = F.pad(gradient.to(ctx.dtype), (1, 1, 1, 1))
        return torch.stack([padded[..., 2 - i : 2 - i + height, 2 - j : 2 - j + width] for i, j in _TAPS])


class _Transposed(torch.autograd.Function):
    """A transposed convolution is the gradient of a plain one, so its own gradient is the plain one."""

    @staticmethod
    def forward(x: Tensor, weight: Tensor, bias: Tensor, *geometry: Any) -> Tensor:
        return F.conv_transpose2d(x, weight, bias, *geometry)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        del output
        x, weight, _, ctx.stride, ctx.padding, _ = inputs
        ctx.save_for_backward(x, weight)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        of_weight = torch.ops.aten.convolution_backward(
            x, gradient, weight, None, ctx.stride, ctx.padding, (1, 1), False, (0, 0), 1, (False, True, False)
        )[1]
        of_x = F.conv2d(gradient, weight, None, ctx.stride, ctx.padding)
        return of_x, of_weight, gradient.sum((0, 2, 3)), None, None, None


def _apply(function: type[torch.autograd.Function], *inputs: Any) -> Tensor:
    y: Tensor = function.apply(*inputs)  # type: ignore[no-untyped-call]
    return y


def _bias(layer: nn.Conv2d | nn.ConvTranspose2d) -> Tensor:
    if layer.bias is None:
        raise ArgumentError("layer: expected one with a bias.")
    return layer.bias
