"""What a space is worth, in figures."""

from morphospace.evaluate.comparison import Comparison, SpaceFigures, compare_spaces, space_figures
from morphospace.evaluate.latents import LatentFigures, kl_by_latent, latent_figures
from morphospace.evaluate.lattice import LatticeFigure, lattice_nll
from morphospace.evaluate.likelihood import TestFigures, importance_weighted_nll, score
from morphospace.evaluate.outliers import OutlierFigures, outlier_figures, reconstruction_errors
from morphospace.evaluate.reconstruction import psnr
from morphospace.evaluate.space import evaluate_space
from morphospace.evaluate.structure import LatentUse, latent_use, overfitting
from morphospace.evaluate.use import CodeUse, code_use, use_warning

__all__ = [
    "CodeUse",
    "Comparison",
    "LatentFigures",
    "LatentUse",
    "LatticeFigure",
    "OutlierFigures",
    "SpaceFigures",
    "TestFigures",
    "code_use",
    "compare_spaces",
    "evaluate_space",
    "importance_weighted_nll",
    "kl_by_latent",
    "latent_figures",
    "latent_use",
    "lattice_nll",
    "outlier_figures",
    "overfitting",
    "psnr",
    "reconstruction_errors",
    "score",
    "space_figures",
    "use_warning",
]
