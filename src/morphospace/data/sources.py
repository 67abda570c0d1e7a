"""The named sets: ``digits`` is inside scikit-learn, ``mnist`` and ``fashion-mnist`` are found or fetched."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from morphospace.data.dataset import Dataset, dataset_from_arrays
from morphospace.data.fetch import Progress, download, no_progress, verified_content
from morphospace.data.idx import parse_idx
from morphospace.errors import ArgumentError, FileError, did_you_mean

if TYPE_CHECKING:
    from morphospace.images import Images

__all__ = ["DATA_VARIABLE", "SOURCES", "Source", "open_dataset", "open_item"]

DATA_VARIABLE = "MORPHOSPACE_DATA"
"""The environment variable that names a folder of data sets."""


@dataclass(frozen=True)
class Source:
    """A named set: a line about it, and how to open it."""

    summary: str
    open: Callable[[Progress], Dataset]


def _digits(_: Progress) -> Dataset:
    from sklearn.datasets import load_digits

    digits = load_digits()
    # The grey values are counts 0..16 of ink in 4x4 blocks.
    images = np.floor(digits.images * (255.0 / 16.0) + 0.5).astype(np.uint8)
    return dataset_from_arrays(images, digits.target.astype(np.int64), name="digits")


@dataclass(frozen=True)
class _Idx:
    """A set of four IDX files: train and t10k, images and labels, each with the SHA-256 of its content."""

    name: str
    label_names: tuple[str, ...]
    mirrors: tuple[str, ...]
    hashes: tuple[tuple[str, str], ...]

    def open(self, progress: Progress) -> Dataset:
        train, train_labels, test, test_labels = (
            parse_idx(self._content(stem, sha256, progress), f"{self.name}/{stem}") for stem, sha256 in self.hashes
        )
        return dataset_from_arrays(
            train, train_labels, test_images=test, test_labels=test_labels,
            name=self.name, label_names=self.label_names,
        )  # fmt: skip

    def _content(self, stem: str, sha256: str, progress: Progress) -> bytes:
        """The verified content of one file, from the first place that has it, else fetched."""
        places = [cache_folder() / self.name]
        if os.environ.get(DATA_VARIABLE):
            places.insert(0, Path(os.environ[DATA_VARIABLE]) / self.name)
        for path in (place / name for place in places for name in (f"{stem}.gz", stem)):
            if path.is_file():
                return verified_content(path, sha256)
        path = places[-1] / f"{stem}.gz"
        try:
            download([mirror + path.name for mirror in self.mirrors], path, sha256, progress=progress)
        except (FileError, OSError) as error:
            names = ", ".join(f"{stem}.gz" for stem, _ in self.hashes)
            raise FileError(
                f'the data set "{self.name}" is not on this machine and could not be fetched. '
                f"Put {names} into {places[0]} (or set {DATA_VARIABLE} to the folder that holds "
                f'"{self.name}/"). Tried: {error}'
            ) from error
        return verified_content(path, sha256)


def cache_folder() -> Path:
    """Where downloads are kept: the operating system's cache folder for this user."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("morphospace"))


_DIGIT_NAMES = tuple("0123456789")
_MNIST = _Idx(
    "mnist",
    _DIGIT_NAMES,
    (
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
    ),
    (
        ("train-images-idx3-ubyte", "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
        ("train-labels-idx1-ubyte", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
        ("t10k-images-idx3-ubyte", "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
        ("t10k-labels-idx1-ubyte", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
    ),
)
_FASHION = _Idx(
    "fashion-mnist",
    ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    (
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/fashion-mnist/",
    ),
    (
        ("train-images-idx3-ubyte", "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"),
        ("train-labels-idx1-ubyte", "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"),
        ("t10k-images-idx3-ubyte", "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"),
        ("t10k-labels-idx1-ubyte", "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"),
    ),
)  # fmt: skip

SOURCES: dict[str, Source] = {
    "digits": Source("1,797 real handwritten digits of 8x8 pixels (inside scikit-learn, no download)", _digits),
    "mnist": Source("70,000 handwritten digits of 28x28 pixels", _MNIST.open),
    "fashion-mnist": Source("70,000 grey pictures of clothes of 28x28 pixels", _FASHION.open),
}


def open_dataset(name: str, *, progress: Progress = no_progress) -> Dataset:
    """Open a named set: from ``$MORPHOSPACE_DATA``, from the user cache, or by download.

    Raises:
        ArgumentError: if there is no set of that name.
        FileError: if a file is damaged, or not to be had; it says which files to put where.

    Example:
        >>> open_dataset("digits").shape
        (8, 8, 1)
    """
    if name not in SOURCES:
        raise ArgumentError(f'DATA: there is no data set "{name}". {did_you_mean(name, SOURCES)}')
    return SOURCES[name].open(progress)


def open_item(text: str, *, progress: Progress = no_progress) -> Images:
    """One image of a set by ``name:split/index``, uint8 (H, W, C).

    Example:
        >>> open_item("digits:test/3").shape
        (8, 8, 1)
    """
    name, _, rest = text.partition(":")
    split_name, _, number = rest.partition("/")
    if not number.isdecimal():
        raise ArgumentError(f'IMAGE: expected a file or an item like "mnist:test/17", got "{text}".')
    split = open_dataset(name, progress=progress).split(split_name)
    if int(number) >= len(split):
        raise ArgumentError(
            f'IMAGE: "{text}" is outside its set: {name}:{split_name} holds items 0 to {len(split) - 1}.'
        )
    image: Images = split.images[int(number)]
    return image
