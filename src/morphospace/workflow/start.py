"""How training starts."""

from __future__ import annotations

import dataclasses
import functools
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from morphospace._version import __version__
from morphospace.data import Dataset, Preparation, dataset_from_arrays, open_dataset
from morphospace.data.batches import steps_per_epoch
from morphospace.data.prepare import reshaped
from morphospace.errors import ArgumentError, DataError, FileError
from morphospace.files import safe_name
from morphospace.recipes import Recipe, recipe_notes
from morphospace.space import Space, load
from morphospace.training import Machine, choose_machine, decide_compilation
from morphospace.training.runs import RECIPE, create_run, locked
from morphospace.vae import Generative
from morphospace.workflow.choosing import choose_recipe, epochs_note
from morphospace.workflow.events import Listener, Result, ignore
from morphospace.workflow.plan import check_minutes, fitted, planned, took_words
from morphospace.workflow.run import Run, about_data

__all__ = ["own_preparation", "preparation_for", "train", "train_run", "whole_seed"]

_LOG = logging.getLogger("morphospace")

_LARGEST_SEED = (1 << 63) - 1


def train(
    source: object,
    recipe: str | Recipe = "auto",
    *,
    labels: Any = None,
    out: str | Path | None = None,
    seed: int = 0,
    latent_dim: int | None = None,
    epochs: int | None = None,
    minutes: float | None = None,
    settings: dict[str, Any] | None = None,
    model: Generative | None = None,
    device: str = "auto",
    precision: str = "auto",
    compiled: bool | None = None,
    preparation: Preparation | None = None,
    start: Space | str | Path | None = None,
) -> Space:
    """Train a space.

    Args:
        source: what :func:`open_dataset` takes (the name of a set, a folder of pictures, a file of arrays), a
            ``Dataset``, or images: uint8 (N, H, W[, C]), a tenth of which is held out as a test.
        recipe: a name from ``morpho recipes``, or a recipe; "auto" is "quick" for small grey images, "photo" for colour
            ones of 32 pixels a side or more where ``morphospace[features]`` is installed, else "conv".
        labels: (N,) whole numbers, when ``source`` is images; sets bring their own.
        out: the folder to put the run's folder into; None writes nothing.
        seed: of the weights, the batches and the noise.
        latent_dim: the number of latents, instead of the recipe's.
        epochs: passes over the images, instead of the recipe's.
        minutes: to train as many epochs as end in so many minutes, by this machine's measured speed, instead of
            ``epochs``. They count from when the images are ready, until all is written.
        settings: other keys of the recipe, as ``--set`` takes them.
        model: one of your own instead of the recipe's; the recipe's stages train it.
        device: "auto", "cpu", "cuda", ...
        precision: "auto", "bf16" or "fp32".
        compiled: whether steps go through ``torch.compile``; None where that saves time.
        preparation: how files and arrays are brought to one form; with ``start`` its space decides on that.
        start: a space to go on from, with new images or a new schedule, instead of fresh weights.

    What was decided for you, left out or found wanting is said through the logger "morphospace", which shows it unless
    told otherwise. What is called ``--intensity`` there is ``Preparation(intensity=...)`` here.

    Returns:
        The trained space; its test figures are in ``space.about["test"]``.

    Raises:
        MorphospaceError: for anything that the caller can mend.

    Example:
        >>> space = train("digits", epochs=1)
        >>> space.sample(3).shape
        (3, 8, 8, 1)
    """
    began = time.perf_counter()
    begin = load(start) if isinstance(start, (str, Path)) else start
    check_minutes(minutes, epochs=epochs, settings=settings)
    wished = functools.partial(
        choose_recipe, recipe, start=begin, latent_dim=latent_dim, epochs=epochs, settings=settings, model=model
    )
    wished(shape=None)  # what cannot be is found before a hundred thousand pictures are prepared
    dataset = _opened(source, labels, preparation, begin)
    chosen = wished(shape=dataset.shape)
    machine = choose_machine(device=device, precision=precision, compiled=compiled)
    folder = None if out is None else Path(out)
    if count := len(dataset.problems):
        were = "1 file was" if count == 1 else f"{count:,} files were"
        _say([f"{were} left out; the first is {dataset.problems[0].name}: {dataset.problems[0].reason}"])
    said = recipe_notes(chosen, dataset.shape, auto=recipe == "auto" and begin is None)
    _say([*dataset.notes, *epochs_note(chosen, epochs), *said])
    result = train_run(
        dataset,
        chosen,
        out=folder,
        seed=seed,
        machine=machine,
        began=began,
        start=begin,
        minutes=minutes,
        warn=_say_one,
    )
    _say(result.warnings)
    return result.space


def _say(notes: Sequence[str]) -> None:
    for words in notes:
        _say_one(words)


def _say_one(words: str) -> None:
    _LOG.warning("%s", words)


def _opened(source: object, labels: Any, preparation: Preparation | None, begin: Space | None) -> Dataset:
    """The set that ``train`` was given in one of its forms; what another form takes is refused, not passed over."""
    brings_labels = isinstance(source, (str, Path, Dataset))
    if labels is not None and brings_labels:
        what = f'the set "{source.name if isinstance(source, Dataset) else source}"'
        raise ArgumentError(
            f"labels: {what} brings its own labels; these are for images in memory. Leave them out, or pass the images "
            "themselves: ms.train(dataset.train.images, labels=labels)."
        )
    wanted = preparation if begin is None else preparation_for(begin, preparation)
    if isinstance(source, (str, Path)):
        return open_dataset(source, wanted)
    if not isinstance(source, Dataset):
        return reshaped(dataset_from_arrays(source, labels, preparation=wanted), wanted or Preparation())
    if preparation is not None:
        raise ArgumentError(
            "preparation: a Dataset has its form already; this is for files and arrays. Leave it out, or open them "
            "with it: ms.open_dataset(path, preparation)."
        )
    return source


