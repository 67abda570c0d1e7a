"""One training from where its checkpoint stands to its report."""

from __future__ import annotations

import dataclasses
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import Tensor

from morphospace._version import __version__
from morphospace.attribute_files import without_names
from morphospace.data import Dataset, Split, with_validation
from morphospace.data.dataset import every_key
from morphospace.errors import FileError, NonFiniteLossError
from morphospace.evaluate import TestFigures, overfitting, psnr, reconstruction_errors, score, use_warning
from morphospace.evaluate.distance import has_distance, mean_distance
from morphospace.evenly import evenly_spaced
from morphospace.interpretation import Interpretation
from morphospace.recipes import Recipe, build_model
from morphospace.report import reconstructed_tests, sample_sheet, write_run_report
from morphospace.sampling import fit_sampler
from morphospace.space import Space
from morphospace.training import EpochEnded, Machine, Stepped, Trainer, load_checkpoint, save_checkpoint
from morphospace.training.checkpoint import load_weights, save_weights
from morphospace.training.journal import append_metrics, cut_metrics, open_events, read_metrics, write_events
from morphospace.training.runs import BEST, CHECKPOINT, METRICS, SPACE, START, TRAINED_ON, write_trained_on
from morphospace.workflow.events import Interrupted, Listener, Result, Started, Validated
from morphospace.workflow.kept import keep_codes
from morphospace.workflow.stretches import stages_of

__all__ = ["Run", "about_data", "between_sheets"]

_SHEETS = 12  # about so many of each kind over a run
_TILES = 144
_SHEET_SEED = 0
_REFERENCES = 2000  # points by which a running autoencoder's samples are drawn
_FEWEST_SEEN = 200  # training images whose score is compared with the test images'
_STEPS_BETWEEN_SCORES = 50


def _nats(figures: Mapping[str, float | None]) -> float:
    """What is compared: -ELBO, or the reconstruction where there is no bound."""
    found = figures["reconstruction"] if figures["neg_elbo"] is None else figures["neg_elbo"]
    if found is None:
        raise FileError("the metrics of the run are damaged: an epoch has no score.")
    return found


def about_data(dataset: Dataset) -> dict[str, Any]:
    """What a run and a bundle remember of a set: nothing of where it lies on this machine."""
    return {
        "name": dataset.name,
        "fingerprint": dataset.fingerprint,
        "content": dataset.content,
        "train_images": len(dataset.train),
        "test_images": len(dataset.test),
        "label_names": list(dataset.label_names),
        "licence": dataset.licence,
        "resize": dataset.preparation.get("resize", "pad"),
        "interpretation": dataset.preparation.get("interpretation") or Interpretation().to_json(),
    }


