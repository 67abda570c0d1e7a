"""Feature networks by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from morphospace.errors import ArgumentError, did_you_mean
from morphospace.features.efficientnet import efficientnet_lite0
from morphospace.features.network import Features
from morphospace.features.own import OwnFeatures
from morphospace.features.plain import alexnet, vgg16
from morphospace.features.untrained import random_features
from morphospace.features.weights import Weights, efficientnet_weights, torchvision_weights

__all__ = ["NETWORKS", "check_weights", "feature_network", "weights_are_here"]

_VGG16 = ("vgg16-397923af.pth", "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0")
_ALEXNET = ("alexnet-owt-7be5be79.pth", "7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02")


class _Trained(NamedTuple):
    """A network that others have trained: where its weights lie, and how it is made of them."""

    weights: Callable[[], Weights]
    built: Callable[[Mapping[str, Tensor]], Features]


_TRAINED = {
    "efficientnet-lite0": _Trained(efficientnet_weights, efficientnet_lite0),
    "vgg16": _Trained(lambda: torchvision_weights("vgg16", *_VGG16), vgg16),
    "alexnet": _Trained(lambda: torchvision_weights("alexnet", *_ALEXNET), alexnet),
}
_SEEDED: dict[str, Callable[[int], Features]] = {"random": random_features, "own": lambda _: OwnFeatures()}

NETWORKS = (*_TRAINED, *_SEEDED)


def feature_network(name: str, *, seed: int = 0) -> Features:
    """A frozen network, the same whenever it is made: what of pictures it sees, :func:`perceptual_distance` compares.

    Args:
        name: "efficientnet-lite0", whose weights the extra ``morphospace[features]`` brings; "vgg16" or "alexnet",
            where torchvision's weights have been fetched; "random", which needs none;
            "own", which learns from a set's labels when it looks at it: see :meth:`Features.look_at`.
        seed: of random weights.

    Raises:
        ArgumentError: for a name that no network has.
        FileError: for weights that are not here, cut off, or changed.

    Example:
        >>> network = feature_network("random", seed=1)
        >>> [tuple(h.shape) for h in network(torch.zeros(1, 3, 32, 32))]
        [(1, 16, 32, 32), (1, 32, 16, 16), (1, 64, 8, 8), (1, 128, 4, 4)]
    """
    _check(name)
    with torch.random.fork_rng(devices=[]):  # layers draw weights, which are then replaced
        if name in _SEEDED:
            return _SEEDED[name](seed)
        return _TRAINED[name].built(_TRAINED[name].weights().tensors())


def weights_are_here(name: str) -> bool:
    """Whether the network's weights, if it needs any, are on this machine, whatever is in their file.

    Raises:
        ArgumentError: for a name that no network has.

    Example:
        >>> weights_are_here("random")
        True
    """
    _check(name)
    return name in _SEEDED or _TRAINED[name].weights().here


def check_weights(name: str) -> None:
    """Refuse a network whose weights are not on this machine, before anything is done that they would be needed for.

    Raises:
        ArgumentError: for a name that no network has.
        FileError: for weights that are not here, with how to get them.

    Example:
        >>> check_weights("random")
    """
    _check(name)
    if name in _TRAINED:
        _TRAINED[name].weights().check_here()


def _check(name: str) -> None:
    if name not in NETWORKS:
        raise ArgumentError(
            f'there is no feature network "{name}". {did_you_mean(name, NETWORKS)}', argument="features"
        )
