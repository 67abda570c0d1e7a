"""Law 5: a run that is cut anywhere and resumed equals the run that was not, bit for bit."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from morphospace.data import Dataset
from morphospace.errors import FileError, NonFiniteLossError, RunBusyError
from morphospace.recipes import build_model, build_stages, changed, find_recipe
from morphospace.space import Space
from morphospace.training import (
    EpochEnded,
    Machine,
    Stopped,
    Trainer,
    choose_machine,
    load_checkpoint,
    save_checkpoint,
)
from morphospace.training.journal import read_metrics
from morphospace.training.runs import locked
from morphospace.workflow import Interrupted, choose_recipe, resume_run, train_run

KILLS = 20


def trainer(digits: Dataset, recipe: str, machine: Machine, seed: int = 0) -> Trainer:
    chosen = changed(find_recipe(recipe), {"epochs": "3", "batch": "128"})
    model = build_model(chosen, digits.shape, seed=seed)
    return Trainer(
        model, build_stages(chosen, model, digits.shape, seed=seed), digits.train.images, digits.train.labels,
        seed=seed, machine=machine,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("recipe", "precision"),
    [("quick", "fp32"), ("quick", "auto"), ("book", "auto"), ("sparse-autoencoder", "auto"), ("vq", "auto")],
)
def test_stopping_at_any_step_changes_nothing(digits: Dataset, recipe: str, precision: str, tmp_path: Path) -> None:
    machine = choose_machine(device="cpu", precision=precision)
    whole = trainer(digits, recipe, machine)
    losses = [e.losses for e in whole.run() if isinstance(e, EpochEnded)]

    cut = trainer(digits, recipe, machine)
    found = []
    for limit in itertools.count():
        counter = itertools.count(1)
        stop_after = 1 + limit % 7
        events = list(cut.run(lambda counter=counter, n=stop_after: next(counter) >= n))  # type: ignore[misc]
        found += [e.losses for e in events if isinstance(e, EpochEnded)]
        save_checkpoint(cut, tmp_path / "state.safetensors")
        cut = trainer(digits, recipe, machine, seed=0)
        load_checkpoint(cut, tmp_path / "state.safetensors")
        if not isinstance(events[-1], Stopped):
            break
    assert limit > 5
    assert found == losses
    for (name, a), b in zip(whole.model.state_dict().items(), cut.model.state_dict().values(), strict=True):
        assert torch.equal(a, b), name


def test_the_same_seed_gives_the_same_bits_and_another_seed_others(digits: Dataset) -> None:
    machine = choose_machine(device="cpu")
    runs = [trainer(digits, "quick", machine, seed) for seed in (1, 1, 2)]
    for one in runs:
        list(one.run())
    first, again, other = (torch.cat([p.flatten() for p in one.model.parameters()]) for one in runs)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


COMMAND = [sys.executable, "-m", "morphospace", "train", "digits", "--set", "batch=64", "--seed", "5"]


def final_weights(run: Path) -> dict[str, torch.Tensor]:
    return load_file(run / "space" / "model.safetensors")


# A process that is started anew would mostly be killed in its imports. So this one imports, forks a child
# that trains, and kills it at a random moment; the next child goes on. A run that ends is followed by another.
KILLER = """
import os, random, signal, sys, time
from pathlib import Path
from morphospace.data import open_dataset
from morphospace.recipes import find_recipe, changed
from morphospace.training import choose_machine
from morphospace.workflow import resume_run, train_run

out, kills, epochs = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
digits, rng = open_dataset("digits"), random.Random(7)

def work():
    begun = [run for run in sorted(out.glob("0*")) if (run / "recipe.json").is_file()]
    if begun and not (begun[-1] / "space").is_dir():
        resume_run(begun[-1])
    else:
        recipe = changed(find_recipe("quick"), {"epochs": epochs, "batch": 64})
        train_run(digits, recipe, out=out, seed=5, machine=choose_machine())

killed = 0
while killed < kills:
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    time.sleep(rng.uniform(0.05, 1.2))
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    killed += os.WIFSIGNALED(status)
if os.fork() == 0:
    work()
    os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
