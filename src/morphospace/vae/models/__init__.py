"""Models: the parts composed."""
