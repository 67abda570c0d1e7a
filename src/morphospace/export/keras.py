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
        The encoder's 12 arrays and the decoder's 6, in the order of ``get_weights()``.

    Raises:
        ArgumentError: if the model is not of the book's network.

    Example:
        >>> from morphospace.recipes import build_model, find_recipe
        >>> encoder, decoder = to_keras(build_model(find_recipe("book"), (28, 28, 1), seed=0))
        >>> encoder[2].shape, decoder[2].shape
        ((3, 3, 32, 64), (3, 3, 32, 64))
    """
    encoder, decoder = _layers(model)

    def numbers(layers: Sequence[nn.Module]) -> Weights:
        found: Weights = []
        for layer in layers:
            weight = _permuted(layer.weight)  # type: ignore[arg-type]
            found += [np.ascontiguousarray(weight.cpu().numpy()), layer.bias.detach().cpu().numpy().copy()]  # type: ignore[operator,union-attr]
        return found

    return numbers(encoder), numbers(decoder)


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
    for name, layers, weights in zip(("encoder", "decoder"), _layers(model), (encoder, decoder), strict=True):
        if len(weights) != 2 * len(layers):
            raise DataError(f"{name}: expected {2 * len(layers)} arrays, got {len(weights)}.")
        for i, layer in enumerate(layers):
            weight, bias = (torch.tensor(np.asarray(w, np.float32)) for w in weights[2 * i : 2 * i + 2])
            target, offset = _permuted(layer.weight), layer.bias  # type: ignore[arg-type]
            if weight.shape != target.shape or bias.shape != offset.shape:  # type: ignore[union-attr]
                raise DataError(
                    f"{name}: arrays {2 * i} and {2 * i + 1} should have shapes {tuple(target.shape)} and "
                    f"{tuple(offset.shape)}, got {tuple(weight.shape)} and {tuple(bias.shape)}."  # type: ignore[arg-type,union-attr]
                )
            with torch.no_grad():
                target.copy_(weight)
                offset.copy_(bias)  # type: ignore[operator,union-attr]
    return model


def _permuted(weight: Tensor) -> Tensor:
    """A view of a PyTorch weight in Keras's order."""
    weight = weight.detach()
    return weight.t() if weight.ndim == 2 else weight.permute(2, 3, 1, 0)


def _layers(model: VAE) -> tuple[list[nn.Module], list[nn.Module]]:
    e, p, d = model.encoder, model.posterior, model.decoder
    if not (isinstance(e, BookEncoder) and isinstance(d, BookDecoder) and isinstance(p, GaussianPosterior)):
        raise ArgumentError('model: only the network of the recipe "book" has a twin in Keras.')
    return [e.conv1, e.conv2, e.conv3, e.conv4, e.dense, p.mean, p.log_var], [d.dense, d.conv1, d.conv2]
