"""``morpho train --minutes``: what a person reads of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Ran

from morphospace.workflow import plan
from morphospace.workflow.pace import Pace

SMALL = ("--set", "encoder_widths=8", "--set", "decoder_widths=8", "--set", "batch=256")


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which an epoch takes 100 s, and the end 20 s."""

    def pace(*_: Any, **__: Any) -> Pace:
        return Pace((100.0,), (6,), start=0, score=0, sheets=0, end=20, every=8)

    monkeypatch.setattr(plan, "measured_pace", pace)


@pytest.mark.usefixtures("slow")
def test_a_run_has_the_epochs_that_its_minutes_hold(morpho: Callable[..., Ran], tmp_path: Path) -> None:
    ran = morpho("train", "digits", *SMALL, "--minutes", "6", "--json")
    said = " ".join(ran.err.split())
    assert ran.code == 0
    assert ran.json["train"]["epochs"] == 3
    assert (
        "note: planned 3 epochs for 6 min, counted from when the images are ready: 5 min of steps (100 s an epoch "
        "here), 0 s of scores, sheets and checkpoints, 20 s for the end, "
    ) in said
    assert "note: training took " in said, "a machine that is as slow in words alone is done before"
    run = json.loads((tmp_path / "runs" / "0001-digits-quick" / "recipe.json").read_text())
    assert run["recipe"]["stages"][0]["epochs"] == 3
    assert run["command"].endswith("--minutes 6 --json")


@pytest.mark.usefixtures("slow")
@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (("--minutes", "6", "--epochs", "3"), "--minutes: given together with --epochs: either decides how long"),
        (("--minutes", "6", "--set", "epochs=3"), "--minutes: given together with --epochs: either decides how long"),
        (("--minutes", "6", "--set", "min_steps=3"), "--minutes: given together with --set min_steps: either"),
        (("--minutes", "0"), "--minutes: expected a number above 0, up to 100,000, got 0.0."),
        (("--minutes", "nan"), "--minutes: expected a number above 0, up to 100,000, got nan."),
        (("--minutes", "1e9"), "--minutes: expected a number above 0, up to 100,000, got 1000000000.0."),
        (("--minutes", "2"), "Give 2.5 or more, or say how many epochs: --epochs 1."),
    ],
)
def test_minutes_that_cannot_be_are_refused(
    typed: tuple[str, ...], words: str, morpho: Callable[..., Ran], tmp_path: Path
) -> None:
    ran = morpho("train", "digits", *typed)
    assert ran.code == 2
    assert words in " ".join(ran.err.split())
    assert not (tmp_path / "runs").exists()
