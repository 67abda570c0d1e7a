"""What training is from beginning to end: data, recipe, run folder, epochs, figures, bundle, report."""

from __future__ import annotations

import dataclasses
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from morphospace._version import __version__
from morphospace.data import SOURCES, Dataset, dataset_from_arrays, open_dataset
from morphospace.data.fetch import Progress, no_progress
from morphospace.errors import DataError, FileError, MorphospaceError
from morphospace.evaluate import TestFigures, latent_use, score
from morphospace.latent import Concept
from morphospace.recipes import (
    Recipe,
    build_model,
    build_stages,
    find_recipe,
    recipe_from_json,
    with_settings,
)
from morphospace.report import reconstruction_sheet, sample_sheet, write_run_report
from morphospace.space import Space
from morphospace.training import (
    EpochEnded,
    Event,
    Settings,
    Stopped,
    Trainer,
    choose_settings,
    load_checkpoint,
    save_checkpoint,
)
from morphospace.training.journal import append_metrics, cut_metrics, open_events, read_metrics, write_events
from morphospace.training.runs import CHECKPOINT, RECIPE, SPACE, create_run, locked, read_run

__all__ = [
    "Interrupted",
    "Listener",
    "Result",
    "Started",
    "Validated",
    "learn_from_label",
    "resume_run",
    "train",
    "train_run",
]

_SHEETS = 12  # about so many of each kind over a run
_TILES = 144
_SHEET_SEED = 0


class Interrupted(MorphospaceError):  # noqa: N818 - it is no failure of the user's
    """Ctrl-C: training was saved, and can go on."""

    exit_code = 130


@dataclasses.dataclass(frozen=True)
class Started:
    """Training begins: what a display shows first."""

    recipe: Recipe
    dataset: Dataset
    parameters: int
    settings: Settings
    run: Path | None
    epochs: int
    epochs_done: int
    beta: float


@dataclasses.dataclass(frozen=True)
class Validated:
    """An epoch ended and was scored on the test images."""

    ended: EpochEnded
    epoch: int
    epochs: int
    test: TestFigures


@dataclasses.dataclass(frozen=True)
class Result:
    """What training gave."""

    space: Space
    run: Path | None
    train: dict[str, Any]
    test: TestFigures
    warnings: list[str]

    def to_json(self) -> dict[str, Any]:
        """As ``morpho train --json`` prints it."""
        return {
            "run": str(self.run) if self.run else None,
            "space": str(self.run / SPACE) if self.run else None,
            "parameters": self.space.parameters,
            "seed": self.space.about["seed"],
            "train": self.train,
            "test": {k: v for k, v in self.test.to_json().items() if k != "book_loss" or v is not None},
            "warnings": self.warnings,
        }


Listener = Callable[[Event | Started | Validated], None]
"""Told what happens while training runs."""


def _deaf(event: object) -> None:
    del event


def train(
    source: object,
    recipe: str | Recipe = "quick",
    *,
    labels: Any = None,
    out: str | Path | None = None,
    seed: int = 0,
    latent_dim: int | None = None,
    epochs: int | None = None,
    settings: dict[str, Any] | None = None,
    device: str = "auto",
    precision: str = "auto",
) -> Space:
    """Train a space.

    Args:
        source: the name of a set ("digits", "mnist", "fashion-mnist"), a ``Dataset``, or images: uint8
            (N, H, W[, C]), a tenth of which is held out as a test.
        recipe: a name from ``morpho recipes``, or a recipe.
        labels: (N,) whole numbers, when ``source`` is images.
        out: the folder to put the run's folder into; None writes nothing.
        seed: of the weights, the batches and the noise.
        latent_dim: the number of latents, instead of the recipe's.
        epochs: passes over the images, instead of the recipe's.
        settings: other keys of the recipe, as ``--set`` takes them.
        device: "auto", "cpu", "cuda", ...
        precision: "auto", "bf16" or "fp32".

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
    if isinstance(source, str):
        dataset = open_dataset(source)
    elif isinstance(source, Dataset):
        dataset = source
    else:
        dataset = dataset_from_arrays(source, labels)
    chosen = choose_recipe(recipe, latent_dim=latent_dim, epochs=epochs, settings=settings)
    machine = choose_settings(device=device, precision=precision)
    folder = None if out is None else Path(out)
    return train_run(dataset, chosen, out=folder, seed=seed, settings=machine, began=began).space


def choose_recipe(
    recipe: str | Recipe, *, latent_dim: int | None, epochs: int | None, settings: dict[str, Any] | None
) -> Recipe:
    """A recipe with the user's changes, checked."""
    found = find_recipe(recipe) if isinstance(recipe, str) else recipe
    changes = {key: _text(value) for key, value in (settings or {}).items()}
    if latent_dim is not None:
        changes["latent_dim"] = str(latent_dim)
    if epochs is not None:
        changes["epochs"] = str(epochs)
    return with_settings(found, changes)


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
    listen: Listener = _deaf,
    began: float | None = None,
) -> Result:
    """Train ``recipe`` on ``dataset``; with ``out``, in a new run folder there.

    Set-up is counted from ``began`` (of ``time.perf_counter()``), or from the call.
    """
    began = time.perf_counter() if began is None else began
    recipe = recipe.fitted(len(dataset.train))
    # Before anything is on disk: what cannot be built leaves nothing.
    training = _Run(dataset, recipe, None, seed, settings, command, began, listen)
    if out is None:
        return training.finish()
    description = {
        "recipe": recipe.to_json(),
        "seed": seed,
        "data": _about_data(dataset),
        "machine": dataclasses.asdict(settings),
        "command": command,
        "morphospace": __version__,
    }
    training.run = create_run(out, f"{dataset.name}-{recipe.name}", description)
    with locked(training.run):
        return training.finish()


