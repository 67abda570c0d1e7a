"""What the loop knows of any objective: networks that never train, players with parts of one name, hooks."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from morphospace.data import Dataset
from morphospace.recipes import build_model, recipe
from morphospace.training import EpochEnded, Machine, Stage, Trainer, load_checkpoint, save_checkpoint
from morphospace.vae import Adam, Batch, Loss, Model, Noise, Objective, OptimiserConfig, Player, Progress


class Perceptual(Objective):
    """Reconstruction as a fixed network sees it, and as pixels."""

    frozen = ("eye",)

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(5)
        self.eye = nn.Sequential(nn.Flatten(), nn.Linear(64, 16)).requires_grad_(False)
        self.weight = nn.Parameter(torch.tensor(1.0))

    def forward(self, player: str, model: Model, batch: Batch, noise: Noise, progress: Progress) -> Loss:
        seen: Tensor = self.eye(model.image(model.encode(batch.input).mean)) - self.eye(batch.target)
        loss = (self.weight * seen).square().sum(1).mean()
        return Loss(loss, {"seen": loss})


class Twins(Objective):
    """Two players who call a part of their loss by one name."""

    def __init__(self) -> None:
        super().__init__()
        self.own = nn.Parameter(torch.tensor(3.0))
        self.steps = 0

    def players(self, model: nn.Module, optimiser: OptimiserConfig) -> tuple[Player, ...]:
        return (*super().players(model, optimiser), Player("other", [self.own], Adam(learning_rate=0.1), every=2))

    def forward(self, player: str, model: Model, batch: Batch, noise: Noise, progress: Progress) -> Loss:
        if player == "other":
            return Loss(self.own.square(), {"loss": self.own.square()})
        loss = -model.terms(batch, noise).log_px.mean()
        return Loss(loss, {"loss": loss})

    def after_step(self, model: nn.Module) -> None:
        assert not torch.is_grad_enabled()
        self.steps += 1


def trainer_of(objective: Objective, digits: Dataset) -> Trainer:
    model = build_model(recipe("quick", widths=(8,)), digits.shape, seed=0)
    stage = Stage(objective=objective, optimiser=Adam(learning_rate=1e-3), epochs=2, batch=400)
    return Trainer(model, [stage], digits.train.images, seed=0, machine=Machine(threads=1))


def test_a_network_that_never_trains_is_in_no_checkpoint_and_training_goes_on_bit_for_bit(
    digits: Dataset, tmp_path: Path
) -> None:
    whole = trainer_of(Perceptual(), digits)
    losses = [event.losses for event in whole.run() if isinstance(event, EpochEnded)]
    cut = trainer_of(Perceptual(), digits)
    taken = 0

    def enough() -> bool:
        nonlocal taken
        taken += 1
        return taken > 3

    list(cut.run(enough))
    assert not [name for name in cut.tensors() if "eye" in name]
    assert "step.objective.weight" in cut.tensors()
    save_checkpoint(cut, tmp_path / "state.safetensors")
    again = trainer_of(Perceptual(), digits)
    load_checkpoint(again, tmp_path / "state.safetensors")
    rest = [event.losses for event in again.run() if isinstance(event, EpochEnded)]
    assert rest == losses[-len(rest) :]
    for name, value in again.model.state_dict().items():
        assert torch.equal(value, whole.model.state_dict()[name]), name


def test_parts_of_one_name_are_kept_apart_and_the_hook_follows_each_step(digits: Dataset) -> None:
    objective = Twins()
    trainer = trainer_of(objective, digits)
    first, last = (event.losses for event in trainer.run() if isinstance(event, EpochEnded))
    assert set(first) == {"loss", "other.loss"}
    assert last["loss"] < first["loss"]
    assert 0 < last["other.loss"] < first["other.loss"] <= 9
    assert objective.steps == 2 * (len(digits.train) // 400)
