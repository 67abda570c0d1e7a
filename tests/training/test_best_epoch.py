"""The best epoch's weights, kept through kills: they are never of an epoch that the checkpoint does not know."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from morphospace.data import Dataset, Split, open_dataset
from morphospace.evaluate import TestFigures
from morphospace.recipes import changed, find_recipe
from morphospace.training import Machine, checkpoint
from morphospace.workflow import resume_run, run, train_run

KILLED = 3  # the epoch in which the process dies, the best so far
MACHINE = Machine()
RECIPE = changed(
    find_recipe("quick"),
    {"encoder_widths": "16", "decoder_widths": "16", "epochs": "5", "batch": "32", "patience": "4", "fourier": "0"},
)


@pytest.fixture(autouse=True)
def _every_epoch_is_scored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "_STEPS_BETWEEN_SCORES", 1)


@pytest.fixture
def few(digits: Dataset, tmp_path: Path) -> Dataset:
    path = tmp_path / "few.npz"
    np.savez(path, images=digits.train.images[:200])
    return open_dataset(path)


def killing(monkeypatch: pytest.MonkeyPatch, name: str, at: int) -> None:
    """Let the process die in the ``at``-th call of ``name`` from now on."""
    calls, real = iter(range(1, 1000)), getattr(run, name)

    def dying(*arguments: Any) -> None:
        if next(calls) == at:
            raise SystemExit
        real(*arguments)

    monkeypatch.setattr(run, name, dying)


def killed(few: Dataset, out: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> Path:
    with monkeypatch.context() as patch:
        # The first checkpoint is of no epoch; the weights of every epoch here are the best so far.
        killing(patch, name, KILLED + (name == "save_checkpoint"))
        with pytest.raises(SystemExit):
            train_run(few, RECIPE, out=out, seed=0, machine=MACHINE)
    return next(out.iterdir())


@pytest.mark.parametrize("name", ["save_checkpoint", "save_weights"])
def test_killed_between_checkpoint_and_best_a_run_ends_with_the_same_bits(
    few: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    whole = train_run(few, RECIPE, out=tmp_path / "whole", seed=0, machine=MACHINE)
    assert whole.train["best_epoch"] >= KILLED
    cut = resume_run(killed(few, tmp_path / "killed", monkeypatch, name))
    assert cut.train["best_epoch"] == whole.train["best_epoch"]
    for (key, a), b in zip(whole.space.model.state_dict().items(), cut.space.model.state_dict().values(), strict=True):
        assert torch.equal(a, b), key


def test_what_is_kept_is_of_an_epoch_that_the_checkpoint_knows(
    few: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On another machine the epoch that was cut off may end otherwise: then its weights must not be the result."""
    saved: list[dict[str, torch.Tensor]] = []
    real = checkpoint.save_weights

    def save_weights(model: torch.nn.Module, path: Path) -> None:
        real(model, path)
        saved.append(load_file(path))

    def score(self: run.Run, split: Split) -> TestFigures:
        return TestFigures(1e6, 1e6, 0.0, 1.0)

    monkeypatch.setattr(run, "save_weights", save_weights)
    folder = killed(few, tmp_path / "killed", monkeypatch, "save_checkpoint")
    monkeypatch.setattr(run.Run, "score", score)
    found = resume_run(folder)
    assert found.train["best_epoch"] == KILLED - 1
    for key, value in found.space.model.state_dict().items():
        assert torch.equal(value, saved[KILLED - 2][key]), key


def test_a_better_epoch_that_no_checkpoint_knows_takes_no_place(
    few: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Epoch 1 is the best, 2 is worse, 3 is better, and the process dies before its checkpoint is there."""
    saved: list[dict[str, torch.Tensor]] = []

    def save_weights(model: torch.nn.Module, path: Path) -> None:
        checkpoint.save_weights(model, path)
        saved.append(load_file(path))

    def scored(nats: dict[int, float]) -> Callable[[run.Run, Split], TestFigures]:
        def score(self: run.Run, _: Split) -> TestFigures:
            found = nats.get(self.epochs_done, 1e6)
            return TestFigures(found, found, 0.0, 1.0)

        return score

    with monkeypatch.context() as patch:
        patch.setattr(run.Run, "score", scored({1: 5.0, 2: 9.0, 3: 1.0}))
        patch.setattr(run, "save_weights", save_weights)
        killing(patch, "save_checkpoint", 4)  # the first is of no epoch
        with pytest.raises(SystemExit):
            train_run(few, RECIPE, out=tmp_path, seed=0, machine=MACHINE)
    monkeypatch.setattr(run.Run, "score", scored({}))
    found = resume_run(next(tmp_path.glob("0001-*")))
    assert found.train["best_epoch"] == 1
    for key, value in found.space.model.state_dict().items():
        assert torch.equal(value, saved[0][key]), key
