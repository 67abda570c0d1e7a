"""What a space is worth, in figures."""

from morphospace.evaluate.likelihood import TestFigures, score
from morphospace.evaluate.space import evaluate_space
from morphospace.evaluate.structure import LatentUse, latent_use

__all__ = ["LatentUse", "TestFigures", "evaluate_space", "latent_use", "score"]
