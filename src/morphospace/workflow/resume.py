"""How an interrupted training is finished, and how a finished one goes on."""

from __future__ import annotations

import dataclasses
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from morphospace._version import __version__
from morphospace.data import Dataset, Preparation, open_dataset
from morphospace.data.fetch import ProgressCallback, no_progress
from morphospace.errors import ArgumentError, FileError, MissingPartError, MorphospaceError
from morphospace.files import read_bytes, read_json, write_bytes, write_json
from morphospace.parts import GivenParts, foreign_parts
from morphospace.recipes import Recipe, recipe_from_json
from morphospace.space import load
from morphospace.training import Machine, choose_machine
from morphospace.training.runs import BEST, CHECKPOINT, METRICS, RECIPE, SPACE, START, create_run, locked, read_run
from morphospace.workflow.events import Listener, Result, ignore
from morphospace.workflow.run import Run
from morphospace.workflow.stretches import rate_words

__all__ = ["opened_again", "resume_run"]

_CONFIG = Path(SPACE) / "config.json"


def resume_run(
    run: Path,
    *,
    data: str | Path | None = None,
    more_epochs: int | None = None,
    command: str = "",
    listen: Listener = ignore,
    warn: Callable[[str], None] = ignore,
    progress: ProgressCallback = no_progress,
    parts: GivenParts = (),
) -> Result:
    """Finish an interrupted run with what it was started with; or go on with a finished one, in a new run beside it.

    Args:
        run: its folder.
        data: where its set lies now, if it has moved; the run remembers it.
        more_epochs: how many epochs to go on for after the end, with the weights and the optimiser's moments of the
            last epoch. The finished run stays as it is.
        command: as it was typed; for the new run.
        listen: told what happens.
        warn: told what a person should know.
        progress: told about downloads and preparation.
        parts: of other packages that its model was made of, as :func:`morphospace.load` takes them.

    Raises:
        ArgumentError: for fewer than one more epoch.
        FileError: if it is no run, has finished (or, with ``more_epochs``, has not), or its data have changed.
        RunBusyError: if another process trains it.
    """
    began = time.perf_counter()
    description = read_run(run)
    with _naming(run):
        recipe = recipe_from_json(description["recipe"], foreign_parts(parts))
    with locked(run):
        if more_epochs is None:
            if (run / _CONFIG).is_file():
                raise FileError(
                    f"{run} has finished already. Look at it: morpho info {run}, or go on with it: "
                    f"morpho resume {run} --more-epochs 5",
                    argument="run",
                )
            dataset = opened_again(run, description, data, warn, progress, verb="resume")
            return _finished(run, description, recipe, dataset, began, listen, warn, parts)
        stretches = _stretches(run, description, recipe, more_epochs)
        dataset = opened_again(run, description, data, warn, progress, verb="resume")
        new = _new_run(run, stretches, command, parts)
    _say_how(run, new, recipe, stretches, warn)
    with locked(new):
        return _finished(new, read_run(new), recipe, dataset, began, listen, warn, parts)


@contextmanager
def _naming(run: Path) -> Iterator[None]:
    """Turn whatever is wrong with a run's description into an error that names it."""
    try:
        yield
    except MissingPartError as error:
        raise FileError(f"{run / RECIPE} names what is not there: {error.words}", argument="run") from error
    except (KeyError, TypeError, ValueError) as error:
        raise FileError(f"{run / RECIPE} is damaged: {error}.", argument="run") from error


def _finished(
    run: Path,
    description: Mapping[str, Any],
    recipe: Recipe,
    dataset: Dataset,
    began: float,
    listen: Listener,
    warn: Callable[[str], None],
    parts: GivenParts,
) -> Result:
    """Train what is left of a run."""
    with _naming(run):
        seed, stored = int(description["seed"]), Machine(**description["machine"])
        stretches = [int(epochs) for epochs in description.get("stretches", ())]
        more = {key: description[key] for key in ("start", "stretches") if key in description}
        command = description["command"]
    now = choose_machine(
        device=stored.device, precision=stored.precision, compiled=stored.compiled, threads=stored.threads
    )
    if found := stored.differences(now):
        warn(f"the last bits may differ from an uninterrupted run: {'; '.join(found)}")
    polishes = description.get("polishes")
    if more and not (run / CHECKPOINT).is_file():
        again = (
            f"morpho resume {description.get('continues', 'RUN')} --more-epochs {stretches[-1]}"
            if stretches
            else f"morpho polish {polishes}"
            if polishes
            else "morpho train DATA --from SPACE"
        )
        raise FileError(
            f"{run} stopped before its first checkpoint, and the weights that it was to start from are not "
            f"in it. Start it again: {again}",
            argument="run",
        )
    kept = load(run / START, parts=parts) if polishes else None
    return Run(dataset, recipe, run, seed, now, command, began, listen, None, more, stretches, kept).finish()


