"""The recipe ``book`` through the trainer that ``morpho train`` uses, and the decoder through ``Space.decode``.

    python morphospace_vae.py speed|decode|score|growth FOLDER --batch 16 --seconds 6 [--compile] ...

FOLDER holds train.npy and test.npy, uint8 (N, 28, 28, 1). Prints one line of JSON. ``score`` gives the test figures of
the weights that the Keras contestant left in FOLDER/keras.npz; ``growth`` takes steps of ``conv`` on sprites.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from timing import best

from morphospace._version import __version__
from morphospace.data import open_dataset
from morphospace.data.batches import steps_per_epoch
from morphospace.evaluate.likelihood import score
from morphospace.export.keras import from_keras
from morphospace.recipes import build_model, build_stages, changed, find_recipe
from morphospace.space import Space
from morphospace.training import Stepped, Trainer, choose_machine
from morphospace.training.machine import keep_freed_memory

SHAPE = (28, 28, 1)
TURNS, BLOCK = 10, 30


def speed(folder: Path, batch: int, seconds: float, precision: str, compiled: bool) -> dict[str, Any]:
    """Images a second of training."""
    images = np.load(folder / "train.npy")
    recipe = changed(find_recipe("book"), {"batch": batch, "epochs": "1000"})
    machine = choose_machine(device="cpu", precision=precision, compiled=compiled)
    model = build_model(recipe, SHAPE, seed=0)
    trainer = Trainer(model, build_stages(recipe, model, SHAPE, seed=0), images, seed=0, machine=machine)
    events = (event for event in trainer.run() if isinstance(event, Stepped))
    steps = max(20, 2048 // batch)
    began = time.perf_counter()
    next(events)
    first = time.perf_counter() - began

    def some() -> None:
        for _ in range(steps):
            next(events)

    return {"rate": best(some, steps * batch, seconds), "first_step": first, "precision": machine.precision}


def decode(batch: int, seconds: float) -> dict[str, Any]:
    """Images a second of decoding, pixels included."""
    keep_freed_memory()
    recipe = find_recipe("book")
    space = Space(build_model(recipe, SHAPE, seed=0), recipe, SHAPE)
    z = np.random.default_rng(0).standard_normal((8192, 2)).astype(np.float32)
    own = batch or None
    return {"rate": best(lambda: list(space.decode_batches([z], batch=own)), 8192, seconds)}


def scored(folder: Path) -> dict[str, Any]:
    """The test figures of the Keras contestant's weights."""
    model = build_model(find_recipe("book"), SHAPE, seed=0)
    with np.load(folder / "keras.npz") as stored:
        arrays = [stored[f"arr_{i}"] for i in range(20)]
    from_keras(model, arrays[:14], arrays[14:])
    found = score(model.eval(), np.load(folder / "test.npy"), beta=0.392)
    return {"neg_elbo": found.neg_elbo, "book_loss": found.book_loss}


def growth(counts: list[int], side: int, latents: int) -> dict[str, Any]:
    """Seconds of an epoch of ``conv`` on so many sprites, by the median step; sets take turns, ``BLOCK`` steps each."""
    recipe = changed(find_recipe("conv"), {"epochs": "1000", "latent_dim": latents, "augment": "0"})
    machine = choose_machine(device="cpu", compiled=False)
    sets: list[tuple[int, Iterator[Stepped], list[float]]] = []
    for count in counts:
        dataset = open_dataset(f"sprites:count={count},size={side}")
        model = build_model(recipe, dataset.shape, seed=0)
        stages = build_stages(recipe, model, dataset.shape, seed=0)
        trainer = Trainer(model, stages, dataset.train.images, seed=0, machine=machine)
        events: Iterator[Stepped] = (event for event in trainer.run() if isinstance(event, Stepped))
        next(events)
        sets.append((len(dataset.train), events, []))
    for _ in range(TURNS):
        for _, events, seconds in sets:
            began = time.perf_counter()
            for _ in range(BLOCK):
                next(events)
            seconds.append((time.perf_counter() - began) / BLOCK)
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    rows = []
    for images, _, seconds in sets:
        step = statistics.median(seconds)
        whole = step * steps_per_epoch(images, recipe.batch)
        rows.append({"images": images, "seconds": whole, "rate": recipe.batch / step})
    return {"rows": rows, "own_mb": int(status["RssAnon"].split()[0]) / 1024}


def multiplication() -> dict[str, Any]:
    """The rate at which the machine multiplies matrices, in GFLOP/s."""
    found = {}
    for name, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        a, b = (torch.randn(2048, 2048).to(dtype) for _ in range(2))
        found[name] = best(lambda a=a, b=b: a @ b, 2 * 2048**3 / 1e9, 2.0)  # type: ignore[misc]
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["speed", "decode", "score", "growth", "gemm"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--count", type=int, nargs="+", default=[10_000])
    parser.add_argument("--side", type=int, default=28)
    parser.add_argument("--latents", type=int, default=32)
    asked = parser.parse_args()
    match asked.what:
        case "speed":
            said = speed(asked.folder, asked.batch, asked.seconds, asked.precision, asked.compile)
        case "decode":
            said = decode(asked.batch, asked.seconds)
        case "score":
            said = scored(asked.folder)
        case "growth":
            said = growth(asked.count, asked.side, asked.latents)
        case _:
            said = multiplication()
    print(json.dumps(said | {"version": f"Morphospace {__version__}, PyTorch {torch.__version__}"}))


if __name__ == "__main__":
    main()
