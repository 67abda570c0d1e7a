"""The book's network against figures that Keras itself gave (benchmarks/keras_book.py --write)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.models import gaussians, vae_of

from morphospace.errors import ArgumentError, DataError
from morphospace.export.keras import from_keras, to_keras
from morphospace.recipes import build_model, find_recipe
from morphospace.vae import VAE, KerasRMSprop

SHAPES = (
    [
        (3, 3, 1, 32),
        (32,),
        (3, 3, 32, 64),
        (64,),
        (3, 3, 64, 64),
        (64,),
        (3, 3, 64, 64),
        (64,),
        (12544, 32),
        (32,),
        (32, 2),
        (2,),
        (32, 2),
        (2,),
    ],
    [(2, 12544), (12544,), (3, 3, 32, 64), (32,), (3, 3, 32, 1), (1,)],
)


@pytest.fixture(scope="module")
def reference() -> dict[str, np.ndarray]:
    with np.load(Path(__file__).with_name("keras_book.npz")) as stored:
        return {name: stored[name] for name in stored.files}


def weights_of(shapes: list[tuple[int, ...]], seed: int) -> list[np.ndarray]:
    """The same draw as in benchmarks/keras_book.py."""
    rng = np.random.default_rng(seed)
    found = []
    for shape in shapes:
        fan = np.prod(shape[:-1]) + shape[-1] if len(shape) > 1 else 600
        limit = np.sqrt(6 / fan) if len(shape) > 1 else 0.1
        found.append(rng.uniform(-limit, limit, shape).astype(np.float32))
    return found


def book() -> VAE:
    return vae_of(find_recipe("book"), (28, 28, 1))


def test_keras_weights_give_keras_outputs(reference: dict[str, np.ndarray]) -> None:
    model = from_keras(book(), weights_of(SHAPES[0], 1), weights_of(SHAPES[1], 2))
    rng = np.random.default_rng(3)
    images, z = rng.random((4, 28, 28, 1), np.float32), rng.standard_normal((4, 2)).astype(np.float32)
    with torch.no_grad():
        q = gaussians(model, torch.from_numpy(images).permute(0, 3, 1, 2))
        decoded = model.likelihood.mean(model.decode(torch.from_numpy(z))).permute(0, 2, 3, 1).numpy()
    np.testing.assert_allclose(q.mean.numpy(), reference["mean"], atol=1e-5)
    np.testing.assert_allclose(q.log_var.numpy(), reference["log_var"], atol=1e-5)
    np.testing.assert_allclose(decoded, reference["decoded"], atol=1e-5)


def test_weights_go_to_keras_and_back_unchanged() -> None:
    model = book()
    encoder, decoder = to_keras(model)
    assert [w.shape for w in encoder] == SHAPES[0]
    assert [w.shape for w in decoder] == SHAPES[1]
    other = from_keras(vae_of(find_recipe("book"), (28, 28, 1), seed=1), encoder, decoder)
    for a, b in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)


def test_rmsprop_steps_as_in_keras(reference: dict[str, np.ndarray]) -> None:
    parameter = torch.nn.Parameter(torch.from_numpy(reference["start"].copy()))
    optimiser = KerasRMSprop([parameter], learning_rate=1e-3, rho=0.9, epsilon=1e-7)
    for gradient in reference["gradients"]:
        parameter.grad = torch.from_numpy(gradient)
        optimiser.step()
    np.testing.assert_allclose(parameter.detach().numpy(), reference["stepped"], atol=1e-6)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ArgumentError, match="book"):
        to_keras(build_model(find_recipe("quick"), (28, 28, 1), seed=0))
    encoder, decoder = to_keras(book())
    with pytest.raises(DataError, match="expected 14 arrays, got 13"):
        from_keras(book(), encoder[:-1], decoder)
    with pytest.raises(DataError, match="decoder: expected array 0"):
        from_keras(book(), encoder, [decoder[0].T, *decoder[1:]])
