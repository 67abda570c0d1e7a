"""A mixture of Gaussians as a sampler."""

from __future__ import annotations

from morphospace.samplers.interfaces import SamplerConfig

__all__ = ["MixtureConfig"]


class MixtureConfig(SamplerConfig, kind="mixture"):
    """Draws of a mixture of Gaussians fitted to codes."""
