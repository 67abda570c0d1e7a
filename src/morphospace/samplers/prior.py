"""The model's own prior as a sampler."""

from __future__ import annotations

from morphospace.samplers.interfaces import SamplerConfig

__all__ = ["PriorConfig"]


class PriorConfig(SamplerConfig, kind="prior"):
    """Draws of the model's own prior."""

    from_prior = True
    words = "the model's own prior"
