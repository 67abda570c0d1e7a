"""How long a training takes on this machine: measured on a copy that is thrown away."""

from __future__ import annotations

import copy
import dataclasses
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from morphospace.data import Dataset, Split
from morphospace.data.dataset import every_key
from morphospace.evenly import evenly_spaced
from morphospace.recipes import Recipe
from morphospace.space import Space
from morphospace.training import Machine, Stepped, save_checkpoint
from morphospace.training.checkpoint import save_weights
from morphospace.training.runs import BEST, CHECKPOINT
from morphospace.training.stages import Stage
from morphospace.workflow.events import Result, ignore
from morphospace.workflow.run import Run

__all__ = ["Pace", "measured_pace"]

_FIRST_STEPS = 3  # of a stage, which compile, record and warm up
_PLACES = 12  # of a stage: some of what is descended grows by its quarters, or begins in its last third
_BLOCKS = 3  # of steps at each place; one where a step is so many times as long as a block need be:
_LONG = 4
_BLOCK_SECONDS, _IMAGES_SECONDS = 0.1, 0.5  # that are enough to tell a speed by; less of a short training:
_BLOCK_SHARE, _IMAGES_SHARE = 1 / 1000, 1 / 100
_FEWEST = 64  # images that a speed is told by
_ENDLESS = 1_000_000  # epochs, so that no measuring meets the end of a stage
_STILL = 1e-8  # a learning rate at which nothing diverges that starts in the middle of a schedule

_FIGURES = {"seconds": 1.0, "setup_seconds": 0.0, "images_per_second": 1.0, "epochs": 1}


class Pace(NamedTuple):
    """What takes how long.

    Attributes:
        epochs: seconds that an epoch of each stage takes.
        steps: how many steps that is.
        start: seconds before the first step, compiling among them.
        score: seconds each time that an epoch is scored and saved.
        sheets: seconds that a pair of sheets takes.
        end: seconds from the last step to the bundle.
        every: every so many epochs one is scored.
    """

    epochs: tuple[float, ...]
    steps: tuple[int, ...]
    start: float
    score: float
    sheets: float
    end: float
    every: int


