"""Nothing broken is stored: whatever a checkpoint would hold must be finite."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from morphospace.data import Dataset
from morphospace.errors import NonFiniteLossError
from morphospace.recipes import build_model, find_recipe
from morphospace.training import Machine, Stage, Trainer
from morphospace.vae import ELBO, Batch, Loss, Noise, Progress


class Weighted(ELBO):
    """An ELBO with a parameter and a buffer of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.critic = nn.Linear(2, 1)
        self.average: Tensor
        self.register_buffer("average", torch.zeros(1))

    def forward(self, player: str, model: Any, batch: Batch, noise: Noise, progress: Progress) -> Loss:
        return super().forward(player, model, batch, noise, progress)


@pytest.mark.parametrize(
    "name", ["objective.critic.weight", "objective.average", "model.posterior.mean.weight", "optimiser.model.0.exp_avg"]
)
def test_a_part_that_breaks_is_named_and_never_stored(digits: Dataset, name: str) -> None:
    model = build_model(find_recipe("quick"), digits.shape, seed=0)
    stage = Stage(objective=Weighted(), epochs=1, batch=64)
    trainer = Trainer(model, [stage], digits.train.images[:64], seed=0, machine=Machine())
    list(trainer.run(lambda: True))  # one step
    trainer.check_finite()
    stored = {key.removeprefix("step."): value for key, value in trainer.tensors().items()}
    with torch.no_grad():
        stored[name].fill_(torch.inf)
    with pytest.raises(NonFiniteLossError, match=f"{name} became NaN or infinite"):
        trainer.check_finite()