def opened_again(
    run: Path,
    description: Mapping[str, Any],
    data: str | Path | None,
    warn: Callable[[str], None],
    progress: ProgressCallback,
    *,
    verb: str,
) -> Dataset:
    """The very set that a run was started with; where it lies now is remembered, if ``data`` says so.

    Args:
        run: its folder.
        description: what that says of itself.
        data: where the set lies by now; None for where it lay.
        warn: told what a person should know.
        progress: told about downloads and preparation.
        verb: of the command that a place can be added to.

    Raises:
        FileError: if it is not there, or is another one.
    """
    with _naming(run):
        known = description["data"]
        name, source, asked, expected = (known[key] for key in ("name", "source", "preparation", "fingerprint"))
        preparation = Preparation.from_json(asked or {})  # version 0.1 wrote none for arrays
    if not source and data is None:
        raise FileError(
            f"{run} was trained on images in memory, which are gone. Call ms.train again, or name a file or "
            f"folder of the same images: morpho {verb} {run} --data PATH",
            argument="run",
        )
    try:
        dataset = open_dataset(source if data is None else data, preparation, progress=progress)
    except MorphospaceError as error:
        if data is not None:
            raise
        raise FileError(
            f"the set that {run} was trained on cannot be opened: {error} If it lies elsewhere by now, say where: "
            f"morpho {verb} {run} --data PATH",
            argument="run",
        ) from error
    if dataset.fingerprint != expected:
        where = source if data is None else data
        raise FileError(
            f'the data set "{name}" ({where}) is not what {run} was trained on: its fingerprint is '
            f"{dataset.fingerprint[:16]}, expected {expected[:16]}. Its images, labels or their split have changed.",
            argument="run",
        )
    if data is not None and dataset.source != source:
        write_json(run / RECIPE, {**description, "data": {**known, "source": dataset.source}})
        warn(f"{dataset.source} is the set that {run} was trained on, by its fingerprint; the run remembers the place")
    return dataclasses.replace(dataset, name=name)


def _stretches(run: Path, description: Mapping[str, Any], recipe: Recipe, more_epochs: int) -> list[int]:
    """The epochs of each stretch of a finished run, and of the one that is to come.

    Raises:
        ArgumentError: for fewer than one more epoch.
        FileError: if the run has not finished, or its checkpoint is gone.
    """
    if more_epochs < 1:
        raise ArgumentError(f"expected at least 1, got {more_epochs}.", argument="more_epochs")
    if not (run / _CONFIG).is_file():
        raise FileError(
            f"{run} has not finished, so it has no end to go on after. Finish it: morpho resume {run}", argument="run"
        )
    if not (run / CHECKPOINT).is_file():
        raise FileError(
            f"{run / CHECKPOINT} is gone, and with it the optimiser's moments. Go on from the weights alone: "
            f"morpho train DATA --from {run} --epochs {more_epochs}",
            argument="run",
        )
    try:
        before = [int(n) for n in description.get("stretches", [recipe.epochs])]
        done = int(read_json(run / _CONFIG, "space's config")["train"]["epochs"])
    except (KeyError, TypeError, ValueError) as error:
        raise FileError(f"{run} is damaged: {type(error).__name__}: {error}.", argument="run") from error
    # Where training had enough before the end of its last stretch, that stretch ends there.
    return [*before[:-1], done - sum(before[:-1]), more_epochs]


def _new_run(run: Path, stretches: list[int], command: str, parts: GivenParts) -> Path:
    """A new run beside a finished one, which stands where that one ended."""
    known = {key: value for key, value in read_run(run).items() if key != "format"}
    fresh = {"stretches": stretches, "continues": str(run), "command": command, "morphospace": __version__}
    new = create_run(run.parent, re.sub(r"^\d+-", "", run.resolve().name), known | fresh)
    if (run / START).is_dir():  # codes stay on, and so do what concepts were learned since
        load(run, parts=parts).save(new / START)
    for name in (METRICS, BEST, CHECKPOINT):  # the checkpoint last: with it the run can be resumed
        if (run / name).is_file():
            write_bytes(new / name, read_bytes(run / name, "checkpoint"))
    return new


def _say_how(run: Path, new: Path, recipe: Recipe, stretches: list[int], warn: Callable[[str], None]) -> None:
    *before, more = stretches
    count = "1 epoch" if more == 1 else f"{more} epochs"
    warn(
        f"{run} goes on for {count} after its {sum(before)}, {rate_words(recipe)}; the new run is {new}, and the old "
        "one stays as it is"
    )
