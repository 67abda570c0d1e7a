"""Whether the parts of a bundle are sound and fit each other: what a space is made of has been looked at here."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from morphospace.bundle import Bundle
from morphospace.errors import FileError, MissingPartError
from morphospace.intensity import Kind, Window
from morphospace.interpretation import Interpretation
from morphospace.parts import Foreign, Part, part_from_json
from morphospace.recipes import Recipe, build_model, recipe_from_json
from morphospace.samplers.interfaces import Sampler, SamplerConfig

__all__ = ["Reference", "about_of", "check_about", "check_bundle", "check_sampler", "label_count"]

_LARGEST_SIDE = 4096
_LARGEST = 1e9  # no weight and no code is as large, but one whose bits were damaged is
_MADE_ANEW = ("format", "recipe", "shape", "parameters")  # when a space is saved

# What is said of a space, its data and its figures: what others read must be of these kinds.
_ABOUT: dict[str, Any] = {
    "seed": int, "data": dict, "train": dict, "test": dict, "machine": dict, "start": dict,
    "command": str, "morphospace": str, "fingerprints": dict, "polish": list,
}  # fmt: skip
_DATA: dict[str, Any] = {
    "name": str, "fingerprint": str, "licence": str, "resize": str,
    "train_images": int, "test_images": int, "label_names": (list, tuple),
}  # fmt: skip


class Reference(NamedTuple):
    """What is kept of the test images: codes (N, d), labels (N,) and errors (N,), or None."""

    codes: NDArray[np.float32] | None
    labels: NDArray[np.int64] | None
    errors: NDArray[np.float32] | None


def about_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """What a bundle's config says of a space beside what makes it."""
    return {key: value for key, value in config.items() if key not in _MADE_ANEW}


def label_count(config: Mapping[str, Any]) -> int:
    """How many kinds of labels the set of a space had; 0 for none."""
    return len(config.get("data", {}).get("label_names", None) or ())


def check_about(about: Mapping[str, Any]) -> None:
    """Refuse what others could not read.

    Args:
        about: see :class:`morphospace.Space`.

    Raises:
        ValueError: naming the key, what was expected, and what came.
    """
    _check_kinds(about, _ABOUT, "")
    data = about.get("data", {})
    _check_kinds(data, _DATA, "data.")
    names = data.get("label_names", ())
    if not all(isinstance(name, str) for name in names):
        raise ValueError(f"data.label_names: expected words, got {names!r:.40}")
    if data.get("interpretation") is not None:
        windows = _windows(data["interpretation"])
        if not all(low < high for low, high in windows.values()):
            raise ValueError(f"data.interpretation: expected black below white, got {dict(windows)!r:.60}")
    for block in ("train", "test"):
        for key, value in about.get(block, {}).items():
            if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
                raise ValueError(f"{block}.{key}: expected a number, got {value!r:.40}")
    if about.get("seed", 0) < 0:
        raise ValueError(f"seed: expected 0 or more, got {about['seed']}")


def _windows(interpretation: Any) -> Mapping[Kind, Window]:
    try:
        return Interpretation.from_json(interpretation).windows or {}
    except ValueError as error:
        raise ValueError(f"data.interpretation: {error}") from error


def _check_kinds(values: Mapping[str, Any], kinds: Mapping[str, Any], front: str) -> None:
    for key, kind in kinds.items():
        value = values.get(key)
        if key in values and (isinstance(value, bool) or not isinstance(value, kind)):
            wanted = {int: "a whole number", str: "words", dict: "an object"}.get(kind, "a list")
            raise ValueError(f"{front}{key}: expected {wanted}, got {value!r:.40}")


def check_bundle(bundle: Bundle, path: Path, foreign: Foreign) -> tuple[Recipe, tuple[int, int, int], Reference]:
    """The recipe, the shape (H, W, C) and the reference points of a bundle whose parts are sound and fit each other.

    Raises:
        FileError: naming the file that is not, or does not.
    """
    with _naming(path / "config.json"):
        shape = _shape(bundle.config["shape"])
        recipe = recipe_from_json(bundle.config["recipe"], foreign)
        check_about(about_of(bundle.config))
    with _naming(path / "preprocessing.json"):
        said = tuple(bundle.preprocessing.get(key, size) for key, size in zip(_SIDES, shape, strict=True))
        if said != shape:
            raise ValueError(f"expected {_SIDES} of {shape}, as in config.json, got {said}")
    with _naming(path / "model.safetensors", "config and weights do not fit: "):
        _check_weights(recipe, shape, label_count(bundle.config), bundle.weights)
    for name, concept in bundle.concepts.items():
        with _naming(path / "concepts.safetensors"):
            _check_shape(f"concept {name}", concept.direction, (recipe.latent_dim,))
    if bundle.classes is not None:
        with _naming(path / "classes.safetensors"):
            _check_shape("means", bundle.classes.means, (len(bundle.classes.names), recipe.latent_dim))
    with _naming(path / "reference.safetensors"):
        names = bundle.config.get("data", {}).get("label_names", ())
        return recipe, shape, _reference(bundle.reference, recipe.latent_dim, len(names))


