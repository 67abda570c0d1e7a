"""Priors p(z): what latents are expected to be before any image is seen."""
