"""A critic on features: who gets its gradients, how steep it may be, and that it learns what it is for."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from morphospace.features import feature_network
from morphospace.vae.critics import Critic, _Bounded
from morphospace.vae.objectives.perceptual import _CRITIC

CHANNELS = (8, 16)


def seen(count: int = 4, seed: int = 0) -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(seed)
    return tuple(
        torch.randn(count, c, side, side, generator=generator) for c, side in zip(CHANNELS, (8, 4), strict=True)
    )


def critic_of(channels: tuple[int, ...] = CHANNELS) -> Critic:
    torch.manual_seed(0)
    return Critic(channels)


def layers_of(critic: Critic) -> list[_Bounded]:
    return [layer for layer in critic.modules() if isinstance(layer, _Bounded)]


def effective(layer: _Bounded) -> np.ndarray:
    """The weights that a layer convolves with, measured by what it makes of single taps: (out, in, side, side)."""
    inputs, side = layer.in_channels, layer.kernel_size[0]
    taps = torch.zeros(inputs, inputs, side, side)
    taps[range(inputs), range(inputs), side // 2, side // 2] = 1
    bias = torch.zeros(()) if layer.bias is None else layer.bias[:, None, None]
    with torch.no_grad():
        # A convolution mirrors what it is shown of a single tap.
        weights: np.ndarray = (layer(taps) - bias).flip((2, 3)).transpose(0, 1).numpy()
    return weights


def norms(critic: Critic) -> list[float]:
    """The largest singular value of each layer's weights as a matrix."""
    return [float(np.linalg.svd(effective(layer).reshape(layer.out_channels, -1))[1][0]) for layer in layers_of(critic)]


def test_realness_teaches_the_features_and_leaves_the_critic_alone() -> None:
    critic, made = critic_of(), tuple(h.requires_grad_() for h in seen())
    found = critic.realness(made)
    assert found.ndim == 0
    gradients = torch.autograd.grad(found, [*made, *critic.parameters()], allow_unused=True)
    for gradient in gradients[: len(made)]:
        assert gradient is not None
        assert (gradient.flatten(1).norm(dim=1) > 0).all()
    assert all(gradient is None for gradient in gradients[len(made) :])


def test_its_error_teaches_the_critic_and_leaves_the_features_alone() -> None:
    critic = critic_of()
    real, made = ([h.requires_grad_() for h in seen(seed=seed)] for seed in (0, 1))
    error = critic.error(real, made)
    weights = [values for values in critic.parameters() if values.ndim > 1]
    gradients = torch.autograd.grad(error, [*weights, *real, *made], allow_unused=True)
    for gradient in gradients[: len(weights)]:
        assert gradient is not None
        assert gradient.norm() > 0
    assert all(gradient is None for gradient in gradients[len(weights) :])


def test_both_are_the_same_judgement() -> None:
    """Of features that it finds neither very real nor very unreal, the hinge is a line: 2 - C(real) + C(made)."""
    critic, real, made = critic_of(), seen(seed=0), seen(seed=1)
    real, made = (tuple(0.1 * h for h in features) for features in (real, made))
    line = 2 - critic.realness(real) + critic.realness(made)
    torch.testing.assert_close(critic.error(real, made), line)
    assert critic.error(real, made) != 2


def test_layers_stay_near_norm_one_while_they_train_and_reach_it() -> None:
    """Always the same batch is the worst case: all steps go one way, and the singular vectors follow behind."""
    critic, real, made = critic_of(), seen(seed=0), seen(seed=1)
    assert norms(critic) == pytest.approx([1.0] * 6, abs=0.1)  # as it begins
    optimiser = _CRITIC.build(list(critic.parameters()))
    before = [layer.weight.detach().clone() for layer in layers_of(critic)]
    for _ in range(50):
        optimiser.zero_grad()
        critic.error(real, made).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        critic.after_step()
    for layer, weight in zip(layers_of(critic), before, strict=True):
        assert (layer.weight - weight).norm() > 0.01 * weight.norm()
    assert max(norms(critic)) < 1.5
    for _ in range(50):
        critic.after_step()
    assert norms(critic) == pytest.approx([1.0] * 6, abs=0.01)


def test_a_larger_weight_is_no_larger_judgement() -> None:
    critic, made = critic_of((8,)), seen()[:1]
    before = critic.realness(made)
    with torch.no_grad():
        layers_of(critic)[1].weight.mul_(7)
    torch.testing.assert_close(critic.realness(made), before)


def test_it_learns_to_tell_blurred_pictures_from_sharp_ones() -> None:
    network, generator = feature_network("random"), torch.Generator().manual_seed(0)
    critic = critic_of(network.channels)
    optimiser = torch.optim.Adam(critic.parameters(), 3e-3, betas=(0.0, 0.98))

    def error() -> Tensor:
        """Of pictures that it has not seen yet."""
        coarse = torch.rand(8, 3, 8, 8, generator=generator)
        sharp = nn.functional.interpolate(coarse, scale_factor=2)
        blurred = nn.functional.avg_pool2d(sharp, 3, 1, 1, count_include_pad=False)
        return critic.error(network(sharp), network(blurred))

    assert error().item() == pytest.approx(2, abs=0.2)
    for _ in range(60):
        optimiser.zero_grad()
        error().backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        critic.after_step()
    assert error().item() < 1
