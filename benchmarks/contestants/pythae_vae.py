"""The book's network in Pythae's own trainer.

    python pythae_vae.py speed|decode FOLDER --batch 16 --seconds 6

FOLDER holds train.npy, uint8 (N, 28, 28, 1). Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pythae.data.datasets import BaseDataset
from pythae.models import VAE, VAEConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from pythae.trainers import BaseTrainer, BaseTrainerConfig
from timing import best
from torch import nn


class Encoder(BaseEncoder):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 64, 3, 2, 1), nn.ReLU(),
            nn.Conv2d(64, 64, 3, 1, 1), nn.ReLU(), nn.Conv2d(64, 64, 3, 1, 1), nn.ReLU(),
            nn.Flatten(), nn.Linear(12544, 32), nn.ReLU(),
        )  # fmt: skip
        self.mean, self.log_var = nn.Linear(32, 2), nn.Linear(32, 2)

    def forward(self, x: torch.Tensor) -> Any:
        h = self.layers(x)
        return ModelOutput(embedding=self.mean(h), log_covariance=self.log_var(h))


class Decoder(BaseDecoder):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(2, 12544), nn.ReLU(), nn.Unflatten(1, (64, 14, 14)),
            nn.ConvTranspose2d(64, 32, 3, 2, 1, 1), nn.ReLU(), nn.Conv2d(32, 1, 3, 1, 1), nn.Sigmoid(),
        )  # fmt: skip

    def forward(self, z: torch.Tensor) -> Any:
        return ModelOutput(reconstruction=self.layers(z))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["speed", "decode"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=6.0)
    asked = parser.parse_args()
    model = VAE(VAEConfig(input_dim=(1, 28, 28), latent_dim=2, reconstruction_loss="bce"), Encoder(), Decoder())
    if asked.what == "decode":
        z, images = torch.randn(8192, 2), 8192
        call: Any = lambda _: [model.decoder(some)["reconstruction"] for some in torch.split(z, asked.batch)]  # noqa: E731
        torch.set_grad_enabled(False)
    else:
        images = asked.batch * max(20, 2048 // asked.batch)
        x = torch.from_numpy(np.load(asked.folder / "train.npy")[:images]).permute(0, 3, 1, 2).float() / 255
        config = BaseTrainerConfig(
            output_dir=str(asked.folder / "pythae"), num_epochs=1, learning_rate=1e-3, optimizer_cls="Adam",
            per_device_train_batch_size=asked.batch, per_device_eval_batch_size=asked.batch, no_cuda=True,
        )  # fmt: skip
        trainer = BaseTrainer(
            model=model, train_dataset=BaseDataset(x, torch.ones(images)), eval_dataset=None, training_config=config
        )
        trainer.prepare_training()
        call = trainer.train_step
    rate = best(lambda: call(1), images, asked.seconds)
    print(json.dumps({"rate": rate, "version": f"Pythae {importlib.metadata.version('pythae')}"}))


if __name__ == "__main__":
    main()