def check_sampler(bundle: Bundle, recipe: Recipe, path: Path, foreign: Foreign) -> tuple[Recipe, Sampler | None]:
    """The recipe with the sampler that a bundle keeps, where it keeps one, and what was fitted.

    Raises:
        FileError: for what is no sampler of this space.
    """
    if bundle.sampler is None:
        return recipe, None
    with _naming(path / "sampler.safetensors"):
        config = cast("SamplerConfig", part_from_json("sampler", bundle.sampler.config, foreign))
        recipe = dataclasses.replace(recipe, sampler=config)
        return recipe, None if config.from_prior else config.restore(bundle.sampler.arrays, recipe.latent_dim)


_SIDES = ("height", "width", "channels")


@contextmanager
def _naming(file: Path, what: str = "") -> Iterator[None]:
    """Turn whatever is wrong with a file's content into an error that names it."""
    try:
        yield
    except MissingPartError as error:
        raise FileError(f"{file} names what is not there: {error.words}", argument="space") from error
    except KeyError as error:
        raise FileError(
            f"{file} is damaged: {what}it has no {error}. Restore it from a copy.", argument="space"
        ) from error
    except (TypeError, ValueError, OverflowError, RuntimeError) as error:
        words = str(error).rstrip(".")
        raise FileError(f"{file} is damaged: {what}{words}. Restore it from a copy.", argument="space") from error


def _shape(sides: Any) -> tuple[int, int, int]:
    whole = isinstance(sides, list) and all(isinstance(n, int) and not isinstance(n, bool) for n in sides)
    if not whole or len(sides) != 3 or not all(1 <= n <= _LARGEST_SIDE for n in sides):
        raise ValueError(f"shape: expected height, width and channels from 1 to {_LARGEST_SIDE}, got {sides!r:.40}")
    height, width, channels = sides
    return height, width, channels


def _check_weights(recipe: Recipe, shape: tuple[int, int, int], labels: int, weights: Mapping[str, Tensor]) -> None:
    """Refuse weights that are not those of ``recipe``, before any memory is taken for what a stranger's file claims."""
    if _layers(recipe.model) > len(weights):
        raise ValueError("more layers than weights")
    with torch.device("meta"):  # shapes without numbers
        expected = {
            name: values.shape
            for name, values in build_model(recipe, shape, seed=0, labels=labels).state_dict().items()
        }
    for name in sorted(expected.keys() | weights.keys()):
        wanted, got = expected.get(name), weights[name].shape if name in weights else None
        if wanted != got:
            words = [None if size is None else tuple(size) for size in (wanted, got)]
            raise ValueError(f"{name}: expected {words[0]}, got {words[1]}")
    for name, values in weights.items():
        if not values.is_floating_point() or not bool((values.float().abs() <= _LARGEST).all()):  # NaN is not, either
            raise ValueError(f"{name}: expected finite numbers of float32 or float16")


def _layers(part: Part) -> int:
    """How many layers a part asks for at least: as many as there are widths of them."""
    own = sum(len(value) for value in vars(part).values() if isinstance(value, tuple))
    return own + sum(_layers(inside) for _, inside in part.parts())


def _reference(arrays: Mapping[str, NDArray[Any]], latents: int, names: int) -> Reference:
    codes, labels, errors = (arrays.get(name) for name in Reference._fields)  # not every bundle has them
    if codes is None:
        if labels is not None or errors is not None:
            raise ValueError("labels or errors of test images without their codes")
        return Reference(None, None, None)
    _check_shape("codes", codes, (max(1, len(codes)), latents))
    if codes.dtype.kind != "f" or not (np.abs(codes.astype(np.float64)) <= _LARGEST).all():
        raise ValueError("codes: expected finite numbers")
    if errors is not None:
        _check_shape("errors", errors, (len(codes),))
        if errors.dtype.kind != "f" or not np.isfinite(errors).all():
            raise ValueError("errors: expected finite numbers")
    if labels is not None:
        _check_shape("labels", labels, (len(codes),))
        if labels.dtype.kind != "i" or labels.min() < 0 or (names and labels.max() >= names):
            raise ValueError("labels: expected whole numbers from 0, each of a name in config.json")
    return Reference(
        codes.astype(np.float32, copy=False),
        None if labels is None else labels.astype(np.int64, copy=False),
        None if errors is None else errors.astype(np.float32, copy=False),
    )


def _check_shape(what: str, values: NDArray[Any], wanted: tuple[int, ...]) -> None:
    if values.shape != wanted:
        raise ValueError(f"{what}: expected shape {wanted}, got {values.shape}")
