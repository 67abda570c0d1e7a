"""What a training tells of as it goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["EpochEnded", "Event", "Stepped", "Stopped"]


@dataclass(frozen=True)
class Stepped:
    """A step was taken: ``step`` of ``steps`` of this epoch are done."""

    stage: int
    epoch: int
    step: int
    steps: int


@dataclass(frozen=True)
class EpochEnded:
    """An epoch ended: the mean of each loss part over its images, in nats, and its speed."""

    stage: int
    epoch: int
    losses: dict[str, float]
    seconds: float
    images_per_second: float


@dataclass(frozen=True)
class Stopped:
    """Training stopped because it was asked to, after a whole step."""

    stage: int
    epoch: int
    step: int


Event: TypeAlias = Stepped | EpochEnded | Stopped
