"""Intensity: which value of a picture's samples is black and which is white, by one rule for a whole set."""

from __future__ import annotations

import math
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from morphospace.errors import ArgumentError

__all__ = [
    "FULL",
    "KINDS",
    "MOST_MARKS",
    "IntensityChoice",
    "Kind",
    "Values",
    "Window",
    "kind_of",
    "parse_intensity",
    "survey",
    "to_levels",
    "window_for",
    "words_of",
]

Kind: TypeAlias = Literal["8-bit", "16-bit", "32-bit", "float"]
"""How samples are stored: each kind in a set has a window of its own."""

KINDS: tuple[Kind, ...] = get_args(Kind)


class Window(NamedTuple):
    """The value that becomes black, and the one that becomes white; what lies outside is clipped."""

    low: float
    high: float


FULL: dict[Kind, Window] = {
    "8-bit": Window(0, 255),
    "16-bit": Window(0, 65535),
    "32-bit": Window(0, 2**32 - 1),
    "float": Window(0, 1),
}
"""All that a kind of samples can hold."""

_DEPTHS = (8, 10, 12, 14, 16)  # bits that cameras and scanners have
MOST_MARKS = 31
"""Whole values up to this are labels, or marks; as grey levels of 256 they would be black."""

_ROUNDING = 0.01  # by which values between 0 and 1 are over or under, after resampling
_DRAWN = 4096  # values of one picture that percentiles go by
_NARROW = 0.125  # share of the window; where nearly all values lie in less, it is said


class Values(NamedTuple):
    """What samples of one kind turned out to be.

    Attributes:
        kind: how they are stored.
        low: the least value.
        high: the largest one.
        whole: whether all are whole numbers.
        drawn: some of the values, from all over; what percentiles go by.
    """

    kind: Kind
    low: float
    high: float
    whole: bool
    drawn: NDArray[np.float32] = np.empty(0, np.float32)

    def joined(self, other: Values) -> Values:
        """What the samples of both are."""
        return Values(
            self.kind, min(self.low, other.low), max(self.high, other.high), self.whole and other.whole,
            np.concatenate([self.drawn, other.drawn]),
        )  # fmt: skip


def kind_of(dtype: np.dtype[Any]) -> Kind:
    """The kind of samples of a dtype."""
    if dtype.kind == "f":
        return "float"
    return {1: "8-bit", 2: "16-bit"}.get(dtype.itemsize, "32-bit")  # type: ignore[return-value]


def survey(samples: NDArray[Any], *, drawn: bool = False) -> Values:
    """Look at the samples of one picture, or of several.

    Args:
        samples: numbers of any shape, at least one, all finite.
        drawn: whether to keep some of the values, for percentiles.

    Example:
        >>> survey(np.array([0, 7, 4095], np.uint16))[:4]
        ('16-bit', 0.0, 4095.0, True)
    """
    whole = samples.dtype.kind != "f" or bool((samples == np.floor(samples)).all())
    flat = samples.reshape(-1)
    some = flat[np.linspace(0, len(flat) - 1, min(_DRAWN, len(flat))).astype(np.intp)] if drawn else flat[:0]
    return Values(kind_of(samples.dtype), float(flat.min()), float(flat.max()), whole, some.astype(np.float32))


class IntensityChoice(NamedTuple):
    """What ``intensity`` asks for: ``rule`` and, for "values" and "percentiles", its two numbers."""

    rule: Literal["auto", "full", "file", "values", "percentiles"]
    low: float = 0.0
    high: float = 0.0


def parse_intensity(text: str) -> IntensityChoice:
    """``auto``, ``full``, ``file``, ``LOW:HIGH`` or ``P%:P%`` as a choice.

    Raises:
        ArgumentError: for other words, or numbers of which the second is not the larger.

    Example:
        >>> parse_intensity("100:4000"), parse_intensity("0.5%:99.5%").rule
        (IntensityChoice(rule='values', low=100.0, high=4000.0), 'percentiles')
    """
    if text in ("auto", "full", "file"):
        return IntensityChoice(text)  # type: ignore[arg-type]
    wrong = ArgumentError(
        "expected auto, full, file, two values like 0:4095 or two percentiles like 1%:99%, the smaller "
        f'one first, got "{text}".',
        argument="intensity",
    )
    low, _, high = (part.strip() for part in text.partition(":"))
    percent = low.endswith("%") and high.endswith("%")
    try:
        found = (float(low.rstrip("%")), float(high.rstrip("%"))) if percent else (float(low), float(high))
    except ValueError as error:
        raise wrong from error
    if not np.isfinite(found).all() or found[0] >= found[1] or (percent and not 0 <= found[0] < found[1] <= 100):
        raise wrong
    return IntensityChoice("percentiles" if percent else "values", *found)