_OF_THE_SPACE = ("size", "resize", "colour", "intensity", "channels", "frames", "background", "truncated")


def preparation_for(space: Space, asked: Preparation | None = None) -> Preparation:
    """How pictures are prepared for a space that exists already.

    Args:
        space: decides the form of images.
        asked: has the rest: what is refused, and where labels and groups come from.

    Raises:
        ArgumentError: if ``asked`` is for another form.
    """
    height, width, channels = space.shape
    asked = asked or Preparation()
    for key in _OF_THE_SPACE:
        if getattr(asked, key) != getattr(Preparation(), key):
            raise ArgumentError(f"the space decides the {key} of images. Leave it out.", argument=key)
    # A space of version 0.1 does not say, and its sets were split by what their prepared images were.
    known = "interpretation" in space.about.get("data", {})
    return dataclasses.replace(
        asked,
        size=(height, width),
        resize=space.resize,
        colour="grey" if channels == 1 else "colour",
        interpretation=space.interpretation,
        split_by="source" if known else "pixels",
    )


def own_preparation(space: Space, run: Mapping[str, Any] | None) -> Preparation:
    """How the set that ``space`` was trained on was prepared: its labels, groups and split are found as they were.

    Args:
        space: decides the form of images.
        run: what :func:`morphospace.training.runs.run_data` says; None for a bundle alone.

    Raises:
        FileError: if the run's description is damaged.
    """
    if run is None:  # it knows of its set no more than how it was split
        by_files = "content" in space.about.get("data", {})
        return dataclasses.replace(preparation_for(space), split_by="source" if by_files else "pixels")
    try:
        asked = Preparation.from_json(run.get("preparation") or {})
    except (TypeError, ValueError) as error:
        raise FileError(f"{RECIPE} of this run is damaged: {error}.", argument="run") from error
    rest = Preparation(label=asked.label, label_from=asked.label_from, group=asked.group)
    return dataclasses.replace(preparation_for(space, rest), split_by=asked.split_by)


def whole_seed(seed: object) -> int:
    """A seed that somebody gives, if it is one.

    Raises:
        ArgumentError: if not.
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed <= _LARGEST_SEED:
        raise ArgumentError(f"expected a whole number from 0 to {_LARGEST_SEED}, got {seed!r}.", argument="seed")
    return int(seed)


def train_run(
    dataset: Dataset,
    recipe: Recipe,
    *,
    out: Path | None,
    seed: int,
    machine: Machine,
    command: str = "",
    listen: Listener = ignore,
    began: float | None = None,
    start: Space | None = None,
    minutes: float | None = None,
    warn: Callable[[str], None] = ignore,
) -> Result:
    """Train ``recipe`` on ``dataset``; with ``out``, in a new run folder there.

    Args:
        dataset: to train on.
        recipe: before it is fitted to the set.
        out: the folder for the run's folder; None writes nothing.
        seed: of everything random.
        machine: that trains.
        command: as it was typed.
        listen: told what happens.
        began: when set-up did, of ``time.perf_counter()``; the call by default.
        start: a space whose weights training starts from.
        minutes: in which training is to end, from the call on: see :func:`morphospace.workflow.plan.planned`. What is
            planned is stored with the run, which therefore resumes as any other.
        warn: told what a person should know before training.
    """
    called = time.perf_counter()
    seed = whole_seed(seed)
    # Before anything is on disk: what cannot be built leaves nothing.
    weights, more = None, {}
    if start is not None:
        if start.shape != dataset.shape:
            raise DataError(f"it takes images of {start.shape}, the set has {dataset.shape}.", argument="start")
        weights = start.model.state_dict()
        more = {"start": {key: start.about.get(key) for key in ("data", "seed", "command")}}
    if minutes is not None:
        recipe, machine, words = planned(
            dataset, recipe, machine=machine, minutes=minutes, seed=seed, began=called, weights=weights,
            kept=out is not None,
        )  # fmt: skip
        warn(words)
    recipe = fitted(recipe, dataset)
    steps = sum(stage.epochs * steps_per_epoch(len(dataset.train), stage.batch) for stage in recipe.stages)
    machine = decide_compilation(machine, steps)
    training = Run(
        dataset, recipe, None, seed, machine, command, called if began is None else began, listen, weights, more
    )
    result = finished_run(training, out, f"{safe_name(dataset.name)}-{recipe.name}", more)
    return result if minutes is None else timed(result, minutes, time.perf_counter() - called)


def finished_run(training: Run, out: Path | None, name: str, more: Mapping[str, Any]) -> Result:
    """What a training gives; with ``out``, in a new run folder ``0001-name`` there, which remembers ``more``."""
    if out is None:
        return training.finish()
    dataset = training.dataset
    description = {
        "recipe": training.recipe.to_json(),
        "seed": training.seed,
        # Unlike the bundle, the run knows where its images lie: it must find them to resume.
        "data": about_data(dataset) | {"source": dataset.source, "preparation": dataset.preparation.get("asked")},
        "machine": dataclasses.asdict(training.machine),
        "command": training.command,
        "morphospace": __version__,
        **more,
    }
    training.run = create_run(out, name, description)
    with locked(training.run):
        return training.finish()


def timed(result: Result, minutes: float, seconds: float) -> Result:
    """The result of a training that was given ``minutes``, with a word where it took more or less than these."""
    took = took_words(seconds, minutes, early=result.train["epochs"] < result.space.recipe.epochs)
    return dataclasses.replace(result, warnings=[*result.warnings, *([took] if took else [])])
