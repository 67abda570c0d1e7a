"""How many epochs a training has, where a person says how many minutes it may take."""

from __future__ import annotations

import dataclasses
import math
import re
import time
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

from torch import Tensor

from morphospace.data import Dataset
from morphospace.data.dataset import with_validation
from morphospace.errors import ArgumentError, plural
from morphospace.recipes import Recipe
from morphospace.training import Machine, decide_compilation
from morphospace.workflow.pace import Pace, measured_pace
from morphospace.workflow.run import between_sheets

__all__ = ["check_minutes", "epochs_within", "fitted", "planned", "seconds_of", "took_words"]

_MOST_MINUTES = 100_000
_PLANNED = 0.95  # of the time; the rest is for what is slower than it was measured
_OFF = 0.1  # of the time, by which a training may end earlier or later without a word
_MOST_EPOCHS = 1e9  # of a stage
_HALVINGS = 80  # of what may be between none of them and all
_MINUTE, _HOUR = 60, 3600


def check_minutes(
    minutes: float | None, *, epochs: int | None = None, settings: Mapping[str, Any] | None = None
) -> None:
    """Refuse minutes that are none, and those beside another word on how long training is.

    Raises:
        ArgumentError: for what is no number above 0, up to 100,000; and beside epochs.
    """
    if minutes is None:
        return
    number: object = minutes
    if isinstance(number, bool) or not isinstance(number, Real) or not 0 < float(number) <= _MOST_MINUTES:
        raise ArgumentError(f"expected a number above 0, up to {_MOST_MINUTES:,}, got {number!r}.", argument="minutes")
    said = [] if epochs is None else ["epochs"]
    said += [key for key in settings or () if re.split(r"\.|__", key)[-1] in ("epochs", "min_steps")]
    if said:
        raise ArgumentError(
            f"given together with `{said[0]}`: either decides how long training is. Leave one of them out.",
            argument="minutes",
        )


def fitted(recipe: Recipe, dataset: Dataset) -> Recipe:
    """The recipe as a set gets it: where some of its images choose the epoch, the fewer others are learned from."""
    found = recipe.for_images(len(dataset.train))
    return found.for_fewer(recipe, len(with_validation(dataset)[0])) if found.patience else found


def seconds_of(epochs: Sequence[int], pace: Pace) -> float:
    """How long so many epochs of each stage take, and all around them."""
    total = sum(epochs)
    scored, sheets = (math.ceil(total / every) for every in (pace.every, between_sheets(total, pace.every)))
    steps = sum(count * seconds for count, seconds in zip(epochs, pace.epochs, strict=True))
    return pace.start + steps + scored * pace.score + sheets * pace.sheets + pace.end


def epochs_within(seconds: float, lengths: Sequence[int], pace: Pace) -> tuple[int, ...]:
    """The most epochs of each stage that end in time, in the proportion of their own ``lengths``; 1 of each at least.

    Example:
        >>> pace = Pace(epochs=(2.0,), steps=(50,), start=1, score=1, sheets=0, end=4, every=1)
        >>> epochs_within(65, [17], pace)
        (20,)
    """

    def scaled(share: float) -> tuple[int, ...]:
        return tuple(max(1, math.floor(share * length)) for length in lengths)

    low, high = 0.0, _MOST_EPOCHS / max(lengths)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if seconds_of(scaled(middle), pace) <= seconds:
            low = middle
        else:
            high = middle
    return scaled(low)


