"""Pictures one by one: where each comes from, and how many are read, decoded and fitted at once."""

from __future__ import annotations

import functools
import os
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, as_completed, wait
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from morphospace.data.dataset import content_digests
from morphospace.data.folder import Problem
from morphospace.data.splitting import Keys, key_of
from morphospace.data.sprites import draw_sprites, sprite_factors
from morphospace.data.tally import Tally
from morphospace.decoding import Samples, Source, UnreadablePictureError, page_count, pixels_of, read_samples
from morphospace.images import Images, Resize, fit_image
from morphospace.interpretation import Frames, Interpretation
from morphospace.quiet import quiet

__all__ = [
    "SMALLEST_SIDE",
    "DecodedItems",
    "Item",
    "Page",
    "Place",
    "Sprite",
    "decode_items",
    "file_bytes",
    "files_as_items",
    "pages_of",
    "read_fitted",
    "read_item",
]

SMALLEST_SIDE = 4
"""Pixels; a smaller picture shows nothing."""

_ROUNDING = 8  # levels by which the channels of a grey JPEG may differ
_CHUNK = 128  # pictures a task
_FEW = 4 * _CHUNK  # not worth starting processes for
_AHEAD = 4  # tasks a process, so that none waits


class Sprite(NamedTuple):
    """A picture that is drawn, not read: the sprite of ``number`` among those of ``seed``."""

    seed: int
    number: int
    shape: tuple[int, int, int]


class Page(NamedTuple):
    """One page of a file, counted from 0."""

    file: str | bytes
    number: int


Item: TypeAlias = str | bytes | Sprite | Page
"""Where a picture comes from: the path of a file, the bytes of one, one page of such, or its factors."""


class Place(NamedTuple):
    """The file of images, and the byte at which they start."""

    path: Path
    offset: int


class DecodedItems(NamedTuple):
    """What items from ``start`` turned out to be: keys, digests, (H, W), colour; why some failed; what is counted."""

    start: int
    keys: Keys
    digests: NDArray[np.uint8]
    sizes: NDArray[np.int32]
    coloured: NDArray[np.bool_]
    reasons: dict[int, str]
    tally: Tally


def read_item(item: Item, how: Interpretation, *, near: int | None = None) -> Samples:
    """The samples of an item's picture; to be called within ``quiet()``.

    Raises:
        UnreadablePictureError: with the reason in a few words.
    """
    if isinstance(item, Sprite):
        drawn: Images = draw_sprites(sprite_factors(item.number, item.number + 1, seed=item.seed), item.shape)[0]
        return Samples(drawn, drawn.shape[:2])
    file, page = item if isinstance(item, Page) else (item, 0)
    found = read_samples(Source(file_bytes(file), how, page, near))
    height, width = found.size
    if min(height, width) < SMALLEST_SIDE:
        raise UnreadablePictureError(f"too small: {width}x{height} pixels")
    return found


def file_bytes(file: str | bytes) -> bytes:
    """The bytes of a picture file.

    Raises:
        UnreadablePictureError: with the reason in a few words.
    """
    if isinstance(file, bytes):
        return file
    try:
        with open(file, "rb") as stream:  # noqa: PTH123 - a hundred thousand Paths take a second
            return stream.read()
    except FileNotFoundError as error:
        raise UnreadablePictureError("gone while the folder was read") from error
    except OSError as error:
        raise UnreadablePictureError(f"unreadable ({error.strerror})") from error


def _keyed(item: Item) -> tuple[int, Item]:
    """The key of what an item is made of, and the item with its file read."""
    if isinstance(item, Sprite):
        return key_of(f"sprite {item.seed} {item.number}".encode()), item
    file, page = item if isinstance(item, Page) else (item, 0)
    content = file_bytes(file)
    return key_of(content), Page(content, page)


def _coloured(samples: Samples, how: Interpretation) -> bool:
    """Whether the channels differ by more than JPEG's rounding, or a background does."""
    values = samples.values
    if samples.alpha is not None and len(set(how.background)) > 1:
        return True
    if values.shape[-1] == 1:
        return False
    if values.dtype == np.uint8:
        wide = values.astype(np.int16)
        return bool((wide.max(-1) - wide.min(-1)).max() > _ROUNDING)
    wide = values.astype(np.float64)
    return bool((wide.max(-1) - wide.min(-1)).max() > _ROUNDING / 255 * max(float(wide.max()), float(np.ptp(wide))))


@functools.lru_cache(maxsize=2)
def _room(shape: tuple[int, ...]) -> Images:
    """An array that is used again for every task: fresh memory costs as much as decoding a tenth of the pictures."""
    return np.zeros(shape, np.uint8)


