"""What a display is told while a run goes on, and what the run gives in the end."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

from morphospace.data import Dataset
from morphospace.data.folder import Problem
from morphospace.errors import MorphospaceError
from morphospace.evaluate import TestFigures
from morphospace.recipes import Recipe
from morphospace.space import Space
from morphospace.training import EpochEnded, Event, Machine
from morphospace.training.runs import SPACE

__all__ = ["Interrupted", "Listener", "Result", "Started", "Validated", "ignore"]


class Interrupted(MorphospaceError):  # noqa: N818 - it is no failure of the user's
    """Ctrl-C: training was saved, and can go on."""

    exit_code = 130


@dataclasses.dataclass(frozen=True)
class Started:
    """Training begins: what a display shows first."""

    recipe: Recipe
    dataset: Dataset
    learned: int  # images; the rest of the training images choose the best epoch
    parameters: int
    machine: Machine
    run: Path | None
    epochs: int
    epochs_done: int
    beta: float


@dataclasses.dataclass(frozen=True)
class Validated:
    """An epoch ended and was scored on the test images, and on the validation images where the best is chosen."""

    ended: EpochEnded
    epoch: int
    epochs: int
    test: TestFigures
    validation: TestFigures | None = None


@dataclasses.dataclass(frozen=True)
class Result:
    """What training gave."""

    space: Space
    run: Path | None
    train: dict[str, Any]
    test: TestFigures
    warnings: list[str]
    problems: tuple[Problem, ...] = ()  # files that were left out of the set

    def to_json(self) -> dict[str, Any]:
        """As ``morpho train --json`` prints it."""
        return {
            "run": str(self.run) if self.run else None,
            "space": str(self.run / SPACE) if self.run else None,
            "parameters": self.space.parameters,
            "seed": self.space.about["seed"],
            "train": self.train,
            "test": self.test.to_json(),
            "warnings": self.warnings,
            "problems": [problem._asdict() for problem in self.problems],
        }


Listener = Callable[[Event | Started | Validated], None]
"""Told what happens while training runs."""


def ignore(event: object) -> None:
    """Listen to nothing."""
    del event
