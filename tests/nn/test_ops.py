"""The quicker roads give what PyTorch's own layers give, forwards and backwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.models import vae_of
from torch import Tensor, nn

from morphospace.errors import ArgumentError
from morphospace.export.keras import to_keras
from morphospace.nn.ops import conv_to_few, conv_transpose
from morphospace.recipes import build_stages, find_recipe
from morphospace.training.loop import Step
from morphospace.vae.interfaces import Batch, Progress

BOOK, SHAPE = find_recipe("book"), (28, 28, 1)
Op = Callable[[Any, Tensor], Tensor]


def both_ways(layer: nn.Module, op: Callable[[Tensor], Tensor], x: Tensor, weights: Tensor) -> list[Tensor]:
    """The result, and the gradients by the input, the weight and the bias, of a weighted sum of it."""
    x = x.clone().requires_grad_()
    y = op(x)
    return [y, *torch.autograd.grad((y * weights).sum(), [x, *layer.parameters()])]


def assert_same(layer: Any, op: Op, x: Tensor) -> None:
    weights = torch.rand_like(layer(x))
    plain = both_ways(layer, layer, x, weights)
    quick = both_ways(layer, lambda x: op(layer, x), x, weights)
    for a, b in zip(plain, quick, strict=True):
        assert a.shape == b.shape
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)


@settings(deadline=None)
@given(
    images=st.integers(1, 3), channels=st.integers(1, 5), out=st.integers(1, 4),
    height=st.integers(1, 9), width=st.integers(1, 9), seed=st.integers(0, 99),
)  # fmt: skip
def test_a_convolution_to_few_channels(
    images: int, channels: int, out: int, height: int, width: int, seed: int
) -> None:
    torch.manual_seed(seed)
    layer = nn.Conv2d(channels, out, 3, padding=1, dtype=torch.float64)
    assert_same(layer, conv_to_few, torch.randn(images, channels, height, width, dtype=torch.float64))


@settings(deadline=None)
@given(
    channels=st.integers(1, 5), out=st.integers(1, 5), side=st.integers(2, 6), even=st.booleans(),
    kernel=st.sampled_from([2, 3]), seed=st.integers(0, 99),
)  # fmt: skip
def test_a_transposed_convolution(channels: int, out: int, side: int, even: bool, kernel: int, seed: int) -> None:
    torch.manual_seed(seed)
    padding, more = (1, int(even)) if kernel == 3 else (0, 0)
    layer = nn.ConvTranspose2d(channels, out, kernel, 2, padding, more, dtype=torch.float64)
    assert_same(layer, conv_transpose, torch.randn(2, channels, side, side + 1, dtype=torch.float64))


def test_a_layer_without_bias_is_refused() -> None:
    with pytest.raises(ArgumentError, match="with a bias"):
        conv_to_few(nn.Conv2d(2, 1, 3, padding=1, bias=False), torch.zeros(1, 2, 4, 4))


def keras_way(x: Tensor, epsilon: Tensor, weights: list[Tensor]) -> Tensor:
    """The book's loss as Keras computes it, from weights in its order: padded at the end, cropped at the end."""
    w1, b1, w2, b2, w3, b3, w4, b4, wd, bd, wm, bm, wv, bv, wz, bz, wt, bt, w5, b5 = weights

    def kernel(w: Tensor) -> Tensor:
        return w.permute(3, 2, 0, 1)

    h = F.relu(F.conv2d(x, kernel(w1), b1, padding=1))
    h = F.relu(F.conv2d(F.pad(h, (0, 1, 0, 1)), kernel(w2), b2, stride=2))
    h = F.relu(F.conv2d(h, kernel(w3), b3, padding=1))
    h = F.relu(F.conv2d(h, kernel(w4), b4, padding=1))
    h = F.relu(h.permute(0, 2, 3, 1).flatten(1) @ wd + bd)
    mean, log_var = h @ wm + bm, h @ wv + bv
    z = mean + torch.exp(0.5 * log_var) * epsilon
    h = F.relu(z @ wz + bz).view(-1, 14, 14, 64).permute(0, 3, 1, 2)
    h = F.relu(F.conv_transpose2d(h, kernel(wt), bt, stride=2)[..., :28, :28])
    logits = F.conv2d(h, kernel(w5), b5, padding=1)
    kl = -0.5 * (1 + log_var - mean.square() - log_var.exp()).mean()
    return F.binary_cross_entropy_with_logits(logits, x) + 2 * 5e-4 * kl


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_book_loss_and_its_gradients_are_those_of_keras(precision: str) -> None:
    """In fp32 to rounding; in bf16 as near to fp32 as autocast of the plain layers comes, and half as much again."""
    model = vae_of(BOOK, SHAPE).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    generator = torch.Generator().manual_seed(0)
    smooth = F.avg_pool2d(torch.randn((16, 1, 32, 32), generator=generator), 5, 1)
    x = torch.sigmoid(20 * smooth).contiguous(memory_format=torch.channels_last)
    epsilon = torch.randn((1, 16, 2), generator=generator)

    plain_weights = [torch.from_numpy(w).requires_grad_() for some in to_keras(model) for w in some]
    exact = keras_way(x, epsilon[0], plain_weights)
    exact_gradients = torch.autograd.grad(exact, plain_weights)

    step = Step(model, build_stages(BOOK, model, SHAPE, seed=0)[0].objective)
    progress = Progress(torch.tensor(0.0), 1, 16)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bf16"):
        loss = step("model", Batch(x, x, torch.arange(16)), (epsilon,), progress).total
    torch.autograd.backward(loss)
    with torch.no_grad():
        for parameter in model.parameters():
            assert parameter.grad is not None
            parameter.copy_(parameter.grad)  # in place of the weights, so that they go through the same half turns
    gradients = [torch.from_numpy(w) for some in to_keras(model) for w in some]

    bound_loss, bounds = 1e-6, [1e-4] * len(gradients)
    if precision == "bf16":
        with torch.autocast("cpu", dtype=torch.bfloat16):
            rough = keras_way(x, epsilon[0], plain_weights)
        errors = zip(torch.autograd.grad(rough, plain_weights), exact_gradients, strict=True)
        bounds = [max(0.01, 1.5 * float((a - b).norm() / b.norm())) for a, b in errors]
        bound_loss = 2e-3
    assert loss.item() == pytest.approx(exact.item(), rel=bound_loss)
    for ours, theirs, bound in zip(gradients, exact_gradients, bounds, strict=True):
        assert float((ours - theirs).norm() / theirs.norm()) <= bound