def _decode(
    start: int,
    items: list[Item],
    how: Interpretation,
    shape: tuple[int, int, int] | None,
    resize: Resize,
    write: Place | None,
) -> DecodedItems:
    """Decode items; with ``shape`` bring them to it, and write them to their place in the file of images."""
    images = _room((len(items), *(shape or (1, 1, 1))))
    sizes, coloured = np.zeros((len(items), 2), np.int32), np.zeros(len(items), np.bool_)
    keys, reasons = np.zeros(len(items), np.uint64), {}
    near = None if shape is None else max(shape[:2])
    tally = Tally()
    with quiet():
        for i, item in enumerate(items):
            try:
                keys[i], item = _keyed(item)
                samples = read_item(item, how, near=near)
                picture, clipped = (None, 0) if shape is None else pixels_of(samples, how)
            except UnreadablePictureError as error:
                reasons[start + i] = error.reason
                images[i] = 0
                continue
            sizes[i] = samples.size
            coloured[i] = _coloured(samples, how) if shape is None or shape[2] == 1 else True
            tally.count(samples, clipped, drawn=shape is None)
            if shape is not None and picture is not None:
                images[i] = fit_image(picture, shape, resize)
    if write is not None:
        # Written, not memory-mapped: on a full disk a write is an error, a touch of a map is a dead process.
        with write.path.open("r+b") as stream:
            stream.seek(write.offset + start * images[0].nbytes)
            stream.write(images.data)
    return DecodedItems(start, keys, content_digests(images), sizes, coloured, reasons, tally)


def decode_items(
    items: Sequence[Item],
    how: Interpretation,
    shape: tuple[int, int, int] | None = None,
    resize: Resize = "crop",
    write: Place | None = None,
) -> Iterator[DecodedItems]:
    """Decode items by all processors, and say what they turned out to be, in chunks in any order.

    Args:
        items: what to decode.
        how: how their samples become pixels.
        shape: (H, W, C) to bring each to; None only looks.
        resize: how.
        write: where to write the images, each at the place of its item.
    """
    chunks = (range(start, min(start + _CHUNK, len(items))) for start in range(0, len(items), _CHUNK))
    tasks = ((chunk.start, [items[i] for i in chunk], how, shape, resize, write) for chunk in chunks)
    if len(items) <= _FEW:
        yield from (_decode(*task) for task in tasks)
        return
    # Not multiprocessing: its children run a caller's script again, or inherit the locks of PyTorch's threads.
    from loky import cpu_count, get_reusable_executor

    executor = get_reusable_executor(
        max_workers=cpu_count(), timeout=10, initializer=_end_with_parent, initargs=(os.getpid(),)
    )
    waiting: set[Future[DecodedItems]] = set()
    try:
        for task in tasks:
            waiting.add(executor.submit(_decode, *task))
            if len(waiting) >= _AHEAD * cpu_count():
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from (one.result() for one in done)
        yield from (one.result() for one in as_completed(waiting))
    except BaseException:
        executor.shutdown(wait=True, kill_workers=True)
        raise


def _end_with_parent(parent: int) -> None:
    """Watch the process that a worker works for: one that is killed cannot tell its workers to stop."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.2)
        os._exit(1)

    if os.name == "posix":
        threading.Thread(target=watch, daemon=True).start()


def read_fitted(
    items: Sequence[tuple[str, Item]],
    shape: tuple[int, int, int],
    resize: Resize,
    how: Interpretation,
    problems: list[Problem],
    tally: Tally,
) -> Iterator[tuple[list[str], Images]]:
    """Read pictures and bring them to ``shape``, some at a time; those that cannot be read become problems.

    Args:
        items: (name, item) of each.
        shape: (H, W, C).
        resize: how they take it.
        how: how their samples become pixels.
        problems: is added to.
        tally: is added to.

    Yields:
        names and images, uint8 (n, H, W, C) with n >= 1, in order.
    """
    names: list[str] = []
    images: list[Images] = []
    for name, item in items:
        try:
            with quiet():
                samples = read_item(item, how, near=max(shape[:2]))
            picture, clipped = pixels_of(samples, how)
        except UnreadablePictureError as error:
            problems.append(Problem(name, error.reason))
            continue
        tally.count(samples, clipped)
        images.append(fit_image(picture, shape, resize))
        names.append(name)
        if len(names) == _CHUNK:
            yield names, np.stack(images)
            names, images = [], []
    if names:
        yield names, np.stack(images)


def files_as_items(files: Sequence[tuple[str, Path]], how: Interpretation) -> list[tuple[str, Item]]:
    """(name, path) of files as (name, item): the pages of each, where all count."""
    return [page for name, path in files for page in pages_of(name, str(path), how.frames)]


def pages_of(name: str, item: Item, frames: Frames = "all") -> list[tuple[str, Item]]:
    """(name, item) of each page of a file, or of the file itself where its pages are one picture."""
    if frames != "all" or isinstance(item, (Sprite, Page)):
        return [(name, item)]
    try:
        count = page_count(file_bytes(item))
    except UnreadablePictureError:
        return [(name, item)]  # which says why when it is read
    return [(name, item)] if count == 1 else [(f"{name}[{i + 1}]", Page(item, i)) for i in range(count)]
