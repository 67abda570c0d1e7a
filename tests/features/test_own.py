"""A judge of one's own pictures."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from morphospace.data import Dataset
from morphospace.errors import ArgumentError
from morphospace.features import Features, Pictures, feature_network
from morphospace.training.loop import to_input


def pictures_of(x: Tensor) -> Pictures:
    return lambda index: x[index]


def taught(x: Tensor, labels: Tensor, seed: int) -> Features:
    network = feature_network("own")
    network.look_at(pictures_of(x), labels, seed=seed)
    return network


@pytest.fixture
def two_kinds() -> tuple[Tensor, Tensor]:
    labels = torch.arange(60) % 2
    x = 0.5 * torch.rand(60, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    x[labels == 1, :, :, ::2] += 0.3  # columns
    return x, labels


def test_it_is_a_function_of_pictures_labels_and_seed_however_often_it_looks(two_kinds: tuple[Tensor, Tensor]) -> None:
    x, labels = two_kinds
    torch.manual_seed(1)
    state = torch.get_rng_state()
    first = taught(x, labels, 0)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(2)
    again = taught(x, labels, 1)
    other_seed = again.state_dict()["layers.0.0.weight"].clone()
    again.look_at(pictures_of(x), labels, seed=0)
    for name, value in first.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name
    again.look_at(pictures_of(x), torch.arange(60) // 30, seed=0)
    other_labels = again.state_dict()["layers.0.0.weight"]
    for other in (other_seed, other_labels):
        assert not torch.allclose(first.state_dict()["layers.0.0.weight"], other)


def test_it_looks_frozen_and_at_what_labels_are_about(digits: Dataset) -> None:
    images, labels = digits.train.images[:], digits.train.labels
    assert labels is not None
    x = to_input(torch.from_numpy(images))
    network = taught(x, torch.from_numpy(labels), 0)
    assert not any(parameter.requires_grad or parameter.grad is not None for parameter in network.parameters())

    def found(seen: Features) -> float:
        """The share of pictures whose nearest other one, by the deepest features, has their label."""
        deepest = seen(x[:600])[-1].flatten(1)
        nearest = torch.cdist(deepest, deepest).fill_diagonal_(torch.inf).argmin(1)
        return (torch.from_numpy(labels)[:600][nearest] == torch.from_numpy(labels)[:600]).double().mean().item()

    assert found(network) > 0.97
    assert found(network) > found(feature_network("random")) + 0.02


def test_without_labels_of_two_kinds_it_says_so_and_what_else_there_is(two_kinds: tuple[Tensor, Tensor]) -> None:
    x, labels = two_kinds
    network = feature_network("own")
    with pytest.raises(ArgumentError, match=r"expected two kinds or more, got no labels\. Take another network"):
        network.look_at(pictures_of(x), None, seed=0)
    with pytest.raises(ArgumentError, match="expected two kinds or more, got one"):
        network.look_at(pictures_of(x), torch.zeros_like(labels), seed=0)


def test_before_it_has_looked_it_sees_nothing() -> None:
    with pytest.raises(ArgumentError, match="has not looked at a set yet: call its look_at"):
        feature_network("own")(torch.rand(1, 3, 8, 8))


def test_other_networks_need_not_look() -> None:
    network = feature_network("random")
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network.look_at(pictures_of(torch.rand(4, 3, 8, 8)), None, seed=0)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
