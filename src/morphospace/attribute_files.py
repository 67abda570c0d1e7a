"""Attributes in the file of a space's reference points: numbers as they are, words as their places in a list."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from morphospace.data.attributes import Attribute, Attributes

__all__ = ["ATTRIBUTE", "attribute_arrays", "attribute_column", "attributes_from", "without_names"]

ATTRIBUTE = "attribute="
"""What the names of their arrays begin with."""

_KEY = "attributes"
_MANY = 20  # words


def attribute_column(values: Attribute) -> tuple[NDArray[np.float64] | NDArray[np.int32], list[str] | None]:
    """An attribute as numbers alone, and its words in the order of their places.

    Returns:
        numbers (N,) as they are, NaN where unknown, and None; or places (N,) of words, -1 where unknown, and the words.

    Example:
        >>> attribute_column(np.array(["oak", "", "ash", "oak"]))
        (array([ 1, -1,  0,  1], dtype=int32), ['ash', 'oak'])
    """
    if values.dtype.kind != "U":
        return np.asarray(values, np.float64), None
    words = np.unique(values[values != ""])
    places = np.where(values == "", -1, np.searchsorted(words, values))
    return places.astype(np.int32), [str(word) for word in words]


def without_names(attributes: Attributes) -> tuple[dict[str, Attribute], list[str]]:
    """Attributes that tell kinds of images, and the names of those that tell single ones: each has a word of its own.

    Example:
        >>> names = np.array([f"photo {i}" for i in range(30)])
        >>> kept, left_out = without_names({"title": names, "age": np.arange(30.0)})
        >>> list(kept), left_out
        (['age'], ['title'])
    """
    left_out = []
    for name, values in attributes.items():
        known = values[values != ""] if values.dtype.kind == "U" else values[:0]
        if len(known) >= _MANY and len(np.unique(known)) == len(known):
            left_out.append(name)
    return {name: values for name, values in attributes.items() if name not in left_out}, left_out


def attribute_arrays(attributes: Attributes) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """The arrays of attributes by their names in the file, and the metadata that names them in order, with their words.

    Example:
        >>> arrays, metadata = attribute_arrays({"kind": np.array(["oak", "ash"]), "age": np.array([9.0, np.nan])})
        >>> sorted(arrays), metadata["attributes"]
        (['attribute=age', 'attribute=kind'], '{"kind": ["ash", "oak"], "age": null}')
    """
    columns = {name: attribute_column(values) for name, values in attributes.items()}
    if not columns:
        return {}, {}
    arrays: dict[str, NDArray[Any]] = {ATTRIBUTE + name: values for name, (values, _) in columns.items()}
    return arrays, {_KEY: json.dumps({name: words for name, (_, words) in columns.items()}, ensure_ascii=False)}


def attributes_from(
    arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, str], count: int
) -> dict[str, Attribute]:
    """The attributes of ``count`` images that :func:`attribute_arrays` gave.

    Raises:
        ValueError: if they are damaged; what is wrong is said in words.
    """
    try:
        known = json.loads(metadata.get(_KEY, "{}"))
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"their names are no JSON: {error}") from error
    if not isinstance(known, dict) or sorted(arrays) != sorted(ATTRIBUTE + name for name in known):
        raise ValueError("their names are not those of their arrays")
    return {name: _attribute(name, arrays[ATTRIBUTE + name], words, count) for name, words in known.items()}


def _attribute(name: str, values: NDArray[Any], words: Any, count: int) -> Attribute:
    if values.shape != (count,):
        raise ValueError(f'"{name}" has shape {values.shape}, expected ({count},)')
    if words is None:
        if values.dtype.kind != "f":
            raise ValueError(f'"{name}" has values of type {values.dtype}, expected numbers')
        return np.asarray(values, np.float64)
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise ValueError(f'"{name}" has no list of words')
    if values.dtype.kind != "i" or values.min(initial=-1) < -1 or values.max(initial=-1) >= len(words):
        raise ValueError(f'"{name}" has places outside its list of {len(words)} words')
    said: NDArray[np.str_] = np.array([*words, ""], np.str_)[values]  # -1, which is unknown, is the last
    return said