def between_sheets(epochs: int, every: int) -> int:
    """So many epochs lie between two pairs of sheets, where every ``every``-th of ``epochs`` is scored."""
    scored = -(-epochs // every)
    return -(-scored // _SHEETS) * every


def _names_left_out(test: Split) -> str | None:
    """What is not kept of the table, and why."""
    _, names = without_names(test.attributes)
    if not names:
        return None
    columns = ", ".join(f'"{name}"' for name in names)
    return (
        f"Not kept in the space, of the set's table: {columns}. No two test images share a word there, as with names "
        "or titles, so it could colour nothing in the explorer; a column of kinds could."
    )


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
class Run:
    """One training from where its checkpoint stands to its report."""

    dataset: Dataset
    recipe: Recipe
    run: Path | None
    seed: int
    machine: Machine
    command: str
    began: float
    listen: Listener
    weights: Mapping[str, Tensor] | None = None  # to start from, instead of fresh ones
    more: Mapping[str, Any] = dataclasses.field(default_factory=dict)  # for the space to remember
    stretches: Sequence[int] = ()  # epochs of each, where training went on after its end
    kept: Space | None = None  # to start the last stage from, in which codes stay what they are

    def __post_init__(self) -> None:
        labels = len(self.dataset.label_names)
        self.model = build_model(self.recipe, self.dataset.shape, seed=self.seed, labels=labels)
        weights = self.weights if self.kept is None else self.kept.model.state_dict()
        if weights is not None:
            self.model.load_state_dict(weights)
        self.beta = self.recipe.weight(self.dataset.shape)
        self.stages = stages_of(self.recipe, self.model, self.dataset.shape, self.stretches, seed=self.seed)
        self.epochs = sum(stage.epochs for stage in self.stages)
        # Where the best epoch is to be chosen, it is chosen by images that are neither learned from nor reported on.
        self.learned: Split = self.dataset.train
        self.validation: Split | None = None
        if self.recipe.patience:
            self.learned, self.validation = with_validation(self.dataset)
        self.trainer = Trainer(
            self.model, self.stages, self.learned.images, self.learned.labels,
            seed=self.seed, machine=self.machine,
        )  # fmt: skip
        if self.kept is not None:  # what its checkpoint says comes after
            self.trainer.stage = len(self.stages) - 1
            self.trainer.seconds = self.kept.about.get("train", {}).get("seconds", 0.0)
        self.own_measure = self.stages[-1].objective.to(self.trainer.device)
        batch = self.stages[self.trainer.stage].batch
        self.every = max(1, round(_STEPS_BETWEEN_SCORES / max(1, len(self.learned) // batch)))  # epochs
        self.epochs_done = self._epochs_at_checkpoint()
        self.scores: dict[int, float] = {}  # epoch -> what is chosen by, of the validation images
        self.events: Any = None
        self.test: TestFigures | None = None  # of the weights as they stand

    def finish(self) -> Result:
        """Train what is left, and leave what a run leaves."""
        self.begin()
        setup = time.perf_counter() - self.began
        parameters = sum(p.numel() for p in self.model.parameters())
        self.listen(
            Started(
                self.recipe, self.dataset, len(self.learned), parameters, self.machine,
                self.run, self.epochs, self.epochs_done, self.beta,
            )
        )  # fmt: skip
        try:
            with _stop_on_ctrl_c() as stop:
                for event in self.trainer.run(lambda: stop() or self._has_enough()):
                    if isinstance(event, EpochEnded):
                        self._ended(event)
                    elif isinstance(event, Stepped):
                        self.listen(dataclasses.replace(event, epoch=self.epochs_done))  # of all stretches
                    elif not self._has_enough():
                        self._interrupt()
        except NonFiniteLossError as error:
            if self.run is None:
                raise
            raise NonFiniteLossError(f"{error} The last good checkpoint is kept.") from error
        finally:
            if self.events is not None:
                self.events.close()
        seconds, stage, count = self.trainer.seconds, self.stages[0], len(self.learned)
        images = self.epochs_done * (count - count % stage.batch)
        figures = {
            "seconds": round(seconds, 3),
            "setup_seconds": round(setup, 3),
            "images_per_second": round(images / seconds, 1),
            "epochs": self.epochs_done,
        }
        if self.scores:
            figures["best_epoch"] = self._take_best()
        return self._conclude(figures)

    def begin(self) -> None:
        """Read where the run stands, or write that it begins."""
        if self.run is None:
            return
        if not (self.run / TRAINED_ON).is_file():
            write_trained_on(self.run, every_key(self.dataset.train))
        checkpoint = self.run / CHECKPOINT
        if checkpoint.is_file():
            load_checkpoint(self.trainer, checkpoint)
            self.epochs_done = self._epochs_at_checkpoint()
            cut_metrics(self.run / METRICS, self.epochs_done)
            for line in read_metrics(self.run / METRICS):
                if "validation" in line:
                    self._keep_score(line["epoch"], line["validation"])
            if self._at_epochs_end():
                self._keep_best()
        else:
            if self.kept is not None:
                self.kept.save(self.run / START, force=True)
            # A run that dies in its first epoch resumes from the very start.
            save_checkpoint(self.trainer, checkpoint)
        self.events = open_events(self.run / "events", self.epochs_done)

    def _at_epochs_end(self) -> bool:
        """Whether the weights are those of the end of an epoch, the last one that is done."""
        if self.trainer.stage == len(self.stages):
            return True
        return self.trainer.step % (len(self.learned) // self.stages[self.trainer.stage].batch) == 0

    def _epochs_at_checkpoint(self) -> int:
        done = sum(stage.epochs for stage in self.stages[: self.trainer.stage])
        if self.trainer.stage < len(self.stages):
            stage = self.stages[self.trainer.stage]
            done += self.trainer.step // (len(self.learned) // stage.batch)
        return done

    def _ended(self, ended: EpochEnded) -> None:
        """An epoch ended: now and then, and at the end, score and save what there is."""
        self.epochs_done += 1
        self.test = None
        if self.epochs_done % self.every == 0 or self.epochs_done == self.epochs:
            self._validate(ended)

    def _validate(self, ended: EpochEnded) -> None:
        test = self.test = self.score(self.dataset.test)
        validation = None
        if self.validation is not None:
            validation = self.score(self.validation)
            if self.trainer.stage == len(self.stages) - 1 and has_distance(self.own_measure):
                some = self.validation
                distance = mean_distance(self.own_measure, self.model, some.images, some.labels)
                validation = dataclasses.replace(validation, more={**validation.more, "distance": distance})
            self._keep_score(self.epochs_done, validation.to_json())
        self.listen(Validated(ended, self.epochs_done, self.epochs, test, validation))
        if self.run is None:
            self._keep_best()
            return
        losses = dict(ended.losses)
        if test.neg_elbo is not None and {"reconstruction", "kl"} <= losses.keys():
            losses["neg_elbo"] = losses["reconstruction"] + losses["kl"]
        line = {
            "epoch": self.epochs_done,
            "seconds": round(ended.seconds, 3),
            "images_per_second": round(ended.images_per_second, 1),
            "beta": test.beta,
            "train": losses,
            "test": test.to_json(),
        } | ({} if validation is None else {"validation": validation.to_json()})
        append_metrics(self.run / METRICS, line)
        if self.events is not None:
            write_events(self.events, line)
        if self.epochs_done % between_sheets(self.epochs, self.every) == 0 or self.epochs_done == self.epochs:
            self.sheets()
        save_checkpoint(self.trainer, self.run / CHECKPOINT)
        self._keep_best()

    # -- the best epoch ------------------------------------------------------------------------------

    def _keep_score(self, epoch: int, figures: Mapping[str, float | None]) -> None:
        """Keep what an epoch is chosen by: nats, or the distance of the last stage's objective, where it has one.

        Epochs of earlier stages are none to choose then: what they descend is measured otherwise.
        """
        if not has_distance(self.own_measure):
            self.scores[epoch] = _nats(figures)
        elif (distance := figures.get("distance")) is not None:
            self.scores[epoch] = distance

    def _best_epoch(self) -> int:
        return min(self.scores, key=self.scores.__getitem__)

    def _has_enough(self) -> bool:
        """Whether the validation score has not got better in this stretch for as long as the recipe's patience."""
        if not self.scores or self.epochs_done == self.epochs:
            return False
        since = max(self._best_epoch(), self.epochs - self.stages[-1].epochs)
        return max(self.scores) - since >= (self.recipe.patience or 0)

    def _keep_best(self) -> None:
        """Keep the weights if their epoch is the best so far.

        After the checkpoint, never before it: a run that is killed in between resumes from the checkpoint, which has
        these weights too, and keeps them then. The other way round, what is kept could be of an epoch that the
        resumed run goes through again, with another end where the machine is another.
        """
        if self.epochs_done not in self.scores or self._best_epoch() != self.epochs_done:
            return
        if self.run is None:
            self.best = {name: value.clone() for name, value in self.model.state_dict().items()}
        else:
            save_weights(self.model, self.run / BEST)

    def _take_best(self) -> int:
        """Give the model the weights of the best epoch; returns that epoch."""
        best = self._best_epoch()
        if best != max(self.scores):
            self.test = None
        self.model.load_state_dict(self.best if self.run is None else load_weights(self.run / BEST))
        return best

    def sheets(self) -> None:
        """Draw samples and reconstructions of the weights as they stand."""
        if self.run is None:
            return
        folder, stem = self.run / "sheets", f"epoch-{self.epochs_done:04d}"
        space = self._space({})
        facts = {"epoch": str(self.epochs_done), "command": self.command}
        for kind, picture in (
            ("samples", sample_sheet(space, _TILES, seed=_SHEET_SEED)),
            ("reconstructions", reconstructed_tests(space, self.dataset, 36)),
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

    def score(self, split: Split) -> TestFigures:
        """The figures of the weights as they stand."""
        images = self.recipe.images.scored(split.images, seed=self.seed)
        return score(self.model, images, split.labels, beta=self.beta, seed=self.seed)

    def _space(self, figures: dict[str, Any], *, whole: bool = False) -> Space:
        """The space as it stands; reference points of all test images, or of enough to draw samples by."""
        about = {
            "seed": self.seed,
            "data": about_data(self.dataset),
            "command": self.command,
            "morphospace": __version__,
            "machine": dataclasses.asdict(self.machine),
            **self.more,
            **figures,
        }
        sampler = None if self.kept is None else self.kept.sampler
        space = Space(self.model, self.recipe, self.dataset.shape, about=about, sampler=sampler)
        test = self.dataset.test
        some = test if whole else test.take(evenly_spaced(len(test), _REFERENCES))
        space.reference = space.encode(some.images, some.labels).mean
        if whole:
            space.reference_labels = test.labels
            space.reference_attributes, _ = without_names(test.attributes)
        return space

    def _conclude(self, figures: dict[str, Any]) -> Result:
        space, test, said = self.judged(figures)
        learned = self.learned
        if self.kept is not None:
            said += keep_codes(space, self.kept, self.dataset.test, self.own_measure)
        elif len(learned) > 1:  # to the code of one nothing can be fitted
            config = self.recipe.sampler
            space.sampler = fit_sampler(space, config, learned.images, learned.labels, seed=self.seed)
        result = Result(space, self.run, figures, test, said, self.dataset.problems)
        if self.run is not None:
            self.leave(result, self.run)
        return result

    def judged(self, figures: dict[str, Any]) -> tuple[Space, TestFigures, list[str]]:
        """The space that training made, without its sampler; its test figures; and what a person should know of it."""
        test = self.test or self.score(self.dataset.test)  # a run resumed after its last epoch has not scored yet
        space = self._space({"train": figures}, whole=True)
        if space.reference is None:
            raise FileError("the space lost its reference points")
        test_labels = self.dataset.test.labels
        space.errors = reconstruction_errors(space, self.dataset.test.images, space.reference, test_labels)
        test = dataclasses.replace(test, psnr=psnr(space, self.dataset.test.images, space.reference, test_labels))
        space.about["test"] = test.to_json()
        some = evenly_spaced(len(self.learned), max(len(self.dataset.test), _FEWEST_SEEN))
        seen = self.score(self.learned.take(some))
        warnings = [
            use_warning(space, space.reference),
            overfitting(seen, test, space.shape, len(self.learned)),
            _names_left_out(self.dataset.test),
        ]
        return space, test, [words for words in warnings if words]

    def leave(self, result: Result, run: Path) -> None:
        """Write report and bundle. The bundle says that a run has finished, so it comes last."""
        metrics = read_metrics(run / METRICS)
        write_run_report(run / "report.html", result.space, self.dataset, metrics=metrics, warnings=result.warnings)
        result.space.save(run / SPACE, force=True)
