"""The book's network as people write it in PyTorch.

    python torch_vae.py speed FOLDER --batch 16 --seconds 6 [--bf16]

FOLDER holds train.npy, uint8 (N, 28, 28, 1). Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn


class VAE(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 64, 3, 2, 1), nn.ReLU(),
            nn.Conv2d(64, 64, 3, 1, 1), nn.ReLU(), nn.Conv2d(64, 64, 3, 1, 1), nn.ReLU(),
            nn.Flatten(), nn.Linear(12544, 32), nn.ReLU(),
        )  # fmt: skip
        self.mean, self.log_var = nn.Linear(32, 2), nn.Linear(32, 2)
        self.decoder = nn.Sequential(
            nn.Linear(2, 12544), nn.ReLU(), nn.Unflatten(1, (64, 14, 14)),
            nn.ConvTranspose2d(64, 32, 3, 2, 1, 1), nn.ReLU(), nn.Conv2d(32, 1, 3, 1, 1),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        h = self.encoder(x)
        mean, log_var = self.mean(h), self.log_var(h)
        logits = self.decoder(mean + torch.exp(0.5 * log_var) * torch.randn_like(mean))
        reconstruction = F.binary_cross_entropy_with_logits(logits, x, reduction="sum")
        kl: Tensor = -0.5 * (1 + log_var - mean.square() - log_var.exp()).sum()
        return (reconstruction + kl) / len(x)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["speed"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--bf16", action="store_true")
    asked = parser.parse_args()
    torch.manual_seed(0)
    x = torch.from_numpy(np.load(asked.folder / "train.npy")[:8192]).permute(0, 3, 1, 2).float() / 255
    x = x.contiguous(memory_format=torch.channels_last)
    model = VAE().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.Adam(model.parameters(), 1e-3, fused=True)
    steps, best, began = max(20, 2048 // asked.batch), 0.0, 0.0
    while not began or time.perf_counter() - began < asked.seconds:
        start = time.perf_counter()
        for i in range(steps):
            at = i * asked.batch % (8192 - asked.batch)
            optimiser.zero_grad(set_to_none=True)
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=asked.bf16):
                loss = model(x[at : at + asked.batch])
            torch.autograd.backward(loss)
            optimiser.step()
        if began:
            best = max(best, steps * asked.batch / (time.perf_counter() - start))
        began = began or time.perf_counter()  # the first turn warms up
    print(json.dumps({"rate": best, "version": f"PyTorch {torch.__version__}"}))


if __name__ == "__main__":
    main()
