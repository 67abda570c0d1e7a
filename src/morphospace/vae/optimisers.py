"""How the parameters step: optimisers and their learning rates as pure functions of the step."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, assert_never

import torch
from torch import nn

__all__ = ["KerasRMSprop", "Optimiser"]


@dataclass(frozen=True, kw_only=True)
class Optimiser:
    """An optimiser and its schedule.

    Attributes:
        kind: "adam", or "rmsprop" as Keras computes it.
        learning_rate: the highest rate.
        beta1: Adam's decay of the first moment.
        beta2: Adam's decay of the second moment; rho of RMSprop.
        epsilon: added to the denominator.
        clip: the largest norm of all gradients together; 0 leaves them as they are. Below any norm that occurs, it
            takes the scale out of the gradients, and no batch can throw training off its way.
        warm_up: the share of all steps in which the rate rises, by a half cosine, from a 25th.
        decay: "cosine" falls to a ten-thousandth in the steps after it, "none" stays.
    """

    kind: Literal["adam", "rmsprop"] = "adam"
    learning_rate: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    clip: float = 0.0
    warm_up: float = 0.0
    decay: Literal["none", "cosine"] = "none"

    def build(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        """The PyTorch optimiser over ``parameters``."""
        match self.kind:
            case "adam":
                betas = self.beta1, self.beta2
                return torch.optim.Adam(parameters, self.learning_rate, betas, self.epsilon, fused=True)
            case "rmsprop":
                return KerasRMSprop(parameters, learning_rate=self.learning_rate, rho=self.beta2, epsilon=self.epsilon)
            case never:
                assert_never(never)

    def rate(self, step: int, total: int) -> float:
        """The learning rate of ``step`` (from 0) of ``total``.

        Example:
            >>> round(Optimiser(learning_rate=1.0, decay="cosine").rate(50, 100), 5)
            0.50005
        """
        rising = self.warm_up * total
        if step < rising:
            low, high, share = 1 / 25, 1.0, step / rising
        elif self.decay == "cosine":
            low, high, share = 1.0, 1e-4, (step - rising) / max(1.0, total - rising)
        else:
            return self.learning_rate
        return self.learning_rate * (low + (high - low) * (1 - math.cos(math.pi * share)) / 2)


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
