"""The command ``morpho``. Importing it imports neither torch nor numpy, so that help is immediate."""

from morphospace.cli.app import main

__all__ = ["main"]
