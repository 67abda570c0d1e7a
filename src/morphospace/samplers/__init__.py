"""Samplers: where new latents come from."""