def window_for(values: Values, choice: IntensityChoice = IntensityChoice("auto")) -> Window:  # noqa: B008 - it never changes
    """The window for samples like these, of a whole set.

    Auto goes by what the values are: 0 and 1 alone, or whole numbers up to 31, are spread from black to white;
    otherwise 8 bits keep their 0 to 255, more bits use the 8, 10, 12, 14 or 16 of them that are in use, and fractions
    within 0 to 1, -1 to 1 or 0 to 255 have that range. Anything else goes from 0, or the least value where it is
    negative, to the largest.

    Example:
        >>> window_for(survey(np.array([0, 4095], np.uint16)))
        Window(low=0.0, high=4095.0)
        >>> window_for(survey(np.array([0.1, 1.0000001])))
        Window(low=0.0, high=1.0)
    """
    if choice.rule == "values":
        return Window(choice.low, choice.high)
    if choice.rule == "full":
        return FULL[values.kind]
    if choice.rule == "percentiles" and len(values.drawn):
        low, high = (float(v) for v in np.percentile(values.drawn, (choice.low, choice.high)))
        return Window(low, high) if low < high else _by_itself(values)
    return _by_itself(values)


def _by_itself(values: Values) -> Window:
    kind, low, high, whole, _ = values
    if high == low == 0:
        return FULL[kind]
    if whole and low >= 0:
        return Window(0.0, _white_of_whole(kind, high))
    if low >= -_ROUNDING and high <= 1 + _ROUNDING:
        return Window(0.0, 1.0)
    if low >= -1 - _ROUNDING and high <= 1 + _ROUNDING:
        return Window(-1.0, 1.0)
    if low >= 0:
        return Window(0.0, 255.0 if MOST_MARKS < high <= 255.5 else high)
    return Window(low, high if high > low else low + 1)


def _white_of_whole(kind: Kind, high: float) -> float:
    """White where values are whole numbers from 0 to ``high``."""
    if high <= MOST_MARKS:
        return high
    if kind == "8-bit":
        return 255.0
    return next((float(2**bits - 1) for bits in _DEPTHS if high < 2**bits), high)


def words_of(kind: Kind, window: Window, values: Values) -> str:
    """How samples become grey levels, for a person; "" for 8 bits that stay as they are."""
    if kind == "8-bit" and window == FULL[kind]:
        return ""
    low, high = (_number(value, window.high - window.low) for value in window)
    rule = f"{low} is black and {high} is white in all pictures; `intensity` changes that"
    return f"{_what(kind, window, values)}: {rule}{_dim(window, values)}"


def _number(value: float, span: float) -> str:
    """A value with as many digits as tell it from others of its span."""
    digits = 0 if value == round(value) else max(0, 3 - math.floor(math.log10(span or 1)))
    text = f"{round(value, digits) + 0.0:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _what(kind: Kind, window: Window, values: Values) -> str:
    stored = "fractional values" if kind == "float" and not values.whole else f"{kind} values"
    low, high = (_number(value, values.high - values.low) for value in (values.low, values.high))
    span = f"{stored} of {low} to {high}"
    if not values.whole or window.low != 0:
        return span
    if values.low == 0 and values.high == window.high == 1:
        return f"{stored} of 0 and 1 alone, as masks have"
    if values.high == window.high <= MOST_MARKS:
        return f"{span}, as masks of labels have"
    bits = next((bits for bits in _DEPTHS if window.high == 2**bits - 1), None)
    return f"{span}, so {bits} bits are in use" if bits and window.high == _white_of_whole(kind, values.high) else span


def _dim(window: Window, values: Values) -> str:
    """A hint where nearly all values lie in a small part of the window."""
    if not len(values.drawn):
        return ""
    low, high = (min(max(float(v), window.low), window.high) for v in np.percentile(values.drawn, (0.5, 99.5)))
    share = (high - low) / (window.high - window.low)
    return (
        f'; 99% of them lie within {max(share, 0.01):.0%} of that, and `intensity="0.5%:99.5%"` uses it all'
        if share < _NARROW
        else ""
    )


def to_levels(samples: NDArray[Any], window: Window) -> tuple[NDArray[np.uint8], int]:
    """Samples as grey levels, and how many of them were clipped by half a level or more.

    Example:
        >>> levels, clipped = to_levels(np.array([0, 2048, 4095, 5000], np.uint16), Window(0, 4095))
        >>> levels.tolist(), clipped
        ([0, 128, 255, 255], 1)
    """
    if samples.dtype == np.uint8 and window == FULL["8-bit"]:
        return samples, 0
    if samples.dtype == np.uint8:  # by a table of what each of 256 values becomes
        table, _ = to_levels(np.arange(256, dtype=np.uint16), window)
        outside = (np.arange(256) < window.low) | (np.arange(256) > window.high)
        return table[samples], int(np.count_nonzero(outside[samples]))
    scaled = (samples.astype(np.float64) - window.low) / (window.high - window.low) * 255.0
    clipped = int(np.count_nonzero((scaled < -0.5) | (scaled > 255.5)))
    return np.floor(np.clip(scaled, 0.0, 255.0) + 0.5).astype(np.uint8), clipped
