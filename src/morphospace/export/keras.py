"""Weights of the ``book`` network to and from Keras, exactly.

Keras keeps a convolution's kernel as (height, width, in, out), a transposed one's as (height, width, out, in), a dense
one's as (in, out). Ours work on pictures turned by a half (:mod:`morphospace.nn.book`), so that kernels are turned, and
so are the places that the dense layers next to them see. The numbers are the same; only their order differs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from morphospace.errors import ArgumentError, DataError
from morphospace.nn import BookDecoder, BookEncoder
from morphospace.vae import VAE, GaussianPosterior, Generative

__all__ = ["from_keras", "to_keras"]

Weights = list[NDArray[np.float32]]
Turn = Callable[[Tensor], Tensor]
Weight = tuple[Tensor, Turn]
M = TypeVar("M", bound=Generative)


def to_keras(model: Generative) -> tuple[Weights, Weights]:
    """The weights for ``encoder.set_weights`` and ``decoder.set_weights`` of the book's two Keras models.

    Args:
        model: a space's model, of the recipe ``book``.

    Returns:
        The encoder's 14 arrays and the decoder's 6, in the order of ``get_weights()``.

    Raises:
        ArgumentError: if the model is not of the book's network.

    Example:
        >>> from morphospace.recipes import build_model, find_recipe
        >>> encoder, decoder = to_keras(build_model(find_recipe("book"), (28, 28, 1), seed=0))
        >>> encoder[2].shape, decoder[2].shape
        ((3, 3, 32, 64), (3, 3, 32, 64))
    """
    encoder, decoder = ([turn(tensor).cpu().numpy() for tensor, turn in some] for some in _in_keras_order(model))
    return encoder, decoder


def from_keras(model: M, encoder: Sequence[Any], decoder: Sequence[Any]) -> M:
    """Give ``model`` the weights of the book's two Keras models.

    Args:
        model: of the recipe ``book``, for images of the same size; changed in place and returned.
        encoder: ``encoder.get_weights()``.
        decoder: ``decoder.get_weights()``.

    Raises:
        ArgumentError: if the model is not of the book's network.
        DataError: if a number of arrays or a shape does not fit.
    """
    for name, some, arrays in zip(("encoder", "decoder"), _in_keras_order(model), (encoder, decoder), strict=True):
        if len(arrays) != len(some):
            raise DataError(f"{name}: expected {len(some)} arrays, got {len(arrays)}.")
        for i, ((tensor, _), array) in enumerate(zip(some, arrays, strict=True)):
            if np.shape(array) != tensor.shape:
                raise DataError(f"{name}: expected array {i} of shape {tuple(tensor.shape)}, got {np.shape(array)}.")
    for some, arrays in zip(_in_keras_order(model), (encoder, decoder), strict=True):
        for (tensor, turn), array in zip(some, arrays, strict=True):
            tensor.copy_(turn(torch.tensor(np.asarray(array, np.float32))))
    return model


def _in_keras_order(model: Generative) -> tuple[list[Weight], list[Weight]]:
    """The encoder's and the decoder's weights and biases, as views in Keras's order, each with its half turn."""
    e, p, d = (model.encoder, model.posterior, model.decoder) if isinstance(model, VAE) else (None, None, None)
    told = model.condition is not None
    if told or not (isinstance(e, BookEncoder) and isinstance(d, BookDecoder) and isinstance(p, GaussianPosterior)):
        raise ArgumentError('only the network of the recipe "book" has a twin in Keras.', argument="model")
    convolutions = [w for layer in (e.conv1, e.conv2, e.conv3, e.conv4) for w in _weights(layer, _turn_kernel)]
    encoder = [*convolutions, *_weights(e.dense, _turn_places(0)), *_weights(p.mean), *_weights(p.log_var)]
    (dense, bias), turned = _weights(d.dense, _turn_places(1)), _turn_places(0)
    decoder = [dense, (bias[0], turned), *_weights(d.up, _turn_kernel), *_weights(d.to_image, _turn_kernel)]
    return encoder, decoder


def _weights(layer: nn.Module, turn: Turn = torch.clone) -> list[Weight]:
    """A layer's weight as Keras orders it, and its bias, which has no places."""
    weight, bias = layer.get_parameter("weight").detach(), layer.get_parameter("bias").detach()
    return [(weight.t() if weight.ndim == 2 else weight.permute(2, 3, 1, 0), turn), (bias, torch.clone)]


def _turn_kernel(kernel: Tensor) -> Tensor:
    """A kernel (height, width, ...) by a half turn."""
    return kernel.flip(0, 1)


def _turn_places(axis: int) -> Turn:
    """The half turn of an axis that runs over height, width and 64 channels."""

    def turn(values: Tensor) -> Tensor:
        shape = (*values.shape[:axis], -1, 64, *values.shape[axis + 1 :])
        return values.reshape(shape).flip(axis).reshape(values.shape)

    return turn
