"""How the decoder of a trained space goes on alone, so that its pictures become sharper and every code stays."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

from morphospace.builtin import space_path
from morphospace.data import Dataset, open_dataset
from morphospace.data.batches import steps_per_epoch
from morphospace.data.fetch import ProgressCallback, no_progress
from morphospace.errors import ArgumentError, DataError, FileError, MorphospaceError, plural
from morphospace.files import safe_name
from morphospace.parts import GivenParts
from morphospace.recipes import Recipe, polished_recipe, polishing_recipe
from morphospace.space import Space, load
from morphospace.training import Machine, choose_machine, decide_compilation
from morphospace.training.runs import read_run, run_of
from morphospace.vae import ObjectiveConfig
from morphospace.workflow.events import Listener, Result, ignore
from morphospace.workflow.plan import check_minutes, fitted, planned
from morphospace.workflow.resume import opened_again
from morphospace.workflow.run import Run
from morphospace.workflow.start import finished_run, own_preparation, timed, whole_seed

__all__ = ["choose_polish", "minutes_for", "own_dataset", "polish", "polish_run"]

_LOG = logging.getLogger("morphospace")
MINUTES = 7.0
"""That a polish takes where nobody says how long."""

_FEW = 200  # training images
_SMALL = 32  # pixels a side


def polish(
    space: Space | str | Path,
    data: str | Path | Dataset | None = None,
    *,
    minutes: float | None = None,
    epochs: int | None = None,
    features: str | None = None,
    seed: int | None = None,
    out: str | Path | None = None,
    device: str = "auto",
    precision: str = "auto",
    compiled: bool | None = None,
    parts: GivenParts = (),
) -> Space:
    """Let the decoder of a trained space go on under a perceptual distance, its encoder held still.

    Reconstructions and samples become sharper; every code stays what it is to the last bit, and with the codes
    concepts, classes, sampler, reference points and attributes. What sharpness costs is likelihood: its figures are
    renewed, and the card has those of before beside them.

    Args:
        space: the space, or the folder of a run or bundle. It stays as it is.
        data: the set that it was trained on; a run knows where it lies, a bundle only what it is called.
        minutes: in which it is to end; 7 if neither these nor epochs are given.
        epochs: passes over the training images, instead of minutes.
        features: the name of the feature network that tells how far pictures are apart.
        seed: of batches and noise; that of the space if left out.
        out: the folder to put the new run's folder into; None writes nothing.
        device: "auto", "cpu", "cuda", ...
        precision: "auto", "bf16" or "fp32".
        compiled: whether steps go through ``torch.compile``; None where that saves time.
        parts: of other packages that the space was made of, as :func:`morphospace.load` takes them.

    Returns:
        The polished space; ``about["polish"]`` says what was done.

    Raises:
        MorphospaceError: for anything that the caller can mend: another set, a model that does not say which of its
            parts only decode.

    Example:
        >>> from morphospace.workflow import train
        >>> space = train("sprites:count=40,size=8", epochs=1)
        >>> sharper = polish(space, "sprites:count=40,size=8", epochs=1, features="random")
        >>> image = space.sample(1)
        >>> bool((sharper.encode(image).mean == space.encode(image).mean).all())
        True
    """
    began = time.perf_counter()
    minutes = minutes_for(minutes, epochs)
    found = load(space, parts=parts) if isinstance(space, (str, Path)) else space
    folder = space_path(space) if isinstance(space, (str, Path)) else None
    chosen = choose_polish(found, features=features, epochs=epochs)  # before a hundred thousand pictures are prepared
    dataset = own_dataset(found, folder, data, warn=_say)
    machine = choose_machine(device=device, precision=precision, compiled=compiled)
    result = polish_run(
        found, dataset, chosen, out=None if out is None else Path(out), seed=seed, machine=machine, warn=_say,
        began=began, origin=folder, minutes=minutes,
    )  # fmt: skip
    for words in result.warnings:
        _say(words)
    return result.space


def minutes_for(minutes: float | None, epochs: int | None) -> float | None:
    """How long a polish may take; None where epochs decide.

    Raises:
        ArgumentError: for minutes that are none, and for both.
    """
    check_minutes(minutes, epochs=epochs)
    return MINUTES if minutes is None and epochs is None else minutes


def _say(words: str) -> None:
    _LOG.warning("%s", words)


def choose_polish(
    space: Space,
    *,
    objective: ObjectiveConfig | None = None,
    features: str | None = None,
    epochs: int | None = None,
) -> Recipe:
    """The polish of ``space``, as a recipe of one stage.

    Args:
        space: to polish.
        objective: what to descend instead of the perceptual distance.
        features: see :func:`polish`.
        epochs: see :func:`polish`.

    Raises:
        ArgumentError: for a model of which it is not known what only decodes, or an objective that cannot train it.
        FileError: for a feature network whose weights are not on this machine.
    """
    decoding = space.model.decoding
    if not any(name.startswith(decoding) for name, _ in space.model.named_parameters()):
        raise ArgumentError(
            "polishing trains what only decodes and holds the rest still, so that codes stay; the model of this space, "
            f"{type(space.model).__name__}, does not say which of its weights these are. Give its class a property "
            '`decoding`, the beginnings of their names, like ("decoder.",).',
            argument="space",
        )
    recipe = polishing_recipe(space.recipe, decoding, objective=objective, features=features, epochs=epochs)
    recipe.check_here()
    return recipe


def own_dataset(
    space: Space,
    folder: Path | None,
    data: str | Path | Dataset | None,
    *,
    warn: Callable[[str], None] = ignore,
    progress: ProgressCallback = no_progress,
) -> Dataset:
    """The very set that a space was trained on.

    Args:
        space: with the fingerprint of its set.
        folder: of its run or bundle; None for a space in memory.
        data: where the set lies, or the set; None for where the run found it, or what the set is called.
        warn: told what a person should know.
        progress: told about downloads and preparation.

    Raises:
        ArgumentError: for no ``data`` and a space that does not know its own.
        FileError: if it is not there.
        DataError: if it is another one.
    """
    run = None if folder is None else run_of(folder)
    if run is not None and not isinstance(data, Dataset):
        return opened_again(run, read_run(run), data, warn, progress, verb="polish")
    own = space.about.get("data", {})
    dataset = data if isinstance(data, Dataset) else _opened(space, str(own.get("name", "")), data, progress)
    known = [(own.get("fingerprint"), dataset.fingerprint), (own.get("content"), dataset.content)]
    known = [(expected, found) for expected, found in known if expected]
    if not known:
        warn(
            f"this space does not know what it was trained on: that it was {dataset.name} is taken on trust, and "
            "figures of test images that it learned from flatter it"
        )
    elif not any(expected == found for expected, found in known):
        raise DataError(
            f'"{dataset.name}" is not what this space was trained on, "{own.get("name", "unknown")}": its fingerprint '
            f"is {dataset.fingerprint[:16]}, expected {known[0][0][:16]}. A decoder that goes on with other images "
            "would draw these. Name the set that it was trained on.",
            argument="data",
        )
    return dataset


def _opened(space: Space, name: str, data: str | Path | None, progress: ProgressCallback) -> Dataset:
    """The set that somebody names, else the one that a space calls its own."""
    if data is None and not name:
        raise ArgumentError(
            "this space does not know what it was trained on, and a decoder goes on with these images. Name them: "
            "morpho polish SPACE --data DATA",
            argument="data",
        )
    try:
        return open_dataset(data or name, own_preparation(space, None), progress=progress)
    except MorphospaceError as error:
        if data is not None:
            raise
        raise FileError(
            f'this space was trained on "{name}", and knows no more of where that lies: {error} Say where: '
            "morpho polish SPACE --data DATA",
            argument="data",
        ) from error


def polish_run(
    space: Space,
    dataset: Dataset,
    recipe: Recipe,
    *,
    out: Path | None,
    machine: Machine,
    seed: int | None = None,
    command: str = "",
    listen: Listener = ignore,
    warn: Callable[[str], None] = ignore,
    began: float | None = None,
    origin: Path | None = None,
    minutes: float | None = None,
) -> Result:
    """Polish ``space`` by ``recipe`` of :func:`choose_polish`; with ``out``, in a new run folder there.

    Args:
        space: to go on from; it stays as it is.
        dataset: what it was trained on.
        recipe: of one stage.
        out: the folder for the run's folder.
        machine: that trains.
        seed: of batches and noise; that of the space if left out.
        command: as it was typed.
        listen: told what happens.
        warn: told what a person should know before it begins.
        began: when set-up did, of ``time.perf_counter()``.
        origin: the folder of ``space``, for the run to remember.
        minutes: in which it is to end, from the call on: see :func:`morphospace.workflow.plan.planned`.
    """
    called = time.perf_counter()
    seed = whole_seed(space.about.get("seed", 0) if seed is None else seed)
    if space.shape != dataset.shape:
        raise DataError(f"it takes images of {space.shape}, the set has {dataset.shape}.", argument="space")
    for words in _cautions(dataset):
        warn(words)
    if minutes is not None:
        recipe, machine, words = planned(
            dataset, recipe, machine=machine, minutes=minutes, seed=seed, began=called,
            weights=space.model.state_dict(), kept=out is not None,
        )  # fmt: skip
        warn(words)
    recipe = fitted(recipe, dataset)
    (stage,) = recipe.stages
    machine = decide_compilation(machine, stage.epochs * steps_per_epoch(len(dataset.train), stage.batch))
    if out is not None:
        warn(
            f"{origin or 'the space'} stays as it is, and a new run in {out} gets the polished space: its encoder is "
            f"held still, what only decodes goes on for {plural(stage.epochs, 'epoch')}"
        )
    recipe = polished_recipe(space.recipe, recipe, space.about.get("train", {}).get("epochs"))
    more = {"start": {key: space.about.get(key) for key in ("data", "seed", "command")}}
    training = Run(
        dataset, recipe, None, seed, machine, command, called if began is None else began, listen, None, more, (), space
    )
    name = f"{safe_name(dataset.name)}-{recipe.name}-polished"
    result = finished_run(training, out, name, {**more, "polishes": str(origin or "SPACE")})
    return result if minutes is None else timed(result, minutes, time.perf_counter() - called)


def _cautions(dataset: Dataset) -> list[str]:
    """What a person should know of polishing with such pictures."""
    count, (height, width, channels) = len(dataset.train), dataset.shape
    found = []
    if count < _FEW:
        found.append(
            f"{count:,} training images are few: a decoder that goes on soon draws them from memory, so a tenth of "
            "them chooses the best epoch instead of being learned from"
        )
    if channels == 1 or min(height, width) < _SMALL:
        found.append(
            f"feature networks are made for colour photographs from {_SMALL} pixels on, and these pictures are {width}x"
            f"{height} {'grey' if channels == 1 else 'colour'}: compare the reports before you keep the polished space"
        )
    return found
