"""The named recipes."""

from __future__ import annotations

import dataclasses

from morphospace.errors import ArgumentError, did_you_mean
from morphospace.recipes.recipe import Recipe

__all__ = ["RECIPES", "default_recipe", "find_recipe"]

_QUICK_PIXELS = 32 * 32

_QUICK = Recipe(
    name="quick",
    summary="a 2-D space of small grey images in seconds: a dense VAE, ELBO",
    network="mlp",
    encoder_widths=(128, 128, 128),
    decoder_widths=(256, 256, 256),
    fourier=16,
    fourier_scale=1.0,
    epochs=6,
    batch=256,
    min_steps=1400,
    learning_rate=8e-3,
    beta2=0.98,
    warm_up=0.2,
    decay="cosine",
    anneal=0.8,
)
_MINUTE = dataclasses.replace(
    _QUICK,
    name="minute",
    summary="quick's network trained for a minute: the best 2-D space of small grey images",
    epochs=45,
    batch=512,
    min_steps=5200,
    anneal=0.5,
)
_BOOK = Recipe(
    name="book",
    summary="the Keras book's network, loss and optimiser (section 8.4), with the right sampler",
    network="book",
    objective="book",
    epochs=10,
    batch=16,
    optimiser="rmsprop",
    learning_rate=1e-3,
    beta2=0.9,
    epsilon=1e-7,
)

_EDITING = Recipe(
    name="editing",
    summary="a 16-D space of small grey images to edit in: sharp, every class by itself; a dense VAE, ELBO",
    network="mlp",
    encoder_widths=(1024, 512),
    decoder_widths=(512, 1024),
    latent_dim=16,
    epochs=20,
    batch=512,
    min_steps=2340,
    learning_rate=3e-3,
    beta2=0.98,
    warm_up=0.2,
    decay="cosine",
    anneal=0.2,
)

_CONV = Recipe(
    name="conv",
    summary="colour and larger images: residual convolutions, learned sigma, 32 latents, ELBO",
    network="conv",
    encoder_widths=(64, 96, 128),
    decoder_widths=(64, 96, 128),
    log_var=-8.0,
    likelihood="gaussian-learned",
    sampling="mixture",
    latent_dim=32,
    anneal=0.5,
    augment=None,
    patience=None,
    epochs=17,
    batch=32,
    min_steps=3000,
    learning_rate=3e-3,
    beta2=0.98,
    clip=1.0,
    warm_up=0.15,
    decay="cosine",
)

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        _QUICK,
        _MINUTE,
        _EDITING,
        _CONV,
        _BOOK,
        dataclasses.replace(
            _QUICK,
            name="autoencoder",
            summary="the classical autoencoder: quick's network, one code an image, no prior",
            posterior="point",
            sampling="mixture",
            objective="reconstruction",
            anneal=0.0,
        ),
        dataclasses.replace(
            _QUICK,
            name="sparse-autoencoder",
            summary="the classical sparse autoencoder: a 32-D ReLU code with an L1 penalty",
            posterior="relu",
            sampling="mixture",
            objective="reconstruction",
            latent_dim=32,
            fourier=0,
            l1=0.5,
            anneal=0.5,
        ),
    )
}


def find_recipe(name: str) -> Recipe:
    """The recipe called ``name``.

    Raises:
        ArgumentError: if there is none.

    Example:
        >>> find_recipe("quick").latent_dim
        2
    """
    if name not in RECIPES:
        raise ArgumentError(f'--recipe: there is no recipe "{name}". {did_you_mean(name, RECIPES)}')
    return RECIPES[name]


def default_recipe(shape: tuple[int, int, int]) -> Recipe:
    """What images of ``shape`` (H, W, C) are trained with unless a recipe is named.

    Example:
        >>> default_recipe((28, 28, 1)).name, default_recipe((64, 64, 3)).name
        ('quick', 'conv')
    """
    height, width, channels = shape
    return RECIPES["quick" if channels == 1 and height * width <= _QUICK_PIXELS else "conv"]
