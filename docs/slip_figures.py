"""Measure what the notebook's slips do: the figures of docs/keras.md.

    python docs/slip_figures.py

One network and one schedule, those of `quick`, are trained with the ELBO, with the book's KL weight, with the book's
loss as a mean over pixels, and with the notebook's sampler; three seeds each. Every model is scored by the right
sampler, the last one by its own as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from statistics import mean
from typing import Any

import torch

import morphospace as ms
from morphospace.evaluate import evaluate_space
from morphospace.vae.interfaces import Draw, Noise
from morphospace.vae.posteriors.gaussian import GaussianQ

SEEDS = (0, 1, 2)
WAYS: dict[str, dict[str, Any]] = {
    "ELBO": {},
    "KL weight 0.392": {"beta": "0.392"},
    "the same, as a mean over pixels": {"objective": "book"},
    "KL weight 0.392, the notebook's sampler": {"beta": "0.392"},
}
KEYS = ("book_loss", "neg_elbo", "reconstruction", "kl")


@contextmanager
def notebooks_sampler() -> Iterator[None]:
    """exp(log_var) taken for a standard deviation, as in the notebook; its KL is that of the text."""

    def draw(self: GaussianQ, noise: Noise) -> Draw:
        (epsilon,) = noise
        return Draw(self.mean + torch.exp(self.log_var) * epsilon, None)

    kept = GaussianQ.draw
    GaussianQ.draw = draw  # type: ignore[method-assign]
    try:
        yield
    finally:
        GaussianQ.draw = kept  # type: ignore[method-assign]


def row(name: str, found: list[dict[str, float]]) -> str:
    cells = [f"{mean(f[key] for f in found):.{4 if key == 'book_loss' else 1}f}" for key in KEYS]
    return f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    mnist = ms.open_dataset("mnist")
    print("| trained with | book loss | −ELBO | reconstruction | KL |\n|---|---|---|---|---|")
    for name, settings in WAYS.items():
        slipped = "sampler" in name
        spaces, own = [], []
        for seed in SEEDS:
            if slipped:
                with notebooks_sampler():
                    spaces.append(ms.train(mnist, seed=seed, precision="fp32", settings=settings))
                    own.append(evaluate_space(spaces[-1], mnist)["test"])
            else:
                spaces.append(ms.train(mnist, seed=seed, precision="fp32", settings=settings))
        print(row(name, [evaluate_space(space, mnist)["test"] for space in spaces]), flush=True)
        if own:
            print(row("... scored by its own sampler", own), flush=True)


if __name__ == "__main__":
    main()
