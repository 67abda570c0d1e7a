"""Planning by minutes: the arithmetic in closed form, and that measuring leaves no trace."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import morphospace as ms
from morphospace.data import Dataset, dataset_from_arrays
from morphospace.errors import ArgumentError
from morphospace.recipes import Recipe, changed, find_recipe
from morphospace.space import Space
from morphospace.training import Machine, Stepped, Trainer, choose_machine
from morphospace.workflow import Interrupted, pace, plan, resume_run, train_run
from morphospace.workflow.pace import Pace, measured_pace
from morphospace.workflow.plan import epochs_within, planned, seconds_of, took_words
from morphospace.workflow.run import Run

MACHINE = Machine()
SMALL = {"encoder_widths": (8,), "decoder_widths": (8,), "batch": 256}


def pace_of(*epochs: float, steps: int = 100, every: int = 1, **around: float) -> Pace:
    """A pace of so many seconds an epoch of each stage, with nothing around it but what is said."""
    return Pace(
        epochs, (steps,) * len(epochs), every=every, **({"start": 0, "score": 0, "sheets": 0, "end": 0} | around)
    )


@pytest.fixture
def paced(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Machine], Pace]], list[Machine]]:
    """Let a function of the machine say how long everything takes, instead of measuring; gives those asked for."""

    def put(pace: Callable[[Machine], Pace]) -> list[Machine]:
        asked: list[Machine] = []

        def measured(*_: Any, machine: Machine, **__: Any) -> Pace:
            asked.append(machine)
            return pace(machine)

        monkeypatch.setattr(plan, "measured_pace", measured)
        return asked

    return put


def plan_for(
    dataset: Dataset, recipe: Recipe, minutes: float, machine: Machine = MACHINE
) -> tuple[Recipe, Machine, str]:
    return planned(dataset, recipe, machine=machine, minutes=minutes, seed=0, began=time.perf_counter())


# -- arithmetic ----------------------------------------------------------------------------------------


def test_so_many_seconds_an_epoch_are_so_many_epochs() -> None:
    assert epochs_within(100, [17], pace_of(4)) == (25,)
    assert epochs_within(99.9, [17], pace_of(4)) == (24,)
    # 10 s before and after, and 1 s for each score
    around = pace_of(4, start=3, score=1, end=7)
    assert epochs_within(100, [17], around) == (18,)
    assert seconds_of([18], around) == 3 + 18 * 5 + 7
    # scored every fifth epoch and at the end: 21 epochs have 5 scores, 22 would be 22 * 4 + 5 + 10
    assert epochs_within(100, [17], around._replace(every=5)) == (21,)
    assert seconds_of([21], around._replace(every=5)) == 3 + 84 + 5 + 7


def test_sheets_are_a_dozen_whatever_the_length() -> None:
    pace = pace_of(1, sheets=2)
    assert [seconds_of([n], pace) for n in (1, 12, 24, 120)] == [3, 12 + 24, 24 + 24, 120 + 24]


def test_stages_share_the_time_by_their_own_lengths() -> None:
    # 14 epochs of 2 s and 16 of 3 s are 76 s: twice that is twice as many of each.
    assert epochs_within(152, [14, 16], pace_of(2, 3)) == (28, 32)
    assert epochs_within(38, [14, 16], pace_of(2, 3)) == (7, 8)
    # a short one has one epoch, even where its share is less
    assert epochs_within(50, [100, 1], pace_of(1, 10)) == (40, 1)
    assert epochs_within(0, [14, 16], pace_of(2, 3)) == (1, 1)
    assert epochs_within(1e99, [1, 10], pace_of(1, 1)) == (10**8, 10**9)


def test_the_words_say_only_what_is_off() -> None:
    assert took_words(1800 * 0.91, 30, early=False) is None
    assert took_words(1800 * 1.09, 30, early=False) is None
    late = took_words(34 * 60, 30, early=False)
    assert late == (
        "training took 34 min in all, and was given 30 min: the machine was slower than when it was measured, by other "
        "programs or by heat"
    )
    assert "no further whole epoch" in str(took_words(60, 2, early=False))
    assert "`patience=0`" in str(took_words(60, 2, early=True))


# -- the plan ------------------------------------------------------------------------------------------


def test_a_plan_ends_a_little_before_its_time(digits: Dataset, paced: Any) -> None:
    paced(lambda _: pace_of(2, start=5, end=4))
    recipe, machine, words = plan_for(digits, find_recipe("quick"), 10)
    assert recipe.epochs == (0.95 * 600 - 9 - 1) // 2 == 280, "a moment of planning counts, too"
    assert recipe.stages[0].min_steps == 0
    assert machine == MACHINE
    assert words.startswith(
        "planned 280 epochs for 10 min, counted from when the images are ready: 9.3 min of steps (2 s an epoch here), "
        "5 s of scores, sheets and checkpoints, 4 s for the end, "
    )


def test_two_stages_are_planned_in_proportion(digits: Dataset, paced: Any) -> None:
    paced(lambda _: pace_of(1, 1))
    own = [stage.epochs for stage in find_recipe("vq").for_images(len(digits.train)).stages]
    recipe, _, words = plan_for(digits, find_recipe("vq"), 1)
    first, second = (stage.epochs for stage in recipe.stages)
    assert own[0] / own[1] == pytest.approx(2, rel=0.1)
    assert (first, second) == (math.floor(own[0] * 56 / sum(own)), math.floor(own[1] * 56 / sum(own)))
    assert f"planned {first} and {second} epochs for 1 min" in words
    assert "(1 s and 1 s an epoch here)" in words


def test_patience_follows_the_planned_length(paced: Any) -> None:
    paced(lambda _: pace_of(0.5))
    few = dataset_from_arrays(np.random.default_rng(0).integers(0, 255, (60, 8, 8, 3), np.uint8), name="few")
    recipe, _, _ = plan_for(few, changed(find_recipe("conv"), SMALL), 1)
    assert recipe.epochs == 113
    assert plan.fitted(recipe, few).patience == 23


def test_compilation_must_pay_for_its_measuring_too(
    digits: Dataset, paced: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda _: "/usr/bin/c++")
    undecided = Machine(compiled=None)
    quick = find_recipe("quick")
    plain = pace_of(1)  # 100 steps

    def pace(machine: Machine) -> Pace:
        return plain._replace(epochs=(0.5,), start=15) if machine.compiled else plain

    asked = paced(pace)
    _, machine, _ = plan_for(digits, quick, 6, undecided)  # 34,100 steps: once 20,000, not twice
    assert ([one.compiled for one in asked], machine.compiled) == ([False], False)
    asked.clear()
    recipe, machine, _ = plan_for(digits, quick, 8, undecided)
    assert ([one.compiled for one in asked], machine.compiled) == ([False, True], True)
    assert recipe.epochs == 881, "(0.95 * 480 - 15) / 0.5, less a moment"
    paced(lambda _: plain)  # and where it makes nothing faster
    recipe, machine, _ = plan_for(digits, quick, 8, undecided)
    assert machine.compiled is False
    assert recipe.epochs == 455
    assert plan_for(digits, quick, 8, Machine(compiled=True))[1].compiled is True


def test_too_little_for_one_epoch_is_refused_with_what_would_do(digits: Dataset, paced: Any, tmp_path: Path) -> None:
    paced(lambda _: pace_of(30, 20, end=10))
    words = (
        r"^minutes: 0\.5 is too little here: one epoch of each of the 2 stages takes 50 s, and what is around it "
        r"\(measuring the speed, scores, sheets, the end\) 10 s\. Give 1\.5 or more, or say how many "
        r"epochs: `epochs=1`\."
    )
    with pytest.raises(ArgumentError, match=words):
        train_run(digits, find_recipe("vq"), out=tmp_path, seed=0, machine=MACHINE, minutes=0.5)
    assert not list(tmp_path.iterdir())
    assert plan_for(digits, find_recipe("vq"), 1.5)[0].epochs >= 2
    paced(lambda _: pace_of(30))
    with pytest.raises(ArgumentError, match=r"here: one epoch takes 30 s, .* Give 0\.55 or more"):
        plan_for(digits, find_recipe("quick"), 0.5)


@pytest.mark.parametrize("minutes", [0, -1, math.nan, math.inf, 100_001, True, "5"])
def test_minutes_have_a_range(minutes: Any, digits: Dataset) -> None:
    with pytest.raises(ArgumentError, match=r"^minutes: expected a number above 0, up to 100,000, got "):
        ms.train(digits, minutes=minutes)


@pytest.mark.parametrize(
    "given",
    [{"epochs": 3}, {"settings": {"epochs": 3}}, {"settings": {"stage2.epochs": 3}}, {"settings": {"min_steps": 9}}],
)
def test_minutes_beside_epochs_are_refused(given: dict[str, Any], digits: Dataset) -> None:
    key = next(iter(given.get("settings", given)))
    with pytest.raises(ArgumentError, match=rf"^minutes: given together with `{key}`: either decides how long"):
        ms.train(digits, "vq", minutes=1, **given)


# -- real runs -----------------------------------------------------------------------------------------


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[Pace]:
    """Measure all that there is to measure, and then say that an epoch takes half an hour; gives what was found."""
    found: list[Pace] = []

    def slow(dataset: Dataset, recipe: Recipe, **options: Any) -> Pace:
        found.append(measured_pace(dataset, recipe, **(options | {"seconds": 1})))
        return pace_of(*[1800 / len(recipe.stages)] * len(recipe.stages))

    monkeypatch.setattr(plan, "measured_pace", slow)
    return found


def small(name: str = "quick", **changes: Any) -> Recipe:
    return changed(find_recipe(name), {**SMALL, **changes})


def equal_weights(one: Space, other: Space) -> bool:
    state = other.model.state_dict()
    return all(torch.equal(value, state[name]) for name, value in one.model.state_dict().items())


def test_an_interrupted_run_goes_on_by_its_plan_to_the_bits_of_epochs_given_by_hand(
    measured: list[Pace], digits: Dataset, tmp_path: Path
) -> None:
    said: list[str] = []

    def stop(event: object) -> None:
        if isinstance(event, Stepped) and (event.epoch, event.step) == (1, 2):
            os.kill(os.getpid(), signal.SIGINT)

    before = torch.get_rng_state()
    machine = choose_machine(device="cpu", precision="fp32")
    with pytest.raises(Interrupted):
        train_run(
            digits, small(), out=tmp_path / "cut", seed=5, machine=machine, minutes=100, listen=stop, warn=said.append
        )
    assert torch.equal(before, torch.get_rng_state())
    assert [words[:35] for words in said] == ["planned 3 epochs for 100 min, count"]
    (run,) = (tmp_path / "cut").iterdir()
    resumed = resume_run(run)
    assert (len(measured), resumed.train["epochs"]) == (1, 3)
    by_hand = train_run(digits, small(epochs=3), out=tmp_path / "whole", seed=5, machine=machine)
    assert equal_weights(resumed.space, by_hand.space)
    assert by_hand.run is not None
    ways = [json.loads((folder / "recipe.json").read_text()) for folder in (run, by_hand.run)]
    assert ways[0]["recipe"]["stages"][0]["epochs"] == 3
    assert ways[0]["recipe"] == ways[1]["recipe"]
    assert ways[0]["machine"] == ways[1]["machine"]


@pytest.mark.parametrize("name", ["lattice", "vq", "autoencoder", "conditional"])
def test_measuring_leaves_no_trace(name: str, digits: Dataset, measured: list[Pace]) -> None:
    """Of stages that freeze weights, books that follow codes, samplers that are fitted, and labels that are told."""
    some = dataclasses.replace(digits, train=digits.train.take(np.arange(400)), test=digits.test.take(np.arange(50)))
    recipe = small(name, batch=100, **({"points": 8} if name == "lattice" else {}))
    by_minutes = train_run(some, recipe, out=None, seed=1, machine=MACHINE, minutes=100)
    epochs = [stage.epochs for stage in by_minutes.space.recipe.stages]
    keys = ["epochs", "stage2.epochs"][: len(epochs)]
    by_hand = train_run(some, changed(recipe, dict(zip(keys, epochs, strict=True))), out=None, seed=1, machine=MACHINE)
    assert equal_weights(by_minutes.space, by_hand.space)
    assert by_minutes.space.recipe.to_json() == by_hand.space.recipe.to_json()
    assert sum(epochs) == by_minutes.train["epochs"]
    assert measured[0].sheets == 0, "without a run none are drawn"


def test_a_space_goes_on_for_minutes(
    space: Space, digits: Dataset, measured: list[Pace], caplog: pytest.LogCaptureFixture
) -> None:
    on = ms.train(digits, start=space, minutes=100, seed=2, precision="fp32")
    before, after = caplog.messages
    assert before.startswith("planned 3 epochs for 100 min, counted from when the images are ready: 90 min of steps")
    assert " s in all, and was given 100 min: no further whole epoch was sure to fit" in after
    again = ms.train(digits, start=space, epochs=3, seed=2, precision="fp32")
    assert equal_weights(on, again)


def test_a_step_that_grows_or_begins_late_is_measured_where_it_does(
    digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Trainer._step

    def late(trainer: Trainer, running: Any, index: Any, generator: Any, total: int) -> None:
        time.sleep(0.006 * (trainer.step > total * 2 / 3) + 0.008 * (trainer.step > total * 3 / 4))
        step(trainer, running, index, generator, total)

    monkeypatch.setattr(Trainer, "_step", late)
    recipe = plan.fitted(small(), digits)
    found = measured_pace(digits, recipe, machine=MACHINE, seed=0, seconds=1, kept=False)
    assert found.epochs[0] >= found.steps[0] * (0.006 / 3 + 0.008 / 4)


def test_all_that_takes_time_is_measured(digits: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each by a moment that it is made to wait, which no machine can take less than."""

    def waiting(owner: Any, name: str, seconds: Callable[..., float]) -> None:
        former = getattr(owner, name)

        def waits(*arguments: Any, **options: Any) -> Any:
            time.sleep(seconds(*arguments, **options))
            return former(*arguments, **options)

        monkeypatch.setattr(owner, name, waits)

    some = dataclasses.replace(digits, train=digits.train.take(np.arange(130)), test=digits.test.take(np.arange(80)))
    recipe = plan.fitted(small("lattice", batch=20, points=8), some)
    waiting(Trainer, "_step", lambda trainer, *_: 0.002 if trainer.stage == 0 else 0.005)
    waiting(Run, "score", lambda run, split: 0.0001 * len(split))
    waiting(Run, "sheets", lambda run: 0.03)
    waiting(Run, "leave", lambda *_: 0.02)
    waiting(pace, "save_checkpoint", lambda *_: 0.01)
    found = measured_pace(some, recipe, machine=MACHINE, seed=0, seconds=1)
    assert found.steps == (6, 8)
    assert found.epochs[0] >= 6 * 0.002
    assert found.epochs[1] >= 8 * 0.005
    assert found.score >= 80 * 0.0001 + 0.01
    assert found.sheets >= 0.03
    assert found.end >= 0.02 + 2 * 80 * 0.0001
    assert found.every == 8
    bare = measured_pace(some, recipe, machine=MACHINE, seed=0, seconds=1, kept=False)
    assert bare.sheets == 0