def measured_pace(
    dataset: Dataset,
    recipe: Recipe,
    *,
    machine: Machine,
    seed: int,
    seconds: float,
    weights: Mapping[str, Tensor] | None = None,
    kept: bool = True,
) -> Pace:
    """How long training takes what.

    Everything that training does is done here for a moment, on a model, stages and files of its own: no weight, seed
    or file of the training itself is touched.

    Args:
        dataset: to train on.
        recipe: as the set gets it (:meth:`Recipe.for_images`).
        machine: that trains; whether it compiles is decided.
        seed: of the training.
        seconds: that the training is to take: a short one is measured less long.
        weights: to start from, instead of fresh ones.
        kept: whether the training leaves a run: sheets, checkpoints, a report and a bundle.
    """
    stages = tuple(
        stage.replace(epochs=_ENDLESS, optimiser=stage.optimiser.replace(learning_rate=_STILL))
        for stage in recipe.stages
    )
    still = dataclasses.replace(recipe, stages=stages)
    with tempfile.TemporaryDirectory(prefix="morphospace-") as folder:
        here = Path(folder) if kept else None
        run = Run(dataset, still, here, seed, machine, "", time.perf_counter(), ignore, weights)
        enough = min(_IMAGES_SECONDS, _IMAGES_SHARE * seconds)
        steps = tuple(len(run.learned) // stage.batch for stage in run.stages)
        each, start = _of_steps(run, min(_BLOCK_SECONDS, _BLOCK_SHARE * seconds))
        test, scored = dataset.test, len(dataset.test) + len(run.validation or ())
        score = _of_images(run.score, test, scored, enough)
        if here is not None:
            start += _of_images(every_key, dataset.train, len(dataset.train), enough)
            score += _best_of_two(lambda: _saved(run, here))
        return Pace(
            epochs=tuple(count * one for count, one in zip(steps, each, strict=True)),
            steps=steps,
            start=start,
            score=score,
            sheets=0.0 if here is None else _best_of_two(run.sheets),
            end=_of_end(run, enough),
            every=run.every,
        )


def _of_steps(run: Run, enough: float) -> tuple[list[float], float]:
    """Seconds of a step of each stage; and those that all stages take to compile theirs."""
    each, compiling = [], 0.0
    try:
        for number, stage in enumerate(run.stages):
            total = stage.epochs * (len(run.learned) // stage.batch)
            medians = []
            for place in range(_PLACES):
                run.trainer.jump(number, (2 * place + 1) * total // (2 * _PLACES))
                first = _FIRST_STEPS if run.machine.compiled or place == 0 else 0
                seconds, median = _of_steps_here(run, stage, first, enough)
                medians.append(median)
                if run.machine.compiled:  # once, or again where a step has grown
                    compiling += max(0.0, seconds - first * median)
            each.append(statistics.mean(medians))
    finally:
        if run.machine.compiled:
            torch.compiler.reset()  # or what was compiled here would count among the kinds of what is compiled next
    return each, compiling


def _of_steps_here(run: Run, stage: Stage, first: int, enough: float) -> tuple[float, float]:
    """Seconds of the ``first`` steps from where the trainer stands; and of one after them, the median of blocks."""
    events = run.trainer.run()
    weight = next(run.model.parameters())

    def take(count: int) -> None:
        for _ in range(count):
            while not isinstance(next(events), Stepped):
                pass
        weight.detach().flatten()[:1].cpu()  # which waits for a device that is still at it

    # Players that do not step every time have all stepped in a block.
    together = max(player.every for player in stage.objective.players(run.model, stage.optimiser))
    before = _seconds(lambda: take(first))
    one = _seconds(lambda: take(together)) / together
    if one >= _LONG * enough:
        return before, one
    count = together * max(1, math.ceil(enough / (one * together)))
    blocks = [one, *(_seconds(lambda: take(count)) / count for _ in range(_BLOCKS - 1))]
    return before, statistics.median(blocks)


def _of_images(act: Callable[[Split], object], split: Split, count: int, enough: float) -> float:
    """Seconds of what is done to ``count`` images like those of ``split``, by as many of them as take long enough."""
    some = min(_FEWEST, len(split))
    act(split.take(evenly_spaced(len(split), some)))  # which loads and warms up
    while True:
        part = split.take(evenly_spaced(len(split), some))
        seconds = _seconds(lambda part=part: act(part))  # type: ignore[misc]
        if some == len(split) or seconds > enough:
            return seconds * count / some
        some = min(4 * some, len(split))


def _saved(run: Run, folder: Path) -> None:
    """Save what a scored epoch saves."""
    save_checkpoint(run.trainer, folder / CHECKPOINT)
    if run.validation is not None:
        save_weights(run.model, folder / BEST)


def _of_end(run: Run, enough: float) -> float:
    """Seconds from the last step to the bundle."""
    found: list[Space] = []

    def judged(test: Split) -> None:
        part = copy.copy(run)
        part.dataset = dataclasses.replace(run.dataset, test=test)
        part.learned = run.learned.take(evenly_spaced(len(run.learned), len(test)))
        found.append(part.judged(_FIGURES)[0])

    test = run.dataset.test
    seconds = _of_images(judged, test, len(test), enough)
    space = found[-1]
    seconds += _of_sampler(run, space, enough)
    if (folder := run.run) is not None:
        result = Result(space, folder, _FIGURES, run.score(test.take(evenly_spaced(len(test), 1))), [])
        seconds += _best_of_two(lambda: run.leave(result, folder))
    return seconds


def _of_sampler(run: Run, space: Space, enough: float) -> float:
    """Seconds of fitting the sampler, to codes drawn at random; and give it to the space."""
    config, learned = run.recipe.sampler, run.learned
    count = min(len(learned), config.most_codes)
    if config.from_prior or count < 2:
        return 0.0
    labels = None if learned.labels is None else learned.labels[evenly_spaced(len(learned), count)]
    codes = np.random.default_rng(run.seed).standard_normal((count, space.latent_dim)).astype(np.float32)
    began = time.perf_counter()
    space.sampler = config.fit(codes, labels, seed=run.seed)
    fitting = time.perf_counter() - began
    return fitting + _of_images(lambda some: space.encode(some.images, some.labels), learned, count, enough)


def _seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _best_of_two(act: Callable[[], object]) -> float:
    """Seconds of ``act``, which loads modules the first time."""
    return min(_seconds(act), _seconds(act))
