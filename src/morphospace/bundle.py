"""The folder that holds a space on disk: JSON and safetensors, nothing that could run."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import torch
from filelock import FileLock
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from morphospace.attribute_files import ATTRIBUTE, attribute_arrays, attributes_from
from morphospace.concept_files import concept_arrays, concept_evidence, concept_from
from morphospace.data.attributes import Attributes
from morphospace.errors import FileError
from morphospace.files import atomic_file, atomic_folder, parse_json, read_json, write_json
from morphospace.latent.classes import Classes
from morphospace.latent.concepts import Concept

__all__ = [
    "FORMAT",
    "Bundle",
    "StoredSampler",
    "change_concepts",
    "read_bundle",
    "write_bundle",
    "write_classes",
    "write_concepts",
    "write_sampler",
]

FORMAT = "morphospace-space-1"
_CLASSES = "classes.safetensors"
_REFERENCE = "reference.safetensors"
_SAMPLER = "sampler.safetensors"
_LOCK = ".lock"


class StoredSampler(NamedTuple):
    """A sampler as a file: its ``config`` as tagged JSON values, and its ``arrays``, none of the prior."""

    config: dict[str, Any]
    arrays: dict[str, NDArray[Any]]


class Bundle(NamedTuple):
    """What is in the folder.

    Attributes:
        config: format, recipe, shape, seed, data, figures.
        preprocessing: how images were brought to the model.
        weights: the model's state.
        concepts: by name.
        reference: ``codes`` (N, d) of the test images, where there are labels ``labels`` (N,), and ``errors`` (N,),
            how badly each is reconstructed in nats, which older bundles lack.
        classes: where the codes of each class lie, or None.
        attributes: what is known of each test image beside its label, (N,) by name.
        sampler: what was fitted to codes of training images, instead of what the recipe says; or None.
    """

    config: dict[str, Any]
    preprocessing: dict[str, Any]
    weights: dict[str, Tensor]
    concepts: dict[str, Concept]
    reference: dict[str, NDArray[Any]]
    classes: Classes | None = None
    attributes: Attributes = MappingProxyType({})
    sampler: StoredSampler | None = None


def write_bundle(path: Path, bundle: Bundle, card: str) -> None:
    """Write a bundle with its model card to the folder ``path``, whole or not at all."""
    with atomic_folder(path) as folder:
        write_json(folder / "config.json", bundle.config)
        write_json(folder / "preprocessing.json", bundle.preprocessing)
        _save(folder / "model.safetensors", bundle.weights)
        arrays, metadata = attribute_arrays(bundle.attributes)
        reference = {
            name: torch.from_numpy(np.ascontiguousarray(values)) for name, values in (bundle.reference | arrays).items()
        }
        _save(folder / _REFERENCE, reference, metadata)
        write_concepts(folder, bundle.concepts)
        if bundle.classes is not None:
            write_classes(folder, bundle.classes)
        if bundle.sampler is not None:
            write_sampler(folder, bundle.sampler)
        (folder / "README.md").write_text(card, encoding="utf-8")


def write_concepts(folder: Path, concepts: Mapping[str, Concept]) -> None:
    """Write the concepts of a bundle.

    Evidence never names a direction that is not there: new directions come before it, old ones go after it.
    What a cut between the writes leaves is a direction that no evidence names, and it is passed over.
    """
    path = folder / "concepts.safetensors"
    concepts = {name: concept.named(name) for name, concept in concepts.items()}
    tensors: dict[str, Tensor] = {}
    for concept in concepts.values():
        # Copies: two concepts may share an array, which the format refuses.
        tensors |= {key: torch.from_numpy(values.copy()) for key, values in concept_arrays(concept).items()}
    before = _load(path) if path.exists() else {}
    _save(path, before | tensors)
    write_json(folder / "concepts.json", {name: concept_evidence(concept) for name, concept in concepts.items()})
    if before.keys() - tensors.keys():
        _save(path, tensors)


def change_concepts(folder: Path, change: Callable[[dict[str, Concept]], dict[str, Concept]]) -> None:
    """Write what ``change`` makes of the concepts that a bundle has by now: others may write there too.

    Raises:
        FileError: if the bundle is missing or damaged, or cannot be written.
    """
    _check_bundle(folder)  # a lock would make the folder
    try:
        with FileLock(folder / _LOCK):
            write_concepts(folder, change(read_bundle(folder).concepts))
    except OSError as error:
        raise FileError(f"cannot write {folder}: {error.strerror}. Name a space that you may write to.") from error


def write_classes(folder: Path, classes: Classes) -> None:
    """Write the classes of a bundle: one file, so that names and numbers change together."""
    about = {"names": list(classes.names), "margin": classes.margin, "source": classes.source}
    tensors = {"means": torch.from_numpy(classes.means), "covariances": torch.from_numpy(classes.covariances)}
    _save(folder / _CLASSES, tensors, {"about": json.dumps(about)})


def write_sampler(folder: Path, sampler: StoredSampler) -> None:
    """Write the sampler of a bundle: one file, so that what it is and its numbers change together."""
    tensors = {name: torch.from_numpy(np.array(values)) for name, values in sampler.arrays.items()}
    _save(folder / _SAMPLER, tensors, {"sampler": json.dumps(sampler.config)})


def _read_sampler(path: Path) -> StoredSampler | None:
    if not path.exists():
        return None
    arrays = _arrays(path)
    try:
        with safe_open(path, "np") as file:
            config = parse_json((file.metadata() or {})["sampler"])
    except (KeyError, TypeError, ValueError) as error:
        raise FileError(f"{path} is damaged: {error}. Fit it again: morpho refit.") from error
    return StoredSampler(config, arrays)


def _read_classes(path: Path) -> Classes | None:
    if not path.exists():
        return None
    values = _arrays(path)
    try:
        with safe_open(path, "np") as file:
            about = parse_json(file.metadata()["about"])
        found = Classes(
            names=tuple(str(name) for name in about["names"]),
            means=values["means"],
            covariances=values["covariances"],
            margin=float(about["margin"]),
            source=str(about["source"]),
        )
        count, latents = found.means.shape
        if len(found.names) != count or found.covariances.shape != (count, latents, latents):
            raise ValueError(f"{len(found.names)} names, means of shape {found.means.shape}")
        numbers = found.means, found.covariances
        if not all(array.dtype in (np.float32, np.float64) and np.isfinite(array).all() for array in numbers):
            raise ValueError("expected finite numbers of float32 or float64")
        np.linalg.cholesky(found.covariances)  # what is no covariance has none
    except (KeyError, TypeError, ValueError) as error:
        raise FileError(f"{path} is damaged: {error}. Learn the classes again: morpho concept classes.") from error
    return found


def _check_bundle(path: Path) -> None:
    if not (path / "config.json").is_file():
        what = "is no space" if path.exists() else "does not exist"
        raise FileError(
            f"{path} {what}: expected a run folder, a bundle folder with config.json, or latest.", argument="space"
        )


def read_bundle(path: Path) -> Bundle:
    """Read the bundle in the folder ``path``.

    Raises:
        FileError: if it is missing, foreign, of a newer format, or damaged; it names the file.
    """
    _check_bundle(path)
    config = read_json(path / "config.json", "space's config")
    if config.get("format") != FORMAT:
        raise FileError(f"{path / 'config.json'} is foreign: expected format {FORMAT}.", argument="space")
    arrays = _arrays(path / "concepts.safetensors")
    evidence = read_json(path / "concepts.json", "concepts")
    concepts = {name: concept_from(name, known, arrays, path / "concepts.json") for name, known in evidence.items()}
    reference, attributes = _read_reference(path / _REFERENCE)
    return Bundle(
        config,
        read_json(path / "preprocessing.json", "preprocessing"),
        _load(path / "model.safetensors"),
        concepts,
        reference,
        _read_classes(path / _CLASSES),
        attributes,
        _read_sampler(path / _SAMPLER),
    )


def _read_reference(path: Path) -> tuple[dict[str, NDArray[Any]], Attributes]:
    """What is known of the test images as arrays, and their attributes, which older bundles lack."""
    arrays = _arrays(path)
    attributes = {name: arrays.pop(name) for name in list(arrays) if name.startswith(ATTRIBUTE)}
    shape = np.shape(arrays.get("codes", ()))
    try:
        with safe_open(path, "np") as file:
            metadata = file.metadata() or {}
        return arrays, attributes_from(attributes, metadata, shape[0] if shape else 0)
    except ValueError as error:
        raise FileError(f"{path} is damaged: attributes of test images: {error}. Restore it from a copy.") from error


def _save(path: Path, tensors: Mapping[str, Tensor], metadata: dict[str, str] | None = None) -> None:
    with atomic_file(path) as partial:
        try:
            # No metadata at all rather than none in particular: of these and no tensors the format makes no file.
            save_file({name: value.contiguous() for name, value in tensors.items()}, partial, metadata or None)
        except SafetensorError as error:
            raise OSError(None, str(error)) from error


def _load(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (OSError, SafetensorError, LookupError, TypeError, ValueError) as error:
        raise FileError(f"cannot read {path}: missing or damaged ({error}). Restore it from a copy.") from error


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    try:
        return {name: values.numpy() for name, values in _load(path).items()}
    except TypeError as error:  # a kind of number that NumPy has not
        raise FileError(f"{path} is damaged: {error}. Restore it from a copy.") from error
