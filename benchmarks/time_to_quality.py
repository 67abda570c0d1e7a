"""How soon ``quick`` is how good, beside a plain PyTorch loop, in turn on the same machine.

    MORPHOSPACE_DATA=... python benchmarks/time_to_quality.py [--rounds 3]

The plain loop is the script that people write: a ReLU MLP of 784-512-256-2 and its mirror, Adam with a one-cycle
schedule, batch 256, 12 epochs, bfloat16 autocast where the hardware has it. Prints a line for each run.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time

import torch
import torch.nn.functional as F
from torch import nn

from morphospace.data import open_dataset
from morphospace.training.machine import choose_machine


def plain(seed: int) -> tuple[float, float]:
    """Seconds of training and test -ELBO of the plain loop."""
    torch.manual_seed(seed)
    data = open_dataset("mnist")
    train, test = (torch.from_numpy(s.images).flatten(1) for s in (data.train, data.test))
    machine = choose_machine()
    encoder = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 4))
    decoder = nn.Sequential(nn.Linear(2, 256), nn.ReLU(), nn.Linear(256, 512), nn.ReLU(), nn.Linear(512, 784))
    parameters = [*encoder.parameters(), *decoder.parameters()]
    batch, epochs = 256, 12
    steps = len(train) // batch
    optimiser = torch.optim.Adam(parameters, 3e-3, betas=(0.9, 0.98), fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=epochs * steps + 1, pct_start=0.15)

    def loss(x: torch.Tensor) -> torch.Tensor:
        mean, log_var = encoder(x).float().chunk(2, 1)
        z = mean + torch.exp(0.5 * log_var) * torch.randn_like(mean)
        reconstruction = F.binary_cross_entropy_with_logits(decoder(z).float(), x, reduction="sum")
        kl = -0.5 * (1 + log_var - mean.square() - log_var.exp()).sum()
        total: torch.Tensor = (reconstruction + kl) / len(x)
        return total

    began = time.perf_counter()
    for _ in range(epochs):
        order = torch.randperm(len(train))
        for i in range(steps):
            x = train[order[i * batch : (i + 1) * batch]].float() / 255
            with machine.autocast():
                total = loss(x)
            optimiser.zero_grad(set_to_none=True)
            torch.autograd.backward(total)
            optimiser.step()
            schedule.step()
    seconds = time.perf_counter() - began
    with torch.no_grad():
        return seconds, loss(test.float() / 255).item()


def quick(seed: int) -> tuple[float, float, float]:
    """Seconds of training, wall seconds of the whole command, and test -ELBO of ``morpho train mnist``."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "morphospace", "train", "mnist", "--seed", str(seed), "--json", "--out", folder],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        wall = time.perf_counter() - began
    said = json.loads(done.stdout)
    return said["train"]["seconds"], wall, said["test"]["neg_elbo"]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    ratios = []
    for seed in range(rounds):
        seconds, wall, nats = quick(seed)
        print(f"quick  seed {seed}: {seconds:5.1f} s training, {wall:5.1f} s wall, -ELBO {nats:.2f}", flush=True)
        plain_seconds, plain_nats = plain(seed)
        print(f"plain  seed {seed}: {plain_seconds:5.1f} s training,              -ELBO {plain_nats:.2f}", flush=True)
        ratios.append(plain_seconds / seconds)
    print(f"the plain loop takes {statistics.median(ratios):.2f} times the training time (median of {rounds})")


if __name__ == "__main__":
    main()
