"""Whether parts that somebody brings fit each other: found by one batch of two images, before the first step."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from morphospace.errors import ArgumentError
from morphospace.parts import Shape
from morphospace.vae.interfaces import VariationalPosterior
from morphospace.vae.posteriors.interfaces import Posterior

__all__ = ["features_of", "fitting_decoder", "fitting_posterior"]

_IMAGES = 2


def features_of(encoder: nn.Module, shape: Shape) -> int:
    """How many features an encoder gives: what it says itself, or what comes out.

    Raises:
        ArgumentError: if it cannot take such images, or gives no (B, features).
    """
    found = _tried("encoder", encoder, shape)
    if found is None:
        return int(encoder.features)  # type: ignore[arg-type]
    if found.ndim != 2 or len(found) != _IMAGES:
        raise ArgumentError(
            f"expected it to turn images (B, {', '.join(map(str, shape))}) into features (B, features), got shape "
            f"{tuple(found.shape)} for {_IMAGES} images. Flatten what comes out: h.flatten(1).",
            argument="encoder",
        )
    return int(found.shape[1])


def fitting_decoder(decoder: nn.Module, latent_dim: int, shape: Shape) -> None:
    """Refuse a decoder that does not turn latents into values for each pixel and channel.

    Raises:
        ArgumentError: with both shapes.
    """
    found = _tried("decoder", decoder, (latent_dim,))
    if found is not None and found.shape != (_IMAGES, *shape):
        raise ArgumentError(
            f"expected it to turn latents (B, {latent_dim}) into (B, {', '.join(map(str, shape))}), got shape "
            f"{tuple(found.shape)} for {_IMAGES} latents.",
            argument="decoder",
        )


def fitting_posterior(posterior: Posterior, features: int) -> Posterior:
    """The posterior, if it turns features into a distribution.

    Raises:
        ArgumentError: if not.
    """
    found = _tried("posterior", posterior, (features,))
    if found is not None and not isinstance(found, VariationalPosterior):
        raise ArgumentError(
            f"expected it to turn features (B, {features}) into a Q with mean, scale, draw and log_prob, got "
            f"{type(found).__name__}.",
            argument="posterior",
        )
    return posterior


def _tried(name: str, module: nn.Module, size: tuple[int, ...]) -> Any:
    """What a part that came from outside gives for some zeros; None of our own, which are tested elsewhere."""
    if type(module).__module__.startswith(f"{__package__.split('.')[0]}."):
        return None
    was_training = module.training
    device = next((tensor.device for tensor in module.parameters()), torch.device("cpu"))
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]), device:
            return module.eval()(torch.zeros(_IMAGES, *size))
    except Exception as error:
        raise ArgumentError(
            f"{type(module).__name__} does not take what it is given here, shape {(_IMAGES, *size)}: "
            f"{type(error).__name__}: {error}",
            argument=name,
        ) from error
    finally:
        module.train(was_training)
