"""Concepts from labelled sets."""

from __future__ import annotations

from morphospace.data import Dataset
from morphospace.errors import DataError
from morphospace.latent import Concept
from morphospace.space import Space

__all__ = ["learn_from_label"]


def learn_from_label(space: Space, name: str, dataset: Dataset, label: str) -> Concept:
    """Learn the images of one label against all others; the AUC is measured on the test images.

    Raises:
        ArgumentError: if the set has no such label.
        DataError: if the set's images do not fit the space, or all have the label.
    """
    number = dataset.label_number(label)
    sides = []
    for split in (dataset.train, dataset.test):
        if split.labels is None:
            raise DataError(f'--data: the images of "{dataset.name}" have no labels.')
        shows = split.labels == number
        sides.append((split.images[shows], split.images[~shows]))
    (positive, negative), judges = sides
    held_out = judges if all(len(side) for side in judges) else None
    if not len(positive) or not len(negative):
        raise DataError(f'--label: "{dataset.name}" needs images with and without "{label}", and lacks one of them.')
    source = f"{dataset.name}, label {label} against all others"
    return space.learn_concept(name, positive=positive, negative=negative, held_out=held_out, source=source)
