"""A critic of pictures: small heads on the features of a frozen network, which tell what is real from what is made."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["Critic"]

_WIDTH = 64
_SLOPE = 0.2  # of the leaky ReLUs
_FIRST_LOOKS = 15  # power iterations before the first step


class Critic(nn.Module):
    r"""Says of each place of a picture how real it looks, by its features at several depths.

    The features come from a network that stays as it is, and are there already where pictures are compared by them; a
    critic that had to learn to see first would be larger, and teaches less. Each layer is divided by its largest
    singular value, so that nothing can be called more real without limit.

    Args:
        channels: of the features at each depth.

    Source: Sauer, Chitta, Müller and Geiger, Projected GANs converge faster, arXiv:2111.01007; Miyato, Kataoka, Koyama
    and Yoshida, Spectral normalization, arXiv:1802.05957; the hinge: Lim and Ye, Geometric GAN, arXiv:1705.02894.

    Example:
        >>> critic, real = Critic((8, 16)), (torch.rand(2, 8, 4, 4), torch.rand(2, 16, 2, 2))
        >>> bool(critic.error(real, real) >= 2), critic.realness(real).shape
        (True, torch.Size([]))
    """

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        self.heads = nn.ModuleList(_Head(count) for count in channels)

    def error(self, real: Sequence[Tensor], made: Sequence[Tensor]) -> Tensor:
        """What the critic descends: the hinge loss of calling features real and made, 2 where it cannot tell.

        Only the critic gets a gradient.
        """
        errors = [
            F.relu(1 - head(x.detach())).mean() + F.relu(1 + head(y.detach())).mean()
            for head, x, y in zip(self.heads, real, made, strict=True)
        ]
        return torch.stack(errors).mean()

    def realness(self, made: Sequence[Tensor]) -> Tensor:
        """How real features look, above 0 for real. The critic stays as it is: only the features get a gradient."""
        return torch.stack([head(y, held=True).mean() for head, y in zip(self.heads, made, strict=True)]).mean()

    @torch.no_grad()
    def after_step(self) -> None:
        """Follow the layers' singular values."""
        for layer in self.modules():
            if isinstance(layer, _Bounded):
                layer.follow()


class _Head(nn.Module):
    """From the features at one depth to a number a place."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mix, self.around, self.say = (
            _Bounded(channels, _WIDTH, 1),
            _Bounded(_WIDTH, _WIDTH, 3),
            _Bounded(_WIDTH, 1, 1),
        )

    def forward(self, h: Tensor, *, held: bool = False) -> Tensor:
        """(B, c, h, w) to (B, 1, h, w)."""
        h = F.leaky_relu(self.mix(h, held=held), _SLOPE)
        h = F.leaky_relu(self.around(h, held=held), _SLOPE)
        found: Tensor = self.say(h, held=held)
        return found.float()


class _Bounded(nn.Conv2d):
    """A convolution whose weights, as a matrix, are divided by their largest singular value.

    Its vectors are followed between the steps, which so stay functions of tensors alone.
    """

    left: Tensor
    right: Tensor

    def __init__(self, inputs: int, outputs: int, side: int) -> None:
        super().__init__(inputs, outputs, side, padding=side // 2)
        self.register_buffer("left", F.normalize(torch.randn(outputs), dim=0))
        self.register_buffer("right", torch.zeros(inputs * side**2))
        for _ in range(_FIRST_LOOKS):
            self.follow()

    @torch.no_grad()
    def follow(self) -> None:
        """One power iteration."""
        matrix = self.weight.flatten(1)
        self.right.copy_(F.normalize(matrix.t() @ self.left, dim=0))
        self.left.copy_(F.normalize(matrix @ self.right, dim=0))

    def forward(self, x: Tensor, *, held: bool = False) -> Tensor:
        """The convolution; with ``held``, no gradient for its weights."""
        weight = self.weight / (self.left @ self.weight.flatten(1) @ self.right)
        bias = self.bias
        if held:
            weight, bias = weight.detach(), None if bias is None else bias.detach()
        return F.conv2d(x, weight, bias, padding=self.padding)
