"""Geometry of latent points: grids, paths, concepts. No model inside."""

from morphospace.latent.classes import Classes, change_class, class_scores, learn_classes
from morphospace.latent.concepts import METHODS, Concept, learn_concept, move, sides
from morphospace.latent.grids import Plane, normal_quantiles, plane_grid, plane_of
from morphospace.latent.paths import path_through, slerp

__all__ = [
    "METHODS",
    "Classes",
    "Concept",
    "Plane",
    "change_class",
    "class_scores",
    "learn_classes",
    "learn_concept",
    "move",
    "normal_quantiles",
    "path_through",
    "plane_grid",
    "plane_of",
    "sides",
    "slerp",
]
