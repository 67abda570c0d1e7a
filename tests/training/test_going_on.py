"""A finished run goes on in a new one, with its optimiser's moments; a run finds its set where it has moved to."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tests.pictures import write_folder

from morphospace.data import Dataset, open_dataset
from morphospace.errors import ArgumentError, FileError
from morphospace.recipes import Recipe, build_model, changed, find_recipe, setting_pairs
from morphospace.space import load
from morphospace.training import Stepped, Trainer, choose_machine
from morphospace.training.journal import read_metrics
from morphospace.workflow import Interrupted, resume_run, train_run
from morphospace.workflow.stretches import rate_words, stages_of

Morpho = Callable[..., Any]
CHECKPOINT = "checkpoint/state.safetensors"


def tiny(*changes: str) -> Recipe:
    return changed(find_recipe("quick"), setting_pairs(["epochs=3", "batch=32", "widths=16", *changes]))


def finished(dataset: Dataset, out: Path, recipe: Recipe | None = None) -> Path:
    run = train_run(dataset, recipe or tiny(), out=out, seed=4, machine=choose_machine(device="cpu")).run
    assert run is not None
    return run


@pytest.fixture(scope="module")
def _run(digits: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finished(digits, tmp_path_factory.mktemp("runs"))


@pytest.fixture
def run(_run: Path, tmp_path: Path) -> Path:
    """A finished run of three epochs; each test has its own."""
    return Path(shutil.copytree(_run, tmp_path / "runs" / _run.name))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file() and p.name != ".lock"}


def stop_after(steps: int) -> Callable[[object], None]:
    """A listener that presses Ctrl-C after so many steps."""
    taken = iter(range(1, 10**6))

    def listen(event: object) -> None:
        if isinstance(event, Stepped) and next(taken) == steps:
            os.kill(os.getpid(), signal.SIGINT)

    return listen


def weights(run: Path) -> dict[str, torch.Tensor]:
    return load_file(run / "space" / "model.safetensors")


def test_a_finished_run_goes_on_in_a_new_one_and_stays_as_it_is(run: Path) -> None:
    before = contents(run)
    said: list[str] = []
    result = resume_run(run, more_epochs=2, command="morpho resume it", warn=said.append)
    new = result.run
    assert new == run.parent / "0002-digits-quick"
    assert contents(run) == before
    assert result.train["epochs"] == 5
    assert result.test.neg_elbo < load(run).about["test"]["neg_elbo"]
    lines = read_metrics(new / "metrics.jsonl")
    assert [line["epoch"] for line in lines] == [1, 2, 3, 4, 5]
    assert lines[:3] == read_metrics(run / "metrics.jsonl")
    description = json.loads((new / "recipe.json").read_text())
    assert (description["stretches"], description["continues"]) == ([3, 2], str(run))
    assert description["recipe"] == json.loads((run / "recipe.json").read_text())["recipe"]
    assert load(new).about["stretches"] == [3, 2]
    assert load(new).about["command"] == "morpho resume it"
    assert said == [
        f"{run} goes on for 2 epochs after its 3, at a rate that starts again at 0.3 of the recipe's highest, 0.0024, "
        f"and falls to nothing; the new run is {new}, and the old one stays as it is"
    ]
    again = resume_run(new, more_epochs=1)
    assert json.loads((run.parent / "0003-digits-quick" / "recipe.json").read_text())["stretches"] == [3, 2, 1]
    assert again.train["epochs"] == 6


def test_the_optimiser_goes_on_where_it_was(run: Path, digits: Dataset) -> None:
    steps = len(digits.train) // 32
    assert load_file(run / CHECKPOINT)["optimiser.model.0.step"].item() == 3 * steps
    new = resume_run(run, more_epochs=2).run
    assert new is not None
    assert load_file(new / CHECKPOINT)["optimiser.model.0.step"].item() == 5 * steps, "Adam counts on"
    recipe, model = tiny(), load(run).model
    alone = Trainer(
        model, stages_of(recipe, model, digits.shape, [1, 1], seed=4)[1:], digits.train.images,
        seed=4, machine=choose_machine(device="cpu"),
    )  # fmt: skip
    list(alone.run())
    assert alone.stage == 1, "without a stage before it there is nothing to go on from"


@pytest.mark.parametrize("steps", [1, 50, 70])
def test_going_on_that_is_interrupted_resumes_to_the_same_bits(run: Path, steps: int) -> None:
    whole = resume_run(run, more_epochs=2).run
    before = contents(run)
    with pytest.raises(Interrupted, match=r"after [34] of 5 epochs. Go on with: morpho resume .*0003") as stopped:
        resume_run(run, more_epochs=2, listen=stop_after(steps))
    cut = Path(str(stopped.value).rpartition("morpho resume ")[2])
    assert contents(run) == before
    assert not (cut / "space").exists()
    with pytest.raises(Interrupted):
        resume_run(cut, listen=stop_after(1))
    resume_run(cut)
    assert whole is not None
    for name, value in weights(whole).items():
        assert torch.equal(value, weights(cut)[name]), name
    same = [
        [{k: v for k, v in line.items() if "second" not in k} for line in read_metrics(one / "metrics.jsonl")]
        for one in (whole, cut)
    ]
    assert same[0] == same[1]
    states = [load_file(one / CHECKPOINT) for one in (whole, cut)]
    assert states[0].keys() == states[1].keys()
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_rates_of_what_goes_on() -> None:
    shape = (8, 8, 1)
    model = build_model(tiny(), shape, seed=0)
    first, more = stages_of(tiny("learning_rate=0.01"), model, shape, [3, 2], seed=0)
    (old,), (new,) = (stage.objective.players(model, stage.optimiser) for stage in (first, more))
    assert old.optimiser.rate(299, 300) < 1e-5
    rates = [new.optimiser.rate(step, 200) for step in range(200)]
    assert max(rates) == pytest.approx(0.003)
    assert rates.index(max(rates)) == 10, "after five in a hundred steps"
    assert rates[-1] < 1e-5
    assert (first.goes_on, more.goes_on, more.epochs) == (False, True, 2)
    assert [vars(stage.objective)["anneal"] for stage in (first, more)] == [0.8, 0.0]
    steady = stages_of(tiny("decay=none", "warm_up=0.5", "learning_rate=0.01"), model, shape, [3, 2], seed=0)[1]
    (player,) = steady.objective.players(model, steady.optimiser)
    assert [player.optimiser.rate(step, 200) for step in (0, 100, 199)] == [0.01] * 3
    assert rate_words(tiny("decay=none")) == "at the rate that it ended with, 0.008"


def test_a_run_that_had_enough_goes_on_from_there_and_keeps_the_best(digits: Dataset, tmp_path: Path) -> None:
    recipe = tiny("epochs=40", "patience=1", "learning_rate=0.05", "decay=none", "warm_up=0", "anneal=0")
    run = finished(digits, tmp_path, recipe)
    done = load(run).about["train"]["epochs"]
    assert done < 40, "it had enough before the end"
    result = resume_run(run, more_epochs=2)
    assert result.run is not None
    assert json.loads((result.run / "recipe.json").read_text())["stretches"] == [done, 2]
    assert done < result.train["epochs"] <= done + 2
    scores = {line["epoch"]: line["validation"]["neg_elbo"] for line in read_metrics(result.run / "metrics.jsonl")}
    assert result.train["best_epoch"] == min(scores, key=scores.__getitem__)
    if result.train["best_epoch"] <= done:
        old = load_file(run / "checkpoint" / "best.safetensors")
        assert all(torch.equal(old[name], value) for name, value in weights(result.run).items())


def test_what_cannot_go_on_says_why(run: Path, digits: Dataset, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"^more_epochs: expected at least 1, got 0"):
        resume_run(run, more_epochs=0)
    with pytest.raises(FileError, match=r"has finished already.*--more-epochs"):
        resume_run(run)
    with pytest.raises(Interrupted):
        resume_run(run, more_epochs=3, listen=stop_after(2))
    cut = run.parent / "0002-digits-quick"
    with pytest.raises(FileError, match=r"has not finished.*morpho resume"):
        resume_run(cut, more_epochs=1)
    (cut / CHECKPOINT).unlink()
    with pytest.raises(FileError, match=rf"Start it again: morpho resume {re.escape(str(run))} --more-epochs 3"):
        resume_run(cut)
    (run / CHECKPOINT).unlink()
    with pytest.raises(FileError, match=r"optimiser's moments.*--from .* --epochs 1"):
        resume_run(run, more_epochs=1)
    assert len(list(run.parent.iterdir())) == 2


# -- a set that has moved ---------------------------------------------------------------------------------


@pytest.fixture
def moved(tmp_path: Path) -> tuple[Path, Path, Path]:
    """An interrupted run on a folder of pictures, which has been moved since; where it was, and where it is."""
    old, new = tmp_path / "pets", tmp_path / "elsewhere" / "animals"
    for i, label in enumerate(("cat", "dog")):
        write_folder(old / label, 12, (8, 8), start=12 * i)
    with pytest.raises(Interrupted):
        train_run(
            open_dataset(old), tiny("batch=8"), out=tmp_path / "runs", seed=0, machine=choose_machine(device="cpu"),
            listen=stop_after(1),
        )  # fmt: skip
    new.parent.mkdir()
    shutil.copytree(old, new)
    return tmp_path / "runs" / "0001-pets-quick", old, new


def test_a_set_that_moved_is_known_by_its_fingerprint_and_remembered(moved: tuple[Path, Path, Path]) -> None:
    run, old, new = moved
    kept = shutil.copytree(run, run.parent / "0002-pets-quick")
    resume_run(kept)
    shutil.rmtree(old)
    with pytest.raises(FileError, match=r"cannot be opened.*--data PATH"):
        resume_run(run)
    said: list[str] = []
    with pytest.raises(Interrupted):
        resume_run(run, data=new, warn=said.append, listen=stop_after(1))
    assert said == [f"{new} is the set that {run} was trained on, by its fingerprint; the run remembers the place"]
    known = json.loads((run / "recipe.json").read_text())["data"]
    assert (known["source"], known["name"]) == (str(new), "pets")
    resume_run(run, warn=said.append)
    assert len(said) == 1
    assert load(run).about["data"] == load(kept).about["data"]
    for name, value in weights(kept).items():
        assert torch.equal(value, weights(run)[name]), name


def test_another_set_is_refused_with_both_fingerprints(moved: tuple[Path, Path, Path], morpho: Morpho) -> None:
    run, _, new = moved
    before = contents(run)
    write_folder(new / "cat", 1, (8, 8), start=40)
    fingerprints = [json.loads((run / "recipe.json").read_text())["data"]["fingerprint"], open_dataset(new).fingerprint]
    ran = morpho("resume", str(run), "--data", str(new))
    assert ran.code == 1
    for fingerprint in fingerprints:
        assert fingerprint[:16] in ran.err
    assert contents(run) == before
    assert morpho("resume", str(run), "--data", "nowhere/at/all").code == 1


def test_images_in_memory_are_found_in_a_file(tmp_path: Path) -> None:
    from morphospace.data import dataset_from_arrays

    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (40, 8, 8), np.uint8), np.arange(40) % 2
    with pytest.raises(Interrupted):
        train_run(
            dataset_from_arrays(images, labels), tiny("batch=8"), out=tmp_path, seed=0,
            machine=choose_machine(device="cpu"), listen=stop_after(1),
        )  # fmt: skip
    (run,) = tmp_path.iterdir()
    with pytest.raises(FileError, match=r"images in memory.*--data PATH"):
        resume_run(run)
    np.savez(tmp_path / "same.npz", images=images, labels=labels)
    assert resume_run(run, data=tmp_path / "same.npz").train["epochs"] == 3


def test_the_command_goes_on_with_the_latest_run(run: Path, morpho: Morpho, tmp_path: Path) -> None:
    ran = morpho("resume", "latest", "--more-epochs", "1", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["run"] == "runs/0002-digits-quick"
    assert ran.json["train"]["epochs"] == 4
    assert "goes on for 1 epoch after its 3" in ran.err
    assert "4 epochs" in ran.err
    assert "from epoch 4" in ran.err
    description = json.loads((tmp_path / "runs" / "0002-digits-quick" / "recipe.json").read_text())
    assert description["command"] == "morpho resume latest --more-epochs 1 --json"
    for value in ("0", "-1", "many"):
        assert morpho("resume", "latest", "--more-epochs", value).code == 2


def test_the_latest_run_to_resume_is_the_one_that_was_interrupted(run: Path, morpho: Morpho, tmp_path: Path) -> None:
    shutil.copytree(run, run.with_name("0002-digits-quick"))
    shutil.rmtree(run.with_name("0002-digits-quick") / "space")
    shutil.copytree(run, run.with_name("0003-digits-quick"))
    ran = morpho("resume", "latest", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["run"] == "runs/0002-digits-quick"
    ran = morpho("resume", "latest")
    assert ran.code == 1
    assert "runs/0003-digits-quick has finished already" in ran.err
