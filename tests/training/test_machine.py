"""Precision and compilation: compiled steps take the same way as plain ones; each is chosen where it pays."""

from __future__ import annotations

import shutil

import pytest
import torch

from morphospace.data import Dataset
from morphospace.recipes import build_model, build_stages, changed, find_recipe
from morphospace.training import EpochEnded, Machine, Trainer, choose_machine, decide_compilation


def trained(digits: Dataset, recipe: str, compiled: bool) -> tuple[list[dict[str, float]], torch.Tensor]:
    chosen = changed(find_recipe(recipe), {"epochs": "2", "batch": "128"})
    model = build_model(chosen, digits.shape, seed=0)
    machine = choose_machine(device="cpu", precision="fp32", compiled=compiled)
    stages = build_stages(chosen, model, digits.shape, seed=0)
    trainer = Trainer(model, stages, digits.train.images, digits.train.labels, seed=0, machine=machine)
    losses = [event.losses for event in trainer.run() if isinstance(event, EpochEnded)]
    return losses, torch.cat([p.detach().flatten() for p in model.parameters()])


@pytest.mark.acceptance  # compiling takes most of a minute
@pytest.mark.skipif(not shutil.which("g++"), reason="compiling needs a C++ compiler")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of PyTorch's compiler itself
def test_a_compiled_step_is_the_same_step(digits: Dataset) -> None:
    (plain, weights), (compiled, compiled_weights) = (trained(digits, "book", how) for how in (False, True))
    for a, b in zip(plain, compiled, strict=True):
        assert b == pytest.approx(a, rel=1e-4)
    torch.testing.assert_close(compiled_weights, weights, rtol=0, atol=2e-3)


def test_compilation_is_for_long_trainings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    asked = choose_machine(device="cpu")
    assert asked.compiled is None
    assert decide_compilation(asked, 100).compiled is False
    assert decide_compilation(asked, 40_000).compiled is True
    assert decide_compilation(Machine(compiled=True), 1).compiled is True
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert decide_compilation(asked, 40_000).compiled is False


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
    assert choose_machine(device="cpu").precision == precision
    assert choose_machine(device="cpu", precision="fp32").precision == "fp32"
