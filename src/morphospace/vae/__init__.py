"""The parts of a variational autoencoder and their composition."""

from morphospace.vae.interfaces import (
    Batch,
    Code,
    Condition,
    Draw,
    Generative,
    Group,
    Loss,
    Model,
    Noise,
    Objective,
    Player,
    Progress,
    Terms,
)
from morphospace.vae.likelihoods.bernoulli import Bernoulli, ContinuousBernoulli
from morphospace.vae.likelihoods.gaussian import Gaussian
from morphospace.vae.likelihoods.interfaces import Likelihood
from morphospace.vae.models.vae import VAE
from morphospace.vae.objectives.elbo import ELBO
from morphospace.vae.objectives.reconstruction import Reconstruction
from morphospace.vae.optimisers import Adam, KerasRMSprop, OptimiserConfig, RMSprop
from morphospace.vae.posteriors.gaussian import GaussianPosterior
from morphospace.vae.posteriors.interfaces import Posterior
from morphospace.vae.posteriors.point import PointPosterior
from morphospace.vae.priors.interfaces import Prior
from morphospace.vae.priors.normal import StandardNormalPrior
from morphospace.vae.slots import LikelihoodConfig, ModelConfig, ObjectiveConfig, PosteriorConfig, PriorConfig

__all__ = [
    "ELBO",
    "VAE",
    "Adam",
    "Batch",
    "Bernoulli",
    "Code",
    "Condition",
    "ContinuousBernoulli",
    "Draw",
    "Gaussian",
    "GaussianPosterior",
    "Generative",
    "Group",
    "KerasRMSprop",
    "Likelihood",
    "LikelihoodConfig",
    "Loss",
    "Model",
    "ModelConfig",
    "Noise",
    "Objective",
    "ObjectiveConfig",
    "OptimiserConfig",
    "Player",
    "PointPosterior",
    "Posterior",
    "PosteriorConfig",
    "Prior",
    "PriorConfig",
    "Progress",
    "RMSprop",
    "Reconstruction",
    "StandardNormalPrior",
    "Terms",
]
