"""The importance-weighted bound: several draws an image, which together come nearer to log p(x) than each alone."""

from __future__ import annotations

import math
from typing import Any, TypeVar

import torch
from torch import Tensor

from morphospace.errors import ArgumentError
from morphospace.vae.interfaces import Batch, Group, Loss, Noise, Progress, Terms
from morphospace.vae.objectives import SinglePlayer, kl_of
from morphospace.vae.optimisers import Optimiser

__all__ = ["IWAE", "log_weights"]

Q = TypeVar("Q", bound=tuple[Tensor, ...])


def log_weights(terms: Terms) -> Tensor:
    r"""(K, B) :math:`\log w = \log p(x|z) + \log p(z) - \log q(z|x)`, in nats.

    Raises:
        ArgumentError: if a posterior has no density.
    """
    total = terms.log_px
    for group in terms.groups:
        if group.log_q is None or group.log_p is None:
            raise ArgumentError("objective: expected a posterior with a density, got points: they have no weights.")
        total = total + group.log_p - group.log_q
    return total


def _fixed(q: Q) -> Q:
    """The same posterior, no longer a function of the encoder."""
    return type(q)(*(value.detach() for value in q))  # type: ignore[call-arg]


def _terms_of_fixed(model: Any, batch: Batch, noise: Noise) -> Terms:
    """What ``model.terms`` gives, but for log q as a function of the draws alone."""
    q, p = model.infer(batch.input), model.prior(model.infer)
    draw = q.draw(noise)
    values = model.decode(draw.z)
    group = Group(_fixed(q).log_prob(draw.z), p.log_prob(draw.z), p.kl(q))
    return Terms(model.likelihood.log_prob(values, batch.target), (group,), (draw,), values)


class IWAE(SinglePlayer):
    r"""The negative importance-weighted bound, :math:`-E \log \frac1K \sum_k p(x, z_k) / q(z_k|x)`.

    One draw gives the ELBO; the bound rises with K towards :math:`\log p(x)`, whatever the posterior. But more draws
    teach the decoder better and the encoder worse: the plain gradient that reaches it sinks in its own noise, its
    signal-to-noise ratio falling as :math:`1/\sqrt K`. The doubly reparametrised gradient has the same expectation and
    less variance, and its ratio rises as :math:`\sqrt K`: of log q it takes what comes through the draws, and weights
    that by the squares of the normalised weights. It changes nothing for the decoder and the prior.

    Args:
        optimiser: steps the model.
        samples: K, the draws an image, >= 1; each is decoded.
        doubly_reparametrised: use that gradient. Such a step is not compiled.

    Source: Burda, Grosse and Salakhutdinov, Importance weighted autoencoders, arXiv:1509.00519; the ratio: Rainforth et
    al., arXiv:1802.04537; the gradient: Tucker et al., Doubly reparameterized gradient estimators, arXiv:1810.04152.
    """

    def __init__(self, optimiser: Optimiser, *, samples: int = 8, doubly_reparametrised: bool = True) -> None:
        super().__init__(optimiser)
        self.samples = samples
        self.doubly_reparametrised = doubly_reparametrised
        self.compilable = not doubly_reparametrised

    def forward(self, player: str, model: Any, batch: Batch, noise: Noise, progress: Progress) -> Loss:
        """The loss of one batch; parts ``reconstruction`` and ``kl``, as of the ELBO, and the bound, ``neg_iwae``."""
        del player, progress
        terms = _terms_of_fixed(model, batch, noise) if self.doubly_reparametrised else model.terms(batch, noise)
        log_w = log_weights(terms)  # (K, B)
        if self.doubly_reparametrised and terms.draws[0].z.requires_grad:
            shares = log_w.detach().softmax(0).unsqueeze(-1)
            # The bound's own gradient brings each draw's share once; this is the second time.
            terms.draws[0].z.register_hook(lambda gradient: gradient * shares)
        neg_iwae = (math.log(len(log_w)) - torch.logsumexp(log_w, 0)).mean()
        parts = {"reconstruction": -terms.log_px.mean(), "kl": kl_of(terms).mean(), "neg_iwae": neg_iwae}
        return Loss(neg_iwae, parts)
