"""How the server says no: one shape for everything that goes wrong."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from morphospace.errors import MorphospaceError

__all__ = ["BUSY", "CODES", "Failure", "answer", "busy", "failure_of", "failure_response", "not_found"]

CODES = (
    "invalid", "not_found", "forbidden", "method", "too_large", "not_a_picture", "superseded", "conflict", "busy",
    "timeout", "internal",
)  # fmt: skip

BUSY = {"Retry-After": "1"}

_BY_STATUS = {403: "forbidden", 404: "not_found", 405: "method", 408: "timeout", 413: "too_large", 503: "busy"}


class Failure(Exception):  # noqa: N818 - it is an answer, and not always the server's error
    """An answer that is no success.

    Args:
        status: of HTTP.
        code: one of ``CODES``, for programs.
        message: a whole sentence for people: what, what was expected, what came, what to do.
        argument: which part of the request is meant.
        headers: more headers of the answer.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        argument: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.argument = status, code, message, argument
        self.headers = dict(headers or {})


def not_found(message: str, argument: str | None = None) -> Failure:
    """What was asked for is not there."""
    return Failure(404, "not_found", message, argument)


def busy(message: str) -> Failure:
    """There is too much to do at the moment."""
    return Failure(503, "busy", message, headers=BUSY)


def failure_of(error: Exception) -> Failure:
    """The failure that an exception is; nothing of an unforeseen one leaves the server."""
    if isinstance(error, Failure):
        return error
    if isinstance(error, RequestValidationError):
        return _invalid(error.errors())
    if isinstance(error, HTTPException):
        return _of_http(error)
    if isinstance(error, MorphospaceError):
        return Failure(422, "invalid", str(error), error.argument)
    message = "the server met an error of its own. Its terminal says which; please report it."
    return Failure(500, "internal", message)


def _of_http(error: HTTPException) -> Failure:
    headers = dict(error.headers or {})
    if error.status_code == 404:
        return not_found("there is nothing at this address. The description of all of them is at /api/v1/docs.")
    if error.status_code == 405:
        allowed = headers.get("Allow", headers.get("allow", "another one"))
        return Failure(405, "method", f"this address does not take that method, expected {allowed}.", headers=headers)
    if error.status_code == 400:
        return Failure(422, "invalid", "body: expected JSON, got something that cannot be read as such.", "body")
    return Failure(error.status_code, _BY_STATUS.get(error.status_code, "invalid"), str(error.detail), headers=headers)


def _invalid(errors: Sequence[Mapping[str, Any]]) -> Failure:
    """What does not fit the description of a request, by its first fault."""
    first = errors[0]
    where, *rest = first["loc"] or ("request",)
    if where == "body" and first["type"] == "json_invalid":
        words = first.get("ctx", {}).get("error", "damaged")
        return Failure(422, "invalid", f"body: expected JSON, which it is not: {words}.", "body")
    argument = str(rest[0]) if rest else str(where)
    place = argument + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in rest[1:])
    more = f" There are {len(errors) - 1} more faults." if len(errors) > 1 else ""
    expected = str(first["msg"]).removeprefix("Input should be ").rstrip(".")
    message = f"{place}: expected {expected}, got {reprlib.repr(first.get('input'))[:80]}.{more}"
    return Failure(422, "invalid", message, argument)


def failure_response(failure: Failure) -> Response:
    """The documented shape; plain ASCII, whatever the request had in it."""
    error = {"code": failure.code, "message": failure.message, "argument": failure.argument}
    return Response(json.dumps({"error": error}), failure.status, failure.headers, "application/json")


async def answer(_: Request, error: Exception) -> Response:
    """Answer a request that failed."""
    return failure_response(failure_of(error))
