# ruff: noqa: E501 - the rows of a table
"""Figures that acceptance tests measure are kept in docs/figures.json and shown in docs/figures.md."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from morphospace.data import Dataset
from morphospace.evaluate.comparison import JUDGE_STEPS
from morphospace.evaluate.judges import Judge, train_judge
from morphospace.space import Space
from morphospace.workflow import train

FIGURES = Path(__file__).parents[2] / "docs" / "figures.json"
HEAD = """# Measured figures

Made by `make acceptance` (`make acceptance QUICK=1` checks a part of them and leaves the table as it is); nats an image
over all test images, in float32, one fixed-seed draw. Seconds are of training alone, on the machine that made the table: trust the
nats, and compare seconds only within one table. They are left out where the machine had other work.

| what | seed | command | parameters | −ELBO | reconstruction | KL | beta | PSNR (dB) | book loss | seconds | wall seconds |
|---|---|---|---|---|---|---|---|---|---|---|---|
"""


def render(rows: dict[str, dict[str, Any]]) -> str:
    def cell(value: Any, form: str) -> str:
        return "" if value is None else format(value, form)

    lines = [
        f"| {r['what']} | {r['seed']} | `{r['command']}` | {r['parameters']:,} | {cell(r['neg_elbo'], '.2f')} "
        f"| {r['reconstruction']:.2f} | {cell(r['kl'], '.2f')} | {cell(r['beta'], '.3g')} "
        f"| {cell(r.get('psnr'), '.1f')} | {cell(r.get('book_loss'), '.4f')} | {cell(r['seconds'], '.1f')} | {cell(r['wall'], '.1f')} |"
        for _, r in sorted(rows.items())
    ]
    return HEAD + "\n".join(lines) + "\n"


@pytest.fixture(scope="session")
def judge(mnist: Dataset) -> Judge:
    """Of the digits; it has never seen a latent."""
    return train_judge(mnist.train.images, {"label": np.asarray(mnist.train.labels)}, steps=JUDGE_STEPS)


@pytest.fixture(scope="session")
def editing(mnist: Dataset) -> Space:
    """A space of MNIST to edit in; tests may leave concepts in it."""
    return train(mnist, "editing", seed=0)


@pytest.fixture
def train_and_record(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Run ``morpho train ARGUMENTS --seed S --json`` and put its figures into the table, DATA as ``shown``."""

    def run(what: str, *arguments: str, seed: int, shown: str = "") -> dict[str, Any]:
        command = ["train", *arguments, "--seed", str(seed)]
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "morphospace", *command, "--json", "--out", str(tmp_path)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        wall = time.perf_counter() - began
        assert done.returncode == 0, done.stderr
        said: dict[str, Any] = json.loads(done.stdout)
        if "PYTEST_XDIST_WORKER" in os.environ:  # beside other tests, it takes longer than it takes
            return said
        rows = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
        rows[f"{what} {seed}"] = {
            "what": what,
            "seed": seed,
            "command": " ".join(["morpho", *(shown if shown and a == arguments[0] else a for a in command)]),
            "parameters": said["parameters"],
            **said["test"],
            "seconds": said["train"]["seconds"],
            "wall": wall,
        }
        FIGURES.parent.mkdir(exist_ok=True)
        FIGURES.write_text(json.dumps(rows, indent=1, sort_keys=True) + "\n")
        FIGURES.with_suffix(".md").write_text(render(rows), encoding="utf-8")
        return said

    return run
