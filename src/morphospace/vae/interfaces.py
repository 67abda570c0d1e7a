"""What the parts of a VAE say to each other.

Shapes: B images in a batch, K latent draws an image, d latents, M any number of latents.
Every log probability is in nats, summed over pixels or latents.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, TypeAlias, runtime_checkable

from torch import Generator, Tensor, nn

from morphospace.vae.optimisers import Optimiser

__all__ = [
    "Batch",
    "Draw",
    "Group",
    "Loss",
    "Model",
    "Noise",
    "Objective",
    "Player",
    "Progress",
    "Terms",
    "VariationalPosterior",
    "VariationalPrior",
]

Noise: TypeAlias = tuple[Tensor, ...]
"""All randomness of a step, drawn before it: the step itself is a pure function and can be compiled."""


class Batch(NamedTuple):
    """What a step sees.

    Attributes:
        input: (B, C, H, W) in [0, 1], what the encoder gets.
        target: (B, C, H, W) in [0, 1], what the likelihood scores; differs from the input when denoising.
        index: (B,) the images' places in the data set.
        label: (B,) or None.
    """

    input: Tensor
    target: Tensor
    index: Tensor  # type: ignore[assignment]  # the field's word; nobody asks a batch for tuple.index
    label: Tensor | None = None


class Progress(NamedTuple):
    """Where a stage stands: ``step`` is a 0-d float tensor, so that a compiled step is not compiled again."""

    step: Tensor
    total: int
    dataset_size: int


class Draw(NamedTuple):
    """Latents drawn from a posterior: ``z`` (K, B, *z_shape), ``log_q`` (K, B) or None without a density.

    ``penalty`` (B,) is a loss of the posterior's own (a commitment, say), ``codes`` its discrete choices.
    """

    z: Tensor
    log_q: Tensor | None
    penalty: Tensor | None = None
    codes: Tensor | None = None


class Group(NamedTuple):
    """One group of latents: ``log_q`` and ``log_p`` (K, B); ``kl`` (B,) in closed form, or None."""

    log_q: Tensor | None
    log_p: Tensor | None
    kl: Tensor | None


class Terms(NamedTuple):
    """What objectives are made of: ``log_px`` (K, B), a group and a draw for each level of latents.

    ``reconstruction`` holds the likelihood's parameters, (K, B, ...).
    """

    log_px: Tensor
    groups: tuple[Group, ...]
    draws: tuple[Draw, ...]
    reconstruction: Tensor


class Loss(NamedTuple):
    """``total`` is what is descended; ``parts`` are what a person sees, 0-d, in nats an image."""

    total: Tensor
    parts: dict[str, Tensor]


class Player(NamedTuple):
    """Some parameters with an optimiser of their own, stepping every ``every``-th step."""

    name: str
    parameters: list[nn.Parameter]
    optimiser: Optimiser
    every: int = 1


class VariationalPosterior(Protocol):
    """Q: the posterior of a batch of images."""

    @property
    def mean(self) -> Tensor:
        """(B, *z_shape)."""

    def draw(self, noise: Noise) -> Draw:
        """Latents by the reparametrisation of ``noise``."""

    def log_prob(self, z: Tensor) -> Tensor | None:
        """(K, B) for z (K, B, *z_shape), or None without a density."""


class VariationalPrior(Protocol):
    """P: the prior as a distribution."""

    def log_prob(self, z: Tensor) -> Tensor:
        """(K, B) for z (K, B, *z_shape)."""

    def kl(self, q: VariationalPosterior) -> Tensor | None:
        """(B,) KL(q, p) where it has a closed form, else None."""

    def sample(self, count: int, generator: Generator) -> Tensor:
        """(count, *z_shape)."""


Infer: TypeAlias = Callable[[Tensor], Any]


@runtime_checkable
class Model(Protocol):
    """What training, evaluation and a space need of a model: :class:`morphospace.vae.VAE` is one."""

    z_shapes: tuple[tuple[int, ...], ...]

    def noise(self, k: int, batch: int, generator: Generator) -> Noise:
        """The noise of ``k`` draws for each of ``batch`` images."""

    def infer(self, x: Tensor, condition: Tensor | None = None) -> Any:
        """(B, C, H, W) to the posterior Q."""

    def decode(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """Flat latents (..., d) to the likelihood's parameters (..., C', H, W)."""

    def terms(self, batch: Batch, noise: Noise) -> Terms:
        """Everything that an objective may need of one batch."""

    def flatten(self, zs: tuple[Tensor, ...]) -> Tensor:
        """The latents of all levels as flat points (..., d)."""

    def unflatten(self, z: Tensor) -> tuple[Tensor, ...]:
        """Flat points (..., d) as the latents of all levels."""


class Objective(nn.Module):
    """What training descends. It may own networks (a discriminator) and have several players.

    Attributes:
        samples: K, the latent draws for each image and step.
        compilable: whether one step is a pure function of tensors.
    """

    samples: int = 1
    compilable: bool = True

    def players(self, model: nn.Module) -> tuple[Player, ...]:
        """Who steps: by default there is one, over every parameter of the model that trains."""
        raise NotImplementedError

    def noise(self, model: Any, batch: int, generator: Generator) -> Noise:
        """All randomness of one step; by default the model's own."""
        drawn: Noise = model.noise(self.samples, batch, generator)
        return drawn

    def forward(self, player: str, model: Any, batch: Batch, noise: Noise, progress: Progress) -> Loss:
        """The loss that ``player`` descends."""
        raise NotImplementedError
