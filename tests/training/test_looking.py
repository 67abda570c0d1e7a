"""What an objective learns of the training set before a stage's first step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from morphospace.data import Dataset
from morphospace.errors import ArgumentError
from morphospace.features import Pictures, feature_network, perceptual_distance
from morphospace.recipes import build_model, recipe
from morphospace.training import EpochEnded, Machine, Stage, Trainer, load_checkpoint, save_checkpoint
from morphospace.training.loop import to_input
from morphospace.vae import Adam, Batch, Loss, Model, Noise, Objective, Progress


class Judged(Objective):
    """Reconstructions as a judge of the set's labels sees them."""

    frozen = ("judge",)

    def __init__(self) -> None:
        super().__init__()
        self.judge = feature_network("own")
        self.looks: list[tuple[Tensor, Tensor | None, int]] = []

    def look_at(self, pictures: Pictures, labels: Tensor | None, *, seed: int) -> None:
        self.looks.append((pictures(torch.tensor([5, 3])), labels, seed))
        self.judge.look_at(pictures, labels, seed=seed)

    def forward(self, player: str, model: Model, batch: Batch, noise: Noise, progress: Progress) -> Loss:
        loss = perceptual_distance(self.judge, batch.target, model.image(model.encode(batch.input).mean)).mean()
        return Loss(loss, {"seen": loss})


def trainer_of(objectives: list[Objective], digits: Dataset, **settings: Any) -> Trainer:
    model = build_model(recipe("quick", widths=(8,)), digits.shape, seed=0)
    stages = [Stage(objective=one, optimiser=Adam(learning_rate=1e-3), epochs=1, batch=400) for one in objectives]
    settings = {"labels": digits.train.labels, "seed": 7, "machine": Machine(threads=1)} | settings
    return Trainer(model, stages, digits.train.images, **settings)


def test_it_looks_once_when_its_stage_begins_at_pictures_labels_and_seed(digits: Dataset) -> None:
    first, second = Judged(), Judged()
    ended = (event for event in trainer_of([first, second], digits).run() if isinstance(event, EpochEnded))
    assert [(event.stage, len(first.looks), len(second.looks)) for event in ended] == [(0, 1, 0), (1, 1, 1)]
    for pictures, labels, seed in (*first.looks, *second.looks):
        torch.testing.assert_close(pictures, to_input(torch.from_numpy(digits.train.images[[5, 3]])))
        assert labels is not None
        assert digits.train.labels is not None
        assert labels.tolist() == digits.train.labels.tolist()
        assert seed == 7


def test_a_run_that_is_cut_looks_again_and_takes_the_same_steps_with_nothing_of_it_kept(
    digits: Dataset, tmp_path: Path
) -> None:
    whole, cut = trainer_of([Judged()], digits), trainer_of([Judged()], digits)
    losses = [event.losses for event in whole.run() if isinstance(event, EpochEnded)]
    list(cut.run(lambda: True))
    assert (cut.step, [name for name in cut.tensors() if "judge" in name]) == (1, [])
    save_checkpoint(cut, tmp_path / "state.safetensors")
    again = trainer_of([Judged()], digits)
    load_checkpoint(again, tmp_path / "state.safetensors")
    assert [event.losses for event in again.run() if isinstance(event, EpochEnded)] == losses
    for name, value in again.model.state_dict().items():
        assert torch.equal(value, whole.model.state_dict()[name]), name


def test_a_set_without_labels_is_refused_before_the_first_step(digits: Dataset) -> None:
    with pytest.raises(ArgumentError, match="got no labels"):
        next(trainer_of([Judged()], digits, labels=None).run())
