"""What a sampler is, and its place in a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from morphospace.parts import Part

__all__ = ["Sampler", "SamplerConfig"]

Points = NDArray[np.float32]
Arrays = Mapping[str, NDArray[Any]]


class Sampler(Protocol):
    """What was fitted to codes, and draws others like them."""

    def sample(self, n: int, rng: np.random.Generator) -> Points:
        """``n`` draws (n, d)."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All that it is, as arrays by name."""


class SamplerConfig(Part, slot="sampler"):
    """Where new latents come from.

    Attributes:
        from_prior: whether from the model's own prior, so that nothing is fitted.
        most_codes: so many codes, from all over them, are enough for a fit.
        words: what it is, after "come from".
    """

    from_prior: ClassVar[bool] = False
    most_codes: ClassVar[int] = 10_000
    words: ClassVar[str] = "what was fitted to codes"

    def fit(self, codes: Points, labels: NDArray[np.int64] | None, *, seed: int) -> Sampler:
        """What draws latents like ``codes`` (N, d), N >= 2, of images with ``labels`` (N,) or none."""
        raise NotImplementedError

    def restore(self, arrays: Arrays, latent_dim: int) -> Sampler:
        """The sampler that :meth:`Sampler.arrays` says.

        Raises:
            ValueError: for arrays that are those of no such sampler, or of another number of latents.
        """
        raise NotImplementedError
