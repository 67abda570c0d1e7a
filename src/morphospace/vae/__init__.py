"""The parts of a variational autoencoder and their composition."""

from morphospace.vae.interfaces import (
    Batch,
    Draw,
    Group,
    Loss,
    Model,
    Noise,
    Objective,
    Player,
    Progress,
    Terms,
)
from morphospace.vae.likelihoods import Bernoulli, ContinuousBernoulli, Gaussian, Likelihood
from morphospace.vae.model import VAE
from morphospace.vae.objectives import ELBO, Reconstruction
from morphospace.vae.optimisers import KerasRMSprop, Optimiser
from morphospace.vae.posteriors import GaussianPosterior, PointPosterior, Posterior
from morphospace.vae.priors import StandardNormalPrior

__all__ = [
    "ELBO",
    "VAE",
    "Batch",
    "Bernoulli",
    "ContinuousBernoulli",
    "Draw",
    "Gaussian",
    "GaussianPosterior",
    "Group",
    "KerasRMSprop",
    "Likelihood",
    "Loss",
    "Model",
    "Noise",
    "Objective",
    "Optimiser",
    "Player",
    "PointPosterior",
    "Posterior",
    "Progress",
    "Reconstruction",
    "StandardNormalPrior",
    "Terms",
]
