"""Encoders and decoders: from images to features, and from latents to the parameters of a likelihood."""

from morphospace.nn.book import BookDecoder, BookEncoder
from morphospace.nn.conv import ConvDecoder, ConvEncoder
from morphospace.nn.layers import FourierFeatures, glorot_
from morphospace.nn.mlp import MLPDecoder, MLPEncoder

__all__ = [
    "BookDecoder",
    "BookEncoder",
    "ConvDecoder",
    "ConvEncoder",
    "FourierFeatures",
    "MLPDecoder",
    "MLPEncoder",
    "glorot_",
]
