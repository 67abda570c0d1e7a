"""Pixels as Laplace distributions around the decoder's values: sharp edges cost less than under a Gaussian."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from morphospace.parts import option
from morphospace.vae.likelihoods.interfaces import PIXELS, Likelihood
from morphospace.vae.slots import LikelihoodConfig

__all__ = ["Laplace"]


class Laplace(Likelihood):
    r"""Each pixel is Laplace around :math:`\mu`, :math:`\log p = -|x - \mu| / b - \log 2b`; one b serves all pixels.

    The likeliest value of a pixel is then a median, not a mean: what is in doubt between black and white becomes one of
    the two, and no grey.

    Args:
        scale: b, in units of the pixel range [0, 1], > 0; where it starts if learned.
        learned: let training find b, which tends to the mean absolute error.

    Example:
        >>> Laplace(0.5).log_prob(torch.zeros(1, 1, 1, 2, 2), torch.ones(1, 1, 2, 2)).item()  # 4 * -(1 / 0.5 + log 1)
        -8.0
    """

    class Config(LikelihoodConfig, kind="laplace"):
        """One scale of absolute errors for all pixels, fixed or learned."""

        scale: float = option(
            "the mean absolute error, for pixels from 0 to 1; of a learned one where it starts",
            default=0.1, low=1e-6, high=1e3, starts=True,
        )  # fmt: skip
        learned: bool = option("whether training finds it", default=False)

        def build(self) -> Laplace:
            """See :class:`LikelihoodConfig`."""
            return Laplace(self.scale, learned=self.learned)

    name = "laplace"

    def __init__(self, scale: float = 0.1, *, learned: bool = False) -> None:
        super().__init__()
        log_scale = torch.tensor(math.log(scale))
        if learned:
            self.log_scale: Tensor = nn.Parameter(log_scale)
        else:
            self.register_buffer("log_scale", log_scale)

    def log_prob(self, params: Tensor, x: Tensor) -> Tensor:
        """(K, B), see :class:`Likelihood`."""
        values = params.float()
        return self._from_errors(F.l1_loss(values, x.expand_as(values), reduction="none").sum(PIXELS), x)

    def log_prob_pairs(self, params: Tensor, x: Tensor) -> Tensor:
        """(M, B), see :class:`Likelihood`."""
        return self._from_errors(torch.cdist(params.float().flatten(1), x.float().flatten(1), p=1), x)

    def _from_errors(self, errors: Tensor, x: Tensor) -> Tensor:
        return -errors * torch.exp(-self.log_scale) - x[0].numel() * (self.log_scale + math.log(2))

    def mean(self, params: Tensor) -> Tensor:
        """The values, within the range of pixels."""
        return params.float().clamp(0, 1)
