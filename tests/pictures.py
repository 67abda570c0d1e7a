"""Folders of pictures for tests."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from PIL import Image

from morphospace.data import Dataset


def encoded(pixels: np.ndarray, kind: str = "PNG", **options: object) -> bytes:
    """The bytes of a picture file."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind, **options)
    return stream.getvalue()


def noise(seed: int, shape: tuple[int, ...] = (12, 10, 3)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def write_folder(folder: Path, count: int = 20, shape: tuple[int, ...] = (12, 10, 3), start: int = 0) -> Path:
    """``count`` different PNGs of ``shape``."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(start, start + count):
        (folder / f"{i:03d}.png").write_bytes(encoded(noise(i, shape)))
    return folder


def write_files(folder: Path, contents: Sequence[bytes], ending: str) -> Path:
    """A file of each content, 0.png, 1.png and so on."""
    folder.mkdir(parents=True, exist_ok=True)
    for i, content in enumerate(contents):
        (folder / f"{i}{ending}").write_bytes(content)
    return folder


def darkest_first(dataset: Dataset) -> np.ndarray:
    """All training and test images of a set, (N, H, W, C)."""
    found = np.concatenate([dataset.train.images[:], dataset.test.images[:]])
    return found[np.argsort(found.mean((1, 2, 3)), kind="stable")]


def tiff(pixels: np.ndarray, **options: Any) -> bytes:
    """The bytes of a TIFF with samples of any kind; (pages, H, W) unless ``options`` say otherwise."""
    stream = io.BytesIO()
    tifffile.imwrite(stream, pixels, **({"photometric": "minisblack"} | options))
    return stream.getvalue()


def wide_png(pixels: np.ndarray, **chunks: bytes) -> bytes:
    """A 16-bit PNG of (H, W, C), which Pillow does not write; ``chunks`` like tRNS come before the pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width, count = pixels.shape
    head = struct.pack(">IIBBBBB", width, height, 16, {1: 0, 2: 4, 3: 2, 4: 6}[count], 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    middle = b"".join(chunk(name.encode(), data) for name, data in chunks.items())
    body = chunk(b"IHDR", head) + middle + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body
