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
from morphospace.decoding import UnreadablePictureError, decode_quietly
from morphospace.images import Images, Resize, fit_image
from morphospace.quiet import quiet

__all__ = ["SMALLEST_SIDE", "Item", "Looked", "Place", "Sprite", "look_at", "read_fitted", "read_picture"]

SMALLEST_SIDE = 4
"""Pixels; a smaller picture shows nothing."""

_CHUNK = 128  # pictures a task
_FEW = 4 * _CHUNK  # not worth starting processes for
_AHEAD = 4  # tasks a process, so that none waits


class Sprite(NamedTuple):
    """A picture that is drawn, not read: the sprite of ``number`` among those of ``seed``."""

    seed: int
    number: int
    shape: tuple[int, int, int]


Item: TypeAlias = str | bytes | Sprite
"""Where a picture comes from: the path of a file, the bytes of one, or its factors."""


class Place(NamedTuple):
    """The file of images, and the byte at which they start."""

    path: Path
    offset: int


class Looked(NamedTuple):
    """What the items from ``start`` turned out to be: keys, digests, (H, W), colour; the reason of each failure."""

    start: int
    keys: Keys
    digests: NDArray[np.uint8]
    sizes: NDArray[np.int32]
    coloured: NDArray[np.bool_]
    reasons: dict[int, str]


def read_picture(item: Item, *, near: int | None = None) -> tuple[Images, tuple[int, int]]:
    """The picture of an item, uint8 (H, W, C), and its own (H, W); to be called within ``quiet()``.

    Raises:
        UnreadablePictureError: with the reason in a few words.
    """
    if isinstance(item, Sprite):
        drawn: Images = draw_sprites(sprite_factors(item.number, item.number + 1, seed=item.seed), item.shape)[0]
        return drawn, drawn.shape[:2]
    picture, (height, width) = decode_quietly(_content(item), near=near)
    if min(height, width) < SMALLEST_SIDE:
        raise UnreadablePictureError(f"too small: {width}x{height} pixels")
    return picture, (height, width)


def _content(item: str | bytes) -> bytes:
    """The bytes of an item's file."""
    if isinstance(item, bytes):
        return item
    try:
        with open(item, "rb") as stream:  # noqa: PTH123 - a hundred thousand Paths take a second
            return stream.read()
    except FileNotFoundError as error:
        raise UnreadablePictureError("gone while the folder was read") from error
    except OSError as error:
        raise UnreadablePictureError(f"unreadable ({error.strerror})") from error


def _coloured(picture: Images) -> bool:
    """Whether the channels differ, by more than JPEG's rounding."""
    if picture.shape[-1] == 1:
        return False
    wide = picture.astype(np.int16)
    return bool((wide.max(-1) - wide.min(-1)).max() > 8)


@functools.lru_cache(maxsize=2)
def _room(shape: tuple[int, ...]) -> Images:
    """An array that is used again for every task: fresh memory costs as much as decoding a tenth of the pictures."""
    return np.zeros(shape, np.uint8)


def _look(
    start: int, items: list[Item], shape: tuple[int, int, int] | None, resize: Resize, write: Place | None
) -> Looked:
    """Decode items; with ``shape`` bring them to it, and write them to their place in the file of images."""
    images = _room((len(items), *(shape or (1, 1, 1))))
    sizes, coloured = np.zeros((len(items), 2), np.int32), np.zeros(len(items), np.bool_)
    keys, reasons = np.zeros(len(items), np.uint64), {}
    near = None if shape is None else max(shape[:2])
    with quiet():
        for i, item in enumerate(items):
            try:
                if not isinstance(item, Sprite):
                    item = _content(item)
                keys[i] = key_of(item if isinstance(item, bytes) else f"sprite {item.seed} {item.number}".encode())
                picture, sizes[i] = read_picture(item, near=near)
            except UnreadablePictureError as error:
                reasons[start + i] = error.reason
                images[i] = 0
                continue
            coloured[i] = _coloured(picture) if shape is None or shape[2] == 1 else True
            if shape is not None:
                images[i] = fit_image(picture, shape, resize)
    if write is not None:
        # Written, not memory-mapped: on a full disk a write is an error, a touch of a map is a dead process.
        with write.path.open("r+b") as stream:
            stream.seek(write.offset + start * images[0].nbytes)
            stream.write(images.data)
    return Looked(start, keys, content_digests(images), sizes, coloured, reasons)


def look_at(
    items: Sequence[Item],
    shape: tuple[int, int, int] | None = None,
    resize: Resize = "crop",
    write: Place | None = None,
) -> Iterator[Looked]:
    """Decode items by all processors, and say what they turned out to be, in chunks in any order.

    Args:
        items: what to decode.
        shape: (H, W, C) to bring each to; None only looks.
        resize: how.
        write: where to write the images, each at the place of its item.
    """
    chunks = (range(start, min(start + _CHUNK, len(items))) for start in range(0, len(items), _CHUNK))
    tasks = ((chunk.start, [items[i] for i in chunk], shape, resize, write) for chunk in chunks)
    if len(items) <= _FEW:
        yield from (_look(*task) for task in tasks)
        return
    # Not multiprocessing: its children run a caller's script again, or inherit the locks of PyTorch's threads.
    from loky import cpu_count, get_reusable_executor

    executor = get_reusable_executor(
        max_workers=cpu_count(), timeout=10, initializer=_end_with_parent, initargs=(os.getpid(),)
    )
    waiting: set[Future[Looked]] = set()
    try:
        for task in tasks:
            waiting.add(executor.submit(_look, *task))
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
    files: Sequence[tuple[str, Path]], shape: tuple[int, int, int], resize: Resize, problems: list[Problem]
) -> Iterator[tuple[list[str], Images]]:
    """Read pictures and bring them to ``shape``, some at a time; those that cannot be read become problems.

    Args:
        files: (name, path) of each.
        shape: (H, W, C).
        resize: how.
        problems: is added to.

    Yields:
        names and images, uint8 (n, H, W, C) with n >= 1, in order.
    """
    for start in range(0, len(files), _CHUNK):
        names, images = [], []
        for name, path in files[start : start + _CHUNK]:
            try:
                with quiet():
                    picture, _ = read_picture(str(path), near=max(shape[:2]))
                    images.append(fit_image(picture, shape, resize))
                names.append(name)
            except UnreadablePictureError as error:
                problems.append(Problem(name, error.reason))
        if images:
            yield names, np.stack(images)
