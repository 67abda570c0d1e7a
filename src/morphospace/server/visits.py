"""What every route shares: who asks, waiting for an answer, and the forms that answers take."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Annotated, Any, NamedTuple, TypeVar

import numpy as np
from fastapi import Depends
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import Response

from morphospace.images import Images, png_bytes
from morphospace.pictures import tile
from morphospace.server.batches import Job
from morphospace.server.failures import Failure, busy
from morphospace.server.schemas import Format, Problem
from morphospace.server.session import Session

__all__ = ["BINARY", "CurrentVisit", "Visit", "json_response", "pixels_of", "problems", "raw_response"]

T = TypeVar("T")

_LARGEST_ANSWER = 64 << 20  # bytes
_TURNS = 2  # so many others, at their longest, are waited for

_PROBLEMS = {
    403: "forbidden: a foreign Host or Origin, or no token",
    404: "not_found",
    409: "superseded or conflict",
    413: "too_large",
    415: "not_a_picture",
    422: "invalid: the message says which argument, what was expected, and what came",
    500: "internal",
    503: "busy: ask again after Retry-After seconds",
    504: "timeout: it takes too long to compute",
}
_COMPUTED = (500, 503, 504)


class Visit(NamedTuple):
    """One request, and the session that it is for."""

    session: Session
    request: Request

    async def do(self, work: Callable[[], T]) -> T:
        """Have ``work`` done by the thread that owns the model."""
        return await self.answered(self.session.worker.do(work))

    async def decode(self, points: NDArray[np.float32], latest: str | None = None, given: str | None = None) -> Images:
        """Have latents (N, d) decoded, uint8 (N, H, W, C), as the label ``given``."""
        size = int(np.prod(self.session.space.shape))
        if len(points) * size > _LARGEST_ANSWER:
            words = f"{len(points)} images of {size:,} bytes are too many, expected up to {_LARGEST_ANSWER // size}."
            raise Failure(413, "too_large", words)
        label = self.session.label(given)
        return await self.answered(self.session.worker.decode(points, latest=latest, label=label))

    async def picture(self, work: Callable[[], T]) -> T:
        """Have a picture file read or written beside the thread that owns the model."""
        return await self.answered(self.session.pictures.submit(work))

    async def answered(self, job: Future[T]) -> T:
        """Wait for a job, as long as the client does, for its turn, and from then on for what it computes.

        Where one of them ends before the job does, it is given up, and whoever comes next has a turn.

        Raises:
            Failure: "busy", if its turn did not come; "timeout", if it takes too long.
        """
        result, asked, patience = asyncio.wrap_future(job), time.monotonic(), self.session.patience
        left = asyncio.ensure_future(self._left())

        def remaining() -> float:
            began = job.began if isinstance(job, Job) else asked
            end = asked + _TURNS * patience if began is None else began + patience
            return min(end - time.monotonic(), patience)  # to see in time that it has begun

        try:
            while not (result.done() or left.done()) and (seconds := remaining()) > 0:
                await asyncio.wait((result, left), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if result.done():
                return result.result()
        finally:
            left.cancel()
            result.cancel()  # which tells the worker, too
        if isinstance(job, Job) and job.began is None:
            raise busy(f"its turn did not come within {_TURNS * patience:g} seconds. Ask again in a second.")
        words = f"it would have taken more than {patience:g} seconds to compute. Ask for less at once."
        raise Failure(504, "timeout", words)

    async def _left(self) -> None:
        """Return when the client has gone."""
        while (await self.request.receive())["type"] != "http.disconnect":
            pass

    async def pixels(self, images: Images, form: Format, columns: int | None = None) -> Response:
        """Images (N, H, W, C) as they are, or as one PNG sheet."""
        if form == "raw":
            return raw_response(images)
        across = columns or math.ceil(math.sqrt(len(images)))
        text = self.session.space.text()
        content = await self.picture(lambda: png_bytes(tile(images, across), text))
        return Response(content, media_type="image/png")


async def _visit(request: Request) -> Visit:
    return Visit(request.app.state.session, request)


CurrentVisit = Annotated[Visit, Depends(_visit)]


def pixels_of(images: Images) -> bytes:
    """Pixels, row by row."""
    return np.ascontiguousarray(images, np.uint8).tobytes()


def raw_response(array: NDArray[Any]) -> Response:
    """Numbers as they lie in memory, little-endian; the header says their shape."""
    content = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
    headers = {"X-Shape": ",".join(map(str, array.shape))}
    return Response(content, headers=headers, media_type="application/octet-stream")


def json_response(value: dict[str, Any], status: int = 200) -> Response:
    """Strict JSON: what is not finite is null."""
    try:
        content = json.dumps(value, allow_nan=False)
    except ValueError:
        content = json.dumps(_finite(value), allow_nan=False)
    return Response(content, status, media_type="application/json")


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def problems(*statuses: int, computed: bool = True) -> dict[int | str, dict[str, Any]]:
    """How the description names what may go wrong with a route."""
    named = {403, 422, *statuses, *(_COMPUTED if computed else (500, 503))}
    return {status: {"model": Problem, "description": _PROBLEMS[status]} for status in sorted(named)} | {
        408: {"model": Problem, "description": "timeout: the body did not arrive"},
        413: {"model": Problem, "description": _PROBLEMS[413]},
    }


def _bytes(description: str) -> dict[str, Any]:
    return {"schema": {"type": "string", "format": "binary", "description": description}}


_SHAPE = {"X-Shape": {"description": "the sizes, like 12,28,28,1", "schema": {"type": "string"}}}

BINARY: dict[str, dict[int | str, dict[str, Any]]] = {
    "pixels": {
        200: {
            "description": "uint8 pixels (N, H, W, C), or one PNG sheet of them",
            "headers": _SHAPE,
            "content": {
                "application/octet-stream": _bytes("pixels, row by row"),
                "image/png": _bytes("a sheet, row by row"),
            },
        }
    },
    "numbers": {
        200: {
            "description": "little-endian numbers",
            "headers": _SHAPE,
            "content": {"application/octet-stream": _bytes("float32 codes, errors; int32 labels; float64 attributes")},
        }
    },
    "model": {
        200: {
            "description": "an ONNX model, its weights 16-bit floats",
            "content": {"application/octet-stream": _bytes("ONNX")},
        }
    },
}
