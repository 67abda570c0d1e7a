"""The application: the routes of one session behind the safety layer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from morphospace._version import __version__
from morphospace.errors import MorphospaceError
from morphospace.export.page import PAGE
from morphospace.server import editing, looking
from morphospace.server.docs import docs_page
from morphospace.server.failures import Failure, answer
from morphospace.server.pages import page_routes, read_pages
from morphospace.server.safety import Gate, Safety
from morphospace.server.session import Session

__all__ = ["API", "create_app"]

API = "/api/v1"

_WORDS = """Everything that the explorer's page does with a space, for programs too.

Binary answers are little-endian numbers, row by row; the header `X-Shape` has their sizes. Pixels are uint8
(N, H, W, C), C 1 or 3; d is the number of latents. Whatever goes wrong is answered as
`{"error": {"code", "message", "argument"}}`; `argument` is the part of the request that is at fault, or null."""


def create_app(
    session: Session,
    *,
    host: str = "127.0.0.1",
    token: str | None = None,
    static: Path = PAGE,
    body_seconds: float = 15.0,
) -> FastAPI:
    """The application that answers for ``session``.

    Args:
        session: is closed when the application ends.
        host: the address that is listened at.
        token: what every request must show, 8 signs or more; None lets in this machine alone, whatever address a server
            of your own listens at.
        static: the folder of the built page; it may be missing.
        body_seconds: within which the body of a request must be there.

    Raises:
        ArgumentError: for a host that others than this machine can reach and no token, or a token that is too short.
    """
    gate = Gate(host, token)  # refuses now, where Starlette would at the first request

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        app.openapi()  # before there are threads: FastAPI swaps the filters of warnings, which all threads share
        session.start()
        yield
        session.close()

    app = FastAPI(
        title="Morphospace", version=__version__, description=_WORDS, lifespan=lifespan,
        openapi_url=f"{API}/openapi.json", docs_url=None, redoc_url=None, redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )  # fmt: skip
    app.state.session = session
    for kind in (Failure, MorphospaceError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, answer)
    api = APIRouter(prefix=API)
    api.include_router(looking.router)
    api.include_router(editing.router)
    app.include_router(api)
    _add_docs(app)
    app.router.routes.extend(page_routes(read_pages(static)))
    app.add_middleware(Safety, gate=gate, body_seconds=body_seconds)
    return app


def _add_docs(app: FastAPI) -> None:
    style = Path(__file__).with_name("docs.css").read_text(encoding="utf-8")

    async def page(_: Request) -> Response:
        return HTMLResponse(docs_page(app.openapi()))

    async def css(_: Request) -> Response:
        return Response(style, media_type="text/css")

    app.add_route(f"{API}/docs", page, include_in_schema=False)
    app.add_route(f"{API}/docs.css", css, include_in_schema=False)
