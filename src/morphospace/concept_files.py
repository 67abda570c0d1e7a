"""Concepts in files: inside a space's bundle, and by themselves, to be passed on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from morphospace.errors import ArgumentError, FileError
from morphospace.files import atomic_file, parse_json
from morphospace.images import Images
from morphospace.latent.concepts import Concept
from morphospace.latent.fields import Field

__all__ = [
    "Examples",
    "SharedConcept",
    "concept_arrays",
    "concept_evidence",
    "concept_from",
    "read_shared_concept",
    "write_shared_concept",
]

_FORMAT = "morphospace-concept-1"
_ARRAYS = ("direction", "normal", "field")
_LARGEST = 256_000_000  # bytes of a file
_HEADER = 1_000_000  # of them kept free for evidence and names


class Examples(NamedTuple):
    """What a concept can be learned from again: uint8 ``images`` (N, H, W, C) and ``values`` (N,)."""

    images: Images
    values: NDArray[np.bool_] | NDArray[np.float64]


class SharedConcept(NamedTuple):
    """A concept by itself.

    Attributes:
        concept: as it was in its space.
        space: the fingerprint of that space: directions have no meaning in another.
        about: that space in words.
        examples: what to learn it again from elsewhere, where its giver wanted to part with it.
    """

    concept: Concept
    space: str
    about: str
    examples: Examples | None = None


def concept_evidence(concept: Concept) -> dict[str, Any]:
    """What is known of a concept, as plain JSON values, without its name and its arrays."""
    known = {key: value for key, value in vars(concept).items() if key not in ("name", *_ARRAYS)}
    return known | {"origin": dict(concept.origin)}


def concept_arrays(concept: Concept) -> dict[str, NDArray[Any]]:
    """The arrays of a concept: its direction under its name, others under PART=NAME; no name has a "=" in it."""
    found = {concept.name: concept.direction}
    if concept.normal is not None:
        found[f"normal={concept.name}"] = concept.normal
    if concept.field is not None:
        found |= {f"{part}={concept.name}": values for part, values in concept.field._asdict().items()}
    return found


def concept_from(name: str, evidence: Any, arrays: Mapping[str, NDArray[Any]], file: Path) -> Concept:
    """The concept that :func:`concept_evidence` and :func:`concept_arrays` describe.

    Args:
        name: of the concept.
        evidence: as it was read.
        arrays: of all concepts of the file.
        file: for errors.

    Raises:
        FileError: for unknown evidence, missing arrays, shapes that do not fit each other, or numbers that are not
            finite.
    """
    try:
        direction, normal, field = arrays[name], arrays.get(f"normal={name}"), None
        if f"{Field._fields[0]}={name}" in arrays:
            field = Field(*(arrays[f"{part}={name}"] for part in Field._fields))
        concept = Concept(name=name, direction=direction, normal=normal, field=field, **evidence)
        _check(concept)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise FileError(f"{file} is damaged: concept {name}: {error}.") from error
    return concept


def _check(concept: Concept) -> None:
    """Refuse arrays that do not fit each other, and evidence that is none."""
    evidence: dict[str, Any] = concept_evidence(concept)
    interval = evidence["auc_interval"]
    numbers = [evidence[key] for key in ("auc", "correlation", "stability") if evidence[key] is not None]
    numbers += [evidence["offset"], evidence["distance"], *(interval or ())]
    if not all(isinstance(value, (int, float)) and np.isfinite(value) for value in numbers):
        raise ValueError("its evidence is no number")
    if interval is not None and len(interval) != 2:
        raise ValueError("an interval has two ends")
    wanted = {str: ("method", "source"), int: ("positives", "negatives", "seed")}
    if not all(isinstance(evidence[key], kind) for kind, keys in wanted.items() for key in keys):
        raise ValueError("words or counts of the wrong type")
    if not all(isinstance(word, str) for pair in evidence["origin"].items() for word in pair):
        raise ValueError("an origin of the wrong type")
    if not np.any(concept.direction):
        raise ValueError("a direction of length 0")
    shape = concept.direction.shape
    if len(shape) != 1 or (concept.normal is not None and concept.normal.shape != shape):
        raise ValueError(f"a direction of shape {shape}, and a normal that does not fit")
    if concept.field is not None:
        count = len(concept.field.offsets)
        shapes = [values.shape for values in concept.field]
        if not count or shapes != [(count, *shape), (count,), (count, *shape), (count, *shape), (count,)]:
            raise ValueError(f"a field of shapes {shapes}")
        if (concept.follows and concept.distance <= 0) or (concept.field.widths <= 0).any():
            raise ValueError("a field without extent")
    if not all(values.dtype.kind == "f" and np.isfinite(values).all() for values in concept_arrays(concept).values()):
        raise ValueError("expected finite numbers")


def write_shared_concept(path: Path, shared: SharedConcept) -> None:
    """Write a concept to a safetensors file of its own.

    Raises:
        ArgumentError: for examples that make it too large to be read again.
        FileError: if it cannot be written.
    """
    arrays = {f"concept {key}": np.ascontiguousarray(value) for key, value in concept_arrays(shared.concept).items()}
    if shared.examples is not None:
        arrays |= {f"examples {key}": np.ascontiguousarray(v) for key, v in shared.examples._asdict().items()}
    size = sum(value.nbytes for value in arrays.values())
    if size > _LARGEST - _HEADER:
        most = _LARGEST - _HEADER
        raise ArgumentError(f"they have {size:,} bytes, expected at most {most:,}. Pass on fewer.", argument="examples")
    about = {
        "format": _FORMAT,
        "name": shared.concept.name,
        "evidence": concept_evidence(shared.concept),
        "space": shared.space,
        "about": shared.about,
    }
    with atomic_file(path) as partial:
        try:
            save_file(arrays, partial, {"concept": json.dumps(about, allow_nan=False)})
        except SafetensorError as error:
            raise OSError(None, str(error)) from error


def read_shared_concept(path: Path) -> SharedConcept:
    """Read what :func:`write_shared_concept` wrote; a stranger's file can hold numbers and words, nothing that runs.

    Raises:
        FileError: if it is missing, too large, foreign or damaged.
    """
    try:
        size = path.stat().st_size
        if size > _LARGEST:
            raise FileError(f"{path} has {size:,} bytes, more than any concept needs ({_LARGEST:,}).", argument="file")
        with safe_open(path, "np") as file:
            about = parse_json((file.metadata() or {})["concept"])
            arrays = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - it is no mapping
        if about["format"] != _FORMAT:
            raise ValueError(f"format {about['format']}")
        name, space, words = str(about["name"]), str(about["space"]), str(about["about"])
        evidence = about["evidence"]
    except FileError:
        raise
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise FileError(
            f"cannot read a concept from {path}: missing, foreign or damaged ({error}).", argument="file"
        ) from error
    own = {key.removeprefix("concept "): value for key, value in arrays.items() if key.startswith("concept ")}
    concept = concept_from(name, evidence, own, path)
    if "examples images" not in arrays:
        return SharedConcept(concept, space, words)
    return SharedConcept(concept, space, words, _examples(arrays, path))


def _examples(arrays: Mapping[str, NDArray[Any]], path: Path) -> Examples:
    images, values = (arrays.get(f"examples {key}") for key in Examples._fields)
    good = (
        images is not None and images.dtype == np.uint8 and images.ndim == 4 and images.shape[-1] in (1, 3)
        and min(images.shape) > 0
        and values is not None and values.shape == images.shape[:1] and values.dtype in (np.bool_, np.float64)
    )  # fmt: skip
    if not good or images is None or values is None:
        raise FileError(
            f"{path} is damaged: its examples have no form that a concept could be learned from.", argument="file"
        )
    return Examples(images, values)
