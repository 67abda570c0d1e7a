"""Pictures as arrays, and arrays as files. Everywhere an image is uint8 (H, W, C) with C 1 or 3."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from morphospace.decoding import (
    Images,
    Samples,
    Source,
    UnreadablePictureError,
    from_pil,
    pixels_of,
    read_samples,
    to_pixels,
)
from morphospace.errors import DataError, FileError
from morphospace.files import atomic_file, read_bytes
from morphospace.interpretation import AS_BEFORE, Interpretation
from morphospace.quiet import quiet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "RESIZES",
    "Images",
    "Resize",
    "as_images",
    "fit_image",
    "from_pil",
    "png_bytes",
    "read_image",
    "read_text",
    "to_pil",
    "to_pixels",
    "write_gif",
    "write_png",
]


def as_images(images: Any, *, name: str = "images") -> Images:
    """Check images and bring them to uint8 (N, H, W, C).

    Args:
        images: uint8 array (H, W), (N, H, W) or (N, H, W, C); integers within 0..255 pass too, floats
            only where all are whole numbers in 0..255, and bool, or numbers that are all 0 or 1, as black and white;
            a PIL image, a path, or a list of these.
        name: what to call the argument in errors.

    Raises:
        DataError: for NaN, negative or >255 values, fractions, or a shape that is no set of images.

    Example:
        >>> as_images(np.zeros((5, 28, 28), np.uint8)).shape
        (5, 28, 28, 1)
    """
    if isinstance(images, (str, Path)):
        return read_image(images)[None]
    if isinstance(images, Image.Image):
        return from_pil(images)[None]
    if isinstance(images, Sequence):
        return _stack(images, name)
    array = np.asarray(images)
    if array.dtype == object or array.dtype.kind not in "uifb":
        raise DataError(f"expected an array of numbers, got {type(images).__name__} of {array.dtype}.", argument=name)
    if array.ndim == 2:
        array = array[None]
    if array.ndim == 3:
        array = array[..., None]
    if array.ndim != 4 or array.shape[-1] not in (1, 3):
        raise DataError(
            f"expected shape (N, H, W) or (N, H, W, C) with C 1 or 3, got {np.shape(images)}. "
            "Move the channels last and drop an alpha channel.",
            argument=name,
        )
    if 0 in array.shape:
        raise DataError(f"expected at least one image with pixels, got shape {np.shape(images)}.", argument=name)
    # Writable too: PyTorch shares the memory, and warns where it may not write.
    return np.require(_whole_pixels(array, name), requirements=["C", "W"])


def _whole_pixels(array: NDArray[Any], name: str) -> Images:
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise DataError("expected finite pixel values, got NaN or infinity. Remove or replace them.", argument=name)
    low, high = array.min(), array.max()
    if low < 0 or high > 255:
        raise DataError(f"expected pixel values 0..255, got {low}..{high}. Rescale them first.", argument=name)
    if array.dtype.kind == "f" and (array != np.floor(array)).any():
        raise DataError(
            f"expected whole pixel values 0..255 (uint8), got fractions in {low:.3g}..{high:.3g}. "
            "If they lie in [0, 1], pass (images * 255).round().astype('uint8').",
            argument=name,
        )
    # 0 and 1 are black and white, as in a file of arrays, unless they come as bytes.
    return array.astype(np.uint8) * np.uint8(255 if high == 1 else 1)


def _stack(images: Sequence[object], name: str) -> Images:
    if not images:
        raise DataError("expected at least one image, got an empty list.", argument=name)
    if isinstance(images[0], (int, float)) or (isinstance(images[0], Sequence) and not isinstance(images[0], str)):
        return as_images(np.asarray(images), name=name)
    arrays = [image for image in images if isinstance(image, np.ndarray) and image.ndim == 2]
    if len(arrays) == len(images) and len({array.shape for array in arrays}) == 1:
        return as_images(np.stack(arrays), name=name)  # what 0 and 1 mean, they mean in all of them
    each = [as_images(image, name=f"{name}[{i}]") for i, image in enumerate(images)]
    shapes = {one.shape[1:] for one in each}
    if len(shapes) > 1:
        raise DataError(f"expected images of one size, got {sorted(shapes)}. Resize them first.", argument=name)
    return np.concatenate(each)


def read_image(
    path: str | Path,
    how: Interpretation = AS_BEFORE,
    *,
    near: int | None = None,
    notice: Callable[[Samples, int], None] | None = None,
) -> Images:
    """One picture file as uint8 (H, W, C), as :func:`morphospace.decoding.decode_picture` decodes it.

    Args:
        path: the file.
        how: how its samples become pixels; by itself unless a set or a space has a rule.
        near: the longest side that will be needed.
        notice: told what the samples are, and how many were clipped.

    Raises:
        FileError: if the file is missing, no picture, truncated, or absurdly large.
    """
    data = read_bytes(Path(path), "image")
    try:
        with quiet():
            samples = read_samples(Source(data, how, near=near))
        pixels, clipped = pixels_of(samples, how)
        if notice is not None:
            notice(samples, clipped)
        return pixels
    except UnreadablePictureError as error:
        raise FileError(f"cannot use the picture {path}: {error.reason}. Expected a whole PNG, JPEG, ...") from error


Resize: TypeAlias = Literal["crop", "pad", "fit"]
"""How a picture takes another form: its middle cut out, borders added, or both sides stretched."""

RESIZES: tuple[Resize, ...] = get_args(Resize)


def fit_image(image: Images, shape: tuple[int, int, int], resize: Resize = "pad") -> Images:
    """Bring one image to ``shape`` (H, W, C): colour to grey or back, then to size.

    Args:
        image: uint8 (H', W', C').
        shape: (H, W, C).
        resize: "crop" scales until the frame is full and cuts off what sticks out on two sides; "pad" scales until
            all of the image is inside and fills the rest with the mean of its border, so that a white page
            stays white; "fit" stretches it, whatever becomes of circles.

    Example:
        >>> fit_image(np.zeros((10, 30, 3), np.uint8), (8, 8, 1)).shape
        (8, 8, 1)
    """
    height, width, channels = shape
    if image.shape == shape:
        return image
    picture = to_pil(image).convert("L" if channels == 1 else "RGB")
    if picture.size == (width, height):
        return np.array(picture).reshape(shape)
    if resize == "crop":
        # The largest part of the picture's middle that has the frame's proportions.
        share = min(picture.width / width, picture.height / height)
        across = max(0.0, (picture.width - share * width) / 2)
        down = max(0.0, (picture.height - share * height) / 2)
        box = (across, down, picture.width - across, picture.height - down)
        picture = _resized(picture, (width, height), box)
    elif resize == "fit":
        picture = _resized(picture, (width, height))
    else:
        return _padded(picture, shape)
    return np.array(picture).reshape(shape)


def _resized(
    picture: Image.Image, size: tuple[int, int], box: tuple[float, float, float, float] | None = None
) -> Image.Image:
    # Much larger pictures are first averaged over whole pixels: a third of the time, and no eye sees it.
    return picture.resize(size, Image.Resampling.LANCZOS, box, reducing_gap=2.0)


def _padded(picture: Image.Image, shape: tuple[int, int, int]) -> Images:
    height, width, channels = shape
    scale = min(width / picture.width, height / picture.height)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    small = np.asarray(_resized(picture, size)).reshape(size[1], size[0], channels)
    border = np.concatenate([small[0], small[-1], small[:, 0], small[:, -1]]).mean(0)
    canvas = np.broadcast_to(to_pixels(border / 255.0), shape).copy()
    top, left = (height - size[1]) // 2, (width - size[0]) // 2
    canvas[top : top + size[1], left : left + size[0]] = small
    return canvas


def to_pil(image: Images) -> Image.Image:
    """One uint8 (H, W, C) or (H, W) array as a PIL image."""
    return Image.fromarray(image[..., 0] if image.ndim == 3 and image.shape[-1] == 1 else image)


def png_bytes(image: Images, text: Mapping[str, str] | None = None) -> bytes:
    """A PNG of one (H, W, C) image, with ``text`` in its text chunks."""
    info = PngImagePlugin.PngInfo()
    for key, value in (text or {}).items():
        info.add_itxt(key, value)
    stream = io.BytesIO()
    to_pil(image).save(stream, "PNG", pnginfo=info)  # to optimise takes four times as long, or more, for 2 % less
    return stream.getvalue()


def write_png(path: Path, image: Images, text: Mapping[str, str] | None = None) -> None:
    """Write one (H, W, C) image as PNG, atomically, with ``text`` (seed, command, ...) in its text chunks."""
    with atomic_file(path) as partial:
        partial.write_bytes(png_bytes(image, text))


def write_gif(path: Path, frames: Images, *, seconds: float = 2.0, comment: str = "", bounce: bool = True) -> None:
    """Write (N, H, W, C) frames as an endless GIF, atomically.

    Args:
        path: the file.
        frames: uint8 (N, H, W, C).
        seconds: the time of one way.
        comment: goes into the GIF's comment block.
        bounce: come back the same way, so that the loop has no jump.
    """
    order = [*range(len(frames)), *(range(len(frames) - 2, 0, -1) if bounce else ())]
    pictures = [to_pil(frames[i]).convert("P", palette=Image.Palette.ADAPTIVE) for i in order]
    # GIF counts hundredths of a second, and browsers slow down anything below two of them.
    duration = max(20, 10 * round(seconds * 100 / max(1, len(frames))))
    with atomic_file(path) as partial:
        pictures[0].save(
            partial, "GIF", save_all=True, append_images=pictures[1:], duration=duration, loop=0,
            comment=comment.encode(), optimize=False, disposal=1,
        )  # fmt: skip


def read_text(path: Path) -> dict[str, str]:
    """What :func:`write_png` or :func:`write_gif` stored beside the pixels."""
    with Image.open(io.BytesIO(read_bytes(path, "image"))) as picture:
        picture.load()
        found = {str(k): v for k, v in picture.info.items() if isinstance(v, str)}
        comment = picture.info.get("comment")
        return found | ({"comment": comment.decode()} if isinstance(comment, bytes) else {})
