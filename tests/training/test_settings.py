"""Precision and compilation: compiled steps take the same way as plain ones; each is chosen where it pays."""

from __future__ import annotations

import shutil

import pytest
import torch

from morphospace.data import Dataset
from morphospace.recipes import build_model, build_stages, find_recipe, with_settings
from morphospace.training import EpochEnded, Settings, Trainer, choose_settings, settled
from morphospace.vae import Optimiser


def trained(digits: Dataset, recipe: str, compiled: bool) -> tuple[list[dict[str, float]], torch.Tensor]:
    chosen = with_settings(find_recipe(recipe), ["epochs=2", "batch=128"])
    model = build_model(chosen, digits.shape, seed=0)
    settings = choose_settings(device="cpu", precision="fp32", compiled=compiled)
    stages = build_stages(chosen, digits.shape)
    trainer = Trainer(model, stages, digits.train.images, digits.train.labels, seed=0, settings=settings)
    losses = [event.losses for event in trainer.run() if isinstance(event, EpochEnded)]
    return losses, torch.cat([p.detach().flatten() for p in model.parameters()])


@pytest.mark.skipif(not shutil.which("g++"), reason="compiling needs a C++ compiler")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of PyTorch's compiler itself
def test_a_compiled_step_is_the_same_step(digits: Dataset) -> None:
    (plain, weights), (compiled, compiled_weights) = (trained(digits, "book", how) for how in (False, True))
    for a, b in zip(plain, compiled, strict=True):
        # The optimiser's last bits differ too: a KL of 0.005 nats is then a ten-thousandth off.
        assert b == pytest.approx(a, rel=1e-4, abs=1e-5)
    torch.testing.assert_close(compiled_weights, weights, rtol=0, atol=2e-3)


@pytest.mark.skipif(not shutil.which("g++"), reason="compiling needs a C++ compiler")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_compiled_optimiser_is_not_compiled_again_at_each_learning_rate() -> None:
    start, gradients = torch.randn(7, 5), torch.randn(6, 7, 5)
    ends = []
    for compiled in (False, True):
        parameter = torch.nn.Parameter(start.clone())
        optimiser = Optimiser(kind="rmsprop", beta2=0.9, epsilon=1e-7).build([parameter], compiled=compiled)
        with torch._dynamo.config.patch(recompile_limit=2, fail_on_recompile_limit_hit=True):
            for step, gradient in enumerate(gradients):
                parameter.grad = gradient.clone()
                optimiser.param_groups[0]["lr"] = 1e-3 / (step + 1)
                optimiser.step()
        ends.append(parameter.detach())
    torch.testing.assert_close(ends[0], ends[1], rtol=1e-6, atol=1e-6)


def test_compilation_is_for_long_trainings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    asked = choose_settings(device="cpu")
    assert asked.compiled is None
    assert settled(asked, 100).compiled is False
    assert settled(asked, 40_000).compiled is True
    assert settled(Settings(compiled=True), 1).compiled is True
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert settled(asked, 40_000).compiled is False


@pytest.mark.parametrize(
    ("processor", "precision"),
    [
        ({"cpu_name": "Intel(R) Xeon(R) Platinum 8481C", "avx512_bf16": True, "amx_bf16": True}, "bf16"),
        ({"cpu_name": "Intel(R) Xeon(R) Processor", "avx512_bf16": True, "amx_bf16": False}, "fp32"),
        ({"cpu_name": "AMD EPYC 9654 96-Core Processor", "avx512_bf16": True}, "bf16"),
        ({"cpu_name": "AMD EPYC 7763 64-Core Processor", "avx512_bf16": False}, "fp32"),
        ({"architecture": "aarch64", "bf16": True}, "bf16"),
        ({}, "fp32"),
    ],
)
def test_bf16_is_for_processors_that_gain_by_it(
    processor: dict[str, bool | str], precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: processor)
    assert choose_settings(device="cpu").precision == precision
    assert choose_settings(device="cpu", precision="fp32").precision == "fp32"
