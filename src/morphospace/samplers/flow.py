"""A flow of codes as a sampler."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from morphospace.latent.flows import STEPS, Flow, fit_flow
from morphospace.parts import option
from morphospace.samplers.interfaces import Arrays, Points, SamplerConfig

__all__ = ["FlowConfig"]


class FlowConfig(SamplerConfig, kind="flow"):
    """Draws of many Gaussians over pieces of the codes, carried to where codes lie by a flow."""

    steps: int = option("of training what carries them; 0 for the Gaussians alone", default=STEPS, low=0)
    most_codes = 100_000
    words = "a flow fitted to the codes of training images"

    def fit(self, codes: Points, labels: NDArray[np.int64] | None, *, seed: int) -> Flow:
        """See :func:`morphospace.latent.flows.fit_flow`."""
        return fit_flow(codes, labels, seed=seed, steps=self.steps)

    def restore(self, arrays: Arrays, latent_dim: int) -> Flow:
        """See :class:`SamplerConfig`."""
        return Flow.from_arrays(arrays, latent_dim)
