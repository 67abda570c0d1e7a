"""Image sets: where they come from, how they are split, how they are batched."""

from morphospace.data.batches import batch_indices, steps_per_epoch
from morphospace.data.dataset import Dataset, Split, dataset_from_arrays, fingerprint_of
from morphospace.data.sources import SOURCES, Source, open_dataset, open_item

__all__ = [
    "SOURCES",
    "Dataset",
    "Source",
    "Split",
    "batch_indices",
    "dataset_from_arrays",
    "fingerprint_of",
    "open_dataset",
    "open_item",
    "steps_per_epoch",
]
