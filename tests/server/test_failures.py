"""What the core refuses, in the one shape that the server answers with."""

from __future__ import annotations

import json

import pytest

from morphospace.errors import ArgumentError, DataError, MorphospaceError
from morphospace.server.failures import failure_of, failure_response


@pytest.mark.parametrize(
    ("error", "message", "argument"),
    [
        (ArgumentError("it is to be moved.", argument="keep"), "keep: it is to be moved.", "keep"),
        (
            DataError("concept smile: expected images that show it."),
            "concept smile: expected images that show it.",
            None,
        ),
        (DataError("no."), "no.", None),
    ],
)
def test_the_argument_is_what_the_error_has_and_no_word_of_its_sentence(
    error: MorphospaceError, message: str, argument: str | None
) -> None:
    answer = failure_response(failure_of(error))
    assert answer.status_code == 422
    assert json.loads(bytes(answer.body)) == {"error": {"code": "invalid", "message": message, "argument": argument}}
