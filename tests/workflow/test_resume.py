"""Runs with parts of somebody's own: interrupted, resumed, and gone on from."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import cast

import pytest
import torch
from tests.own import Adversarial, Small

import morphospace as ms
from morphospace.data import Dataset
from morphospace.errors import FileError
from morphospace.space import Space
from morphospace.training import choose_machine
from morphospace.workflow import Interrupted, resume_run, train_run


def test_a_run_with_parts_of_ones_own_resumes_with_them_bit_for_bit(digits: Dataset, tmp_path: Path) -> None:
    torch.manual_seed(0)
    given = Small()
    recipe = ms.recipe("quick", encoder=given, decoder__widths=(8,), objective=Adversarial, epochs=1, batch=256)
    steps = 0

    def stop(event: object) -> None:
        nonlocal steps
        steps += type(event).__name__ == "Stepped"
        if steps == 3:
            os.kill(os.getpid(), signal.SIGINT)

    machine = choose_machine(device="cpu", precision="fp32", compiled=False)
    with pytest.raises(Interrupted):
        train_run(digits, recipe, out=tmp_path, seed=0, machine=machine, listen=stop)
    (run,) = tmp_path.iterdir()
    for parts in ((), [Small]):
        with pytest.raises(FileError, match=r'recipe\.json names what is not there: "tests\.own:') as refused:
            resume_run(run, parts=parts)
        assert "damaged" not in str(refused.value)
    resumed = resume_run(run, parts=[Small, Adversarial])
    whole = train_run(digits, recipe, out=None, seed=0, machine=machine)
    state = whole.space.model.state_dict()
    for name, value in resumed.space.model.state_dict().items():
        assert torch.equal(value, state[name]), name
    encoder = cast("Small", resumed.space.model.encoder)
    assert torch.equal(encoder.backbone.weight, given.backbone.weight), "what was frozen stays as it was"
    assert not torch.equal(encoder.head.weight, given.head.weight)
    more = resume_run(run, more_epochs=1, parts={"encoder": given, "objective": Adversarial})
    assert more.train["epochs"] == 2

    start = ms.load(run, parts=[given, Adversarial])
    on = ms.train(digits, start=start, epochs=1)
    assert on.recipe.to_json()["model"]["encoder"] == {"kind": "tests.own:Small"}
    assert isinstance(on, Space)
    assert torch.equal(cast("Small", on.model.encoder).backbone.weight, given.backbone.weight)
