"""The book's network in Keras 3 on TensorFlow, as section 8.4 builds it, with the right sampler.

    python keras_vae.py speed|decode|book FOLDER --batch 16 --seconds 6 [--bf16]

FOLDER holds train.npy and test.npy, uint8 (N, 28, 28, 1). Prints one line of JSON. ``book`` trains ten epochs at batch
16 and leaves the weights in FOLDER/keras.npz.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
BEGAN = time.perf_counter()

import keras  # noqa: E402
import numpy as np  # noqa: E402
from keras import layers, ops  # noqa: E402
from timing import best  # noqa: E402


class Sampler(layers.Layer):  # type: ignore[misc]
    """z = mean + exp(log_var / 2) * epsilon, and the KL in the book's weight."""

    def __init__(self, **keys: Any) -> None:
        super().__init__(**keys)
        self.seeds = keras.random.SeedGenerator(0)

    def call(self, inputs: tuple[Any, Any]) -> Any:
        mean, log_var = inputs
        self.add_loss(-5e-4 * ops.mean(1 + log_var - ops.square(mean) - ops.exp(log_var)))
        return mean + ops.exp(0.5 * log_var) * keras.random.normal(ops.shape(mean), seed=self.seeds, dtype=mean.dtype)


def models() -> tuple[Any, Any, Any]:
    """Encoder, decoder and the two composed; heads and loss in float32 under any policy."""

    def convolution(filters: int, strides: int = 1) -> Any:
        return layers.Conv2D(filters, 3, padding="same", activation="relu", strides=strides)

    image = keras.Input((28, 28, 1))
    h = convolution(64)(convolution(64)(convolution(64, 2)(convolution(32)(image))))
    h = layers.Dense(32, activation="relu")(layers.Flatten()(h))
    encoder = keras.Model(image, [layers.Dense(2, dtype="float32")(h), layers.Dense(2, dtype="float32")(h)])
    latent = keras.Input((2,))
    h = layers.Reshape((14, 14, 64))(layers.Dense(14 * 14 * 64, activation="relu")(latent))
    h = layers.Conv2DTranspose(32, 3, strides=2, padding="same", activation="relu")(h)
    decoder = keras.Model(latent, layers.Conv2D(1, 3, padding="same", activation="sigmoid", dtype="float32")(h))
    whole = keras.Model(image, decoder(Sampler(dtype="float32")(encoder(image))))
    whole.compile(optimizer="rmsprop", loss="binary_crossentropy")
    return encoder, decoder, whole


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["speed", "decode", "book"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--bf16", action="store_true")
    asked = parser.parse_args()
    if asked.bf16:
        keras.mixed_precision.set_global_policy("mixed_bfloat16")
    keras.utils.set_random_seed(0)
    encoder, decoder, whole = models()
    x = np.load(asked.folder / "train.npy").astype(np.float32) / 255
    said: dict[str, Any] = {"version": f"Keras {keras.__version__}, {keras.backend.backend()}"}
    if asked.what == "book":
        began = time.perf_counter()
        whole.fit(x, x, batch_size=16, epochs=asked.epochs, verbose=0)
        said |= {"seconds": time.perf_counter() - began, "wall": time.perf_counter() - BEGAN}
        arrays = [*encoder.get_weights(), *decoder.get_weights()]
        np.savez(asked.folder / "keras.npz", *arrays)
    elif asked.what == "decode":
        z = np.random.default_rng(0).standard_normal((8192, 2)).astype(np.float32)
        said["rate"] = best(lambda: decoder.predict(z, batch_size=asked.batch, verbose=0), 8192, asked.seconds)
    else:
        some = x[: asked.batch * max(20, 4096 // asked.batch)]
        said["rate"] = best(
            lambda: whole.fit(some, some, batch_size=asked.batch, epochs=1, verbose=0), len(some), asked.seconds
        )
    print(json.dumps(said))


if __name__ == "__main__":
    main()
