"""What a recipe trains is what it trained before: the first 20 losses at a fixed seed, written down by version 0.1."""

from __future__ import annotations

import json

import pytest
from tests.golden.losses import CASES, STEPS, file_of, first_losses, images_of, losses_of

from morphospace.data import Dataset

# Of a loss's own size (some are of tens of thousands of nats), or in nats where it is near 0. Processors differ in the
# last bits, by what their vectors hold.
RELATIVE, NATS = 1e-5, 1e-5
# RMSprop divides the smallest gradients of MNIST by their own size, and what is left of them are last bits: on a
# processor without AVX2 the book's losses are 3e-6 apart after 10 steps, and 3e-3 after 20.
UNSTEADY = {"book-mnist": (10, 1e-2)}


def compare(name: str) -> None:
    expected = json.loads(file_of(name).read_text(encoding="utf-8"))
    found = first_losses(name)
    assert len(found) == len(expected) == STEPS
    steady, wide = UNSTEADY.get(name, (STEPS, RELATIVE))
    for step, (now, then) in enumerate(zip(found, expected, strict=True)):
        relative, nats = (RELATIVE, NATS) if step < steady else (wide, wide)
        assert now == pytest.approx(then, rel=relative, abs=nats), f"step {step}"


@pytest.mark.parametrize("name", [name for name in CASES if "mnist" not in name])
def test_first_losses_are_those_of_before(name: str) -> None:
    compare(name)


def test_first_losses_of_the_book_on_mnist_are_those_of_before(mnist: Dataset) -> None:
    compare("book-mnist")


def test_the_images_of_conv_are_so_few_that_they_are_augmented() -> None:
    """So that augmentation is in its losses, and what changes it is seen."""
    then = json.loads(file_of("conv").read_text(encoding="utf-8"))[0]
    (plain,) = losses_of("conv", images_of("sprites 32x32"), {"augment": "0"}, steps=1)
    assert abs(plain["total"] - then["total"]) > 1e-3 * then["total"]
