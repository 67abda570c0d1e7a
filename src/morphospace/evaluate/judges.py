"""Outside judges: networks that look at images and never see a latent, to say what an edit really did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from morphospace.codec import batch_for
from morphospace.data import ImageArray
from morphospace.errors import DataError
from morphospace.features.fitting import fit
from morphospace.images import Images
from morphospace.training.machine import choose_machine, keep_freed_memory

__all__ = ["Judge", "train_judge"]

_BATCH = 256
_STEPS, _FEWEST_STEPS, _EPOCHS = 900, 200, 15
_COARSEST = 8  # pixels a side at which the dense layers take over
_FEATURES = 128
_ROUNDING = 1e-9  # of the mean: values that differ by no more are all one


@dataclass(frozen=True)
class Judge:
    """A trained judge of one or more properties of images; see :func:`train_judge`.

    Attributes:
        body: images to features.
        head: features to one number for each kind of each property, one for a number.
        kinds: how many kinds each property has, 0 for a number.
        scales: the middle and the unit of each number.
    """

    body: nn.Module
    head: nn.Module
    kinds: dict[str, int]
    scales: dict[str, tuple[float, float]]

    def read(self, images: ImageArray) -> dict[str, NDArray[np.float32]]:
        """Of each property the chances of its kinds (N, K), or its value (N,), for images uint8 (N, H, W, C)."""
        with torch.inference_mode():
            out = torch.cat([self.head(h) for h in self._features(images)])
        found: dict[str, NDArray[np.float32]] = {}
        columns = torch.split(out, [max(1, count) for count in self.kinds.values()], 1)
        for (name, count), part in zip(self.kinds.items(), columns, strict=True):
            middle, unit = self.scales.get(name, (0.0, 1.0))
            found[name] = part.softmax(1).numpy() if count else (middle + unit * part[:, 0]).numpy()
        return found

    def classes(self, name: str, images: ImageArray) -> NDArray[np.int64]:
        """The likeliest kind (N,) of the property ``name`` for images uint8 (N, H, W, C)."""
        kinds: NDArray[np.int64] = self.read(images)[name].argmax(1)
        return kinds

    def features(self, images: ImageArray) -> NDArray[np.float32]:
        """What the judge goes by, (N, 128)."""
        with torch.inference_mode():
            found: NDArray[np.float32] = torch.cat(list(self._features(images))).numpy()
        return found

    def _features(self, images: ImageArray) -> Any:
        step = batch_for(images.shape)
        return (self.body(_input(images[i : i + step])) for i in range(0, len(images), step))


def train_judge(
    images: ImageArray,
    properties: Mapping[str, NDArray[np.int64] | NDArray[np.float64]],
    *,
    seed: int = 0,
    steps: int = _STEPS,
) -> Judge:
    """Train a small convolutional network on images alone; of MNIST's digits it is right 99.1 % of the time.

    Args:
        images: uint8 (N, H, W, C), any that can be indexed by an array.
        properties: by name, of each image a kind, whole numbers (N,) of 0 .. K-1, or a value, floats (N,), NaN where
            it is not known.
        seed: of its weights and of the order of its examples.
        steps: of training, at most; small sets get fewer.

    Raises:
        DataError: for no property, kinds of which there is only one, or a value that no image has.

    Example:
        >>> dots = np.zeros((64, 8, 8, 1), np.uint8)
        >>> dots[::2, 2:6, 2:6] = 255
        >>> judge = train_judge(dots, {"dot": 1 - np.arange(64) % 2, "light": dots.mean((1, 2, 3))})
        >>> judge.classes("dot", dots[:4]), judge.read(dots[:2])["light"].round(-1)
        (array([1, 0, 1, 0]), array([60.,  0.], dtype=float32))
    """
    kinds: dict[str, int] = {}
    scales: dict[str, tuple[float, float]] = {}
    targets: dict[str, Tensor] = {}
    for name, values in properties.items():
        if values.dtype.kind == "f":
            if not np.isfinite(values).any():
                raise DataError(f"a judge of {name} needs images of which it is known.", argument="data")
            middle, unit = float(np.nanmean(values)), float(np.nanstd(values))
            scales[name] = (middle, unit if unit > _ROUNDING * abs(middle) else 1.0)
            targets[name] = torch.from_numpy((values - scales[name][0]) / scales[name][1]).float()
            kinds[name] = 0
        else:
            targets[name] = torch.from_numpy(values.astype(np.int64))
            kinds[name] = int(values.max()) + 1 if len(values) else 0
            if kinds[name] < 2:
                raise DataError(
                    f"a judge of {name} needs images of two kinds or more, got {kinds[name]}.", argument="data"
                )
    if not kinds:
        raise DataError("a judge needs something to judge: labels or attributes.", argument="data")
    keep_freed_memory()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        body = _network(images.shape[1:])
        head = nn.Linear(_FEATURES, sum(max(1, count) for count in kinds.values()))
        batch = min(_BATCH, len(images))
        steps = min(steps, max(_FEWEST_STEPS, _EPOCHS * len(images) // batch))
        machine = choose_machine(device="cpu")

        def loss(rows: NDArray[np.int64]) -> Tensor:
            with machine.autocast():
                out = head(body(_input(images[rows])))
            parts = torch.split(out.float(), [max(1, count) for count in kinds.values()], 1)
            losses = [
                F.cross_entropy(part, targets[name][rows]) if kinds[name] else _error(part[:, 0], targets[name][rows])
                for name, part in zip(kinds, parts, strict=True)
            ]
            return torch.stack(losses).sum()

        fit([*body.parameters(), *head.parameters()], loss, len(images), batch=batch, steps=steps, seed=seed)
    return Judge(body.eval(), head.eval(), kinds, scales)


def _error(found: Tensor, wanted: Tensor) -> Tensor:
    """The mean squared error where the value is known."""
    known = wanted.isfinite()
    return F.mse_loss(torch.where(known, found, 0.0), wanted.nan_to_num(0.0), reduction="sum") / known.sum().clamp_min(
        1
    )


def _network(shape: tuple[int, ...]) -> nn.Sequential:
    """Convolutions that halve the picture until 8 pixels a side are left, then a dense layer."""
    height, width, channels = shape
    layers: list[nn.Module] = [nn.Conv2d(channels, 32, 5, stride=2, padding=2), nn.ReLU()]
    channels, height, width = 32, -(-height // 2), -(-width // 2)
    while max(height, width) > _COARSEST:
        layers += [nn.Conv2d(channels, 64, 3, stride=2, padding=1), nn.ReLU()]
        channels, height, width = 64, -(-height // 2), -(-width // 2)
    layers += [nn.Flatten(), nn.Dropout(0.3), nn.Linear(channels * height * width, _FEATURES), nn.ReLU()]
    return nn.Sequential(*layers).to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def _input(images: Images) -> Tensor:
    """uint8 (N, H, W, C) to (N, C, H, W) in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).float() / 255