def resume_run(
    run: Path,
    *,
    listen: Listener = _deaf,
    warn: Callable[[str], None] = _deaf,
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
        except (KeyError, TypeError, ValueError) as error:
            raise FileError(f"RUN: {run / RECIPE} is damaged: {error}.") from error
        if data["name"] not in SOURCES:
            raise FileError(f"RUN: {run} was trained on images in memory, which are gone. Call ms.train again.")
        dataset = open_dataset(data["name"], progress=progress)
        if dataset.fingerprint != data["fingerprint"]:
            raise FileError(
                f'RUN: the data set "{data["name"]}" is not what {run} was trained on '
                f"(fingerprint {dataset.fingerprint[:12]}, expected {data['fingerprint'][:12]})."
            )
        now = choose_settings(
            device=stored.device, precision=stored.precision, compiled=stored.compiled, threads=stored.threads
        )
        if found := stored.differences(now):
            warn(f"the last bits may differ from an uninterrupted run: {'; '.join(found)}")
        return _Run(dataset, recipe, run, seed, now, description["command"], began, listen).finish()


def _about_data(dataset: Dataset) -> dict[str, Any]:
    return {
        "name": dataset.name,
        "fingerprint": dataset.fingerprint,
        "train_images": len(dataset.train),
        "test_images": len(dataset.test),
        "label_names": list(dataset.label_names),
        "licence": dataset.licence,
    }


@contextmanager
def _stop_on_ctrl_c() -> Iterator[Callable[[], bool]]:
    """Turn the first Ctrl-C into a wish to stop after a whole step; the second one interrupts at once."""
    wish = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield wish.is_set
        return
    before = signal.getsignal(signal.SIGINT)

    def once(number: int, frame: object) -> None:
        del number, frame
        wish.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, once)
    try:
        yield wish.is_set
    finally:
        signal.signal(signal.SIGINT, before)


