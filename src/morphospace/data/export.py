"""A data set as a folder of PNG files that anything can read, this package's own reader included."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from morphospace.data.dataset import Dataset
from morphospace.files import atomic_folder
from morphospace.images import png_bytes

__all__ = ["export_folder"]

_BATCH = 256


def export_folder(dataset: Dataset, folder: Path) -> int:
    """Write every image to ``folder``/SPLIT/LABEL/NUMBER.png, whole or not at all; returns how many.

    Attributes go to attributes.csv. Opening the folder gives the same images, labels and split again,
    in the same order.
    """
    splits = {"train": dataset.train, "test": dataset.test}
    if dataset.validation is not None:
        splits["validation"] = dataset.validation
    names = list(dataset.train.attributes)
    count = 0
    with atomic_folder(folder) as partial:
        rows: list[list[str]] = []
        for kind, split in splits.items():
            columns = [split.attributes[name].tolist() for name in names]
            for start in range(0, len(split), _BATCH):
                for i, image in enumerate(split.images[start : start + _BATCH], start):
                    label = [] if split.labels is None else [_file_name(dataset.label_names[split.labels[i]])]
                    path = Path(kind, *label, f"{i:06d}.png")
                    (partial / path).parent.mkdir(parents=True, exist_ok=True)
                    (partial / path).write_bytes(png_bytes(image))
                    rows.append([path.as_posix(), *(str(column[i]) for column in columns)])
                    count += 1
        if names:
            with (partial / "attributes.csv").open("w", newline="", encoding="utf-8") as stream:
                csv.writer(stream).writerows([["file", *names], *rows])
    return count


def _file_name(label: str) -> str:
    """A label as the name of a folder."""
    return re.sub(r'[/\\:*?"<>|\x00-\x1f]+', "-", label).strip(". ") or "-"
