"""How the parameters step: optimisers and their learning rates as pure functions of the step."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal

import torch
from torch import nn

from morphospace.parts import Part, option

__all__ = ["Adam", "KerasRMSprop", "OptimiserConfig", "RMSprop"]


class OptimiserConfig(Part, slot="optimiser"):
    """How parameters step, and at which rate."""

    @property
    def learning_rate(self) -> float:
        """The highest rate."""
        raise NotImplementedError

    @property
    def warm_up(self) -> float:
        """The share of all steps in which the rate rises."""
        raise NotImplementedError

    @property
    def falls(self) -> bool:
        """Whether the rate falls to nothing in the end."""
        raise NotImplementedError

    @property
    def clip(self) -> float:
        """The largest norm of all gradients together; 0 leaves them as they are."""
        raise NotImplementedError

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """The PyTorch optimiser over ``parameters``."""
        raise NotImplementedError

    def rate(self, step: int, total: int) -> float:
        """The learning rate of ``step`` (from 0) of ``total``."""
        raise NotImplementedError


class _Scheduled(OptimiserConfig, abstract=True):
    """A rate that may rise at first, and fall to nothing in the end."""

    learning_rate: float = option("the highest learning rate", default=1e-3, low=1e-12, high=1e3)
    clip: float = option(
        "the largest norm of all gradients together; below any norm that occurs it takes the scale out of them, and no "
        "batch can throw training off its way; 0 leaves them as they are", default=0.0, low=0, high=1e9,
    )  # fmt: skip
    warm_up: float = option(
        "the share of all steps in which the rate rises, by a half cosine, from a 25th", default=0.0, low=0, high=1
    )
    decay: Literal["none", "cosine"] = option(
        "after it the rate stays (none), or falls to a ten-thousandth by a half cosine", default="none"
    )

    @property
    def falls(self) -> bool:
        """See :class:`OptimiserConfig`."""
        return self.decay == "cosine"

    def rate(self, step: int, total: int) -> float:
        """See :class:`OptimiserConfig`."""
        rising = self.warm_up * total
        if step < rising:
            low, high, share = 1 / 25, 1.0, step / rising
        elif self.falls:
            low, high, share = 1.0, 1e-4, (step - rising) / max(1.0, total - rising)
        else:
            return self.learning_rate
        return self.learning_rate * (low + (high - low) * (1 - math.cos(math.pi * share)) / 2)


class Adam(_Scheduled, kind="adam"):
    """Adam, fused.

    Source: Kingma and Ba, arXiv:1412.6980.

    Example:
        >>> round(Adam(learning_rate=1.0, decay="cosine").rate(50, 100), 5)
        0.50005
    """

    beta1: float = option("the decay of the first moment", default=0.9, low=0, high=0.999999)
    beta2: float = option("the decay of the second moment", default=0.999, low=0, high=0.999999)
    epsilon: float = option("added to the denominator", default=1e-8, low=1e-30, high=1.0)

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """See :class:`OptimiserConfig`."""
        return torch.optim.Adam(parameters, self.learning_rate, (self.beta1, self.beta2), self.epsilon, fused=True)


class RMSprop(_Scheduled, kind="rmsprop"):
    """RMSprop as Keras computes it: :class:`KerasRMSprop`."""

    beta2: float = option("rho, the decay of the mean square", default=0.999, low=0, high=0.999999)
    epsilon: float = option("added under the root", default=1e-8, low=1e-30, high=1.0)

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """See :class:`OptimiserConfig`."""
        return KerasRMSprop(parameters, learning_rate=self.learning_rate, rho=self.beta2, epsilon=self.epsilon)


class KerasRMSprop(torch.optim.Optimizer):
    r"""RMSprop as Keras 3 computes it, with epsilon under the root.

    .. math:: v \leftarrow \rho v + (1 - \rho) g^2, \quad
              \theta \leftarrow \theta - \eta\, g / \sqrt{v + \epsilon}

    PyTorch adds epsilon after the root. At Keras's 1e-7 that is a floor of 3.2e-4 on the denominator
    here and of 1e-7 there, which matters to a loss that is a mean over pixels.

    Args:
        parameters: what to step.
        learning_rate: eta, > 0.
        rho: the decay of the mean square, 0..1.
        epsilon: > 0.

    Source: Hinton, lecture 6e of Neural networks for machine learning; Keras 3's ``RMSprop``.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], *, learning_rate: float, rho: float, epsilon: float) -> None:
        super().__init__(parameters, {"lr": learning_rate, "rho": rho, "eps": epsilon})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Step every parameter that has a gradient."""
        del closure
        for group in self.param_groups:
            stepping = [p for p in group["params"] if p.grad is not None]
            for p in stepping:
                if not self.state[p]:
                    self.state[p]["square"] = torch.zeros_like(p)
            gradients = [p.grad for p in stepping]
            squares = [self.state[p]["square"] for p in stepping]
            torch._foreach_mul_(squares, group["rho"])
            torch._foreach_addcmul_(squares, gradients, gradients, 1 - group["rho"])
            denominators = torch._foreach_add(squares, group["eps"])
            torch._foreach_sqrt_(denominators)
            torch._foreach_addcdiv_(stepping, gradients, denominators, -group["lr"])
