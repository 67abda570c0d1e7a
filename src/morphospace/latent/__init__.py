"""Geometry of latent points: grids, paths, concepts. No model inside."""

from morphospace.latent.classes import Classes, change_class, class_chances, class_scores, learn_classes
from morphospace.latent.concepts import Concept
from morphospace.latent.discovery import Discovery, discover
from morphospace.latent.fields import Field, learn_field
from morphospace.latent.geodesics import even_lines, geodesic_through, geodesics
from morphospace.latent.grids import Plane, normal_quantiles, plane_grid, plane_of
from morphospace.latent.learning import METHODS, learn_concept, sides, upper_half
from morphospace.latent.moves import Strength, move
from morphospace.latent.paths import KINDS, PathLength, gaussian, path_length, path_through, slerp

__all__ = [
    "KINDS",
    "METHODS",
    "Classes",
    "Concept",
    "Discovery",
    "Field",
    "PathLength",
    "Plane",
    "Strength",
    "change_class",
    "class_chances",
    "class_scores",
    "discover",
    "even_lines",
    "gaussian",
    "geodesic_through",
    "geodesics",
    "learn_classes",
    "learn_concept",
    "learn_field",
    "move",
    "normal_quantiles",
    "path_length",
    "path_through",
    "plane_grid",
    "plane_of",
    "sides",
    "slerp",
    "upper_half",
]
