"""Frozen networks that look at pictures, and how far pictures are from each other to their eyes."""

from morphospace.features.distance import features_distance, looked_at, perceptual_distance
from morphospace.features.named import NETWORKS, check_weights, feature_network, weights_are_here
from morphospace.features.network import Features, Pictures

__all__ = [
    "NETWORKS",
    "Features",
    "Pictures",
    "check_weights",
    "feature_network",
    "features_distance",
    "looked_at",
    "perceptual_distance",
    "weights_are_here",
]
