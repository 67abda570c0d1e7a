"""Plain stacks of convolutions, trained on ImageNet: VGG-16 and AlexNet, of torchvision's weights."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from morphospace.features.network import Features

__all__ = ["alexnet", "vgg16"]

_VGG16 = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))


def vgg16(tensors: Mapping[str, Tensor]) -> Features:
    """VGG-16, read before each halving: what perceptual distances are mostly made with, at sixty times the work.

    Args:
        tensors: the weights by torchvision's names; those of its dense layers are not needed.

    Source: Simonyan and Zisserman, arXiv:1409.1556; the depths: Zhang et al., arXiv:1801.03924.
    """
    layers: list[nn.Module] = []
    read = []
    before = 3
    for widths in _VGG16:
        layers += [nn.MaxPool2d(2)] if layers else []
        for width in widths:
            layers += [nn.Conv2d(before, width, 3, padding=1), nn.ReLU()]
            before = width
        read.append(len(layers) - 1)
    return Features(_loaded(layers, tensors), read, least=16)


def alexnet(tensors: Mapping[str, Tensor]) -> Features:
    """AlexNet, read after each of its five convolutions.

    Args:
        tensors: as for :func:`vgg16`.

    Source: Krizhevsky, arXiv:1404.5997; the depths: Zhang et al., arXiv:1801.03924.
    """
    layers = [
        *(nn.Conv2d(3, 64, 11, stride=4, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(192, 384, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(384, 256, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(256, 256, 3, padding=1), nn.ReLU()),
    ]
    return Features(_loaded(layers, tensors), (1, 4, 7, 9, 11), least=31)


def _loaded(layers: list[nn.Module], tensors: Mapping[str, Tensor]) -> list[nn.Module]:
    """The same layers with the weights of torchvision's ``features``, which go by their places."""
    for place, layer in enumerate(layers):
        layer.load_state_dict({name: tensors[f"features.{place}.{name}"] for name in layer.state_dict()})
    return layers
