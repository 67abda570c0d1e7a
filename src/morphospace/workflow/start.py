"""How training starts, and starts again."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from morphospace._version import __version__
from morphospace.data import Dataset, Preparation, dataset_from_arrays, open_dataset
from morphospace.data.batches import steps_per_epoch
from morphospace.data.dataset import with_validation
from morphospace.data.fetch import Progress, no_progress
from morphospace.errors import ArgumentError, DataError, FileError
from morphospace.files import safe_name
from morphospace.recipes import RECIPES, Recipe, default_recipe, find_recipe, recipe_from_json, with_settings
from morphospace.space import Space, load
from morphospace.training import Settings, choose_settings, settled
from morphospace.training.runs import CHECKPOINT, RECIPE, SPACE, create_run, locked, read_run
from morphospace.workflow.events import Listener, Result, deaf
from morphospace.workflow.run import Run, about_data

__all__ = ["choose_recipe", "preparation_for", "resume_run", "train", "train_run"]

_SMALL_GREY, _COLOUR = (8, 8, 1), (64, 64, 3)
_LARGEST_SEED = (1 << 63) - 1
_GENTLER = 0.3  # times the learning rate, where weights are good already
_NETWORK = (  # what weights depend on
    "network", "latent_dim", "encoder_widths", "decoder_widths", "blocks", "fourier", "posterior", "likelihood",
)  # fmt: skip


def train(
    source: object,
    recipe: str | Recipe = "auto",
    *,
    labels: Any = None,
    out: str | Path | None = None,
    seed: int = 0,
    latent_dim: int | None = None,
    epochs: int | None = None,
    settings: dict[str, Any] | None = None,
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
        recipe: a name from ``morpho recipes``, or a recipe; "auto" is "quick" for small grey images, else "conv".
        labels: (N,) whole numbers, when ``source`` is images; sets bring their own.
        out: the folder to put the run's folder into; None writes nothing.
        seed: of the weights, the batches and the noise.
        latent_dim: the number of latents, instead of the recipe's.
        epochs: passes over the images, instead of the recipe's.
        settings: other keys of the recipe, as ``--set`` takes them.
        device: "auto", "cpu", "cuda", ...
        precision: "auto", "bf16" or "fp32".
        compiled: whether steps go through ``torch.compile``; None where that saves time.
        preparation: how pictures in files are brought to one form; with ``start`` its space decides on that.
        start: a space to go on from, with new images or a new schedule, instead of fresh weights.

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
    dataset = _opened(source, labels, preparation, begin)
    chosen = choose_recipe(
        recipe, shape=dataset.shape, start=begin, latent_dim=latent_dim, epochs=epochs, settings=settings
    )
    machine = choose_settings(device=device, precision=precision, compiled=compiled)
    folder = None if out is None else Path(out)
    return train_run(dataset, chosen, out=folder, seed=seed, settings=machine, began=began, start=begin).space


def _opened(source: object, labels: Any, preparation: Preparation | None, begin: Space | None) -> Dataset:
    """The set that ``train`` was given in one of its forms; what another form takes is refused, not passed over."""
    brings_labels = isinstance(source, (str, Path, Dataset))
    if labels is not None and brings_labels:
        what = f'the set "{source.name if isinstance(source, Dataset) else source}"'
        raise ArgumentError(
            f"labels: {what} brings its own labels; these are for images in memory. Leave them out, or pass the images "
            "themselves: ms.train(dataset.train.images, labels=labels)."
        )
    if isinstance(source, (str, Path)):
        return open_dataset(source, preparation if begin is None else preparation_for(begin, preparation))
    if preparation is not None:
        what = "a Dataset" if isinstance(source, Dataset) else "an array"
        raise ArgumentError(
            f"preparation: {what} has its form already; this is for pictures in files. Leave it out, or open the files "
            "with it: ms.open_dataset(path, preparation)."
        )
    return source if isinstance(source, Dataset) else dataset_from_arrays(source, labels)


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
            raise ArgumentError(f"--from: the space decides the {key} of images. Leave --{key} out.")
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


def choose_recipe(
    recipe: str | Recipe,
    *,
    shape: tuple[int, int, int] | None,
    start: Space | None = None,
    latent_dim: int | None = None,
    epochs: int | None = None,
    settings: dict[str, Any] | None = None,
) -> Recipe:
    """A recipe for images of ``shape`` with the user's changes, checked; that of ``start``, gentler, to go on from it.

    Where the shape is not known yet (None), what "auto" may turn out to be is tried: only what fits none is refused.

    Raises:
        ArgumentError: for unknown recipes and keys, keys that the recipe has no use for, and a network that is not the
            one of ``start``.
    """
    if not isinstance(recipe, (str, Recipe)):
        raise ArgumentError(f"recipe: expected a name or a Recipe, got {type(recipe).__name__}.")
    if settings is not None and not isinstance(settings, Mapping):
        raise ArgumentError(f'settings: expected a mapping like {{"beta": 0.5}}, got {type(settings).__name__}.')
    if start is not None:
        if recipe != "auto":
            raise ArgumentError("--recipe: a space that training starts from keeps its own. Leave the recipe out.")
        own = find_recipe(start.recipe.name) if start.recipe.name in RECIPES else start.recipe
        again = ("augment", "patience", "batch", "least_batch", "epochs", "min_steps")
        found = dataclasses.replace(
            start.recipe,
            **{key: getattr(own, key) for key in again},
            learning_rate=own.learning_rate * _GENTLER, anneal=0.0, warm_up=min(own.warm_up, 0.05),
        )  # fmt: skip
    elif isinstance(recipe, Recipe):
        found = recipe
    elif recipe != "auto":
        found = find_recipe(recipe)
    else:
        found = default_recipe(_SMALL_GREY if shape is None else shape)
    changes = {key: _text(value) for key, value in (settings or {}).items()}
    for key, value in (("latent_dim", latent_dim), ("epochs", epochs)):
        if value is not None:
            if key in changes:
                raise ArgumentError(f"--{key.replace('_', '-')}: given twice, as {value} and by --set {key}.")
            changes[key] = str(value)
    try:
        chosen = with_settings(found, changes)
    except ArgumentError:
        if shape is not None or recipe != "auto" or start is not None:
            raise
        with suppress(ArgumentError):
            return with_settings(default_recipe(_COLOUR), changes)
        raise
    if start is not None:
        for key in _NETWORK:
            if getattr(chosen, key) != getattr(start.recipe, key):
                raise ArgumentError(f"--from: {key} of a trained space cannot change. Leave it out, or train anew.")
    return chosen


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)


def _whole_seed(seed: object) -> int:
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed <= _LARGEST_SEED:
        raise ArgumentError(f"--seed: expected a whole number from 0 to {_LARGEST_SEED}, got {seed!r}.")
    return int(seed)


def train_run(
    dataset: Dataset,
    recipe: Recipe,
    *,
    out: Path | None,
    seed: int,
    settings: Settings,
    command: str = "",
    listen: Listener = deaf,
    began: float | None = None,
    start: Space | None = None,
) -> Result:
    """Train ``recipe`` on ``dataset``, from the weights of ``start`` if given; with ``out``, in a new run folder there.

    Set-up is counted from ``began`` (of ``time.perf_counter()``), or from the call.
    """
    began = time.perf_counter() if began is None else began
    seed = _whole_seed(seed)
    wanted, recipe = recipe, recipe.fitted(len(dataset.train))
    if recipe.patience:  # some of the images will choose the epoch instead of being learned from
        learned = len(with_validation(dataset)[0])
        batch = min(recipe.batch, learned)
        recipe = dataclasses.replace(recipe, batch=batch, epochs=wanted.epochs_of(learned, batch))
    settings = settled(settings, recipe.epochs * steps_per_epoch(len(dataset.train), recipe.batch))
    # Before anything is on disk: what cannot be built leaves nothing.
    weights, more = None, {}
    if start is not None:
        if start.shape != dataset.shape:
            raise DataError(f"--from: the space takes images of {start.shape}, the set has {dataset.shape}.")
        weights = start.model.state_dict()
        more = {"start": {key: start.about.get(key) for key in ("data", "seed", "command")}}
    training = Run(dataset, recipe, None, seed, settings, command, began, listen, weights, more)
    if out is None:
        return training.finish()
    description = {
        "recipe": recipe.to_json(),
        "seed": seed,
        # Unlike the bundle, the run knows where its images lie: it must find them to resume.
        "data": about_data(dataset) | {"source": dataset.source, "preparation": dataset.preparation.get("asked")},
        "machine": dataclasses.asdict(settings),
        "command": command,
        "morphospace": __version__,
        **more,
    }
    training.run = create_run(out, f"{safe_name(dataset.name)}-{recipe.name}", description)
    with locked(training.run):
        return training.finish()


def resume_run(
    run: Path,
    *,
    listen: Listener = deaf,
    warn: Callable[[str], None] = deaf,
    progress: Progress = no_progress,
) -> Result:
    """Finish an interrupted run with what it was started with.

    Raises:
        FileError: if it is no run, has finished, or its data have changed.
        RunBusyError: if another process trains it.
    """
    began = time.perf_counter()
    description = read_run(run)
    with locked(run):
        if (run / SPACE / "config.json").is_file():
            raise FileError(f"RUN: {run} has finished already. Look at it: morpho info {run}")
        try:
            recipe = recipe_from_json(description["recipe"])
            data, seed = description["data"], int(description["seed"])
            stored = Settings(**description["machine"])
            source, asked = data["source"], data["preparation"]
            preparation = None if asked is None else Preparation.from_json(asked)
        except (KeyError, TypeError, ValueError) as error:
            raise FileError(f"RUN: {run / RECIPE} is damaged: {error}.") from error
        if not source:
            raise FileError(f"RUN: {run} was trained on images in memory, which are gone. Call ms.train again.")
        dataset = open_dataset(source, preparation, progress=progress)
        if dataset.fingerprint != data["fingerprint"]:
            raise FileError(
                f'RUN: the data set "{data["name"]}" ({source}) is not what {run} was trained on '
                f"(fingerprint {dataset.fingerprint[:12]}, expected {data['fingerprint'][:12]})."
            )
        now = choose_settings(
            device=stored.device, precision=stored.precision, compiled=stored.compiled, threads=stored.threads
        )
        if found := stored.differences(now):
            warn(f"the last bits may differ from an uninterrupted run: {'; '.join(found)}")
        more = {"start": description["start"]} if "start" in description else {}
        if more and not (run / CHECKPOINT).is_file():
            raise FileError(
                f"RUN: {run} stopped before its first checkpoint, and the weights that it was to start from are not "
                "in it. Start it again: morpho train DATA --from SPACE"
            )
        return Run(dataset, recipe, run, seed, now, description["command"], began, listen, None, more).finish()
