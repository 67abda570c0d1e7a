"""What a sampler is, and its place in a recipe."""

from __future__ import annotations

from typing import ClassVar

from morphospace.parts import Part

__all__ = ["SamplerConfig"]


class SamplerConfig(Part, slot="sampler"):
    """Where new latents come from."""

    from_prior: ClassVar[bool] = False
