"""Labels in arrays, as people have them: numbers, words, one column for each class, or several things at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from morphospace.data.attributes import Attribute
from morphospace.data.folder import NO_LABEL
from morphospace.errors import DataError
from morphospace.files import natural_order

__all__ = ["FoundLabels", "find_labels"]


class FoundLabels(NamedTuple):
    """What arrays of labels say of the parts of a set, each by its name.

    Attributes:
        numbers: int64 (N,), places in ``names``; empty where the arrays are no labels.
        names: of the labels that occur.
        content: what the fingerprint of a set counts: numbers as they came, places of words.
        attributes: columns (N,), where there are several or they have fractions.
        notes: what was taken for what.
    """

    numbers: dict[str, NDArray[np.int64]]
    names: tuple[str, ...] = ()
    content: Mapping[str, NDArray[np.int64]] = {}
    attributes: Mapping[str, dict[str, Attribute]] = {}
    notes: tuple[str, ...] = ()


def find_labels(parts: Mapping[str, NDArray[Any]], name: str = "labels") -> FoundLabels:
    """Labels of the parts of one set, numbered together.

    Whole numbers and words are labels, named in their order; -1, NaN and empty words are none. A column for each class,
    with a 1 in one of them, is a label too. Several other columns, and numbers with fractions, are attributes.

    Args:
        parts: (N,) or (N, k) for each part.
        name: what to call them.

    Raises:
        DataError: for objects, or other shapes.

    Example:
        >>> found = find_labels({"train": np.array(["dog", "cat"]), "test": np.array(["cat"])})
        >>> found.names, found.numbers["train"].tolist(), found.numbers["test"].tolist()
        (('cat', 'dog'), [1, 0], [0])
    """
    arrays = {part: _flat(values, name) for part, values in parts.items()}
    whole = np.concatenate(list(arrays.values()))
    if whole.ndim == 2:
        one = whole.dtype.kind != "U" and np.isin(whole, (0, 1)).all() and (whole.sum(1) == 1).all()
        if not one:
            return _columns(arrays, name)
        found = find_labels({part: values.argmax(1) for part, values in arrays.items()}, name)
        words = f"{name}: {whole.shape[1]} columns with a single 1 in each row were taken for one label"
        return found._replace(notes=(words, *found.notes))
    if whole.dtype.kind == "U":
        return _words(arrays, name)
    if whole.dtype.kind == "f" and (whole[np.isfinite(whole)] % 1 != 0).any():
        words = f"{name} have fractions: they are no labels, and became the attribute {name}"
        return FoundLabels({}, attributes={p: {name: v.astype(np.float64)} for p, v in arrays.items()}, notes=(words,))
    return _numbers({part: _whole(values) for part, values in arrays.items()}, name)


def _flat(values: NDArray[Any], name: str) -> NDArray[Any]:
    array = np.asarray(values)
    if array.dtype.kind == "S":
        array = np.char.decode(array, "utf-8", "replace")
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim not in (1, 2) or array.dtype.kind not in "uifbU":
        raise DataError(
            f"expected one number or word for each image, or a few columns of numbers, got {array.dtype} "
            f"of shape {array.shape}.",
            argument=name,
        )
    return array


def _whole(values: NDArray[Any]) -> NDArray[np.int64]:
    """Numbers as whole ones; -1 where there is none."""
    return np.where(np.isfinite(values), values, -1).astype(np.int64)


def _numbers(arrays: Mapping[str, NDArray[np.int64]], name: str) -> FoundLabels:
    whole = np.concatenate(list(arrays.values()))
    known = np.unique(whole)
    none = known.size > 0 and known[0] == -1
    order = np.append(known[1:], -1) if none else known
    names = tuple(NO_LABEL if number == -1 and none else str(number) for number in order)
    places = {part: _places(values, order) for part, values in arrays.items()}
    count = int((whole == -1).sum())
    notes = (f'{name}: {count:,} images with -1 or nothing have the label "{NO_LABEL}"',) if none else ()
    return FoundLabels(places, names, arrays, notes=notes)


def _places(values: NDArray[Any], order: NDArray[Any]) -> NDArray[np.int64]:
    """The place of each value in ``order``, which has them all."""
    by_value = np.argsort(order, kind="stable")
    return by_value[np.searchsorted(order[by_value], values)].astype(np.int64)


def _words(arrays: Mapping[str, NDArray[np.str_]], name: str) -> FoundLabels:
    whole = np.concatenate(list(arrays.values()))
    names = sorted({str(word).strip() or NO_LABEL for word in np.unique(whole)}, key=natural_order)
    order = np.array(names)
    cleaned = {part: np.char.strip(values) for part, values in arrays.items()}
    places = {part: _places(np.where(v == "", NO_LABEL, v), order) for part, v in cleaned.items()}
    count = int(sum((values == "").sum() for values in cleaned.values()))
    notes = (f'{name}: {count:,} images without a word have the label "{NO_LABEL}"',) if count else ()
    return FoundLabels(places, tuple(names), places, notes=notes)


def _columns(arrays: Mapping[str, NDArray[Any]], name: str) -> FoundLabels:
    """Several columns as attributes."""
    width = next(iter(arrays.values())).shape[1]
    attributes = {part: attribute_columns(values, name) for part, values in arrays.items()}
    words = f"{name} have {width} columns: they became the attributes {name}.0 to {name}.{width - 1}, and no label"
    return FoundLabels({}, attributes=attributes, notes=(words,))


def attribute_columns(values: NDArray[Any], name: str, names: tuple[str, ...] = ()) -> dict[str, Attribute]:
    """An array (N,) or (N, k) as attributes, by ``names`` where there are such for its columns."""
    columns = values[:, None] if values.ndim == 1 else values
    called = names or ((name,) if values.ndim == 1 else tuple(f"{name}.{i}" for i in range(columns.shape[1])))
    kind: Any = np.str_ if values.dtype.kind == "U" else np.float64
    return {one: columns[:, i].astype(kind) for i, one in enumerate(called)}
