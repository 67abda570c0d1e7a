"""What the pictures of a set turn out to be: the span of their samples, their pages, what is transparent."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from morphospace.decoding import Samples
from morphospace.intensity import FULL, Kind, Values, kind_of, survey, window_for

__all__ = ["Tally"]

_NEARLY_WHITE = 0.94  # of white
_MOSTLY = 0.9  # share of what is opaque; white on white shows nothing
_OPAQUE = 128  # alpha


@dataclass
class Tally:
    """What some pictures turned out to be.

    Attributes:
        values: their samples, by kind.
        pictures: how many have samples of a kind.
        samples: how many samples of a kind there are, and ``clipped`` how many of them were clipped.
        clipped_pictures: in how many pictures of a kind.
        further_pages: of files that hold several, and ``stacks`` how many such files there are.
        transparent: pictures that are so in places; ``white`` and ``black``: how many of them are nearly so elsewhere.
        remarks: how many pictures have something else that is unusual.
    """

    values: dict[Kind, Values] = field(default_factory=dict)
    pictures: Counter[Kind] = field(default_factory=Counter)
    samples: Counter[Kind] = field(default_factory=Counter)
    clipped: Counter[Kind] = field(default_factory=Counter)
    clipped_pictures: Counter[Kind] = field(default_factory=Counter)
    further_pages: int = 0
    stacks: int = 0
    transparent: int = 0
    white: int = 0
    black: int = 0
    remarks: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Count in what other pictures turned out to be."""
        for kind, values in other.values.items():
            self.values[kind] = self.values[kind].joined(values) if kind in self.values else values
        for name in ("pictures", "samples", "clipped", "clipped_pictures", "remarks"):
            getattr(self, name).update(getattr(other, name))
        for name in ("further_pages", "stacks", "transparent", "white", "black"):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def with_drawn(self, sample: Tally) -> Tally:
        """The same with the values that were drawn from a sample of these pictures."""
        drawn = {kind: sample.values[kind].drawn for kind in self.values if kind in sample.values}
        values = {kind: found._replace(drawn=drawn.get(kind, found.drawn)) for kind, found in self.values.items()}
        return replace(self, values=values)

    def count(self, samples: Samples, clipped: int = 0, *, drawn: bool = False) -> None:
        """Count in one picture; with ``drawn``, some of its values are kept, for percentiles."""
        kind = kind_of(samples.values.dtype)
        # Nothing widens all that 8 bits can hold, and a hundred thousand small pictures are quick to decode.
        if drawn or kind != "8-bit" or kind not in self.values or self.values[kind][1:3] != FULL[kind]:
            shown = _shown(samples)
            if shown.size:
                values = survey(shown, drawn=drawn)
                if kind == "8-bit" and samples.alpha is not None:  # a drawing, however dark, and no mask
                    values = values._replace(low=FULL[kind].low, high=FULL[kind].high)
                self.values[kind] = self.values[kind].joined(values) if kind in self.values else values
        self.pictures[kind] += 1
        self.samples[kind] += samples.values.size
        if clipped:
            self.clipped[kind] += clipped
            self.clipped_pictures[kind] += 1
        if samples.pages > 1:
            self.stacks += 1
            self.further_pages += samples.pages - 1
        if samples.alpha is not None:
            self.transparent += 1
            dark, bright = _ends(samples)
            self.black += dark
            self.white += bright
        for remark in samples.remarks:
            self.remarks[remark] += 1


def _shown(samples: Samples) -> NDArray[Any]:
    """The samples that are seen: not those of transparent pixels, which may be anything, and of missing ones."""
    if samples.alpha is None and samples.missing is None:
        return samples.values
    seen = np.ones(samples.values.shape[:2], np.bool_) if samples.alpha is None else samples.alpha > 0
    return samples.values[seen if samples.missing is None else seen & ~samples.missing]


def _ends(samples: Samples) -> tuple[bool, bool]:
    """Whether what is opaque is nearly black, nearly everywhere, and whether it is nearly white."""
    shown = samples.values[samples.alpha >= _OPAQUE] if samples.alpha is not None else samples.values
    if not shown.size:
        return False, False
    kind = kind_of(shown.dtype)
    white = FULL[kind].high if kind == "8-bit" else window_for(survey(shown)).high
    dark = (shown.max(-1) <= (1 - _NEARLY_WHITE) * white).mean() >= _MOSTLY
    return bool(dark), bool((shown.min(-1) >= _NEARLY_WHITE * white).mean() >= _MOSTLY)
