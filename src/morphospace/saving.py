"""Saving and loading: between a codec with its data and the bundle folder; the card, and the fingerprint of weights."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from morphospace.builtin import space_path
from morphospace.bundle import FORMAT, Bundle, StoredSampler, read_bundle, write_bundle
from morphospace.bundle_checks import Reference, about_of, check_about, check_bundle, check_sampler, label_count
from morphospace.card import model_card
from morphospace.codec import Codec
from morphospace.data.attributes import Attributes
from morphospace.errors import DataError, FileError
from morphospace.latent.classes import Classes
from morphospace.latent.concepts import Concept
from morphospace.parts import Foreign
from morphospace.recipes import build_model
from morphospace.samplers.interfaces import Sampler
from morphospace.training.machine import choose_device

__all__ = ["card", "fingerprint", "load", "save", "stored_sampler"]


def save(
    codec: Codec,
    path: Path,
    concepts: Mapping[str, Concept],
    classes: Classes | None,
    reference: Reference,
    attributes: Attributes,
    sampler: Sampler | None,
    *,
    force: bool,
    half: bool,
) -> Path:
    """Write a codec with its data to the folder ``path``: what :meth:`morphospace.Space.save` does; returns it.

    Raises:
        DataError: if ``about`` holds what no other program could read.
        FileError: if the folder exists and ``force`` is not set, or cannot be written.
    """
    if path.exists() and not force:
        raise FileError(f"{path} exists. Choose another name, or pass force=True to replace it.")
    try:
        check_about(codec.about)
    except ValueError as error:
        raise DataError(f"{error}.", argument="about") from error
    config, weights = _config(codec), {name: value.cpu() for name, value in codec.model.state_dict().items()}
    if half:
        weights = {k: value.half() if value.is_floating_point() else value for k, value in weights.items()}
        rounded = {k: value.float() if value.is_floating_point() else value for k, value in weights.items()}
        config["fingerprints"] = {_digest(rounded): fingerprint(codec)}
    arrays: dict[str, NDArray[Any]] = {k: v for k, v in reference._asdict().items() if v is not None}
    known = {} if reference.codes is None else attributes
    fitted = None if sampler is None else stored_sampler(codec, sampler)
    bundle = Bundle(config, _preprocessing(codec), weights, dict(concepts), arrays, classes, known, fitted)
    write_bundle(path, bundle, card(codec, reference, attributes))
    return path


def load(path: str | Path, device: str, foreign: Foreign) -> tuple[Codec, Bundle, Reference, Sampler | None]:
    """A codec on ``device``, and its data: what :func:`morphospace.load` makes a space of.

    Raises:
        ArgumentError: for a device that is not here.
        FileError: if the folder is missing, foreign or damaged; it names the file.
    """
    chosen = choose_device(device)
    path = _bundle_folder(path)
    bundle = read_bundle(path)
    recipe, shape, reference = check_bundle(bundle, path, foreign)
    recipe, sampler = check_sampler(bundle, recipe, path, foreign)
    model = build_model(recipe, shape, seed=0, labels=label_count(bundle.config))
    model.load_state_dict(bundle.weights)
    return Codec(model.to(chosen), recipe, shape, about=about_of(bundle.config)), bundle, reference, sampler


def stored_sampler(codec: Codec, sampler: Sampler | None) -> StoredSampler:
    """What a bundle keeps of the sampler that was fitted for ``codec``; None for its prior."""
    return StoredSampler(codec.recipe.sampler.to_json(), {} if sampler is None else sampler.arrays())


def _bundle_folder(name: str | Path) -> Path:
    """Where the bundle lies: in the folder itself, or in that of its run."""
    path = space_path(name)
    if (path / "space" / "config.json").is_file():
        return path / "space"
    if (path / "recipe.json").is_file():
        raise FileError(f"the run {path} has not finished. Finish it: morpho resume {path}", argument="space")
    return path


def card(codec: Codec, reference: Reference, attributes: Attributes) -> str:
    """The model card, in Markdown."""
    labels, errors = reference.labels is not None, reference.errors is not None
    return model_card(_config(codec), codec.latent_dim, labels=labels, attributes=list(attributes), errors=errors)


def fingerprint(codec: Codec) -> str:
    """SHA-256 of the weights, or of those that they were rounded from when they were saved as 16-bit floats."""
    own = _digest(codec.model.state_dict())
    return str(codec.about.get("fingerprints", {}).get(own, own))


def _digest(weights: Mapping[str, Tensor]) -> str:
    whole = hashlib.sha256()
    for name, values in sorted(weights.items()):
        whole.update(name.encode())
        whole.update(np.ascontiguousarray(values.cpu().numpy()).tobytes())
    return whole.hexdigest()


def _config(codec: Codec) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "recipe": codec.recipe.to_json(),
        "shape": list(codec.shape),
        "parameters": codec.parameters,
        **codec.about,
    }


def _preprocessing(codec: Codec) -> dict[str, Any]:
    """How images were brought to the model."""
    height, width, channels = codec.shape
    return {
        "height": height,
        "width": width,
        "channels": channels,
        "pixels": "uint8 / 255",
        "other_sizes": codec.resize,
        "interpretation": codec.interpretation.to_json(),
    }
