"""How training starts, and starts again."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

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

__all__ = ["choose_recipe", "own_preparation", "preparation_for", "resume_run", "train", "train_run"]

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
        labels: (N,) whole numbers, when ``source`` is images.
        out: the folder to put the run's folder into; None writes nothing.
        seed: of the weights, the batches and the noise.
        latent_dim: the number of latents, instead of the recipe's.
        epochs: passes over the images, instead of the recipe's.
        settings: other keys of the recipe, as ``--set`` takes them.
        device: "auto", "cpu", "cuda", ...
        precision: "auto", "bf16" or "fp32".
        compiled: whether steps go through ``torch.compile``; None where that saves time.
        preparation: how pictures are brought to one form; with ``start``, as that space takes them.
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
    if begin is not None:
        preparation = preparation_for(begin)
    if isinstance(source, (str, Path)):
        dataset = open_dataset(source, preparation)
    elif isinstance(source, Dataset):
        dataset = source
    else:
        dataset = dataset_from_arrays(source, labels)
    chosen = choose_recipe(
        recipe, shape=dataset.shape, start=begin, latent_dim=latent_dim, epochs=epochs, settings=settings
    )
    machine = choose_settings(device=device, precision=precision, compiled=compiled)
    folder = None if out is None else Path(out)
    return train_run(dataset, chosen, out=folder, seed=seed, settings=machine, began=began, start=begin).space


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
    return dataclasses.replace(
        asked, size=(height, width), resize=space.resize, colour="grey" if channels == 1 else "colour"
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
        raise FileError(f"RUN: {RECIPE} of this run is damaged: {error}.") from error
    rest = Preparation(label=asked.label, label_from=asked.label_from, group=asked.group)
    return dataclasses.replace(preparation_for(space, rest), split_by=asked.split_by)


def choose_recipe(
    recipe: str | Recipe,
    *,
    shape: tuple[int, int, int],
    start: Space | None = None,
    latent_dim: int | None = None,
    epochs: int | None = None,
    settings: dict[str, Any] | None = None,
) -> Recipe:
    """A recipe for images of ``shape`` with the user's changes, checked; that of ``start``, gentler, to go on from it.

    Raises:
        ArgumentError: for unknown recipes and keys, and for a network that is not the one of ``start``.
    """
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
    else:
        found = default_recipe(shape) if recipe == "auto" else find_recipe(recipe)
    changes = {key: _text(value) for key, value in (settings or {}).items()}
    if latent_dim is not None:
        changes["latent_dim"] = str(latent_dim)
    if epochs is not None:
        changes["epochs"] = str(epochs)
    chosen = with_settings(found, changes)
    if start is not None:
        for key in _NETWORK:
            if getattr(chosen, key) != getattr(start.recipe, key):
                raise ArgumentError(f"--from: {key} of a trained space cannot change. Leave it out, or train anew.")
    return chosen


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)


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
            source, preparation = data["source"], Preparation.from_json(data["preparation"] or {})
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
