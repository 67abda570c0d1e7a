"""What parts of one's own are made of: the bases, what they are told, and what they give.

Everything here lives elsewhere in the package, and is gathered so that one line of imports serves.

Example:
    >>> from morphospace.extending import Prior, PriorConfig, option
    >>> class Scaled(PriorConfig):
    ...     "N(0, scale I)."
    ...     scale: float = option("its variance", default=2.0, low=1e-3)
    >>> Scaled(scale=0.5).to_json()["scale"]
    0.5
"""

from __future__ import annotations

from morphospace.features import Features, Pictures, feature_network, looked_at, perceptual_distance
from morphospace.nn.interfaces import DecoderConfig, EncoderConfig
from morphospace.parts import Part, Shape, option
from morphospace.samplers.interfaces import SamplerConfig
from morphospace.vae.interfaces import (
    Batch,
    Code,
    Condition,
    Draw,
    Draws,
    Generative,
    Group,
    Infer,
    Loss,
    Model,
    Noise,
    Objective,
    Player,
    Progress,
    Terms,
    VariationalPosterior,
    VariationalPrior,
)
from morphospace.vae.likelihoods.interfaces import Likelihood
from morphospace.vae.models.composed import Composed
from morphospace.vae.models.vae import VAE
from morphospace.vae.optimisers import Adam, OptimiserConfig, RMSprop
from morphospace.vae.posteriors.interfaces import Posterior
from morphospace.vae.priors.interfaces import Prior
from morphospace.vae.slots import LikelihoodConfig, ModelConfig, ObjectiveConfig, PosteriorConfig, PriorConfig
from morphospace.vae.terms import figures_of, kl_of, log_weights_of, penalties_of

__all__ = [
    "VAE",
    "Adam",
    "Batch",
    "Code",
    "Composed",
    "Condition",
    "DecoderConfig",
    "Draw",
    "Draws",
    "EncoderConfig",
    "Features",
    "Generative",
    "Group",
    "Infer",
    "Likelihood",
    "LikelihoodConfig",
    "Loss",
    "Model",
    "ModelConfig",
    "Noise",
    "Objective",
    "ObjectiveConfig",
    "OptimiserConfig",
    "Part",
    "Pictures",
    "Player",
    "Posterior",
    "PosteriorConfig",
    "Prior",
    "PriorConfig",
    "Progress",
    "RMSprop",
    "SamplerConfig",
    "Shape",
    "Terms",
    "VariationalPosterior",
    "VariationalPrior",
    "feature_network",
    "figures_of",
    "kl_of",
    "log_weights_of",
    "looked_at",
    "option",
    "penalties_of",
    "perceptual_distance",
]