"""


@pytest.mark.parametrize(("kills", "epochs"), [(4, 8), pytest.param(KILLS, 16, marks=pytest.mark.acceptance)])
def test_kills_at_random_moments_change_nothing(digits: Dataset, kills: int, epochs: int, tmp_path: Path) -> None:
    """SIGKILL, as when the power fails: the next process goes on from what is on disk."""
    recipe = changed(find_recipe("quick"), {"epochs": epochs, "batch": "64"})
    expected = train_run(digits, recipe, out=tmp_path / "whole", seed=5, machine=choose_machine()).run
    assert expected is not None
    out = tmp_path / "killed"
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", KILLER, str(out), str(kills), str(epochs)],
        check=True,
        capture_output=True,
        timeout=200,
    )
    finished = [run for run in out.iterdir() if (run / "space").is_dir()]
    assert finished
    for run in finished:
        for name, value in final_weights(expected).items():
            assert torch.equal(value, final_weights(run)[name]), name
        same = [
            [{k: v for k, v in line.items() if "second" not in k} for line in read_metrics(r / "metrics.jsonl")]
            for r in (expected, run)
        ]
        assert same[0] == same[1]
        assert not list(run.rglob(".morpho-partial-*"))


def test_ctrl_c_saves_says_how_to_go_on_and_resumes_to_the_same_bits(tmp_path: Path) -> None:
    command = [*COMMAND, "--epochs", "20", "--out", str(tmp_path / "runs")]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    run = tmp_path / "runs" / "0001-digits-quick"
    deadline = time.monotonic() + 60
    while not (run / "metrics.jsonl").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"morpho resume {run}" in err
    assert "Traceback" not in err
    assert not (run / "space").exists()
    result = resume_run(run)
    whole = train_run_again(run, tmp_path / "whole")
    for name, value in final_weights(whole).items():
        assert torch.equal(value, final_weights(run)[name]), name
    assert result.train["epochs"] == 20
    with pytest.raises(FileError, match="finished already"):
        resume_run(run)


def train_run_again(run: Path, out: Path) -> Path:
    from morphospace.data import open_dataset
    from morphospace.recipes import recipe_from_json

    description = json.loads((run / "recipe.json").read_text())
    recipe = recipe_from_json(description["recipe"])
    machine = Machine(**description["machine"])
    result = train_run(open_dataset("digits"), recipe, out=out, seed=description["seed"], machine=machine)
    assert result.run is not None
    return result.run


def test_a_second_process_on_the_same_run_is_refused(digits: Dataset, tmp_path: Path) -> None:
    run = interrupted(digits, tmp_path)
    with locked(run), pytest.raises(RunBusyError, match="another process"):
        resume_run(run)


def interrupted(digits: Dataset, out: Path) -> Path:
    """A run that was stopped in its first epoch."""
    recipe = changed(find_recipe("quick"), {"epochs": "2", "batch": "128"})

    def listen(event: object) -> None:
        if type(event).__name__ == "Stepped":
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(Interrupted, match="morpho resume"):
        train_run(digits, recipe, out=out, seed=0, machine=choose_machine(), listen=listen)
    assert signal.getsignal(signal.SIGINT) == before
    return next(out.glob("0*"))


def test_a_non_finite_loss_stops_keeps_the_checkpoint_and_names_the_cause(digits: Dataset, tmp_path: Path) -> None:
    steep = {"epochs": 3, "learning_rate": 1000, "warm_up": 0, "anneal": 0, "likelihood": "gaussian-learned"}
    recipe = changed(find_recipe("quick"), steep)
    with pytest.raises(NonFiniteLossError, match=r"learning rate \d+.* is high.*last good checkpoint is kept"):
        train_run(digits, recipe, out=tmp_path, seed=0, machine=choose_machine())
    (run,) = tmp_path.iterdir()
    state = load_file(run / "checkpoint" / "state.safetensors")
    assert all(torch.isfinite(value).all() for value in state.values())


@pytest.mark.parametrize("damage", ["truncate", "foreign", "missing"])
def test_a_damaged_checkpoint_is_an_error_of_one_line(digits: Dataset, tmp_path: Path, damage: str) -> None:
    run = interrupted(digits, tmp_path)
    state = run / "checkpoint" / "state.safetensors"
    if damage == "truncate":
        state.write_bytes(state.read_bytes()[: random.Random(0).randrange(9, 900)])
    elif damage == "foreign":
        state.write_bytes(b"not safetensors at all")
    else:
        (run / "recipe.json").unlink()
    words = "is no run folder" if damage == "missing" else "cannot read the checkpoint .* missing or damaged"
    with pytest.raises(FileError, match=words) as failed:
        resume_run(run)
    assert "\n" not in str(failed.value)


def test_a_run_from_a_space_is_not_resumed_from_other_weights(space: Space, digits: Dataset, tmp_path: Path) -> None:
    """The weights that it starts from are in its first checkpoint, and nowhere else."""
    recipe = choose_recipe("auto", shape=digits.shape, start=space, epochs=1)

    def listen(event: object) -> None:
        raise MemoryError

    with pytest.raises(MemoryError):
        train_run(digits, recipe, out=tmp_path, seed=0, machine=choose_machine(), listen=listen, start=space)
    (run,) = tmp_path.iterdir()
    (run / "checkpoint" / "state.safetensors").unlink()
    with pytest.raises(FileError, match=r"Start it again.*--from"):
        resume_run(run)


def test_other_threads_on_resume_warn(digits: Dataset, tmp_path: Path) -> None:
    run = interrupted(digits, tmp_path)
    description = json.loads((run / "recipe.json").read_text())
    description["machine"]["torch"] = "1.0"
    (run / "recipe.json").write_text(json.dumps(description))
    warned: list[str] = []
    resume_run(run, warn=warned.append)
    assert len(warned) == 1
    assert "torch 1.0 then" in warned[0]
