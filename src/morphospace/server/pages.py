"""The files of the built page, read once: no request ever names a path."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from morphospace.server.failures import not_found

__all__ = ["Page", "page_routes", "read_pages"]

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
_OTHER = "application/octet-stream"  # .wasm.gz too, which the page unpacks itself


class Page(NamedTuple):
    """One file: its bytes, what they are, and the tag by which a browser knows that it has them."""

    content: bytes
    kind: str
    tag: str


def read_pages(folder: Path) -> dict[str, Page]:
    """The files of ``folder`` by address, ``index.html`` as "/"; hidden ones are left out."""
    pages = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not any(part.startswith(".") for part in name.split("/")):
            content = path.read_bytes()
            tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
            pages["/" if name == "index.html" else f"/{name}"] = Page(content, _TYPES.get(path.suffix, _OTHER), tag)
    return pages


def page_routes(pages: Mapping[str, Page]) -> list[Route]:
    """A route for each of them, and one for "/" that says so where there is no page."""

    async def serve(request: Request) -> Response:
        page = pages.get(request.url.path)
        if page is None:
            raise not_found("the page is not part of this installation. The API is, described at /api/v1/docs.")
        headers = {"Cache-Control": "no-cache", "ETag": page.tag}
        known = request.headers.get("if-none-match", "")
        if page.tag in (tag.strip().removeprefix("W/") for tag in known.split(",")):
            return Response(status_code=304, headers=headers)
        return Response(page.content, headers=headers, media_type=page.kind)

    return [Route(address, serve) for address in sorted({"/", *pages})]