def planned(
    dataset: Dataset,
    recipe: Recipe,
    *,
    machine: Machine,
    minutes: float,
    seed: int,
    began: float,
    weights: Mapping[str, Tensor] | None = None,
    kept: bool = True,
) -> tuple[Recipe, Machine, str]:
    """The recipe with as many epochs as end in time, by the measured speed of this machine.

    Args:
        dataset: to train on.
        recipe: before it is fitted to the set. Its stages share the time as their own lengths would.
        machine: that trains; whether it compiles is decided here, where nobody has.
        minutes: from ``began`` to the written bundle.
        seed: of the training.
        began: of ``time.perf_counter()``.
        weights: to start from, instead of fresh ones.
        kept: whether the training leaves a run.

    Returns:
        The recipe, the machine, and what was planned, in words.

    Raises:
        ArgumentError: if the time is too little for one epoch of each stage.
    """
    check_minutes(minutes)
    seconds = 60 * float(minutes)
    sized = fitted(recipe, dataset)
    lengths = [stage.epochs for stage in sized.stages]

    def left() -> float:
        return _PLANNED * seconds - (time.perf_counter() - began)

    def measured(machine: Machine) -> Pace:
        return measured_pace(dataset, sized, machine=machine, seed=seed, seconds=seconds, weights=weights, kept=kept)

    chosen = decide_compilation(machine, 0)
    paces = {chosen: measured(chosen)}
    epochs = epochs_within(left(), lengths, paces[chosen])
    # Its speed is known only once it has been compiled, and then it is compiled again: it must pay for both.
    steps = sum(count * steps for count, steps in zip(epochs, paces[chosen].steps, strict=True))
    if (other := decide_compilation(machine, steps // 2)) != chosen:
        paces[other] = measured(other)
        plans = {one: epochs_within(left(), lengths, pace) for one, pace in paces.items()}
        chosen = max(plans, key=lambda one: sum(plans[one]))
        epochs = plans[chosen]
    pace, spent = paces[chosen], time.perf_counter() - began
    if (least := spent + seconds_of([1] * len(lengths), pace)) > _PLANNED * seconds:
        raise ArgumentError(_too_little(minutes, pace, least), argument="minutes")
    stages = [stage.replace(epochs=n, min_steps=0) for stage, n in zip(recipe.stages, epochs, strict=True)]
    return dataclasses.replace(recipe, stages=tuple(stages)), chosen, _words(minutes, epochs, pace, spent)


def _too_little(minutes: float, pace: Pace, least: float) -> str:
    one = sum(pace.epochs)
    epoch = "one epoch takes" if len(pace.epochs) == 1 else f"one epoch of each of the {len(pace.epochs)} stages takes"
    wanted = least / _PLANNED / _MINUTE
    wanted = math.ceil(20 * wanted) / 20 if wanted < 1 else math.ceil(2 * wanted) / 2
    return (
        f"{minutes:g} is too little here: {epoch} {_span(one)}, and what is around it (measuring the speed, scores, "
        f"sheets, the end) {_span(least - one)}. Give {wanted:g} or more, or say how many epochs: `epochs=1`."
    )


def _words(minutes: float, epochs: Sequence[int], pace: Pace, spent: float) -> str:
    """What was planned, as a person reads it."""
    counts = " and ".join(f"{count:,}" for count in epochs[:-1])
    counts = f"{counts} and {plural(epochs[-1], 'epoch')}" if counts else plural(epochs[-1], "epoch")
    each = " and ".join(_span(seconds) for seconds in pace.epochs)
    steps = sum(count * seconds for count, seconds in zip(epochs, pace.epochs, strict=True))
    between = seconds_of(epochs, pace) - steps - pace.end
    return (
        f"planned {counts} for {minutes:g} min, counted from when the images are ready: {_span(steps)} of steps "
        f"({each} an epoch here), {_span(between)} of scores, sheets and checkpoints, {_span(pace.end)} for the end, "
        f"{_span(spent)} for measuring this, and the rest to spare. The plan stays if the machine gets slower or faster"
    )


def took_words(seconds: float, minutes: float, *, early: bool) -> str | None:
    """What a person should know of how long a planned training took; None where that is about what was given.

    Args:
        seconds: that it took.
        minutes: that it was given.
        early: whether it had enough before its last epoch.
    """
    if abs(seconds / _MINUTE / minutes - 1) <= _OFF:
        return None
    took = f"training took {_span(seconds)} in all, and was given {_span(_MINUTE * minutes)}"
    if early:
        return f"{took}: the score of validation images got no better (`patience=0` goes on to the end)"
    if seconds > _MINUTE * minutes:
        return f"{took}: the machine was slower than when it was measured, by other programs or by heat"
    return f"{took}: no further whole epoch was sure to fit, or the machine was faster than when it was measured"


def _span(seconds: float) -> str:
    """A time as one says it.

    Example:
        >>> _span(0.042), _span(24.3), _span(192), _span(18000)
        ('0.042 s', '24 s', '3.2 min', '5 h')
    """
    for unit, size in (("h", _HOUR), ("min", _MINUTE)):
        if seconds >= 2 * size:
            return f"{seconds / size:.2g} {unit}" if seconds < 10 * size else f"{seconds / size:.0f} {unit}"
    return f"{seconds:.2g} s" if seconds < _MINUTE else f"{seconds:.0f} s"
