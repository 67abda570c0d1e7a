"""The explorer's server: an HTTP API of one space, and the page that uses it."""

from morphospace.server.app import create_app
from morphospace.server.run import serve
from morphospace.server.session import Session

__all__ = ["Session", "create_app", "serve"]
