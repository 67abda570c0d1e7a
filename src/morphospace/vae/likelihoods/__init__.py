"""Likelihoods p(x | z): how the decoder's values score an image."""
