"""What a prior is."""

from __future__ import annotations

from torch import Tensor, nn

from morphospace.vae.interfaces import Infer, VariationalPrior

__all__ = ["Prior"]


class Prior(nn.Module):
    """Called with the model's encoder, gives P, which has ``log_prob(z)``, ``kl(q)`` and ``sample(count, rng)``.

    Attributes:
        normal: whether P is N(0, I).
    """

    normal: bool = False

    def forward(self, infer: Infer, condition: Tensor | None = None) -> VariationalPrior:
        """P; ``infer`` is for priors that are made of posteriors, ``condition`` (B,) for those that differ by it."""
        raise NotImplementedError
