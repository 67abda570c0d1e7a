"""Concepts: named directions with the evidence for them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from morphospace.errors import ArgumentError
from morphospace.latent.evidence import cosine
from morphospace.latent.fields import Field

__all__ = ["AGAINST_TEST_IMAGES", "Concept", "checked_name"]

Points = NDArray[np.float32]
Numbers = NDArray[np.float64]

AGAINST_TEST_IMAGES = "against test images of the space, so that no figure on those is a held-out one"
"""What the source of a concept says where the images that lack it are those that the space was tested on."""

_FEW = 5
_HARD, _UNSTABLE, _SAME = 0.75, 0.9, 0.95


@dataclass(frozen=True, kw_only=True)
class Concept:
    """A named direction: strength 1.0 moves the average negative to the average positive.

    Of a number (a slant, an age) the positives are the images above the median. A boundary's normal is as long as it
    takes to move as far along itself.

    Attributes:
        name: what users call it.
        direction: (d,); where edits follow the field, its average.
        field: what is known from place to place; None where nothing was fitted. It reads a code's value, of yes and no
            the chance (as frequent as among the examples); with the method "local" edits follow it.
        normal: (d,), and ``offset``: the best linear reading, ``normal @ z + offset``: of a number its value, of yes
            and no the log-odds where both are equally frequent. It is what stays where the concept is kept.
        distance: how far strength 1.0 moves the value where edits follow the field, else the linear reading.
        method: how it was learned.
        positives, negatives: how many images of each it was learned from.
        source: which images these were, in words.
        auc: how well the direction tells positives from negatives, 0.5 is chance, 1 always; on held-out
            images if ``held_out``, else on the images it was learned from. None where there was neither.
        auc_interval: where 95 % of AUCs lie when the held-out images are drawn again.
        correlation: of a number, with the place along the direction, on the same images as ``auc``.
        stability: the cosine to this direction of 95 % of the directions learned from other draws of the same
            examples is at least this; 1 is perfectly stable.
        held_out: whether ``auc`` comes from images that the direction was not learned from.
        seed: of what was drawn for its evidence.
        origin: what it is the concept of, as plain JSON: {"label": "6"}, {"attribute": "age"}, {"measure": "slant"}.
    """

    name: str
    direction: Points
    field: Field | None = None
    normal: Points | None = None
    offset: float = 0.0
    distance: float = 0.0
    method: str = "mean-difference"
    positives: int = 0
    negatives: int = 0
    source: str = ""
    auc: float | None = None
    auc_interval: Sequence[float] | None = None
    correlation: float | None = None
    stability: float | None = None
    held_out: bool = False
    seed: int = 0
    origin: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def saw_test_images(self) -> bool:
        """Whether it was learned from test images of its space, as its source says: they are no test of it."""
        return "test images" in self.source

    @property
    def follows(self) -> bool:
        """Whether edits follow the field, rather than one direction."""
        return self.field is not None and self.method.startswith("local")

    @property
    def of_number(self) -> bool:
        """Whether it is of a number, not of yes and no."""
        return self.correlation is not None

    def at(self, z: Numbers) -> tuple[Numbers, Numbers, Numbers]:
        """(N, d) the way of strength 1, (N, d) how the reading changes, (N,) the reading; both in strengths."""
        if self.field is None or not self.follows:
            return self.linear(z)
        slopes, gradients, values = self.field.at(z)
        return slopes * self.distance, gradients / self.distance, values / self.distance

    def linear(self, z: Numbers) -> tuple[Numbers, Numbers, Numbers]:
        """The same of its one direction and its linear reading."""
        direction: Numbers = self.direction.astype(np.float64)
        normal: Numbers = direction if self.normal is None else self.normal.astype(np.float64)
        if normal @ direction <= 0:  # a reading that strength would lower
            normal = direction
        offset = 0.0 if normal is direction else self.offset
        moved = float(normal @ direction)
        normal, offset = normal / moved, offset / moved
        return np.broadcast_to(direction, z.shape), np.broadcast_to(normal, z.shape), z @ normal + offset

    def read(self, z: Points) -> Numbers:
        """What codes (N, d) seem to show: of a number its value, of yes and no the chance; NaN without a field."""
        if self.field is None:
            return np.full(len(z), np.nan)
        reading = self.field.read(z)
        return reading if self.of_number else reading.clip(0, 1)

    def named(self, name: str) -> Concept:
        """The same under another name.

        Raises:
            ArgumentError: for an empty name or one with ``=``.
        """
        return replace(self, name=checked_name(name))

    def warnings(self, others: Mapping[str, Concept] | None = None) -> list[str]:
        """How far not to trust it, in plain words; ``others`` are the space's concepts, which it may repeat."""
        found = []
        if self.positives + self.negatives > 0 and min(self.positives, self.negatives) < _FEW:
            found.append(f"learned from few images ({self.positives} against {self.negatives})")
        if self.auc is not None and self.auc < _HARD:
            found.append(f"hard to tell apart in this space (AUC {self.auc:.2f}; 0.5 is chance)")
        if self.stability is not None and self.stability < _UNSTABLE:
            degrees = np.degrees(np.arccos(np.clip(self.stability, -1, 1)))
            found.append(f"unstable: other examples may turn it by {degrees:.0f} degrees")
        for name, other in (others or {}).items():
            if name != self.name and (same := cosine(self.direction, other.direction)) > _SAME:
                found.append(f'nearly the same as "{name}" (cosine {same:.2f})')
        return found


def checked_name(name: str) -> str:
    """The name, if concepts may have it.

    Raises:
        ArgumentError: for one that is empty or has "=" in it.
    """
    if not name.strip() or "=" in name:
        raise ArgumentError(f'expected a name without "=", got "{name}".', argument="name")
    return name
