"""The first losses of recipes at a fixed seed, to be compared with those that version 0.1 had.

The files beside this one were written once, by ``python -m tests.golden.losses``, from the code before recipes became
trees of parts. They are the promise that what a recipe trains has stayed what it was: do not write them again. Should a
recipe itself be changed on purpose, write that one alone, by its name, and say why in the commit.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

import morphospace as ms
from morphospace.data.sprites import draw_sprites, sprite_factors
from morphospace.images import Images
from morphospace.recipes import build_model, build_stages, changed, find_recipe
from morphospace.training import Machine, Trainer

STEPS = 20
SEED = 7
TURNED = {"flip": "both", "rotate": "30"}

# What each file is of: the recipe, its images, and keys that are set. "whole" is a training of 20 steps, from its
# warm-up to the end of its decay; the others see the beginning of their schedules alone.
CASES: dict[str, tuple[str, str, dict[str, str]]] = {
    "book": ("book", "digits 28x28", {}),
    "quick": ("quick", "digits 8x8", {}),
    "editing": ("editing", "digits 8x8", {}),
    "conv": ("conv", "sprites 32x32", {}),  # few images: augmented
    "autoencoder": ("autoencoder", "digits 8x8", {}),
    "sparse-autoencoder": ("sparse-autoencoder", "digits 8x8", {}),
    "quick-whole": ("quick", "digits 8x8", {"epochs": "4", "batch": "256"}),
    # At the recipe's own rate a warm-up of three steps throws it far off.
    "conv-whole": ("conv", "sprites 32x32", {"epochs": "1", "batch": "20", "learning_rate": "3e-4", **TURNED}),
    "sparse-autoencoder-whole": ("sparse-autoencoder", "digits 8x8", {"epochs": "4", "batch": "256"}),
    "book-mnist": ("book", "mnist", {}),
}


def images_of(name: str) -> Images:
    """The training images called ``name``, uint8 (N, H, W, C)."""
    match name:
        case "digits 8x8":
            images = np.asarray(ms.open_dataset("digits").train.images)
        case "digits 28x28":
            larger = np.asarray(ms.open_dataset("digits").train.images).repeat(3, 1).repeat(3, 2)
            images = np.pad(larger, ((0, 0), (2, 2), (2, 2), (0, 0)))
        case "sprites 32x32":
            images = draw_sprites(sprite_factors(0, 400, seed=0), (32, 32, 3))
        case _:
            images = np.asarray(ms.open_dataset(name).train.images)
    return images


def losses_of(recipe_name: str, images: Images, settings: dict[str, str], steps: int = STEPS) -> list[dict[str, float]]:
    """Each part and the total of the first losses; all that knows how a training is put together is in here."""
    recipe = changed(find_recipe(recipe_name), settings).for_images(len(images))
    height, width, channels = images.shape[1:]
    shape = (height, width, channels)
    model = build_model(recipe, shape, seed=SEED)
    stages = build_stages(recipe, model, shape, seed=SEED)
    found: list[dict[str, float]] = []

    def note(_: Any, __: Any, loss: Any) -> None:
        found.append({"total": loss.total.item()} | {name: value.item() for name, value in loss.parts.items()})

    stages[0].objective.register_forward_hook(note)
    machine = Machine(device="cpu", precision="fp32", threads=1, compiled=False)
    trainer = Trainer(model, stages, images, seed=SEED, machine=machine)
    for _ in trainer.run():
        if len(found) == steps:
            break
    return found


def first_losses(name: str) -> list[dict[str, float]]:
    """The first losses of a case, as the code is now."""
    recipe_name, images, settings = CASES[name]
    return losses_of(recipe_name, images_of(images), settings)


def file_of(name: str) -> Path:
    """Where the losses of a case are written down."""
    return Path(__file__).parent / f"{name}.json"


if __name__ == "__main__":
    for case in sys.argv[1:] or CASES:
        lines = ",\n".join(json.dumps(losses) for losses in first_losses(case))
        file_of(case).write_text(f"[\n{lines}\n]\n", encoding="utf-8")
