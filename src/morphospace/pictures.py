"""Pictures that show themselves in a notebook, and know how to be saved."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from morphospace.errors import ArgumentError
from morphospace.images import Images, png_bytes, to_pil, write_gif, write_png

__all__ = ["Film", "Picture", "enlarge", "tile"]


def tile(images: Images, columns: int, *, gap: int = 0, background: int = 255) -> Images:
    """Lay images (N, H, W, C) out row by row in one (H', W', C) picture, ``gap`` pixels apart.

    Example:
        >>> tile(np.zeros((6, 4, 4, 1), np.uint8), 3).shape
        (8, 12, 1)
    """
    count, height, width, channels = images.shape
    rows = -(-count // columns)
    sheet = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, channels), background, np.uint8)
    for i, image in enumerate(images):
        top, left = i // columns * (height + gap), i % columns * (width + gap)
        sheet[top : top + height, left : left + width] = image
    return sheet


def enlarge(images: Images, side: int) -> Images:
    """Enlarge images (N, H, W, C) by a whole factor until their longer side is about ``side`` pixels.

    Bicubic, so that the eye sees the form and not the sensor's squares; images that are large stay.
    """
    height, width = images.shape[1:3]
    factor = round(side / max(height, width))
    if factor <= 1:
        return images
    size = (width * factor, height * factor)
    bigger = [np.asarray(to_pil(image).resize(size, Image.Resampling.BICUBIC)) for image in images]
    return np.stack(bigger).reshape(len(images), size[1], size[0], -1)


@dataclass(frozen=True)
class Picture:
    """One picture: ``pixels`` uint8 (H, W, C), and ``text`` (seed, command, ...) for its PNG."""

    pixels: Images
    text: dict[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        height, width, channels = self.pixels.shape
        return f"<Picture: {width}x{height} pixels, {'grey' if channels == 1 else 'colour'}>"

    def save(self, path: str | Path) -> Path:
        """Write it as PNG."""
        path = _with_suffix(path, (".png",))
        write_png(path, self.pixels, self.text)
        return path

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.pixels, dtype=dtype, copy=copy)

    def _repr_png_(self) -> bytes:
        return png_bytes(self.pixels, self.text)


@dataclass(frozen=True)
class Film:
    """A morph: ``frames`` uint8 (F, H, W, C), and the latent ``points`` (F, d) that they were decoded from.

    Of a model that is told labels, ``labels`` (F,) are their numbers; otherwise None.
    """

    frames: Images
    points: NDArray[np.float32]
    text: dict[str, str] = field(default_factory=dict)
    labels: NDArray[np.int64] | None = None

    def __repr__(self) -> str:
        count, height, width, _ = self.frames.shape
        return f"<Film: {count} frames of {width}x{height} pixels>"

    def __len__(self) -> int:
        return len(self.frames)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.frames, dtype=dtype, copy=copy)

    def save(self, path: str | Path, *, side: int = 224) -> Path:
        """Write it as GIF (there and back, endless) or as a PNG strip, by the name's ending."""
        path = _with_suffix(path, (".gif", ".png"))
        if path.suffix.lower() == ".gif":
            comment = "; ".join(f"{key}: {value}" for key, value in self.text.items())
            write_gif(path, enlarge(self.frames, side), comment=comment)
        else:
            write_png(path, tile(enlarge(self.frames, side // 2), len(self.frames)), self.text)
        return path

    def _repr_html_(self) -> str:
        stream = io.BytesIO()
        first, *rest = [to_pil(frame) for frame in enlarge(self.frames, 224)]
        first.save(stream, "GIF", save_all=True, append_images=rest, duration=60, loop=0)
        return f'<img alt="morph" src="data:image/gif;base64,{base64.b64encode(stream.getvalue()).decode()}">'


def _with_suffix(path: str | Path, known: tuple[str, ...]) -> Path:
    path = Path(path)
    if path.suffix.lower() not in known:
        raise ArgumentError(f"expected a name that ends in {' or '.join(known)}, got {path.name}.", argument="out")
    return path
