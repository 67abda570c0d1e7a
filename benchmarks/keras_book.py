"""Keras itself against ours: the book's network, its weights both ways, its loss and its optimiser.

Run in an environment that has Keras, its backend and morphospace:

    pip install keras==3.15.1 tensorflow-cpu==2.21.0 -e .
    python benchmarks/keras_book.py --write      # also renews tests/export/keras_book.npz

Prints the largest differences, and fails if one is above its bound.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import torch
from keras import layers

from morphospace.export.keras import from_keras, to_keras
from morphospace.recipes import build_model, find_recipe
from morphospace.vae import VAE, KerasRMSprop
from morphospace.vae.posteriors.gaussian import GaussianQ

REFERENCE = Path(__file__).parents[1] / "tests" / "export" / "keras_book.npz"


def book_models() -> tuple[Any, Any]:
    """Encoder and decoder as section 8.4 of the book describes them."""
    image = keras.Input((28, 28, 1))
    h = layers.Conv2D(32, 3, padding="same", activation="relu")(image)
    h = layers.Conv2D(64, 3, strides=2, padding="same", activation="relu")(h)
    h = layers.Conv2D(64, 3, padding="same", activation="relu")(h)
    h = layers.Conv2D(64, 3, padding="same", activation="relu")(h)
    h = layers.Dense(32, activation="relu")(layers.Flatten()(h))
    encoder = keras.Model(image, [layers.Dense(2)(h), layers.Dense(2)(h)])
    latent = keras.Input((2,))
    h = layers.Reshape((14, 14, 64))(layers.Dense(14 * 14 * 64, activation="relu")(latent))
    h = layers.Conv2DTranspose(32, 3, strides=2, padding="same", activation="relu")(h)
    decoder = keras.Model(latent, layers.Conv2D(1, 3, padding="same", activation="sigmoid")(h))
    return encoder, decoder


def weights_of(shapes: list[tuple[int, ...]], seed: int) -> list[np.ndarray]:
    """Weights that anybody can draw again: uniform, of Glorot's size, biases too (zero ones would hide errors)."""
    rng = np.random.default_rng(seed)
    found = []
    for shape in shapes:
        fan = np.prod(shape[:-1]) + shape[-1] if len(shape) > 1 else 600
        limit = np.sqrt(6 / fan) if len(shape) > 1 else 0.1
        found.append(rng.uniform(-limit, limit, shape).astype(np.float32))
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()

    encoder, decoder = book_models()
    print("parameters: keras", encoder.count_params() + decoder.count_params())
    encoder.set_weights(weights_of([w.shape for w in encoder.get_weights()], 1))
    decoder.set_weights(weights_of([w.shape for w in decoder.get_weights()], 2))
    rng = np.random.default_rng(3)
    images, z = rng.random((4, 28, 28, 1), np.float32), rng.standard_normal((4, 2)).astype(np.float32)
    mean, log_var = (np.asarray(v) for v in encoder(images))
    decoded = np.asarray(decoder(z))

    model = build_model(find_recipe("book"), (28, 28, 1), seed=0)
    print("parameters: ours ", sum(p.numel() for p in model.parameters()))
    assert isinstance(model, VAE)
    from_keras(model, encoder.get_weights(), decoder.get_weights())
    with torch.no_grad():
        q = model.infer(torch.from_numpy(images).permute(0, 3, 1, 2))
        assert isinstance(q, GaussianQ)
        ours = model.likelihood.mean(model.decode(torch.from_numpy(z))).permute(0, 2, 3, 1).numpy()
    differences = {
        "mean": np.abs(q.mean.numpy() - mean).max(),
        "log_var": np.abs(q.log_var.numpy() - log_var).max(),
        "decoded": np.abs(ours - decoded).max(),
    }
    back = to_keras(model)
    exact = all(
        np.array_equal(a, b)
        for some, keras_model in zip(back, (encoder, decoder), strict=True)
        for a, b in zip(some, keras_model.get_weights(), strict=True)
    )
    print("weights to Keras and back are equal to the bit:", exact)

    # Ten steps of the optimiser, on gradients as small as the book's loss gives.
    start, gradients = (
        rng.standard_normal(50).astype(np.float32),
        rng.standard_normal((10, 50)).astype(np.float32) * 1e-3,
    )
    variable = keras.Variable(start)
    keras_optimiser = keras.optimizers.RMSprop()
    parameter = torch.nn.Parameter(torch.from_numpy(start.copy()))
    our_optimiser = KerasRMSprop([parameter], learning_rate=1e-3, rho=0.9, epsilon=1e-7)
    for gradient in gradients:
        keras_optimiser.apply([keras.ops.convert_to_tensor(gradient)], [variable])
        parameter.grad = torch.from_numpy(gradient)
        our_optimiser.step()
    stepped = np.asarray(variable.value)
    differences["rmsprop"] = np.abs(parameter.detach().numpy() - stepped).max()

    for name, value in differences.items():
        print(f"largest difference, {name}: {value:.2e}")
    if not exact or max(differences.values()) > 2e-5:
        raise SystemExit("Keras and Morphospace differ")
    if arguments.write:
        REFERENCE.parent.mkdir(exist_ok=True)
        np.savez_compressed(
            REFERENCE, mean=mean, log_var=log_var, decoded=decoded.astype(np.float32), start=start, gradients=gradients,
            stepped=stepped, keras=np.array(f"{keras.__version__} {keras.backend.backend()}"),
        )  # fmt: skip
        print("wrote", REFERENCE)


if __name__ == "__main__":
    main()
