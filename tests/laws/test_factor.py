"""FactorVAE: the discriminator measures a known dependence, and both players come back bit for bit."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from morphospace.data import Dataset
from morphospace.nn import MLPDecoder, MLPEncoder
from morphospace.training import EpochEnded, Machine, Stage, Stopped, Trainer, load_checkpoint, save_checkpoint
from morphospace.vae import (
    VAE,
    Adam,
    Batch,
    Bernoulli,
    GaussianPosterior,
    PointPosterior,
    Progress,
    StandardNormalPrior,
)
from morphospace.vae.objectives.factor import FactorVAE

ADAM = Adam(learning_rate=3e-3)
START = Progress(torch.tensor(0.0), 1, 1)


class Pixels(nn.Module):
    """A decoder and an encoder that change nothing: latents are the two pixels of an image."""

    features = 2

    def forward(self, x: Tensor) -> Tensor:
        return x.view(len(x), -1) if x.ndim == 4 else x.view(-1, 1, 1, 2)


@pytest.mark.parametrize("rho", [0.0, 0.8])
def test_the_discriminator_finds_the_total_correlation(rho: float) -> None:
    """Of two Gaussian latents it is -1/2 log(1 - rho^2) nats."""
    torch.manual_seed(0)
    objective = FactorVAE(2, widths=(32, 32), rate=3e-3)
    posterior = PointPosterior(2, 2)
    model = VAE(Pixels(), posterior, StandardNormalPrior(2), Pixels(), Bernoulli())
    with torch.no_grad():
        posterior.mean.weight.copy_(torch.eye(2))
    player = objective.players(model, ADAM)[1]
    optimiser, generator = player.optimiser.build(player.parameters), torch.Generator().manual_seed(0)
    mixing = torch.tensor([[1.0, 0.0], [rho, math.sqrt(1 - rho**2)]])

    def latents(count: int) -> Tensor:
        return (torch.randn(count, 2, generator=generator) @ mixing.T).view(count, 1, 1, 2)

    for _ in range(300):
        x = latents(512)
        noise = objective.noise(model, 512, generator)
        loss = objective(player.name, model, Batch(x, x, torch.arange(512)), noise, START).total
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        estimate = objective.discriminator(latents(50_000).flatten(1)).mean().item()
    assert estimate == pytest.approx(-0.5 * math.log(1 - rho**2), abs=0.06)


def factor_vae(seed: int = 0) -> tuple[VAE, FactorVAE]:
    torch.manual_seed(seed)
    shape = (1, 8, 8)
    model = VAE(
        MLPEncoder(shape, (32,)), GaussianPosterior(32, 3), StandardNormalPrior(3), MLPDecoder(3, shape, (32,)),
        Bernoulli(),
    )  # fmt: skip
    return model, FactorVAE(3, gamma=2.0, widths=(16,), rate=3e-3)


def test_each_player_descends_its_own_loss() -> None:
    model, objective = factor_vae()
    x = torch.rand(9, 1, 8, 8)
    noise, batch = objective.noise(model, 9, torch.Generator().manual_seed(0)), Batch(x, x, torch.arange(9))
    shuffled = noise[-1]
    assert torch.equal(shuffled.sort(0).values, torch.arange(9)[:, None].expand(9, 3))
    assert not torch.equal(shuffled[:, 0], shuffled[:, 1])
    loss = objective("model", model, batch, noise, START)
    z = model.infer(x).draw(noise[:1]).z[0]
    parts = loss.parts
    torch.testing.assert_close(parts["total_correlation"], objective.discriminator(z).mean())
    torch.testing.assert_close(loss.total, parts["reconstruction"] + parts["kl"] + 2 * parts["total_correlation"])
    told = objective("discriminator", model, batch, noise, START)
    moved = torch.stack([z[shuffled[:, j], j] for j in range(3)], 1)
    odds = torch.cat([objective.discriminator(z), objective.discriminator(moved)])
    kinds = torch.cat([torch.ones(9), torch.zeros(9)])
    torch.testing.assert_close(told.total, nn.functional.binary_cross_entropy_with_logits(odds, kinds))
    told.total.backward()
    assert all(p.grad is None for p in model.parameters())
    assert all(p.grad is not None for p in objective.discriminator.parameters())


def trainer(digits: Dataset) -> Trainer:
    model, objective = factor_vae()
    stage = Stage(objective=objective, optimiser=ADAM, epochs=3, batch=128)
    return Trainer(model, [stage], digits.train.images, digits.train.labels, seed=0, machine=Machine(threads=1))


def test_both_players_are_resumed_bit_for_bit(digits: Dataset, tmp_path: Path) -> None:
    whole = trainer(digits)
    epochs = [event.losses for event in whole.run() if isinstance(event, EpochEnded)]
    assert set(epochs[0]) == {"reconstruction", "kl", "total_correlation", "discriminator.cross_entropy"}
    assert epochs[-1]["reconstruction"] < epochs[0]["reconstruction"] - 2
    cut, found = trainer(digits), []
    for limit in itertools.count():
        steps = itertools.count(1)
        events = list(cut.run(lambda steps=steps, limit=limit: next(steps) >= 1 + limit % 7))  # type: ignore[misc]
        found += [event.losses for event in events if isinstance(event, EpochEnded)]
        if not isinstance(events[-1], Stopped):
            break
        save_checkpoint(cut, tmp_path / "state.safetensors")
        cut = trainer(digits)
        with torch.no_grad():
            next(cut.stages[0].objective.parameters()).zero_()  # what the checkpoint brings back
        load_checkpoint(cut, tmp_path / "state.safetensors")
    assert limit > 5
    assert found == epochs
    for one, same in ((whole.model, cut.model), (whole.stages[0].objective, cut.stages[0].objective)):
        for a, b in zip(one.parameters(), same.parameters(), strict=True):
            assert torch.equal(a, b)
