"""What training with a perceptual objective keeps, leaves out and takes up again: critic and frozen network."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from morphospace.data import dataset_from_arrays
from morphospace.features import feature_network
from morphospace.recipes import Recipe, build_model, build_stages, changed, find_recipe
from morphospace.training import EpochEnded, Machine, Trainer, load_checkpoint, save_checkpoint
from morphospace.workflow import train

COUNT, SIDE = 40, 16


def photographs() -> np.ndarray:
    """Uint8 (N, H, W, 3): soft spots of colour, which a code can say something of."""
    rng = np.random.default_rng(0)
    places = np.arange(SIDE) - rng.uniform(3, SIDE - 3, (COUNT, 2, 1))
    spots = np.exp(-(places[:, 0, :, None] ** 2) / 20 - places[:, 1, None] ** 2 / 20)
    return (255 * spots[..., None] * rng.uniform(0.3, 1, (COUNT, 1, 1, 3))).astype(np.uint8)


def tiny_photo(**settings: Any) -> Recipe:
    small = {"encoder_widths": (16,), "decoder_widths": (16,), "fine_widths": (8,), "latent_dim": 4}
    perceptual = {"features": "random", "look": 16, "adversary_from": 0.2, "batch": 8, "epochs": 2}
    return changed(find_recipe("photo"), small | perceptual | settings)


def trainer_of(recipe: Recipe, *, compiled: bool = False) -> Trainer:
    images = photographs()
    shape = (SIDE, SIDE, 3)
    model = build_model(recipe, shape, seed=0)
    machine = Machine(precision="fp32", threads=1, compiled=compiled)
    return Trainer(model, build_stages(recipe, model, shape, seed=0), images, seed=0, machine=machine)


def state_after(trainer: Trainer, steps: int) -> dict[str, Tensor]:
    """Everything that decides the next step, after so many more."""
    counter = itertools.count(1)
    list(trainer.run(lambda: next(counter) >= steps))
    return {name: value.detach().clone() for name, value in trainer.tensors().items()}


def test_a_run_that_goes_on_is_the_run_that_was_not_cut_to_the_critics_last_moment(tmp_path: Path) -> None:
    recipe = tiny_photo()
    whole = state_after(trainer_of(recipe), 8)
    cut = trainer_of(recipe)
    before = state_after(cut, 3)
    save_checkpoint(cut, tmp_path / "state.safetensors")
    again = trainer_of(recipe)
    load_checkpoint(again, tmp_path / "state.safetensors")
    after = state_after(again, 5)
    assert after.keys() == whole.keys()
    for name, value in whole.items():
        assert torch.equal(after[name], value), name
    # What is compared is there, and moved after the cut.
    critic = [name for name in whole if name.startswith("step.objective.critic.")]
    moments = [name for name in whole if name.startswith("optimiser.critic.")]
    assert {name.rpartition(".")[2] for name in critic} == {"weight", "bias", "left", "right"}
    assert {name.rpartition(".")[2] for name in moments} >= {"step", "exp_avg", "exp_avg_sq"}
    for name in critic:
        # To what is one number large, the vector on its side is 1 or -1 for ever.
        assert whole[name].numel() == 1 or not torch.equal(whole[name], before[name]), name


def test_both_players_step_under_optimisers_of_their_own() -> None:
    trainer = trainer_of(tiny_photo(learning_rate=1e-12))
    before = state_after(trainer, 1)
    after = state_after(trainer, 2)
    steps = {name: (after[name] - before[name]).abs().max() for name in after if name.startswith("step.")}
    moved = {name for name, size in steps.items() if size > 1e-6}
    assert moved
    assert all(name.startswith("step.objective.critic.") for name in moved)


def test_the_frozen_network_is_in_no_file(tmp_path: Path) -> None:
    recipe = tiny_photo(epochs=1)
    trainer = trainer_of(recipe)
    state_after(trainer, 3)
    save_checkpoint(trainer, tmp_path / "checkpoint" / "state.safetensors")
    dataset = dataset_from_arrays(photographs(), name="spots")
    train(dataset, recipe, seed=0, precision="fp32").save(tmp_path / "bundle")
    frozen = [weights for weights in feature_network("random").parameters() if weights.ndim > 1]
    files = sorted(tmp_path.rglob("*.safetensors"))
    assert {file.name for file in files} >= {"state.safetensors", "model.safetensors"}
    for file in files:
        stored = load_file(file)
        assert not [name for name in stored if "network" in name], file
        for weights in frozen:
            same = [name for name, value in stored.items() if value.shape == weights.shape and value.equal(weights)]
            assert not same, file
    assert not [name for name in load_file(tmp_path / "bundle" / "model.safetensors") if "critic" in name]


@pytest.mark.acceptance  # compiling takes minutes
@pytest.mark.skipif(not shutil.which("g++"), reason="compiling needs a C++ compiler")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of PyTorch's compiler itself
def test_a_compiled_step_is_the_same_step() -> None:
    plain, compiled = (trainer_of(tiny_photo(), compiled=how) for how in (False, True))
    losses = [[e.losses for e in one.run() if isinstance(e, EpochEnded)] for one in (plain, compiled)]
    assert set(losses[0][0]) == {"reconstruction", "distance", "kl", "unreal", "critic"}
    for a, b in zip(*losses, strict=True):
        assert b == pytest.approx(a, rel=1e-3)
    weights, of_compiled = (
        torch.cat([p.detach().flatten() for p in one.model.parameters()]) for one in (plain, compiled)
    )
    torch.testing.assert_close(of_compiled, weights, rtol=0, atol=2e-3)
