"""The named recipes: complete, frozen configurations of model and training."""

from __future__ import annotations

import dataclasses
import json
import math
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch

from morphospace.errors import ArgumentError, did_you_mean
from morphospace.nn import BookDecoder, BookEncoder, ConvDecoder, ConvEncoder, MLPDecoder, MLPEncoder
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

__all__ = [
    "RECIPES",
    "Recipe",
    "build_model",
    "build_stages",
    "default_recipe",
    "find_recipe",
    "recipe_from_json",
    "setting_pairs",
    "with_settings",
]

_BOOK_KL_WEIGHT = 5e-4
_FEW_STEPS = 50
_QUICK_PIXELS = 32 * 32
_SMALL = 2000  # training images
_AUGMENT = 0.06


# What a number must be: the smallest and largest value allowed.
_RANGES: dict[str, tuple[float, float]] = {
    "blocks": (0, 64),
    "fourier": (0, 65536),
    "fourier_scale": (0, 1e6),
    "log_var": (-20, 5),
    "sigma": (1e-6, 1e3),
    "latent_dim": (1, math.inf),
    "beta": (0, 1e9),
    "anneal": (0, 1),
    "l1": (0, 1e9),
    "augment": (0, 0.5),
    "rotate": (0, 180),
    "patience": (0, 1e9),
    "epochs": (1, 1e9),
    "batch": (1, 1e9),
    "least_batch": (1, 1e9),
    "min_steps": (0, 1e12),
    "learning_rate": (1e-12, 1e3),
    "beta1": (0, 0.999999),
    "beta2": (0, 0.999999),
    "epsilon": (1e-30, 1.0),
    "clip": (0, 1e9),
    "warm_up": (0, 1),
}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A model and its training.

    Attributes:
        name: what users type.
        summary: a line for people.
        network: "mlp", "conv" or "book".
        encoder_widths, decoder_widths: the hidden layers of "mlp"; the channels of each level of "conv", from the
            finest.
        blocks: residual blocks a level of "conv".
        fourier, fourier_scale: the decoder's random projections of the latent, see ``nn.FourierFeatures``.
        log_var: where the posterior's log-variances start; below 0 the decoder hears the latents from the first step.
        posterior: "gaussian", "point", or "relu" (a point at zero or above in every latent).
        likelihood: "bernoulli", "continuous-bernoulli", "gaussian" (sigma fixed), "gaussian-learned".
        sigma: of the Gaussian likelihood, in units of the pixel range [0, 1].
        sampling: where samples come from: the "prior", or a "mixture" of Gaussians fitted to the test images' codes.
        latent_dim: 1 .. the number of values in an image.
        objective: "elbo", "book" (the mean over pixels plus 5e-4 times a mean over latents), "reconstruction".
        beta: the weight of the KL in nats; None is the objective's own: 1 of "elbo", that of "book".
        anneal: the share of all steps in which beta or l1 rises from 0, see ``vae.ELBO``.
        l1: the weight of "reconstruction"'s L1 penalty, nats a unit of code.
        augment: training images are shifted by up to this share of their sides, and scaled by as much, anew at each
            step; None is 0.06 for sets of fewer than 2,000 training images and 0 for others.
        flip: which ways training images are mirrored at random.
        rotate: training images are turned at random by up to so many degrees either way, 0 to 180.
        patience: training stops after so many epochs without a better validation score, and keeps the best; 0 never
            stops and keeps the last; None is a fifth of the epochs for sets of fewer than 2,000 and 0 for others.
        epochs: passes over the data.
        batch: images a step.
        least_batch: sets of fewer than 50 batches get smaller ones, down to this, at a rate lower by the square root.
        min_steps: small sets get more epochs until there are so many steps.
        optimiser, learning_rate, beta1, beta2, epsilon, clip, warm_up, decay: see ``vae.Optimiser``.
    """

    name: str
    summary: str
    network: Literal["mlp", "conv", "book"]
    encoder_widths: tuple[int, ...] = (256, 256, 256)
    decoder_widths: tuple[int, ...] = (256, 256, 256)
    blocks: int = 1
    fourier: int = 0
    fourier_scale: float = 1.0
    log_var: float = 0.0
    posterior: Literal["gaussian", "point", "relu"] = "gaussian"
    likelihood: Literal["bernoulli", "continuous-bernoulli", "gaussian", "gaussian-learned"] = "bernoulli"
    sigma: float = 0.1
    sampling: Literal["prior", "mixture"] = "prior"
    latent_dim: int = 2
    objective: Literal["elbo", "book", "reconstruction"] = "elbo"
    beta: float | None = None
    anneal: float = 0.0
    l1: float = 0.0
    augment: float | None = 0.0
    flip: Literal["none", "horizontal", "vertical", "both"] = "none"
    rotate: float = 0.0
    patience: int | None = 0
    epochs: int = 10
    batch: int = 256
    least_batch: int = 16
    min_steps: int = 0
    optimiser: Literal["adam", "rmsprop"] = "adam"
    learning_rate: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    clip: float = 0.0
    warm_up: float = 0.0
    decay: Literal["none", "cosine"] = "none"

    def __post_init__(self) -> None:
        for key, (low, high) in _RANGES.items():
            value = getattr(self, key)
            if value is not None and not (isinstance(value, int | float) and low <= value <= high):
                option = f"--{key.replace('_', '-')}" if key in ("latent_dim", "epochs") else f"--set {key}"
                expected = f"{low:g} to {high:g}" if high < math.inf else f"at least {low:g}"
                raise ArgumentError(f"{option}: expected {expected}, got {value}.")
        pointlike = self.posterior in ("point", "relu")
        if pointlike and self.objective != "reconstruction":
            raise ArgumentError(
                f'--set posterior={self.posterior}: a point has no KL, so the objective must be "reconstruction", '
                f'got "{self.objective}". Add --set objective=reconstruction.'
            )
        if self.objective == "reconstruction" and not pointlike:
            raise ArgumentError(
                '--set objective=reconstruction: it has no KL, so the posterior must be "point" or "relu", got '
                f'"{self.posterior}". Add --set posterior=point, or keep objective=elbo and --set beta=0.'
            )
        if self.l1 and self.objective != "reconstruction":
            raise ArgumentError('--set l1: only the objective "reconstruction" has an L1 penalty.')

    def weight(self, shape: tuple[int, int, int]) -> float:
        """Beta in nats, for images of ``shape`` (H, W, C); 0 without a KL."""
        if self.objective == "reconstruction":
            return 0.0
        if self.beta is not None:
            return self.beta
        return 1.0 if self.objective == "elbo" else _BOOK_KL_WEIGHT * math.prod(shape) * 2 / self.latent_dim

    @property
    def penalty(self) -> str | None:
        """What keeps codes near 0: "beta", the weight of the KL, or "l1"; None for nothing."""
        if self.posterior == "gaussian":
            return "beta"
        return "l1" if self.l1 else None

    def epochs_of(self, images: int, batch: int) -> int:
        """So many epochs that ``images`` to learn from, in batches of ``batch``, make ``min_steps`` steps."""
        return max(self.epochs, math.ceil(self.min_steps / (images // batch)))

    def fitted(self, images: int) -> Recipe:
        """The recipe as a set of ``images`` training images gets it: batch, rate, epochs, augmentation, patience."""
        # About 50 steps an epoch at least, by a power of two; noisier gradients want shorter steps.
        few = 2 ** int(math.log2(max(1, images / _FEW_STEPS)))
        batch = min(self.batch, max(self.least_batch, few), images)
        rate = self.learning_rate * math.sqrt(batch / self.batch)
        epochs = self.epochs_of(images, batch)
        small = images < _SMALL
        return dataclasses.replace(
            self,
            batch=batch,
            least_batch=batch,
            epochs=epochs,
            min_steps=0,
            learning_rate=rate,
            augment=(_AUGMENT if small else 0.0) if self.augment is None else self.augment,
            patience=(-(-epochs // 5) if small else 0) if self.patience is None else self.patience,
        )

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        values: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(self)))
        return values


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

_TYPES: dict[str, Any] = typing.get_type_hints(Recipe)


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


def with_settings(recipe: Recipe, settings: Mapping[str, str] | Iterable[str]) -> Recipe:
    """The recipe with some keys changed, as ``--set key=value`` does.

    Args:
        recipe: where to start.
        settings: "key=value" texts, or a mapping of texts.

    Raises:
        ArgumentError: for an unknown key, or a value of the wrong type or range.

    Example:
        >>> with_settings(find_recipe("quick"), ["epochs=3", "encoder_widths=64,32"]).encoder_widths
        (64, 32)
    """
    changes: dict[str, Any] = {}
    for key, text in (settings if isinstance(settings, Mapping) else setting_pairs(settings)).items():
        if key not in _TYPES or key in ("name", "summary"):
            known = [k for k in _TYPES if k not in ("name", "summary")]
            raise ArgumentError(f'--set: recipe "{recipe.name}" has no key "{key}". {did_you_mean(key, known)}')
        changes[key] = _value(key, text)
    if "epochs" in changes:
        changes.setdefault("min_steps", 0)
    if "batch" in changes:
        changes.setdefault("least_batch", changes["batch"])
    return dataclasses.replace(recipe, **changes)


def recipe_from_json(values: Mapping[str, Any]) -> Recipe:
    """The recipe that :meth:`Recipe.to_json` gave, of this version or an earlier one, checked as a user's keys are.

    A key that is not there takes its default: it came after what was written.

    Raises:
        ArgumentError: for unknown keys, missing ones that have no default, wrong types or ranges.
    """
    unknown = sorted(set(values) - set(_TYPES))
    missing = sorted({"name", "summary", "network"} - set(values))
    if unknown or missing:
        raise ArgumentError(f"recipe: unknown keys {unknown}, missing keys {missing}.")
    changes: dict[str, Any] = {}
    for key, value in values.items():
        text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
        changes[key] = value if key in ("name", "summary") else _value(key, text)
    return Recipe(**changes)


def setting_pairs(texts: Iterable[str]) -> dict[str, str]:
    """Texts like "epochs=20" as a mapping.

    Raises:
        ArgumentError: for a text without "=".
    """
    pairs = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise ArgumentError(f'--set: expected key=value, like epochs=20, got "{text}".')
        pairs[key.strip()] = value.strip()
    return pairs


def _value(key: str, text: str) -> Any:
    """``text`` as the type of the recipe's field ``key``."""
    kind = _TYPES[key]
    if typing.get_origin(kind) is Literal:
        options = typing.get_args(kind)
        if text not in options:
            raise ArgumentError(f'--set {key}: there is no "{text}". {did_you_mean(text, options)}')
        return text
    try:
        if typing.get_origin(kind) is tuple:
            return tuple(_positive(part) for part in text.split(","))
        if typing.get_origin(kind) is types.UnionType:  # a number or None
            kind = typing.get_args(kind)[0]
            value: float | None = None if text.lower() == "none" else kind(text)
        else:
            value = kind(text)
    except ValueError as error:
        wanted = (
            "a whole number"
            if kind is int
            else "whole numbers > 0 like 256,128"
            if typing.get_origin(kind)
            else "a number"
        )
        raise ArgumentError(f'--set {key}: expected {wanted}, got "{text}".') from error
    return value


