"""Frozen networks that look at pictures, and how far pictures are from each other to their eyes."""

from morphospace.features.distance import looked_at, perceptual_distance
from morphospace.features.named import NETWORKS, feature_network, weights_are_here
from morphospace.features.network import Features

__all__ = ["NETWORKS", "Features", "feature_network", "looked_at", "perceptual_distance", "weights_are_here"]
