"""A mixture of Gaussians as a sampler, and one Gaussian."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from morphospace.latent.mixtures import Mixture, check_mixture, draw_from, fit_mixture
from morphospace.parts import option
from morphospace.samplers.interfaces import Arrays, Points, SamplerConfig

__all__ = ["GaussianConfig", "MixtureConfig", "MixtureSampler"]


@dataclass(frozen=True)
class MixtureSampler:
    """Draws of a mixture of Gaussians."""

    mixture: Mixture

    def sample(self, n: int, rng: np.random.Generator) -> Points:
        """``n`` draws (n, d)."""
        return draw_from(self.mixture, n, rng)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The mixture's."""
        return dict(self.mixture._asdict())


class MixtureConfig(SamplerConfig, kind="mixture"):
    """Draws of a mixture of Gaussians fitted to codes."""

    components: int = option("the most Gaussians", default=10, low=1)
    words = "a mixture of Gaussians fitted to the codes of training images"

    def fit(self, codes: Points, labels: NDArray[np.int64] | None, *, seed: int) -> MixtureSampler:
        """See :class:`SamplerConfig`; a mixture asks for no labels, and is the same for every seed."""
        del labels, seed
        return MixtureSampler(fit_mixture(codes, most_components=self.components, most_codes=self.most_codes))

    def restore(self, arrays: Arrays, latent_dim: int) -> MixtureSampler:
        """See :class:`SamplerConfig`."""
        return MixtureSampler(check_mixture(arrays, latent_dim))


class GaussianConfig(SamplerConfig, kind="gaussian"):
    """Draws of one Gaussian fitted to codes."""

    words = "a Gaussian fitted to the codes of training images"

    def fit(self, codes: Points, labels: NDArray[np.int64] | None, *, seed: int) -> MixtureSampler:
        """See :class:`SamplerConfig`; a Gaussian asks for no labels, and is the same for every seed."""
        return MixtureConfig(components=1).fit(codes, labels, seed=seed)

    def restore(self, arrays: Arrays, latent_dim: int) -> MixtureSampler:
        """See :class:`SamplerConfig`."""
        return MixtureConfig(components=1).restore(arrays, latent_dim)