def _positive(text: str) -> int:
    if (value := int(text)) < 1:
        raise ValueError(text)
    return value


def build_model(recipe: Recipe, shape: tuple[int, int, int], *, seed: int) -> VAE:
    """The untrained model for images of ``shape`` (H, W, C), with weights drawn from ``seed``.

    Raises:
        ArgumentError: if the latent dimension exceeds the number of values in an image.

    Example:
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
        if recipe.network == "book":
            encoder, decoder = BookEncoder(chw), BookDecoder(recipe.latent_dim, chw)
        elif recipe.network == "conv":
            encoder = ConvEncoder(chw, recipe.encoder_widths, recipe.blocks)
            decoder = ConvDecoder(recipe.latent_dim, chw, recipe.decoder_widths, recipe.blocks)
        else:
            encoder = MLPEncoder(chw, recipe.encoder_widths)
            decoder = MLPDecoder(
                recipe.latent_dim, chw, recipe.decoder_widths,
                fourier=recipe.fourier, fourier_scale=recipe.fourier_scale,
            )  # fmt: skip
        features = encoder.features
        posterior: Posterior
        if recipe.posterior == "gaussian":
            posterior = GaussianPosterior(features, recipe.latent_dim, log_var=recipe.log_var)
        else:
            posterior = PointPosterior(features, recipe.latent_dim, relu=recipe.posterior == "relu")
        prior = StandardNormalPrior(recipe.latent_dim)
        return VAE(encoder, posterior, prior, decoder, _likelihood(recipe))


def _likelihood(recipe: Recipe) -> Likelihood:
    match recipe.likelihood:
        case "bernoulli":
            return Bernoulli()
        case "continuous-bernoulli":
            return ContinuousBernoulli()
        case kind:
            return Gaussian(recipe.sigma, learned=kind == "gaussian-learned")


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
    if recipe.objective == "reconstruction":
        objective = Reconstruction(optimiser, l1=recipe.l1, anneal=recipe.anneal)
    else:
        scale = 1.0 / math.prod(shape) if recipe.objective == "book" else 1.0
        objective = ELBO(optimiser, beta=recipe.weight(shape), anneal=recipe.anneal, scale=scale)
    augmentation = Augmentation(recipe.augment or 0.0, recipe.flip, recipe.rotate)
    changed = augmentation if augmentation.changes else None
    return (Stage(objective=objective, epochs=recipe.epochs, batch=recipe.batch, augmentation=changed),)
