"""Sampling and typicality: where a space draws from, and how typical of its images a place is."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from morphospace.codec import Codec, Points
from morphospace.data import ImageArray
from morphospace.data.store import StoredImages
from morphospace.errors import ArgumentError, DataError
from morphospace.evenly import evenly_spaced
from morphospace.latent.mixtures import FEWEST_CODES, draw_from, fit_mixture, fit_population, typicality
from morphospace.parts import as_part
from morphospace.recipes import Recipe
from morphospace.samplers.interfaces import Sampler, SamplerConfig

__all__ = ["Fits", "draw_points", "fit_sampler", "refit", "typical_shares"]

_FEWEST = 2  # codes that anything is fitted to


class Fits:
    """What was fitted to reference points: found once, and again where there are others."""

    def __init__(self) -> None:
        self._known: dict[Callable[[Points], Any], tuple[Points, Any]] = {}

    def of(self, fit: Callable[[Points], Any], codes: Points) -> Any:
        """What ``fit`` makes of ``codes``."""
        known = self._known.get(fit)
        if known is None or known[0] is not codes:
            known = self._known[fit] = codes, fit(codes)
        return known[1]


def draw_points(
    codec: Codec, n: int, rng: np.random.Generator, sampler: Sampler | None, reference: Points | None, fits: Fits
) -> Points:
    """``n`` draws (n, d) of what was fitted to training codes; without it of the prior.

    Where the likelihood is sharp, the prior weighs little, and codes leave most of it empty: what is drawn there is
    like no image of the set. Source: Ghosh et al., From variational to deterministic autoencoders, arXiv:1903.12436.

    Where neither is there to be drawn from, as of an autoencoder of version 0.1, a mixture is fitted to the reference
    points.
    """
    if sampler is not None:
        return sampler.sample(n, rng)
    if codec.samples_prior:
        with torch.inference_mode():
            return codec.model.sample(n, rng).float().cpu().numpy()
    if reference is None or len(reference) < _FEWEST:
        return rng.standard_normal((n, codec.latent_dim)).astype(np.float32)
    return draw_from(fits.of(fit_mixture, reference), n, rng)


def fit_sampler(
    codec: Codec, config: SamplerConfig, images: ImageArray, labels: NDArray[np.int64] | None, *, seed: int
) -> Sampler | None:
    """What ``config`` makes of the codes of training images; None where it needs none.

    Args:
        codec: encodes them.
        config: what is wanted.
        images: uint8 (N, H, W, C); of more than it needs, some from all over them are taken.
        labels: (N,), or None.
        seed: of the fit.

    Raises:
        DataError: for fewer than 2 images.
    """
    if config.from_prior:
        return None
    if len(images) < _FEWEST:
        raise DataError(f"expected {_FEWEST} images or more to fit a sampler to, got {len(images)}.", argument="images")
    some = evenly_spaced(len(images), config.most_codes)
    known = None if labels is None else np.asarray(labels, np.int64)[some]
    codes = codec.encode(images if len(some) == len(images) else images[some], known).mean
    return config.fit(codes, known, seed=seed)


def refit(
    codec: Codec, sampler: object, images: object, labels: NDArray[np.int64] | None, *, seed: int
) -> tuple[Recipe, Sampler | None]:
    """The recipe with another sampler, and that sampler: see :meth:`morphospace.Space.refit`."""
    config = cast("SamplerConfig", as_part("sampler", sampler))
    recipe = dataclasses.replace(codec.recipe, sampler=config)  # which refuses what it cannot draw from
    if config.from_prior:
        return recipe, None
    if images is None:
        raise ArgumentError(f"expected training images to fit the {config.kind} to, got none.", argument="images")
    pixels = images if isinstance(images, StoredImages) else codec.prepare(images)
    return recipe, fit_sampler(codec, config, pixels, labels, seed=seed)


def typical_shares(codec: Codec, z: object, reference: Points | None, fits: Fits) -> NDArray[np.float64]:
    """See :meth:`morphospace.Space.typicality`."""
    points = codec.points(z)
    if reference is None or len(reference) < FEWEST_CODES:
        return np.full(len(points), np.nan)
    return typicality(fits.of(fit_population, reference), points)
