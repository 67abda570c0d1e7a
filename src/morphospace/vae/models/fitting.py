"""Whether parts that somebody brings fit each other: found by one batch of two images, before the first step."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from morphospace.errors import ArgumentError
from morphospace.parts import Shape
from morphospace.vae.interfaces import Batch, Code, Generative, Noise, VariationalPosterior
from morphospace.vae.posteriors.interfaces import Posterior

__all__ = ["asked", "device_of", "features_of", "fitting_decoder", "fitting_model", "fitting_posterior", "two_images"]

_IMAGES = 2
_DRAWS = 3


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


def fitting_model(model: Generative, shape: Shape) -> None:
    """Refuse a whole model that does not answer what spaces ask of it (:class:`Generative`), as they ask it.

    Args:
        model: as somebody gave it.
        shape: (C, H, W) of the images.

    Raises:
        ArgumentError: naming the method, with what was expected and what came.
    """
    device = device_of(model)
    if device.type == "meta":  # a shape of a model, which the model itself follows
        return
    was_training, generator = model.training, torch.Generator(device).manual_seed(0)
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]), device:
            _ask_all(model.eval(), two_images(model, shape), generator)
    finally:
        model.train(was_training)


def _ask_all(model: Generative, batch: Batch, generator: torch.Generator) -> None:
    def ask(method: str, call: Callable[[], Any]) -> Any:
        return asked("model", model, method, call)

    d, x, told = ask("latent_dim", lambda: model.latent_dim), batch.input, batch.label
    bound, density = ask("has_bound", lambda: model.has_bound), ask("has_density", lambda: model.has_density)
    for name in ("normal_prior", "likelihood_name"):
        ask(name, functools.partial(getattr, model, name))
    code = ask("encode", lambda: model.encode(x, told))
    if not isinstance(code, Code):
        raise ArgumentError(f"expected a Code of its encode, got {type(code).__name__}.", argument="model")
    _shaped("encode(x).mean", code.mean, (_IMAGES, d))
    if density:
        _shaped("encode(x).scale, as it has a density,", code.scale, (_IMAGES, d))
    images = _shaped("image(z)", ask("image", lambda: model.image(code.mean, told)), tuple(x.shape))
    if not (images.min() >= 0 and images.max() <= 1):
        raise ArgumentError(
            f"expected its image(z) within 0 to 1, got {images.min():.3g} to {images.max():.3g}. A sigmoid, say, "
            "keeps it there.",
            argument="model",
        )
    log_px = ask("log_likelihood", lambda: model.log_likelihood(code.mean[None], x, told))
    _shaped("log_likelihood(z, x) of one draw", log_px, (1, _IMAGES))
    if bound:
        drawn = ask("sample", lambda: model.sample(_IMAGES, np.random.default_rng(0), told))
        _shaped("sample(n, rng)", drawn, (_IMAGES, d))
    noise: Noise = ask("noise", lambda: model.noise(_DRAWS, _IMAGES, generator))
    for part in noise:
        if tuple(part.shape[:2]) != (_DRAWS, _IMAGES):
            raise ArgumentError(
                f"expected each part of its noise(k, batch, generator) to begin with {(_DRAWS, _IMAGES)}, got shape "
                f"{tuple(part.shape)}.",
                argument="model",
            )
    for name, values in ask("figures", lambda: model.figures(batch, noise)).items():
        _shaped(f'figures(batch, noise)["{name}"]', values, (_IMAGES,))
    if density:
        weights = ask("log_weights", lambda: model.log_weights(batch, noise))
        _shaped("log_weights(batch, noise)", weights, (_DRAWS, _IMAGES))


def _shaped(what: str, found: Any, size: tuple[int, ...]) -> Tensor:
    got = f"shape {tuple(found.shape)}" if isinstance(found, Tensor) else type(found).__name__
    if not isinstance(found, Tensor) or tuple(found.shape) != size:
        raise ArgumentError(f"expected its {what} to be of shape {size}, got {got}.", argument="model")
    return found


def asked(slot: str, thing: nn.Module, method: str, call: Callable[[], Any]) -> Any:
    """What a thing that came from outside answers; whatever its author's code raises, in words.

    Raises:
        ArgumentError: naming the method.
    """
    try:
        return call()
    except NotImplementedError as error:
        raise ArgumentError(f"{type(thing).__name__} has no {method} yet. Write it.", argument=slot) from error
    except Exception as error:
        words = f"{type(thing).__name__}.{method} failed for two images: {type(error).__name__}: {error}"
        raise ArgumentError(words, argument=slot) from error


def two_images(model: Generative, shape: Shape) -> Batch:
    """Two grey images, for a model to try; the first kinds of labels, if it is told any."""
    x = torch.full((_IMAGES, *shape), 0.5)
    index = torch.zeros(_IMAGES, dtype=torch.int64)
    condition = asked("model", model, "condition", lambda: model.condition)
    return Batch(x, x, index, None if condition is None else index)


def device_of(module: nn.Module) -> torch.device:
    """Where a module's numbers are."""
    return next((tensor.device for tensor in module.parameters()), torch.device("cpu"))


def _tried(name: str, module: nn.Module, size: tuple[int, ...]) -> Any:
    """What a part that came from outside gives for some zeros; None of our own, which are tested elsewhere."""
    if type(module).__module__.startswith(f"{__package__.split('.')[0]}."):
        return None
    was_training = module.training
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]), device_of(module):
            return module.eval()(torch.zeros(_IMAGES, *size))
    except Exception as error:
        raise ArgumentError(
            f"{type(module).__name__} does not take what it is given here, shape {(_IMAGES, *size)}: "
            f"{type(error).__name__}: {error}",
            argument=name,
        ) from error
    finally:
        module.train(was_training)
