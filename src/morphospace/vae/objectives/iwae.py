"""The importance-weighted bound: several draws an image, which together come nearer to log p(x) than each alone."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from morphospace.errors import ArgumentError
from morphospace.parts import Shape, option
from morphospace.vae.interfaces import Batch, Loss, Model, Noise, Objective, Progress, Terms
from morphospace.vae.slots import ModelConfig, ObjectiveConfig
from morphospace.vae.terms import kl_of, log_weights_of

__all__ = ["IWAE"]


class IWAE(Objective):
    r"""The negative importance-weighted bound, :math:`-E \log \frac1K \sum_k p(x, z_k) / q(z_k|x)`.

    One draw gives the ELBO; the bound rises with K towards :math:`\log p(x)`, whatever the posterior. But more draws
    teach the decoder better and the encoder worse: the plain gradient that reaches it sinks in its own noise, its
    signal-to-noise ratio falling as :math:`1/\sqrt K`. The doubly reparametrised gradient has the same expectation and
    less variance, and its ratio rises as :math:`\sqrt K`: of log q it takes what comes through the draws, and weights
    that by the squares of the normalised weights. It changes nothing for the decoder and the prior.

    Args:
        samples: K, the draws an image, >= 1; each is decoded.
        doubly_reparametrised: use that gradient. Such a step is not compiled.

    Source: Burda, Grosse and Salakhutdinov, Importance weighted autoencoders, arXiv:1509.00519; the ratio: Rainforth et
    al., arXiv:1802.04537; the gradient: Tucker et al., Doubly reparameterized gradient estimators, arXiv:1810.04152.
    """

    class Config(ObjectiveConfig, kind="iwae"):
        """The importance-weighted bound of several draws."""

        samples: int = option("the latents drawn and decoded for each image and step", default=8, low=1, high=1e6)
        doubly_reparametrised: bool = option(
            "the encoder's gradient by the rule of Tucker et al.: the same on average, with less noise", default=True
        )

        def build(self, model: Model, shape: Shape) -> IWAE:
            """See :class:`ObjectiveConfig`."""
            del model, shape
            return IWAE(samples=self.samples, doubly_reparametrised=self.doubly_reparametrised)

        def check(self, model: ModelConfig) -> None:
            """See :class:`ObjectiveConfig`."""
            if model.draws != "density":
                raise ArgumentError(
                    "draws have weights only where the posterior has a density. Add posterior=gaussian, or take "
                    "another objective.",
                    argument="objective",
                )

    def __init__(self, *, samples: int = 8, doubly_reparametrised: bool = True) -> None:
        super().__init__()
        self.samples = samples
        self.doubly_reparametrised = doubly_reparametrised
        self.compilable = not doubly_reparametrised

    def forward(self, player: str, model: Model, batch: Batch, noise: Noise, progress: Progress) -> Loss:
        """The loss of one batch; parts ``reconstruction`` and ``kl``, as of the ELBO, and the bound, ``neg_iwae``."""
        del player, progress
        terms = model.terms(batch, noise)
        log_w = log_weights_of(terms)  # (K, B)
        if self.doubly_reparametrised:
            log_w = log_w + _without_score(terms)
            shares = log_w.detach().softmax(0).unsqueeze(-1)
            for draw in terms.draws:
                if draw.z.requires_grad:
                    # The bound's own gradient brings each draw's share once; this is the second time.
                    draw.z.register_hook(lambda gradient: gradient * shares)  # type: ignore[no-untyped-call]
        neg_iwae = (math.log(len(log_w)) - torch.logsumexp(log_w, 0)).mean()
        parts = {"reconstruction": -terms.log_px.mean(), "kl": kl_of(terms).mean(), "neg_iwae": neg_iwae}
        return Loss(neg_iwae, parts)


def _without_score(terms: Terms) -> Tensor:
    """(K, B) zeros, whose gradient takes out of log w what does not come through the draws.

    Raises:
        ArgumentError: if a posterior cannot tell.
    """
    total = torch.zeros_like(terms.log_px)
    for draw in terms.draws:
        if draw.log_q is None or draw.held is None:
            raise ArgumentError(
                "this posterior cannot tell the gradient of its density at a draw. Add doubly_reparametrised=false.",
                argument="objective",
            )
        total = total + draw.log_q - draw.held()
    return total
