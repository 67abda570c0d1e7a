"""The sets that have a name: where they are looked for, how they are fetched, what proves them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from morphospace.data.arrays import open_arrays
from morphospace.data.dataset import Dataset
from morphospace.data.fetch import ProgressCallback, download, verified_content
from morphospace.data.idx import parse_idx
from morphospace.data.in_memory import dataset_from_arrays
from morphospace.errors import FileError

__all__ = ["CACHE_VARIABLE", "DATA_VARIABLE", "SOURCES", "Source", "cache_folder", "prepared_folder"]

DATA_VARIABLE = "MORPHOSPACE_DATA"
"""The environment variable that names a folder of data sets."""

CACHE_VARIABLE = "MORPHOSPACE_CACHE"
"""The environment variable that names the folder for downloads and prepared sets."""


@dataclass(frozen=True)
class Source:
    """A named set: a line about it, how to open it, and whether that needs no download."""

    summary: str
    open: Callable[[ProgressCallback], Dataset]
    is_local: Callable[[], bool] = lambda: True


def _digits(_: ProgressCallback) -> Dataset:
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

    def open(self, progress: ProgressCallback) -> Dataset:
        train, train_labels, test, test_labels = (
            parse_idx(self._content(stem, sha256, progress), f"{self.name}/{stem}") for stem, sha256 in self.hashes
        )
        return dataset_from_arrays(
            train, train_labels, test_images=test, test_labels=test_labels,
            name=self.name, label_names=self.label_names,
        )  # fmt: skip

    def is_local(self) -> bool:
        """Whether all of its files lie on this machine."""
        return all(self._file(stem) is not None for stem, _ in self.hashes)

    def _file(self, stem: str) -> Path | None:
        """One file, in the first place that has it."""
        paths = (place / name for place in _places(self.name) for name in (f"{stem}.gz", stem))
        return next((path for path in paths if path.is_file()), None)

    def _content(self, stem: str, sha256: str, progress: ProgressCallback) -> bytes:
        """The verified content of one file, from the first place that has it, else fetched."""
        found = self._file(stem)
        if found is not None:
            return verified_content(found, sha256)
        places = _places(self.name)
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
    """Where downloads and prepared sets are kept: ``$MORPHOSPACE_CACHE``, else the user's cache folder."""
    if os.environ.get(CACHE_VARIABLE):
        return Path(os.environ[CACHE_VARIABLE])
    import platformdirs

    return Path(platformdirs.user_cache_dir("morphospace"))


def prepared_folder() -> Path:
    """Where prepared sets are kept."""
    return cache_folder() / "prepared"


def _places(name: str) -> list[Path]:
    """The folders in which a named set may lie, the first one first."""
    here = [cache_folder() / name]
    return [Path(os.environ[DATA_VARIABLE]) / name, *here] if os.environ.get(DATA_VARIABLE) else here


def _binarized_file() -> Path | None:
    paths = (place / "binarized_mnist.npz" for place in _places("binarized-mnist"))
    return next((path for path in paths if path.is_file()), None)


def _binarized(_: ProgressCallback) -> Dataset:
    path = _binarized_file()
    if path is None:
        raise FileError(
            f'the data set "binarized-mnist" is not on this machine, and there is no address to fetch it from. Put '
            f"binarized_mnist.npz (arrays train_images, valid_images, test_images of 0 and 1) into "
            f'{_places("binarized-mnist")[0]}, or set {DATA_VARIABLE} to the folder that holds "binarized-mnist/".'
        )
    found = open_arrays(path)
    # Its test images are sorted by label; in this order any part of them has all kinds.
    order = np.random.default_rng(0).permutation(len(found.test))
    return replace(found, name="binarized-mnist", test=found.test.take(order), label_names=_DIGIT_NAMES)


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
    "mnist": Source("70,000 handwritten digits of 28x28 pixels", _MNIST.open, _MNIST.is_local),
    "fashion-mnist": Source("70,000 grey pictures of clothes of 28x28 pixels", _FASHION.open, _FASHION.is_local),
    "binarized-mnist": Source(
        "MNIST in black and white, drawn once from its greys, for comparing likelihoods",
        _binarized,
        lambda: _binarized_file() is not None,
    ),
}
