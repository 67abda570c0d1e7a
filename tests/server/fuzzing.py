"""Requests drawn from the description itself, right ones and wrong ones, and what every answer must be."""

from __future__ import annotations

from collections import Counter
from typing import Any

import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.types import ASGIApp, Receive, Scope, Send
from tests.pictures import encoded, noise

__all__ = ["fuzz"]

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
HOST = "http://127.0.0.1"
PICTURES = st.one_of(
    st.binary(max_size=200),
    st.builds(
        lambda seed, kind, cut: encoded(noise(seed, (9, 7, 3)), kind)[:cut],
        st.integers(0, 99), st.sampled_from(["PNG", "JPEG", "GIF", "BMP"]), st.integers(0, 2000),
    ),
)  # fmt: skip
for media in ("application/octet-stream", "image/png", "image/jpeg", "image/gif", "image/webp"):
    schemathesis.openapi.media_type(media, PICTURES)
NEVER = {500, 503, 504}
FREE = ("/health", "/space", "/originals", "/encode", "/concepts", "/{name}", "/keep")


def fitting(body: dict[str, Any]) -> dict[str, Any]:
    """A right request for a space of two latents with the concepts "six" and "one", so that more is computed."""
    body = dict(body)
    if "point" in body:
        body["point"] = [*body["point"], 0.0][:2]
    if "points" in body:
        body["points"] = [[*point, 0.0][:2] for point in body["points"]]
    if "frames" in body:
        body["frames"] = max(min(body["frames"], 40), len(body["points"]))
    for part in ("strengths", "until"):
        body |= {part: dict(zip(("six", "one"), body[part].values(), strict=False))} if part in body else {}
    return body | ({"label": "6"} if body.get("label") else {})


class _Local:
    """Lets requests come from this machine, where the client that asks them says "testclient"."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app({**scope, "client": ("127.0.0.1", 50_000)}, receive, send)


def fuzz(app: FastAPI, examples: int) -> Counter[int]:
    """Ask each operation ``examples`` times by its description and as often against it; returns answers by status."""
    app.add_middleware(_Local)
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", app, headers={"Host": "127.0.0.1"})
    counts: Counter[int] = Counter()
    for found in schema.get_all_operations():
        operation = found.ok()  # type: ignore[union-attr]  # the description is sound
        for mode in GenerationMode:
            try:
                _ask(operation, mode, examples, counts)
            except Unsatisfiable:  # whatever the path is, or the bytes are, they are right
                assert mode is GenerationMode.NEGATIVE
                assert operation.path.endswith(FREE), operation.path
    return counts


def _ask(operation: Any, mode: GenerationMode, examples: int, counts: Counter[int]) -> None:
    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case[Any]) -> None:
        if mode is GenerationMode.POSITIVE and isinstance(case.body, dict):
            case.body = fitting(case.body)
        answer = case.call(base_url=HOST)
        case.validate_response(answer, checks=CHECKS)
        assert answer.status_code not in NEVER, answer.text
        counts[answer.status_code] += 1

    ask()
