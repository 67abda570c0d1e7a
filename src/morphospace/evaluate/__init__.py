"""What a space is worth, in figures."""

from morphospace.evaluate.likelihood import TestFigures, score
from morphospace.evaluate.structure import LatentUse, latent_use

__all__ = ["LatentUse", "TestFigures", "latent_use", "score"]
