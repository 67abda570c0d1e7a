"""Weights of the ``book`` network to and from Keras, exactly.

Keras keeps a convolution's kernel as (height, width, in, out), a transposed one's as (height, width, out,
in), a dense one's as (in, out). The numbers are the same; only their order in memory differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from morphospace.errors import ArgumentError, DataError
from morphospace.nn import BookDecoder, BookEncoder
from morphospace.vae import VAE, GaussianPosterior

__all__ = ["from_keras", "to_keras"]

Weights = list[NDArray[np.float32]]


def to_keras(model: VAE) -> tuple[Weights, Weights]:
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
    encoder, decoder = ([tensor.cpu().numpy().copy() for tensor in tensors] for tensors in _in_keras_order(model))
    return encoder, decoder


def from_keras(model: VAE, encoder: Sequence[Any], decoder: Sequence[Any]) -> VAE:
    """Give ``model`` the weights of the book's two Keras models.

    Args:
        model: of the recipe ``book``, for images of the same size; changed in place and returned.
        encoder: ``encoder.get_weights()``.
        decoder: ``decoder.get_weights()``.

    Raises:
        ArgumentError: if the model is not of the book's network.
        DataError: if a number of arrays or a shape does not fit.
    """
    for name, tensors, arrays in zip(("encoder", "decoder"), _in_keras_order(model), (encoder, decoder), strict=True):
        if len(arrays) != len(tensors):
            raise DataError(f"{name}: expected {len(tensors)} arrays, got {len(arrays)}.")
        for i, (tensor, array) in enumerate(zip(tensors, arrays, strict=True)):
            if np.shape(array) != tensor.shape:
                raise DataError(f"{name}: expected array {i} of shape {tuple(tensor.shape)}, got {np.shape(array)}.")
    for tensors, arrays in zip(_in_keras_order(model), (encoder, decoder), strict=True):
        for tensor, array in zip(tensors, arrays, strict=True):
            tensor.copy_(torch.tensor(np.asarray(array, np.float32)))
    return model


def _in_keras_order(model: VAE) -> tuple[list[Tensor], list[Tensor]]:
    """Views of the encoder's and the decoder's weights and biases, in Keras's order and memory layout."""
    e, p, d = model.encoder, model.posterior, model.decoder
    if not (isinstance(e, BookEncoder) and isinstance(d, BookDecoder) and isinstance(p, GaussianPosterior)):
        raise ArgumentError('model: only the network of the recipe "book" has a twin in Keras.')
    layers = [e.conv1, e.conv2, e.conv3, e.conv4, e.dense, p.mean, p.log_var], [d.dense, d.conv1, d.conv2]
    encoder, decoder = ([t for layer in some for t in _views(layer)] for some in layers)
    return encoder, decoder


def _views(layer: nn.Module) -> list[Tensor]:
    """A layer's weight as Keras orders it, and its bias."""
    return [t.detach().t() if t.ndim == 2 else t.detach().permute(2, 3, 1, 0) if t.ndim == 4 else t.detach()
            for t in (layer.get_parameter("weight"), layer.get_parameter("bias"))]  # fmt: skip
