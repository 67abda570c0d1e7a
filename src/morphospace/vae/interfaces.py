"""What the parts of a VAE say to each other.

Shapes: B images in a batch, K latent draws an image, d latents, M any number of latents.
Every log probability is in nats, summed over pixels or latents.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, Protocol, TypeAlias, runtime_checkable

import numpy as np
from torch import Generator, Tensor, nn

from morphospace.features.network import Pictures
from morphospace.vae.optimisers import OptimiserConfig

__all__ = [
    "Batch",
    "Book",
    "Code",
    "Condition",
    "Draw",
    "Draws",
    "Generative",
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
    "turns_of",
]

Noise: TypeAlias = tuple[Tensor, ...]
"""All randomness of a step, drawn before it: the step itself is a pure function and can be compiled."""

Draws: TypeAlias = Literal["density", "codes", "points"]
"""What a posterior draws: latents with a density, entries of a book with a probability, or one point without any."""


class Book(NamedTuple):
    """What codes are drawn from: an image has so many ``positions``, and at each one of so many ``entries``."""

    positions: int
    entries: int


class Condition(NamedTuple):
    """What a model is told beside an image or a latent: which of so many ``kinds`` it is, whole numbers from 0.

    ``name`` says what the kinds are of: "label".
    """

    name: str
    kinds: int


class Code(NamedTuple):
    """Where images lie: ``mean`` (B, d), and ``scale`` (B, d), the standard deviations, or None for points."""

    mean: Tensor
    scale: Tensor | None


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

    ``penalty`` (B,) is a loss of the posterior's own (a commitment, say). ``codes`` (K, B, positions) are the entries
    of a book that were drawn, which ``log_q`` is then of, and which the prior scores in place of ``z``.
    ``held`` gives ``log_q`` as a function of ``z`` alone, the posterior held as it is: for its gradient.
    """

    z: Tensor
    log_q: Tensor | None
    penalty: Tensor | None = None
    codes: Tensor | None = None
    held: Callable[[], Tensor] | None = None


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
    """Some parameters with an optimiser of their own, stepping every ``every``-th step.

    One that ``joins`` the player before it descends the same total, where each one's share has no gradient by the
    other's parameters: what both are made of is then computed once.
    """

    name: str
    parameters: list[nn.Parameter]
    optimiser: OptimiserConfig
    every: int = 1
    joins: bool = False


def turns_of(players: Sequence[Player]) -> list[list[Player]]:
    """The players by turns: each turn is one who has a total, and those who join."""
    turns: list[list[Player]] = []
    for player in players:
        if player.joins and turns:
            turns[-1].append(player)
        else:
            turns.append([player])
    return turns


@runtime_checkable
class VariationalPosterior(Protocol):
    """Q: the posterior of a batch of images."""

    @property
    def mean(self) -> Tensor:
        """(B, *z_shape)."""

    @property
    def scale(self) -> Tensor | None:
        """(B, *z_shape) standard deviations, or None without a density."""

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

    def sample(self, count: int, rng: np.random.Generator) -> Tensor:
        """(count, *z_shape), on the CPU where there is nothing to compute them with."""


Infer: TypeAlias = Callable[[Tensor], VariationalPosterior]
"""From images to their posteriors: what a prior that is made of posteriors is given."""


