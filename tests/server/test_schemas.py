"""Whatever is asked, the server answers as its description says."""

from __future__ import annotations

import pytest
from tests.server.conftest import visitor
from tests.server.fuzzing import fuzz

from morphospace.server import Session, create_app


def test_answers_are_as_described_whatever_is_asked(session: Session) -> None:
    for name, label in (("six", "6"), ("one", "1")):
        session.worker.do(lambda n=name, v=label: session.learn_from_label(n, v)).result(20)  # type: ignore[misc]
    counts = fuzz(create_app(session), 24)
    assert counts.total() >= 600
    assert counts[200] >= 100


def test_the_description_is_made_before_anything_computes(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    app = create_app(session)
    described = []
    monkeypatch.setattr(session, "start", lambda: described.append(app.openapi_schema is not None))
    with visitor(app):
        assert described == [True]
