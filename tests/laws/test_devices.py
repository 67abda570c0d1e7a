"""No float64 but on the CPU and on CUDA: Apple's devices have none.

There is no such device here, so one is played: parameters are of a class of tensors that hands itself on to all that is
computed from them, refuses float64, and becomes an ordinary tensor by ``.cpu()`` alone, as numbers of a device do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from morphospace.data import Dataset, dataset_from_arrays
from morphospace.evaluate import evaluate_space, reconstruction_errors
from morphospace.recipes import build_model, changed, find_recipe
from morphospace.training import Machine
from morphospace.vae import Generative
from morphospace.workflow import run, train_run


class OnDevice(Tensor):
    """A tensor of a device without float64."""

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is Tensor.cpu:
            with torch._C.DisableTorchFunctionSubclass():
                return func(*args, **(kwargs or {})).as_subclass(Tensor)
        if func is Tensor.numpy:
            raise TypeError("can't convert a device's tensor to numpy. Use Tensor.cpu() first.")
        found = super().__torch_function__(func, types, args, kwargs or {})  # type: ignore[no-untyped-call]
        for value in found if isinstance(found, (tuple, list)) else (found,):
            if isinstance(value, Tensor) and value.dtype == torch.float64:
                raise TypeError("Cannot convert a device's tensor to float64: it has no float64. Use float32 instead.")
        return found


def on_device(model: Generative) -> Generative:
    """The model with its parameters and buffers on that device."""
    for part in model.modules():
        for name, value in part.named_parameters(recurse=False):
            setattr(part, name, nn.Parameter(value.detach().as_subclass(OnDevice)))
        for name, buffer in part.named_buffers(recurse=False):
            setattr(part, name, buffer.as_subclass(OnDevice))
    return model


@pytest.fixture(autouse=True)
def _device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every model that is trained is on that device."""
    monkeypatch.setattr(run, "build_model", lambda *arguments, **named: on_device(build_model(*arguments, **named)))


@pytest.fixture
def few() -> Dataset:
    images = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 1), np.uint8)
    return dataset_from_arrays(images, np.arange(60) % 3)


def test_the_played_device_has_no_float64() -> None:
    value = torch.ones(2).as_subclass(OnDevice)
    uses: tuple[Callable[[], object], ...] = (
        value.double,
        (2 * value).sum().double,
        lambda: value + torch.ones(2, dtype=torch.float64),
        lambda: torch.zeros_like(value, dtype=torch.float64),
        value.numpy,
    )
    for use in uses:
        with pytest.raises(TypeError):
            use()
    assert (2 * value).cpu().double().numpy().tolist() == [2, 2]


@pytest.mark.parametrize("recipe", ["quick", "conv", "sparse-autoencoder"])
def test_nothing_makes_float64_on_a_device(few: Dataset, recipe: str) -> None:
    small = {"epochs": 1, "batch": 20, "latent_dim": 3, "widths": (8,)}
    result = train_run(few, changed(find_recipe(recipe), small), out=None, seed=0, machine=Machine())
    space = result.space
    assert isinstance(next(space.model.parameters()), OnDevice)
    a, b = few.test.images[:1], few.train.images[:1]

    assert space.decode(space.sample_points(3, seed=0), dtype="float").dtype == np.float32
    figures = evaluate_space(space, few, samples=2 if space.has_prior else None)
    assert figures["test"]["psnr"] == pytest.approx(result.test.psnr)
    assert len(reconstruction_errors(space, a, space.encode(a).mean)) == 1
    assert len(space.morph(a, b, frames=4, path="geodesic")) == 4
    space.reference = np.random.default_rng(0).standard_normal((30, 3), np.float32)  # it has hardly learned
    found = space.discover(2)
    assert found
    space.concepts["found"] = found[0].concept.named("found")
    assert space.edit(a, {"found": 1.0}).shape == a.shape
    space.learn_concept("kind", positive=few.train.images[:9])
    assert space.edit(a, {"kind": 1.0}, keep_detail=True).shape == a.shape
    assert space.atlas(3).pixels.dtype == np.uint8
    assert len(space.fingerprint()) == 64
