"""From a recipe to a model, and to the stages of its training."""

from __future__ import annotations

import math
from typing import assert_never

import torch

from morphospace.errors import ArgumentError
from morphospace.nn import BookDecoder, BookEncoder, ConvDecoder, ConvEncoder, MLPDecoder, MLPEncoder
from morphospace.recipes.recipe import Recipe
from morphospace.training.augmentation import Augmentation
from morphospace.training.loop import Stage
from morphospace.vae import (
    ELBO,
    VAE,
    Bernoulli,
    ContinuousBernoulli,
    Gaussian,
    GaussianPosterior,
    Likelihood,
    Objective,
    Optimiser,
    PointPosterior,
    Posterior,
    Reconstruction,
    StandardNormalPrior,
)

__all__ = ["build_model", "build_stages"]


def build_model(recipe: Recipe, shape: tuple[int, int, int], *, seed: int) -> VAE:
    """The untrained model for images of ``shape`` (H, W, C), with weights drawn from ``seed``.

    Raises:
        ArgumentError: if the latent dimension exceeds the number of values in an image.

    Example:
        >>> from morphospace.recipes import find_recipe
        >>> model = build_model(find_recipe("book"), (28, 28, 1), seed=0)
        >>> sum(p.numel() for p in model.parameters())
        550629
    """
    height, width, channels = shape
    if recipe.latent_dim > math.prod(shape):
        raise ArgumentError(
            f"--latent-dim: expected 1 to {math.prod(shape)}, the number of values in an image, "
            f"got {recipe.latent_dim}."
        )
    chw = (channels, height, width)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder: BookEncoder | ConvEncoder | MLPEncoder
        decoder: BookDecoder | ConvDecoder | MLPDecoder
        match recipe.network:
            case "book":
                encoder, decoder = BookEncoder(chw), BookDecoder(recipe.latent_dim, chw)
            case "conv":
                encoder = ConvEncoder(chw, recipe.encoder_widths, recipe.blocks)
                decoder = ConvDecoder(recipe.latent_dim, chw, recipe.decoder_widths, recipe.blocks)
            case "mlp":
                encoder = MLPEncoder(chw, recipe.encoder_widths)
                decoder = MLPDecoder(
                    recipe.latent_dim, chw, recipe.decoder_widths,
                    fourier=recipe.fourier, fourier_scale=recipe.fourier_scale,
                )  # fmt: skip
            case never:
                assert_never(never)
        posterior = _posterior(recipe, encoder.features)
        prior = StandardNormalPrior(recipe.latent_dim)
        return VAE(encoder, posterior, prior, decoder, _likelihood(recipe))


def _posterior(recipe: Recipe, features: int) -> Posterior:
    match recipe.posterior:
        case "gaussian":
            return GaussianPosterior(features, recipe.latent_dim, log_var=recipe.log_var)
        case "point" | "relu":
            return PointPosterior(features, recipe.latent_dim, relu=recipe.posterior == "relu")
        case never:
            assert_never(never)


def _likelihood(recipe: Recipe) -> Likelihood:
    match recipe.likelihood:
        case "bernoulli":
            return Bernoulli()
        case "continuous-bernoulli":
            return ContinuousBernoulli()
        case "gaussian" | "gaussian-learned":
            return Gaussian(recipe.sigma, learned=recipe.likelihood == "gaussian-learned")
        case never:
            assert_never(never)


def build_stages(recipe: Recipe, shape: tuple[int, int, int]) -> tuple[Stage, ...]:
    """The stages of training for images of ``shape`` (H, W, C)."""
    optimiser = Optimiser(
        kind=recipe.optimiser,
        learning_rate=recipe.learning_rate,
        beta1=recipe.beta1,
        beta2=recipe.beta2,
        epsilon=recipe.epsilon,
        clip=recipe.clip,
        warm_up=recipe.warm_up,
        decay=recipe.decay,
    )
    objective: Objective
    beta, anneal = recipe.weight(shape), recipe.anneal
    match recipe.objective:
        case "elbo":
            objective = ELBO(optimiser, beta=beta, anneal=anneal)
        case "book":
            objective = ELBO(optimiser, beta=beta, anneal=anneal, scale=1.0 / math.prod(shape))
        case "reconstruction":
            objective = Reconstruction(optimiser, l1=recipe.l1, anneal=anneal)
        case never:
            assert_never(never)
    augmentation = Augmentation(recipe.augment or 0.0, recipe.flip, recipe.rotate)
    changed = augmentation if augmentation.changes else None
    return (Stage(objective=objective, epochs=recipe.epochs, batch=recipe.batch, augmentation=changed),)
