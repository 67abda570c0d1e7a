"""Where a data set comes from: a name, a folder of pictures, a file of arrays, the hub, or drawn sprites."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from morphospace.data.arrays import array_file_kind, open_arrays
from morphospace.data.attributes import Attributes, find_table, read_table
from morphospace.data.dataset import Dataset, dataset_from_arrays
from morphospace.data.fetch import Progress, download, no_progress, verified_content
from morphospace.data.folder import Problem, list_folder, shown_name, unchanged
from morphospace.data.idx import parse_idx
from morphospace.data.items import Item, Sprite
from morphospace.data.preparation import Collection, Columns, Preparation, prepare, reshaped
from morphospace.data.sprites import SHAPES, sprite_factors
from morphospace.errors import ArgumentError, FileError, did_you_mean

if TYPE_CHECKING:
    from morphospace.images import Images

__all__ = [
    "CACHE_VARIABLE",
    "DATA_VARIABLE",
    "SOURCES",
    "Source",
    "cache_folder",
    "folder_collection",
    "is_local",
    "label_name",
    "open_dataset",
    "open_item",
    "parse_size",
    "prepared_folder",
]

DATA_VARIABLE = "MORPHOSPACE_DATA"
"""The environment variable that names a folder of data sets."""

CACHE_VARIABLE = "MORPHOSPACE_CACHE"
"""The environment variable that names the folder for downloads and prepared sets."""

_SPRITES = 10_000
_SPRITE_SIDE = 64


@dataclass(frozen=True)
class Source:
    """A named set: a line about it, how to open it, and whether that needs no download."""

    summary: str
    open: Callable[[Progress], Dataset]
    is_local: Callable[[], bool] = lambda: True


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

    def is_local(self) -> bool:
        """Whether all of its files lie on this machine."""
        return all(self._file(stem) is not None for stem, _ in self.hashes)

    def _file(self, stem: str) -> Path | None:
        """One file, in the first place that has it."""
        paths = (place / name for place in _places(self.name) for name in (f"{stem}.gz", stem))
        return next((path for path in paths if path.is_file()), None)

    def _content(self, stem: str, sha256: str, progress: Progress) -> bytes:
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


def _binarized(_: Progress) -> Dataset:
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


def is_local(source: str) -> bool:
    """Whether :func:`open_dataset` opens ``source`` from what lies on this machine, without a download.

    Example:
        >>> is_local("digits"), is_local("hf:someone/something"), is_local("nowhere/at/all")
        (True, False, False)
    """
    if source in SOURCES:
        return SOURCES[source].is_local()
    return Path(source).exists() or source.partition(":")[0] == "sprites"


_KINDS = "a folder of pictures, a file .npz, .npy or IDX, sprites, hf:NAME"


def open_dataset(
    source: str | Path, preparation: Preparation | None = None, *, progress: Progress = no_progress
) -> Dataset:
    """Open a data set.

    Args:
        source: a named set ("mnist", found in ``$MORPHOSPACE_DATA`` or the cache, else fetched); the path of a
            folder of pictures or of a file of arrays; "sprites" or "sprites:count=500,size=32,seed=1,colour=grey";
            "hf:NAME" for a set of the Hugging Face hub.
        preparation: how pictures are brought to one form.
        progress: told about downloads and preparation.

    Raises:
        ArgumentError: if there is no such set, folder or file.
        FileError: if a file is damaged, or not to be had; it says which files to put where.
        DataError: if the pictures cannot be used.

    Example:
        >>> open_dataset("digits").shape
        (8, 8, 1)
    """
    text = os.fspath(source)
    prepared, cache = preparation or Preparation(), prepared_folder()
    if text in SOURCES:
        return replace(reshaped(SOURCES[text].open(progress), prepared), source=text)
    if text.startswith("hf:"):
        from morphospace.data.hub import hub_collection

        return prepare(hub_collection(text[3:]), prepared, cache=cache, progress=progress)
    if text.partition(":")[0] == "sprites" and not Path(text).exists():
        return prepare(_sprites(text, prepared), prepared, cache=cache, progress=progress)
    path, names = Path(text), ", ".join(SOURCES)
    if path.is_dir():
        return prepare(folder_collection(path), prepared, cache=cache, progress=progress)
    if path.is_file() and array_file_kind(path):
        return replace(reshaped(open_arrays(path), prepared), source=str(path.resolve()))
    if path.exists():
        raise ArgumentError(f"DATA: {path} is no set of images. Expected {_KINDS}, or a name: {names}.")
    if "/" in text or "\\" in text or path.suffix:
        raise FileError(f'DATA: there is no folder or file "{text}". Expected {_KINDS}, or a name: {names}.')
    raise ArgumentError(
        f'DATA: there is no data set, folder or file "{text}". {did_you_mean(text, [*SOURCES, "sprites"])} '
        f"Or name {_KINDS}."
    )


def folder_collection(path: Path) -> Collection:
    """The pictures of a folder, with labels by sub-folder and attributes by its CSV."""
    listing = list_folder(path)
    files, root = listing.files, os.fspath(path)

    def columns() -> Columns:
        attributes: Attributes = {}
        problems = list(listing.problems)
        table = find_table(listing.tables)
        if table is not None:
            attributes, found = read_table(path / table, files)
            problems += found
        elif listing.tables:
            tables = ", ".join(listing.tables)
            problems.append(Problem(tables, "several tables: call the one with the attributes attributes.csv"))
        labels: Sequence[str] = listing.labels
        if not labels and "label" in attributes:
            labels = [label_name(value) for value in attributes["label"]]
        return Columns(labels, listing.splits, attributes, problems)

    return Collection(
        name=shown_name(path.resolve().name) or "images",
        source=shown_name(os.fspath(path.resolve())),
        key=listing.key,
        items=_Paths(root, files),
        item_name=lambda i: shown_name(files[i]),
        columns=columns,
        changed=lambda: not unchanged(listing),
    )


def label_name(value: object) -> str:
    """The value of a column of labels in words; such a column has floats where a cell is empty.

    Example:
        >>> label_name(3.0), label_name("cat"), label_name(np.nan), label_name("")
        ('3', 'cat', '(no label)', '(no label)')
    """
    if value is None or value == "" or value != value:
        return "(no label)"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


class _Paths(Sequence[Item]):
    """The files of a folder as items."""

    def __init__(self, root: str, files: Sequence[str]) -> None:
        self.root, self.files = root, files

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: Any) -> Any:
        return f"{self.root}/{self.files[index]}"


class _Sprites(Sequence[Item]):
    """Sprites as items."""

    def __init__(self, length: int, seed: int, shape: tuple[int, int, int]) -> None:
        self.length, self.seed, self.shape = length, seed, shape

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: Any) -> Any:
        return Sprite(self.seed, index, self.shape)


def _sprites(text: str, preparation: Preparation) -> Collection:
    """The sprites that ``sprites:count=500,size=32,seed=1,colour=grey`` asks for; ``preparation`` comes first."""
    asked = {"count": str(_SPRITES), "size": str(_SPRITE_SIDE), "seed": "0", "colour": "colour"}
    for pair in filter(None, text.partition(":")[2].split(",")):
        key, _, value = pair.partition("=")
        if key not in asked:
            raise ArgumentError(f'DATA: sprites have no "{key}". {did_you_mean(key, asked)} Like sprites:count=500.')
        asked[key] = value
    for key, least in (("count", 2), ("seed", 0)):
        if not asked[key].isdecimal() or int(asked[key]) < least:
            raise ArgumentError(f'DATA: sprites: expected {key} to be a whole number from {least}, got "{asked[key]}".')
    if asked["colour"] not in ("grey", "colour"):
        raise ArgumentError(f'DATA: sprites: expected colour=grey or colour=colour, got "{asked["colour"]}".')
    height, width = preparation.size or parse_size(asked["size"], "DATA: sprites: size")
    colour = asked["colour"] if preparation.colour == "auto" else preparation.colour
    count, seed = int(asked["count"]), int(asked["seed"])

    def columns() -> Columns:
        factors = sprite_factors(0, count, seed=seed)
        labels = [SHAPES[int(i)] for i in factors["shape"]]
        return Columns(labels, attributes=factors | {"shape": np.array(labels)})

    source = f"sprites:count={count},size={width}x{height},seed={seed},colour={colour}"
    return Collection(
        name="sprites",
        source=source,
        key=source,
        items=_Sprites(count, seed, (height, width, 3 if colour == "colour" else 1)),
        item_name="sprite {}".format,
        columns=columns,
        licence="Apache-2.0",
    )


def parse_size(text: str, argument: str = "--size") -> tuple[int, int]:
    """``64`` or ``96x64`` (width x height) as (H, W).

    Example:
        >>> parse_size("96x64")
        (64, 96)
    """
    found = re.fullmatch(r"(\d{1,5})(?:x(\d{1,5}))?", text.strip().lower())
    if found is None:
        raise ArgumentError(f'{argument}: expected pixels like 64, or WIDTHxHEIGHT like 96x64, got "{text}".')
    height, width = int(found[2] or found[1]), int(found[1])
    Preparation(size=(height, width))  # refuses sizes out of range
    return height, width


def open_item(text: str, preparation: Preparation | None = None, *, progress: Progress = no_progress) -> Images:
    """One image of a set by ``SET:split/index``, uint8 (H, W, C).

    Args:
        text: the set, the split and the place.
        preparation: how the pictures of the set are brought to one form, on which their split depends; images that
            are arrays already stay as they are.
        progress: told about downloads and preparation.

    Raises:
        ArgumentError: for no such text, set, split or place.

    Example:
        >>> open_item("digits:test/3").shape
        (8, 8, 1)
    """
    name, _, rest = text.rpartition(":")
    split_name, _, number = rest.partition("/")
    if not name or not number.isdecimal():
        raise ArgumentError(f'IMAGE: expected a file or an item like "mnist:test/17", got "{text}".')
    arrays = name in SOURCES or Path(name).is_file()
    split = open_dataset(name, None if arrays else preparation, progress=progress).split(split_name)
    if int(number) >= len(split):
        raise ArgumentError(
            f'IMAGE: "{text}" is outside its set: {name}:{split_name} holds items 0 to {len(split) - 1}.'
        )
    image: Images = split.images[int(number)]
    return image
