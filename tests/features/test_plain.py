"""VGG-16 and AlexNet, with weights of torchvision's names and shapes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from morphospace.errors import FileError
from morphospace.features import Features, feature_network, weights_are_here
from morphospace.features.plain import alexnet, vgg16
from morphospace.features.weights import torchvision_weights

# The convolutions of torchvision's models: their places in `features`, and the shapes of their weights.
VGG16 = {
    0: (64, 3),
    2: (64, 64),
    5: (128, 64),
    7: (128, 128),
    10: (256, 128),
    **dict.fromkeys((12, 14), (256, 256)),
    17: (512, 256),
    **dict.fromkeys((19, 21, 24, 26, 28), (512, 512)),
}
ALEXNET = {0: (64, 3, 11), 3: (192, 64, 5), 6: (384, 192, 3), 8: (256, 384, 3), 10: (256, 256, 3)}
Built = Callable[[Mapping[str, Tensor]], Features]


def published(convolutions: Mapping[int, tuple[int, ...]]) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    tensors = {"classifier.6.weight": torch.zeros(2, 2)}  # of the dense layers, which are not asked for
    for place, (out, each, *kernel) in convolutions.items():
        side = kernel[0] if kernel else 3
        scale = (2 / (each * side * side)) ** 0.5
        tensors[f"features.{place}.weight"] = scale * torch.randn(out, each, side, side, generator=generator)
        tensors[f"features.{place}.bias"] = 0.1 * torch.randn(out, generator=generator)
    return tensors


def test_vgg16_is_read_before_each_halving() -> None:
    tensors = published(VGG16)
    network, x = vgg16(tensors), torch.rand(1, 3, 16, 20)
    found = network(x)
    assert network.channels == (64, 128, 256, 512, 512)
    assert [tuple(h.shape[2:]) for h in found] == [(16, 20), (8, 10), (4, 5), (2, 2), (1, 1)]
    h = (x - network.mean) / network.std
    for place in (0, 2):  # relu1_2
        h = F.relu(F.conv2d(h, tensors[f"features.{place}.weight"], tensors[f"features.{place}.bias"], padding=1))
    torch.testing.assert_close(found[0], h)
    h = F.max_pool2d(h, 2)
    for place in (5, 7):  # relu2_2
        h = F.relu(F.conv2d(h, tensors[f"features.{place}.weight"], tensors[f"features.{place}.bias"], padding=1))
    torch.testing.assert_close(found[1], h)


def test_alexnet_is_read_after_each_convolution() -> None:
    network = alexnet(published(ALEXNET))
    assert network.channels == (64, 192, 384, 256, 256)
    assert [h.shape[2] for h in network(torch.rand(1, 3, 64, 64))] == [15, 7, 3, 3, 3]
    assert [h.shape[2] for h in network(torch.rand(1, 3, 31, 31))] == [7, 3, 1, 1, 1]


@pytest.mark.parametrize(("built", "convolutions"), [(vgg16, VGG16), (alexnet, ALEXNET)])
def test_weights_of_another_shape_are_no_weights(built: Built, convolutions: Mapping[int, tuple[int, ...]]) -> None:
    tensors = published(convolutions)
    tensors["features.0.weight"] = tensors["features.0.weight"][:, :1]
    with pytest.raises(RuntimeError, match="size mismatch for weight"):
        built(tensors)


def test_they_are_looked_for_where_pytorch_keeps_them_and_never_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", None)
    kept = tmp_path / "hub" / "checkpoints" / "vgg16-397923af.pth"
    assert not weights_are_here("vgg16")
    with pytest.raises(FileError) as caught:
        feature_network("vgg16")
    address = "https://download.pytorch.org/models/vgg16-397923af.pth"
    assert str(kept) in str(caught.value)
    assert f"""python -c 'import torch; torch.hub.load_state_dict_from_url("{address}", check_hash""" in str(
        caught.value
    )
    kept.parent.mkdir(parents=True)
    torch.save(published(ALEXNET), kept)
    assert weights_are_here("vgg16")
    with pytest.raises(FileError, match="expected the SHA-256 397923af8e79"):
        feature_network("vgg16")
    sound = torchvision_weights("vgg16", kept.name, hashlib.sha256(kept.read_bytes()).hexdigest())
    assert len(alexnet(sound.tensors()).channels) == 5