@dataclasses.dataclass
class _Run:
    """One training from where its checkpoint stands to its report."""

    dataset: Dataset
    recipe: Recipe
    run: Path | None
    seed: int
    settings: Settings
    command: str
    began: float
    listen: Listener

    def __post_init__(self) -> None:
        self.model = build_model(self.recipe, self.dataset.shape, seed=self.seed)
        self.beta = self.recipe.weight(self.dataset.shape)
        self.stages = build_stages(self.recipe, self.dataset.shape)
        self.epochs = sum(stage.epochs for stage in self.stages)
        train = self.dataset.train
        self.trainer = Trainer(
            self.model, self.stages, train.images, train.labels, seed=self.seed, settings=self.settings
        )
        self.epochs_done = 0
        self.events: Any = None
        self.test: TestFigures | None = None  # of the weights as they stand

    def finish(self) -> Result:
        """Train what is left, and leave what a run leaves."""
        self._begin()
        setup = time.perf_counter() - self.began
        self.listen(
            Started(
                self.recipe, self.dataset, sum(p.numel() for p in self.model.parameters()), self.settings,
                self.run, self.epochs, self.epochs_done, self.beta,
            )
        )  # fmt: skip
        try:
            with _stop_on_ctrl_c() as stop:
                for event in self.trainer.run(stop):
                    if isinstance(event, EpochEnded):
                        self._validate(event)
                    elif isinstance(event, Stopped):
                        self._interrupt()
                    else:
                        self.listen(event)
        finally:
            if self.events is not None:
                self.events.close()
        seconds, count = self.trainer.seconds, len(self.dataset.train)
        images = sum(stage.epochs * (count - count % stage.batch) for stage in self.stages)
        figures = {
            "seconds": round(seconds, 3),
            "setup_seconds": round(setup, 3),
            "images_per_second": round(images / seconds, 1),
            "epochs": self.epochs,
        }
        return self._conclude(figures)

    def _begin(self) -> None:
        if self.run is None:
            return
        checkpoint = self.run / CHECKPOINT
        if checkpoint.is_file():
            load_checkpoint(self.trainer, checkpoint)
            self.epochs_done = self._epochs_at_checkpoint()
            cut_metrics(self.run / "metrics.jsonl", self.epochs_done)
        else:
            # A run that dies in its first epoch resumes from the very start.
            save_checkpoint(self.trainer, checkpoint)
        self.events = open_events(self.run / "events", self.epochs_done)

    def _epochs_at_checkpoint(self) -> int:
        done = sum(stage.epochs for stage in self.stages[: self.trainer.stage])
        if self.trainer.stage < len(self.stages):
            stage = self.stages[self.trainer.stage]
            done += self.trainer.step // (len(self.dataset.train) // stage.batch)
        return done

    def _validate(self, ended: EpochEnded) -> None:
        self.epochs_done += 1
        test = self.test = self._score()
        self.listen(Validated(ended, self.epochs_done, self.epochs, test))
        if self.run is None:
            return
        losses = dict(ended.losses)
        if test.neg_elbo is not None:
            losses["neg_elbo"] = losses["reconstruction"] + losses["kl"]
        line = {
            "epoch": self.epochs_done,
            "seconds": round(ended.seconds, 3),
            "images_per_second": round(ended.images_per_second, 1),
            "beta": test.beta,
            "train": losses,
            "test": test.to_json(),
        }
        append_metrics(self.run / "metrics.jsonl", line)
        if self.events is not None:
            write_events(self.events, line)
        every = -(-self.epochs // _SHEETS)
        if self.epochs_done % every == 0 or self.epochs_done == self.epochs:
            self._sheets()
        save_checkpoint(self.trainer, self.run / CHECKPOINT)

    def _sheets(self) -> None:
        if self.run is None:
            return
        folder, stem = self.run / "sheets", f"epoch-{self.epochs_done:04d}"
        space = self._space({})
        facts = {"epoch": str(self.epochs_done), "command": self.command}
        for kind, picture in (
            ("samples", sample_sheet(space, _TILES, seed=_SHEET_SEED)),
            ("reconstructions", reconstruction_sheet(space, self.dataset.test.images[:36])),
        ):
            picture.text.update(facts)
            picture.save(folder / f"{stem}-{kind}.png")

    def _interrupt(self) -> None:
        if self.run is None:
            raise KeyboardInterrupt
        save_checkpoint(self.trainer, self.run / CHECKPOINT)
        raise Interrupted(
            f"saved after {self.epochs_done} of {self.epochs} epochs. Go on with: morpho resume {self.run}"
        )

    def _score(self) -> TestFigures:
        return score(
            self.model, self.dataset.test.images, beta=self.beta,
            bernoulli=self.recipe.likelihood == "bernoulli", seed=self.seed,
        )  # fmt: skip

    def _space(self, figures: dict[str, Any]) -> Space:
        about = {
            "seed": self.seed,
            "data": _about_data(self.dataset),
            "command": self.command,
            "morphospace": __version__,
            "machine": dataclasses.asdict(self.settings),
            **figures,
        }
        space = Space(self.model, self.recipe, self.dataset.shape, about=about)
        space.reference = space.encode(self.dataset.test.images).mean
        space.reference_labels = self.dataset.test.labels
        return space

    def _conclude(self, figures: dict[str, Any]) -> Result:
        test = self.test or self._score()  # a run resumed after its last epoch has not scored yet
        space = self._space({"train": figures, "test": test.to_json()})
        if space.reference is None:
            raise FileError("the space lost its reference points")
        warning = latent_use(space.reference).warning()
        result = Result(space, self.run, figures, test, [warning] if warning else [])
        if self.run is not None:
            # The bundle says that a run has finished, so it comes last.
            write_run_report(
                self.run / "report.html",
                space,
                self.dataset,
                metrics=read_metrics(self.run / "metrics.jsonl"),
                warnings=result.warnings,
            )
            space.save(self.run / SPACE, force=True)
        return result


def learn_from_label(space: Space, name: str, dataset: Dataset, label: str) -> Concept:
    """Learn the images of one label against all others; the AUC is measured on the test images.

    Raises:
        ArgumentError: if the set has no such label.
        DataError: if the set's images do not fit the space, or all have the label.
    """
    number = dataset.label_number(label)
    sides = []
    for split in (dataset.train, dataset.test):
        if split.labels is None:
            raise DataError(f'--data: the images of "{dataset.name}" have no labels.')
        shows = split.labels == number
        sides.append((split.images[shows], split.images[~shows]))
    (positive, negative), judges = sides
    held_out = judges if all(len(side) for side in judges) else None
    if not len(positive) or not len(negative):
        raise DataError(f'--label: "{dataset.name}" needs images with and without "{label}", and lacks one of them.')
    source = f"{dataset.name}, label {label} against all others"
    return space.learn_concept(name, positive=positive, negative=negative, held_out=held_out, source=source)
