"""Models whose parts tests look into."""

from __future__ import annotations

from torch import Tensor

from morphospace.recipes import Recipe, build_model
from morphospace.vae import VAE
from morphospace.vae.posteriors.gaussian import GaussianQ


def as_vae(model: object) -> VAE:
    """A model, which the rest of the code knows only by what it answers, as the class that it is."""
    assert isinstance(model, VAE)
    return model


def vae_of(recipe: Recipe, shape: tuple[int, int, int] = (8, 8, 1), *, seed: int = 0) -> VAE:
    """The untrained model of a recipe."""
    return as_vae(build_model(recipe, shape, seed=seed))


def gaussians(model: VAE, x: Tensor) -> GaussianQ:
    """The posteriors of images (B, C, H, W), which are Gaussians."""
    q = model.infer(x)
    assert isinstance(q, GaussianQ)
    return q
