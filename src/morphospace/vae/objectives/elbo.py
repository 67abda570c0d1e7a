"""The evidence lower bound, with a weight for its KL; and the book's loss, which is one."""

from __future__ import annotations

import math

from torch import Tensor

from morphospace.errors import ArgumentError
from morphospace.parts import Shape, option
from morphospace.vae.interfaces import Batch, Loss, Model, Noise, Objective, Progress
from morphospace.vae.slots import ModelConfig, ObjectiveConfig
from morphospace.vae.terms import kl_of, penalties_of, risen

__all__ = ["ELBO", "BookConfig", "needs_bound", "needs_density"]

_BOOK_KL_WEIGHT = 5e-4
_BETA = "the weight of the KL in nats"
_ANNEAL = "the share of all steps in which beta rises from 0"


def needs_bound(model: ModelConfig) -> None:
    """Refuse a model without a KL.

    Raises:
        ArgumentError: with what to train it by.
    """
    if model.draws == "points":
        raise ArgumentError(
            "a point has no KL: this objective needs a posterior that draws. Take one that scores points alone, like "
            '`objective="reconstruction"`.',
            argument="objective",
        )


def needs_density(model: ModelConfig) -> None:
    """Refuse a model whose KL cannot be weighed, or taken apart, by its gradient.

    Raises:
        ArgumentError: with what to train it by.
    """
    needs_bound(model)
    if model.draws == "codes":
        raise ArgumentError(
            "codes have no density: their KL gives no gradient. Take objective=elbo, or another posterior.",
            argument="objective",
        )


def _needs_no_weight(model: ModelConfig, **weights: float | None) -> None:
    """Refuse weights of a KL that no encoder can do anything about.

    Raises:
        ArgumentError: for one that was given.
    """
    for key, value in weights.items():
        if model.draws == "codes" and value is not None:
            raise ArgumentError(
                f"the KL of codes gives no gradient, so its weight changes nothing. Leave it out, got {value}.",
                argument=key,
            )


class ELBO(Objective):
    r"""The negative evidence lower bound, :math:`-E_q \log p(x|z) + \beta\, KL(q, p)`.

    Args:
        beta: the weight of the KL, >= 0; 1 gives the bound, anything else gives none.
        anneal: the share of all steps, 0..1, in which the weight rises from 0 to beta: a prior that presses
            from the first step can silence latents before the decoder has learned to listen to them.
        samples: K, the draws an image, >= 1.
        scale: multiplies what is descended, not what is shown; the book's loss is a mean over pixels.

    Source: Kingma and Welling, arXiv:1312.6114; beta: Higgins et al., beta-VAE, ICLR 2017; annealing:
    Bowman et al., arXiv:1511.06349.
    """

    class Config(ObjectiveConfig, kind="elbo"):
        """The evidence lower bound, with a weight for its KL."""

        beta: float | None = option(f"{_BETA}; none is 1", default=None, low=0, high=1e9)
        anneal: float = option(_ANNEAL, default=0.0, low=0, high=1)
        samples: int = option("the latents drawn for each image and step", default=1, low=1, high=1e6)

        def build(self, model: Model, shape: Shape) -> ELBO:
            """See :class:`ObjectiveConfig`."""
            beta = self.kl_weight(model.latent_dim, shape)
            return ELBO(beta=beta, anneal=self.anneal, samples=self.samples)

        def check(self, model: ModelConfig) -> None:
            """See :class:`ObjectiveConfig`."""
            needs_bound(model)
            _needs_no_weight(model, beta=self.beta, anneal=self.anneal or None)

        def kl_weight(self, latent_dim: int, shape: Shape) -> float:
            """See :class:`ObjectiveConfig`."""
            del latent_dim, shape
            return 1.0 if self.beta is None else self.beta

        @property
        def penalty(self) -> str:
            """See :class:`ObjectiveConfig`."""
            return "beta"

    def __init__(self, *, beta: float = 1.0, anneal: float = 0.0, samples: int = 1, scale: float = 1.0) -> None:
        super().__init__()
        self.beta = beta
        self.anneal = anneal
        self.samples = samples
        self.scale = scale

    def forward(self, player: str, model: Model, batch: Batch, noise: Noise, progress: Progress) -> Loss:
        """The loss of one batch; parts ``reconstruction`` and ``kl``."""
        del player
        terms = model.terms(batch, noise)
        reconstruction = -terms.log_px.mean()
        kl = kl_of(terms).mean()
        total: Tensor = reconstruction + self.beta * risen(self.anneal, progress) * kl
        if any(draw.penalty is not None for draw in terms.draws):
            total = total + penalties_of(terms)
        return Loss(self.scale * total, {"reconstruction": reconstruction, "kl": kl})


class BookConfig(ObjectiveConfig, kind="book"):
    """The Keras book's loss: the mean over pixels plus 5e-4 times a mean over latents."""

    beta: float | None = option(f"{_BETA}; none is the book's 5e-4, counted in nats", default=None, low=0, high=1e9)
    anneal: float = option(_ANNEAL, default=0.0, low=0, high=1)

    def build(self, model: Model, shape: Shape) -> ELBO:
        """See :class:`ObjectiveConfig`."""
        beta = self.kl_weight(model.latent_dim, shape)
        return ELBO(beta=beta, anneal=self.anneal, scale=1.0 / math.prod(shape))

    def check(self, model: ModelConfig) -> None:
        """See :class:`ObjectiveConfig`."""
        needs_density(model)

    def kl_weight(self, latent_dim: int, shape: Shape) -> float:
        """See :class:`ObjectiveConfig`."""
        return _BOOK_KL_WEIGHT * math.prod(shape) * 2 / latent_dim if self.beta is None else self.beta

    @property
    def penalty(self) -> str:
        """See :class:`ObjectiveConfig`."""
        return "beta"