class Generative(nn.Module):
    """What a space, its evaluation, its export and its page ask of a model, and nothing else.

    Shapes: images x (B, C, H, W) in [0, 1]; flat latents z (..., d); conditions (B,) of whole numbers.
    """

    @property
    def latent_dim(self) -> int:
        """d, of all levels of latents together."""
        raise NotImplementedError

    @property
    def has_density(self) -> bool:
        """Whether codes are draws of a density, so that importance weights exist."""
        raise NotImplementedError

    @property
    def has_bound(self) -> bool:
        """Whether its figures add up to a bound of -log p(x), and it has a prior to sample from."""
        raise NotImplementedError

    @property
    def draws(self) -> Draws:
        """The same two in one word: what its posterior draws."""
        return "density" if self.has_density else "codes" if self.has_bound else "points"

    @property
    def normal_prior(self) -> bool:
        """Whether it was trained towards N(0, I)."""
        raise NotImplementedError

    @property
    def nonnegative(self) -> bool:
        """Whether no latent is ever below 0."""
        return False

    @property
    def book(self) -> Book | None:
        """What the codes are drawn from, of a model whose latents are codes; None of others."""
        return None

    def codes(self, z: Tensor) -> Tensor:
        """Of a model with a book, the nearest codes (..., positions) of latents."""
        raise NotImplementedError

    @property
    def decoding(self) -> tuple[str, ...]:
        """How the names of those of its weights begin that turn latents into images and do nothing else.

        They can go on learning while every code stays what it is. Empty where that is not known.
        """
        return ()

    @property
    def condition(self) -> Condition | None:
        """What it must be told beside an image or a latent; None for nothing."""
        return None

    @property
    def likelihood_name(self) -> str:
        """Of what kind the nats of its reconstructions are: those of others do not compare with them."""
        raise NotImplementedError

    @property
    def cross_entropy(self) -> bool:
        """Whether these are the cross-entropy of pixels, which the book's loss is made of."""
        return False

    def noise(self, k: int, batch: int, generator: Generator) -> Noise:
        """The noise of ``k`` draws for each of ``batch`` images, each part (k, batch, ...)."""
        raise NotImplementedError

    def encode(self, x: Tensor, condition: Tensor | None = None) -> Code:
        """Where images lie."""
        raise NotImplementedError

    def image(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """The expected images (..., C, H, W) in [0, 1] of latents, differentiable."""
        raise NotImplementedError

    def log_likelihood(self, z: Tensor, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Log p(x | z) in nats, (K, B) for z (K, B, d), or for z (K, 1, d): the same latents for every image."""
        raise NotImplementedError

    def sample(self, n: int, rng: np.random.Generator, condition: Tensor | None = None) -> Tensor:
        """Latents (n, d) from the prior."""
        raise NotImplementedError

    def figures(self, batch: Batch, noise: Noise) -> dict[str, Tensor]:
        """What a person sees of each image of a batch, (B,) nats by name; they add up to the bound, if there is one."""
        raise NotImplementedError

    def log_weights(self, batch: Batch, noise: Noise) -> Tensor:
        """Log p(x, z) - log q(z | x) of each draw, (K, B) nats, where there is a density."""
        raise NotImplementedError


class Model(Generative):
    """What the objectives of this package ask of a model beside that: :class:`morphospace.vae.VAE` is one."""

    def infer(self, x: Tensor, condition: Tensor | None = None) -> VariationalPosterior:
        """Images to the posterior Q."""
        raise NotImplementedError

    def decode(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """Flat latents to the likelihood's parameters (..., C', H, W)."""
        raise NotImplementedError

    def expected(self, values: Tensor) -> Tensor:
        """The expected images (..., C, H, W) in [0, 1] under such parameters."""
        raise NotImplementedError

    def terms(self, batch: Batch, noise: Noise) -> Terms:
        """Everything that an objective may need of one batch."""
        raise NotImplementedError


class Objective(nn.Module):
    """What training descends. It may own networks (a discriminator) and have several players.

    Attributes:
        samples: K, the latent draws for each image and step.
        compilable: whether one step is a pure function of tensors.
        frozen: the names of networks of its own that never train and are made again, so that no checkpoint keeps them.
    """

    samples: int = 1
    compilable: bool = True
    frozen: tuple[str, ...] = ()

    def look_at(self, pictures: Pictures, labels: Tensor | None, *, seed: int) -> None:
        """What is learned of the training set before a stage's first step, and again before it goes on after a cut.

        By default nothing. What it changes is a function of what is given alone, and is named in ``frozen``.

        Args:
            pictures: of the training set, by their places.
            labels: int64 (N,), or None where there are none.
            seed: the run's.
        """

    def players(self, model: nn.Module, optimiser: OptimiserConfig) -> tuple[Player, ...]:
        """Who steps: one player, over every parameter of the model that trains, under the stage's optimiser."""
        return (Player("model", [p for p in model.parameters() if p.requires_grad], optimiser),)

    def noise(self, model: Model, batch: int, generator: Generator) -> Noise:
        """All randomness of one step; by default the model's own."""
        return model.noise(self.samples, batch, generator)

    def forward(self, player: str, model: Model, batch: Batch, noise: Noise, progress: Progress) -> Loss:
        """The loss that ``player`` descends."""
        raise NotImplementedError

    def distances(self, model: Model, batch: Batch) -> Tensor:
        """How far from each image what its code is decoded to lies, (B,), by this objective's own measure.

        The best epoch is chosen by it where an objective has one, else by nats. It draws nothing: the same images have
        the same distance each time.
        """
        raise NotImplementedError

    def after_step(self, model: nn.Module) -> None:
        """What is done without gradients once the players have stepped: by default what the model's parts ask for.

        A part asks by a method ``after_step``, like a book of codes that follows what was encoded.
        """
        for part in model.modules():
            # Asked of the class, which is far quicker than of a module, for this is at every step.
            if part is not model and callable(step := getattr(type(part), "after_step", None)):
                step(part)
