"""Posteriors q(z | x): from the encoder's features to a distribution over latents."""
