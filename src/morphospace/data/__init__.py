"""Image sets: where they come from, how they are split, how they are batched."""

from morphospace.data.batches import batch_indices, steps_per_epoch
from morphospace.data.dataset import (
    Dataset,
    ImageArray,
    Split,
    content_digests,
    examples,
    fingerprint_of,
    with_validation,
)
from morphospace.data.in_memory import dataset_from_arrays
from morphospace.data.kept import KeptSet, forget, kept_sets
from morphospace.data.named import SOURCES, Source, prepared_folder
from morphospace.data.preparation import Preparation, parse_size
from morphospace.data.sources import open_dataset, open_item

__all__ = [
    "SOURCES",
    "Dataset",
    "ImageArray",
    "KeptSet",
    "Preparation",
    "Source",
    "Split",
    "batch_indices",
    "content_digests",
    "dataset_from_arrays",
    "examples",
    "fingerprint_of",
    "forget",
    "kept_sets",
    "open_dataset",
    "open_item",
    "parse_size",
    "prepared_folder",
    "steps_per_epoch",
    "with_validation",
]
