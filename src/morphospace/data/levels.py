"""Arrays of numbers as images: which axis is what, and which value is black and which is white, for a whole set."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from morphospace.data.preparation import Preparation, rgb_of
from morphospace.decoding import Images
from morphospace.errors import DataError
from morphospace.evenly import evenly_spaced
from morphospace.intensity import (
    FULL,
    MOST_MARKS,
    Values,
    Window,
    kind_of,
    parse_intensity,
    survey,
    to_levels,
    window_for,
    words_of,
)
from morphospace.interpretation import Interpretation

__all__ = [
    "Rule",
    "as_levels",
    "as_nhwc",
    "blocks",
    "depth_of",
    "images_of",
    "levels_of",
    "rule_for",
    "rule_notes",
    "with_channels",
]

_BLOCK = 16 << 20  # bytes looked at at once
_DRAWN = 256  # images that percentiles go by
_CHANNELS = 16  # an axis of more is none of channels
_STACKED = 8  # times as many pictures as a side has pixels: (H, W, N), as some programs have it


class Rule(NamedTuple):
    """How the numbers of a set of arrays become levels; ``values`` is what they are, in all of its parts."""

    how: Interpretation
    values: Values


def as_nhwc(array: NDArray[Any], name: str, notes: list[str], *, count: int | None = None) -> NDArray[Any]:
    """An array as people store images, as a view (N, H, W, C) of it.

    Args:
        array: (N, H, W), (N, H, W, C), (N, C, H, W), rows (N, s * s) or (N, 3 * s * s) as they were written, and
            (H, W, N) or (H, W, C, N) where it is plain that these are meant.
        name: what to call it.
        notes: is told what was taken for what, where that had to be guessed.
        count: how many images there are, where labels say so.

    Raises:
        DataError: for other shapes, with what to do.

    Example:
        >>> as_nhwc(np.zeros((5, 3, 16, 16)), "x", []).shape
        (5, 16, 16, 3)
    """
    if array.dtype.kind not in "uifb" or 0 in array.shape:
        raise DataError(
            f"{name}: expected numbers of shape (N, H, W) or (N, H, W, C), got {array.dtype} {array.shape}."
        )
    if array.ndim == 2:
        array = _from_rows(array, name, notes)
    elif array.ndim == 3:
        array = _from_stack(array, name, notes, count)
    if array.ndim != 4:
        volumes = " Volumes become sets of their slices: images.reshape(-1, H, W)." if array.ndim > 4 else ""
        raise DataError(f"{name}: expected (N, H, W) or (N, H, W, C), got {array.shape}.{volumes}")
    return _channels_last(array, name, notes)


def _from_rows(array: NDArray[Any], name: str, notes: list[str]) -> NDArray[Any]:
    """Rows of values as images."""
    count, length = array.shape
    for planes in (1, 3):
        side = math.isqrt(length // planes)
        if side >= 4 and planes * side * side == length:
            what = "grey" if planes == 1 else "colour, red before green before blue,"
            notes.append(
                f"{name}: each of {count:,} rows of {length:,} values was taken for a picture of {side}x{side}, {what} "
                "line by line; reshape the array if that is wrong"
            )
            return array.reshape(count, planes, side, side).transpose(0, 2, 3, 1)
    raise DataError(
        f"{name}: expected a set of images, (N, H, W) or (N, H, W, C), got {array.shape}. Rows of values need their "
        "height and width back, images.reshape(-1, H, W); if each column is an image, images.T comes first."
    )


def _from_stack(array: NDArray[Any], name: str, notes: list[str], count: int | None) -> NDArray[Any]:
    """Three axes: of a set of grey pictures, its first or its last one counts them."""
    first, second, last = array.shape
    if last in (3, 4) and first > 4 and second > 4 and count != first:
        raise DataError(f"{name}: expected a set of images, got one of shape {array.shape}. Stack several of them.")
    by_labels = count is not None and count == last != first
    if by_labels or (count != first and first == second and last >= _STACKED * first):
        notes.append(_counted_last(array, name))
        array = np.moveaxis(array, -1, 0)
    return array[..., None]


def _counted_last(array: NDArray[Any], name: str) -> str:
    height, width, *_, count = array.shape
    return (
        f"{name}: {array.shape} was taken for {count:,} pictures of {width}x{height}, counted by the last axis; move "
        "it to the front if that is wrong"
    )


def _channels_last(array: NDArray[Any], name: str, notes: list[str]) -> NDArray[Any]:
    """Four axes with the channels moved to the end."""
    first, second, third, last = array.shape
    if last > _CHANNELS and third in (1, 3) and first == second and first < last:
        notes.append(_counted_last(array, name))
        return np.moveaxis(array, -1, 0)
    if last in (1, 3, 4):
        return array
    if second in (1, 3, 4):
        return np.moveaxis(array, 1, -1)
    if last <= _CHANNELS and last < min(second, third):
        return array
    if second <= _CHANNELS and second < min(third, last):
        return np.moveaxis(array, 1, -1)
    raise DataError(
        f"{name}: expected (N, H, W, C) with 1, 3 or 4 channels, got {array.shape}. If these are volumes (N, D, H, W), "
        "make a set of their slices, images.reshape(-1, H, W), or of one slice or projection each, images.max(1)."
    )


def with_channels(array: NDArray[Any], name: str, channels: Sequence[int]) -> NDArray[Any]:
    """The channels of (N, H, W, C) that make the picture, as a view or a copy: 1, 3, or 4 of which the last is alpha.

    Args:
        array: any number of channels.
        name: what to call it.
        channels: the places, from 0, that become grey (one) or red, green and blue (three); none if there are 1, 3, 4.

    Raises:
        DataError: if there are too few, or so many that they have to be named.
    """
    count = array.shape[-1]
    if channels:
        if max(channels) >= count:
            raise DataError(
                f"{name} have {count} channels, got {','.join(str(place + 1) for place in channels)}.",
                argument="channels",
            )
        return np.stack([array[..., place] for place in channels], -1)
    if count not in (1, 3, 4):
        colours = ", or which are red, green and blue, `channels=(1, 2, 3)`" if count > 2 else ""
        raise DataError(
            f"{name} have {count} channels: say which is grey, `channels=(1,)`{colours}. If they are slices, "
            "make each a picture: images.reshape(-1, H, W)."
        )
    return array


def blocks(array: NDArray[Any]) -> Iterator[slice]:
    """Rows of an array, so many at once that they fit easily."""
    step = max(1, _BLOCK // max(1, array[:1].nbytes))
    return (slice(start, start + step) for start in range(0, len(array), step))


def rule_for(parts: Mapping[str, NDArray[Any]], name: str, preparation: Preparation) -> Rule:
    """The one rule for the parts (N, H, W, C) of a set.

    Args:
        parts: views as :func:`as_nhwc` gives them, by what they are called.
        name: of the set, for errors.
        preparation: the intensity, channels and background that are asked for, or the interpretation that a space has;
            with intensity "file", what version 0.1 did.

    Raises:
        DataError: for NaN or infinity, and for channels that are not there.
    """
    choice, known = parse_intensity(preparation.intensity), preparation.interpretation
    channels = tuple(place - 1 for place in preparation.channels or ()) if known is None else known.channels
    values: Values | None = None
    for kind, part in parts.items():
        for some in blocks(part):
            found = _surveyed(
                with_channels(part[some], f"the {kind} images of {name}", channels)[..., :3], some.start, name
            )
            values = found if values is None else values.joined(found)
        if choice.rule == "percentiles" and values is not None:
            drawn = part[evenly_spaced(len(part), _DRAWN)]
            values = values.joined(
                survey(with_channels(np.asarray(drawn), f"the {kind} images of {name}", channels)[..., :3], drawn=True)
            )
    if values is None:
        raise DataError(f"{name}: expected at least one image.")
    if known is not None and known.windows is not None:
        return Rule(known, values)
    if known is not None or choice.rule == "file":
        window = _as_before(values, name)
    else:
        black_and_white = next(iter(parts.values())).dtype == np.bool_
        window = Window(0, 1) if black_and_white else window_for(values, choice)
    background = rgb_of("white" if preparation.background == "auto" else preparation.background)
    how = Interpretation(windows={values.kind: window}, channels=channels, background=background)
    return Rule(how, values)


def _plain(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype(np.uint8) if dtype == np.bool_ else dtype


def _surveyed(some: NDArray[Any], start: int, name: str) -> Values:
    if some.dtype.kind == "f" and not (finite := np.isfinite(some)).all():
        bad = np.flatnonzero(~finite.all(axis=(1, 2, 3)))
        raise DataError(
            f"{name}: expected finite pixel values, got NaN or infinity; image {start + int(bad[0])} (from 0) is the "
            "first. Remove such images, or fill the holes: np.nan_to_num(images)."
        )
    return survey(some.view(_plain(some.dtype)))


def _as_before(values: Values, name: str) -> Window:
    """The window of version 0.1."""
    if values.low < 0 or values.high > 255:
        raise DataError(
            f"{name}: expected pixel values 0..255 or 0..1, got {values.low:g}..{values.high:g}. "
            '`intensity="auto"` takes any.'
        )
    return Window(0, 1) if values.high <= 1 else FULL["8-bit"]


def images_of(array: NDArray[Any], rule: Rule) -> tuple[Images, int]:
    """A view (N, H, W, C) as images, uint8 (N, H, W, C) with C 1 or 3, and how many samples were clipped.

    Bytes that are pixels already are not copied.
    """
    pixels = array.dtype == np.uint8 and rule.how.window("8-bit") == FULL["8-bit"]
    if pixels and not rule.how.channels and array.shape[-1] != 4:
        return np.require(array, requirements=["C", "W"]), 0
    images = np.empty((*array.shape[:3], depth_of(array, rule)), np.uint8)
    clipped = 0
    for some in blocks(array):
        images[some], more = levels_of(array[some], rule.how)
        clipped += more
    return images, clipped


def depth_of(array: NDArray[Any], rule: Rule) -> int:
    """The channels, 1 or 3, that images of ``array`` have."""
    return len(rule.how.channels) or min(3, array.shape[-1])


def levels_of(some: NDArray[Any], how: Interpretation) -> tuple[Images, int]:
    """What some rows (n, H, W, C) become, uint8 (n, H, W, C), and how many of their samples were clipped."""
    samples = with_channels(np.asarray(some), "images", how.channels)
    samples = samples.view(_plain(samples.dtype))
    window = how.window(kind_of(samples.dtype))
    levels, clipped = to_levels(samples[..., :3] if samples.shape[-1] == 4 else samples, window)
    if samples.shape[-1] == 4:
        alpha = to_levels(samples[..., 3:], FULL["8-bit"] if samples.dtype == np.uint8 else window)[0] / np.float32(255)
        under = np.array(how.background, np.float32)
        levels = np.floor(levels * alpha + under * (1 - alpha) + 0.5).astype(np.uint8)
    return levels, clipped


def as_levels(images: object, how: Interpretation) -> object:
    """Arrays of samples, as the set of a space had them, as grey levels by its rule; all else as it is.

    Samples are of a kind that ``how`` has a window for. Bytes are grey levels already, unless the set was of marks like
    0 and 1, and they are nothing else; and unless they have an alpha channel, or channels to choose from.

    Example:
        >>> as_levels(np.array([[0, 4095]], np.uint16), Interpretation(windows={"16-bit": Window(0, 4095)}))
        array([[  0, 255]], dtype=uint8)
    """
    if not isinstance(images, np.ndarray) or images.dtype.kind not in "uifb" or not images.size:
        return images
    window = (how.windows or {}).get(kind_of(images.dtype))
    if window is None or not np.isfinite(images).all():
        return images
    count = images.shape[-1] if images.ndim == 4 else 1
    chosen = count > max(how.channels, default=count)
    pixels = images.dtype == np.bool_ or (images.dtype == np.uint8 and not _marks(images, window))
    if count in (1, 3) and pixels:
        return images
    return levels_of(images, how)[0] if chosen or count == 4 else to_levels(images, window)[0]


def _marks(images: NDArray[np.uint8], window: Window) -> bool:
    """Whether bytes are marks as ``window`` has them, and not what these become."""
    if window.low != 0 or window.high > MOST_MARKS or images.max() > window.high:
        return False
    become, _ = to_levels(np.arange(int(window.high) + 1, dtype=np.uint8), window)
    return not np.isin(images, become).all()


def rule_notes(rule: Rule, clipped: int, samples: int, channels: int, *, of_space: bool) -> list[str]:
    """What a person should know of how numbers in so many channels became levels, by their own rule or a space's."""
    kind, window = rule.values.kind, rule.how.window(rule.values.kind)
    words = words_of(kind, window, rule.values)
    if of_space:  # no option changes that
        words = f"the space knows {kind} values of {window.low:,g} to {window.high:,g}" if clipped else ""
    if clipped:
        share = f"{clipped / samples:.2%}" if clipped / samples >= 0.0001 else "fewer than 0.01%"
        words = f"{words or f'{rule.values.kind} values'}; {share} lie outside and were clipped"
    notes = [words] if words else []
    if channels == 4 and not rule.how.channels:
        colour = bytes(rule.how.background).hex().upper()
        notes.append(
            f"the last of 4 channels was taken for transparency, over #{colour}; `background` changes that, and "
            "`channels=(1, 2, 3)` leaves it out"
        )
    return notes
