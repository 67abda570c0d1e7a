"""A decoder goes on alone: codes stay to the last bit, and what is made of them; figures are renewed."""

from __future__ import annotations

import dataclasses
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
from torch import Tensor, nn

import morphospace as ms
from morphospace import extending as ext
from morphospace.data import Dataset, dataset_from_arrays, open_dataset
from morphospace.errors import ArgumentError, DataError, FileError
from morphospace.recipes import Recipe, building, changed, find_recipe
from morphospace.space import Space, load
from morphospace.training import Stepped, choose_machine
from morphospace.training.journal import read_metrics
from morphospace.vae.objectives.perceptual import Perceptual
from morphospace.workflow import (
    Interrupted,
    Result,
    choose_polish,
    learn_from_dataset,
    learn_label_classes,
    own_dataset,
    polish_run,
    resume_run,
    train_run,
)

LOOKS = Perceptual.Config(features="random", look=16)
NATS = ("neg_elbo", "reconstruction", "psnr")
KEPT = ("concepts.safetensors", "concepts.json", "classes.safetensors", "sampler.safetensors")


def tiny(recipe: str = "quick", **changes: object) -> Recipe:
    return changed(find_recipe(recipe), {"epochs": 2, "batch": 32, "widths": (16,), "sampler": "mixture"} | changes)


def run_of(dataset: Dataset, out: Path, recipe: Recipe) -> Path:
    run = train_run(dataset, recipe, out=out, seed=4, machine=machine()).run
    assert run is not None
    return run


def machine() -> Any:
    return choose_machine(device="cpu", precision="fp32", compiled=False)


def polished(space: Space, dataset: Dataset, *, epochs: int = 2, out: Path | None = None, **options: Any) -> Result:
    recipe = choose_polish(space, epochs=epochs, objective=options.pop("objective", LOOKS))
    return polish_run(space, dataset, recipe, out=out, machine=machine(), **options)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file() and p.name != ".lock"}


def digits_in(folder: Path, count: int) -> Path:
    """A file of digits, a tenth of them those that are test images wherever they lie."""
    whole, train = open_dataset("digits"), count - count // 10
    some = whole.train.take(np.arange(train)), whole.test.take(np.arange(count // 10))
    images, labels = (np.concatenate([getattr(split, name) for split in some]) for name in ("images", "labels"))
    np.savez(folder / "small.npz", images=images, labels=labels)
    return folder / "small.npz"


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Few, as each is looked at by a network."""
    return open_dataset(digits_in(tmp_path_factory.mktemp("digits"), 160))


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A file of sixty digits."""
    return digits_in(tmp_path, 60)


@pytest.fixture(scope="module")
def trained(digits: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = run_of(digits, tmp_path_factory.mktemp("runs"), tiny())
    space = load(run)
    learn_from_dataset(space, "ink", digits, measured="ink")
    learn_label_classes(space, digits)
    space.save(run / "space", force=True)
    return run


@pytest.fixture
def old(trained: Path, tmp_path: Path) -> Path:
    """A finished run with a concept and classes; each test has its own."""
    return Path(shutil.copytree(trained, tmp_path / "runs" / trained.name))


@pytest.fixture(scope="module")
def once(trained: Path, digits: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Result:
    out = tmp_path_factory.mktemp("polished")
    return polished(load(trained), digits, out=out, origin=trained, command="morpho polish it")


def test_every_code_and_all_that_is_made_of_codes_stays_and_the_decoder_changes(
    trained: Path, once: Result, digits: Dataset
) -> None:
    assert once.run is not None
    before, after = load(trained), load(once.run)
    for split in (digits.train, digits.test):
        one, other = (space.encode(split.images) for space in (before, after))
        assert np.array_equal(one.mean, other.mean)
        assert one.scale is not None
        assert other.scale is not None
        assert np.array_equal(one.scale, other.scale)
    for name in KEPT:
        assert (trained / "space" / name).read_bytes() == (once.run / "space" / name).read_bytes(), name
    stored = [load_file(run / "space" / "reference.safetensors") for run in (trained, once.run)]
    assert stored[0].keys() == stored[1].keys() >= {"codes", "labels", "errors"}
    assert [name for name in stored[0] if not torch.equal(stored[0][name], stored[1][name])] == ["errors"]
    weights = [load_file(run / "space" / "model.safetensors") for run in (trained, once.run)]
    moved = {name for name in weights[0] if not torch.equal(weights[0][name], weights[1][name])}
    assert moved == {name for name, _ in after.model.named_parameters() if name.startswith("decoder.")} != set()
    assert np.array_equal(before.sample_points(5, seed=1), after.sample_points(5, seed=1))
    assert (before.decode(before.reference[:9]) != after.decode(before.reference[:9])).any()  # type: ignore[index]


def test_figures_are_renewed_and_those_of_before_are_told(trained: Path, once: Result, digits: Dataset) -> None:
    assert once.run is not None
    before, after = load(trained), load(once.run)
    (done,) = after.about["polish"]
    assert done["before"] == before.about["test"]
    assert done["epochs"] == 2
    assert done["objective"]["features"] == "random"
    assert done["distance"]["after"] < done["distance"]["before"]
    test = after.about["test"]
    assert test["kl"] == before.about["test"]["kl"]
    assert all(test[key] != before.about["test"][key] for key in NATS)
    made = after.decode(after.encode(digits.test.images).mean, dtype="float")
    squares = np.square(made - np.asarray(digits.test.images) / np.float32(255)).mean(dtype=np.float64)
    assert test["psnr"] == pytest.approx(-10 * np.log10(squares), abs=1e-4)
    card = (once.run / "space" / "README.md").read_text()
    was = f"{before.about['test']['neg_elbo']:.4f}"
    assert f"2 epochs in {done['seconds']:.0f} s, by the feature network `random`. Before it: −ELBO {was} nats" in card
    assert f"| neg_elbo | {test['neg_elbo']:.4f} | nats an image |" in card
    assert "every code is that of before to the last bit" in card
    assert "take the figures of before" in card
    assert "How it was polished" not in before.card()
    report = (once.run / "report.html").read_text()
    assert "test −ELBO before the polish" in report
    assert any("morpho concept test SPACE" in words for words in once.warnings)
    assert any("morpho concept classes SPACE" in words for words in once.warnings)


def test_the_new_run_is_one_like_others_and_the_old_one_stays(old: Path, digits: Dataset) -> None:
    before, said = contents(old), list[str]()
    result = polished(load(old), digits, out=old.parent, origin=old, warn=said.append)
    assert result.run == old.parent / "0002-small-quick-polished"
    assert contents(old) == before
    assert any(
        f"{old} stays as it is, and a new run in {old.parent} gets the polished space" in words for words in said
    )
    recipe = load(result.run).recipe
    assert [stage.epochs for stage in recipe.stages] == [2, 2]
    assert recipe.stages[0] == load(old).recipe.stages[0]
    assert recipe.stages[1].trains == ("decoder.", "likelihood.")
    assert [line["epoch"] for line in read_metrics(result.run / "metrics.jsonl")] == [4]  # few steps, scored once
    assert result.train["epochs"] == 4
    assert (result.run / "trained-on.npy").read_bytes() == (old / "trained-on.npy").read_bytes()
    assert {path.name for path in (result.run / "sheets").iterdir()} >= {"epoch-0004-reconstructions.png"}


@pytest.mark.parametrize("steps", [1, 7])
def test_a_polish_that_is_interrupted_resumes_to_the_same_bits(
    old: Path, digits: Dataset, once: Result, steps: int
) -> None:
    taken = iter(range(1, 10**6))

    def listen(event: object) -> None:
        if isinstance(event, Stepped) and next(taken) == steps:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted, match="morpho resume"):
        polished(load(old), digits, out=old.parent, origin=old, listen=listen)
    run = old.parent / "0002-small-quick-polished"
    shutil.rmtree(old)  # what it needs of the old space lies in the new run
    resumed = resume_run(run)
    assert once.run is not None
    weights = [load_file(path / "space" / "model.safetensors") for path in (run, once.run)]
    for name, value in weights[0].items():
        assert torch.equal(value, weights[1][name]), name
    for name in (*KEPT, "reference.safetensors"):
        assert (run / "space" / name).read_bytes() == (once.run / "space" / name).read_bytes(), name
    assert resumed.space.about["test"] == once.space.about["test"]
    assert resumed.space.about["polish"][0]["distance"] == once.space.about["polish"][0]["distance"]


def test_a_polish_goes_on_after_its_end_and_codes_stay(old: Path, digits: Dataset) -> None:
    first = polished(load(old), digits, out=old.parent, origin=old)
    assert first.run is not None
    again = resume_run(first.run, more_epochs=1)
    assert again.run is not None
    space = load(again.run)
    assert np.array_equal(space.encode(digits.test.images).mean, load(old).encode(digits.test.images).mean)
    assert list(space.concepts) == ["ink"]
    assert [done["epochs"] for done in space.about["polish"]] == [2, 1]
    assert space.about["polish"][1]["before"] == first.space.about["test"]


def test_nothing_is_written_without_out_and_a_polished_space_is_polished_again(trained: Path, digits: Dataset) -> None:
    space = load(trained)
    first = polished(space, digits, epochs=1)
    twice = polished(first.space, digits, epochs=1, seed=9)
    assert first.run is None
    assert [stage.epochs for stage in twice.space.recipe.stages] == [2, 1, 1]
    assert len(twice.space.about["polish"]) == 2
    assert twice.space.about["seed"] == 9
    assert np.array_equal(space.encode(digits.test.images).mean, twice.space.encode(digits.test.images).mean)


@pytest.mark.parametrize(
    ("recipe", "changes"),
    [
        ("autoencoder", {}),
        ("sparse-autoencoder", {"latent_dim": 6}),
        ("quick", {"condition": "label"}),
        ("quick", {"likelihood": "gaussian", "likelihood.learned": True}),
        ("quick", {"model": "ladder"}),
        ("quick", {"prior": "vamp"}),
        ("vq", {}),
    ],
)
def test_models_of_all_kinds_keep_their_codes(digits: Dataset, recipe: str, changes: dict[str, object]) -> None:
    quick = {f"stage{number}.epochs": 1 for number in range(2, 1 + len(find_recipe(recipe).stages))}
    kind = changed(find_recipe(recipe), {"epochs": 1, "widths": (16,)} | quick | changes)
    space = train_run(digits, kind, out=None, seed=0, machine=machine()).space
    result = polished(space, digits, epochs=1)
    one, other = (each.encode(digits.test.images, digits.test.labels) for each in (space, result.space))
    assert np.array_equal(one.mean, other.mean)
    was, state = space.model.state_dict(), result.space.model.state_dict()
    moved = {name.split(".")[0] for name, value in was.items() if not torch.equal(value, state[name])}
    assert {"decoder"} <= moved <= {"decoder", "likelihood"}


class Normed(nn.Module):
    """An encoder with a mean that runs along in training."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5))

    def forward(self, x: Tensor) -> Tensor:
        """(B, 1, 8, 8) to (B, 8)."""
        features: Tensor = self.layers(x)
        return features


def test_running_means_of_an_encoder_that_is_held_still_stay_too(digits: Dataset) -> None:
    recipe = ms.recipe("quick", encoder=Normed(), decoder__widths=(8,), epochs=1)
    space = train_run(digits, recipe, out=None, seed=0, machine=machine()).space
    result = polished(space, digits, epochs=1)
    assert np.array_equal(space.encode(digits.test.images).mean, result.space.encode(digits.test.images).mean)


class Distant(ext.Objective):
    """Descends nothing that helps, and says so by its distance."""

    class Config(ext.ObjectiveConfig):
        """A distance that grows with each epoch."""

        def build(self, model: ext.Model, shape: ext.Shape) -> ext.Objective:
            """See :class:`ext.ObjectiveConfig`."""
            del model, shape
            return Distant()

    def forward(
        self, player: str, model: ext.Model, batch: ext.Batch, noise: ext.Noise, progress: ext.Progress
    ) -> ext.Loss:
        """Brighter and brighter."""
        del player, progress
        total = -model.image(model.terms(batch, noise).draws[0].z[0]).mean()
        return ext.Loss(total, {"darkness": total})

    def distances(self, model: ext.Model, batch: ext.Batch) -> Tensor:
        """How bright."""
        return model.image(model.encode(batch.input).mean).mean((1, 2, 3))


def few(count: int = 100) -> Dataset:
    rng = np.random.default_rng(0)
    return dataset_from_arrays(rng.integers(0, 256, (count, 8, 8), np.uint8), name="few")


def test_of_few_pictures_the_best_epoch_is_kept_by_the_objectives_own_distance(tmp_path: Path) -> None:
    dataset, said = few(), list[str]()
    space = train_run(dataset, tiny(), out=None, seed=0, machine=machine()).space
    result = polished(space, dataset, epochs=30, out=tmp_path, objective=Distant.Config(), warn=said.append)
    assert any(f"{len(dataset.train)} training images are few" in words for words in said)
    assert result.run is not None
    lines = read_metrics(result.run / "metrics.jsonl")
    distances = {line["epoch"]: line["validation"]["distance"] for line in lines}
    assert result.train["best_epoch"] == min(distances, key=distances.__getitem__)
    assert max(distances) < 32, "it had enough before the end"
    assert any("The polish did not help" in words for words in result.warnings)


def test_epochs_of_earlier_stages_are_none_to_choose_by_the_distance_of_the_last(tmp_path: Path) -> None:
    space = train_run(few(), tiny(), out=None, seed=0, machine=machine()).space
    both = polished(space, few(), epochs=4, objective=Distant.Config()).space.recipe
    recipe = dataclasses.replace(both, stages=(both.stages[0].replace(epochs=60), both.stages[1].replace(epochs=60)))
    run = train_run(few(), recipe, out=tmp_path, seed=0, machine=machine())
    assert run.run is not None
    lines = read_metrics(run.run / "metrics.jsonl")
    assert {line["epoch"] > 60 for line in lines if "distance" in line["validation"]} == {True}
    assert {line["epoch"] > 60 for line in lines if "distance" not in line["validation"]} == {False}
    assert run.train["best_epoch"] > 60


class Tied(ext.VAE):
    """A model whose encoder is asked what its decoder says."""

    def infer(self, x: Tensor, condition: Tensor | None = None) -> ext.VariationalPosterior:
        """As of what is decoded from 0."""
        return super().infer(x + 0 * x + self.image(x.new_zeros(1, self.latent_dim)) * 0.1, condition)


def test_codes_that_move_all_the_same_are_found_before_anything_is_kept(trained: Path, digits: Dataset) -> None:
    space = load(trained)
    space.model.__class__ = Tied
    recipe = choose_polish(space, objective=LOOKS, epochs=1)
    build = building.build_model

    def tied(*arguments: Any, **options: Any) -> Any:
        model = build(*arguments, **options)
        model.__class__ = Tied
        return model

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("morphospace.workflow.run.build_model", tied)
        with pytest.raises(DataError, match=r"16 of 16 images have other codes.*decoder\., likelihood\. only decode"):
            polish_run(space, digits, recipe, out=None, machine=machine())


def test_a_model_that_does_not_say_what_only_decodes_is_refused(trained: Path, digits: Dataset) -> None:
    space = load(trained)
    space.model.__class__ = type("Silent", (ext.VAE,), {"decoding": ()})
    with pytest.raises(ArgumentError, match=r"Silent, does not say which of its weights.*`decoding`") as refused:
        choose_polish(space)
    assert refused.value.argument == "space"


def test_sets_that_are_not_its_own_are_refused(trained: Path, digits: Dataset, tmp_path: Path) -> None:
    bundle = load(trained).save(tmp_path / "bundle")
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "other.npz", images=rng.integers(0, 256, (300, 8, 8), np.uint8))
    for space, error in ((bundle, DataError), (trained, FileError)):
        with pytest.raises(error, match=f"its fingerprint is [0-9a-f]{{16}}, expected {digits.fingerprint[:16]}"):
            ms.polish(space, tmp_path / "other.npz", features="random", epochs=1)
    nameless = Space(load(trained).model, load(trained).recipe, (8, 8, 1))
    with pytest.raises(ArgumentError, match=r"does not know what it was trained on.*morpho polish SPACE --data DATA"):
        ms.polish(nameless, features="random", epochs=1)
    lost = load(trained)
    lost.about["data"] = lost.about["data"] | {"name": "gone"}
    with pytest.raises(FileError, match=r'trained on "gone", and knows no more.*Say where: morpho polish SPACE --data'):
        ms.polish(lost, features="random", epochs=1)


def test_a_space_that_never_knew_its_set_takes_one_on_trust(
    trained: Path, small: Path, caplog: pytest.LogCaptureFixture
) -> None:
    known, rng = load(trained), np.random.default_rng(0)
    space = Space(
        known.model, known.recipe, known.shape,
        reference=rng.standard_normal((50, 2)).astype(np.float32), errors=np.ones(50, np.float32),
    )  # fmt: skip
    found = ms.polish(space, small, features="random", epochs=1)
    assert "that it was small is taken on trust" in caplog.text
    assert "The reference points are not the codes of this set's test images" in caplog.text
    assert np.array_equal(found.reference, space.reference)  # type: ignore[arg-type]
    assert found.errors is None


def test_a_bundle_of_the_first_version_is_polished_with_the_set_of_its_name() -> None:
    first = Path(__file__).parents[1] / "specimens" / "0.1-first" / "spaces" / "quick"
    space = load(first)
    dataset = own_dataset(space, first, None)
    found = polished(space, dataset, epochs=1).space
    images = dataset.test.images
    assert np.array_equal(space.encode(images).mean, found.encode(images).mean)
    assert list(found.concepts) == list(space.concepts) != []
    assert np.array_equal(found.reference, space.reference)  # type: ignore[arg-type]
    assert found.errors is not None
    assert len(found.errors) == len(images) == 195


def test_directions_and_latents_mean_the_same_in_a_polished_space(trained: Path, once: Result, tmp_path: Path) -> None:
    assert once.run is not None
    halved = load(load(once.run).save(tmp_path / "halved", half=True))
    assert load(once.run).fingerprint() == halved.fingerprint() == load(trained).fingerprint()


def test_a_network_whose_weights_are_not_here_is_said_before_a_folder_is_made(
    old: Path, digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> None:
        raise FileError(f"the weights of {name} are not here.", argument="features")

    monkeypatch.setattr("morphospace.vae.objectives.perceptual.feature_network", missing)
    for minutes in (None, 1.0):
        with pytest.raises(FileError, match="the weights of random are not here"):
            polished(load(old), digits, out=old.parent, minutes=minutes)
    assert list(old.parent.iterdir()) == [old]


def test_a_run_that_stopped_before_its_first_checkpoint_says_how_to_start_again(
    old: Path, digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("morphospace.workflow.run.save_checkpoint", stop)
    with pytest.raises(KeyboardInterrupt):
        polished(load(old), digits, out=old.parent, origin=old)
    run = old.parent / "0002-small-quick-polished"
    with pytest.raises(FileError, match=re.escape(f"Start it again: morpho polish {old}")):
        resume_run(run)


def test_the_command_polishes_beside_the_old_run(small: Path, morpho: Callable[..., Any], tmp_path: Path) -> None:
    how = "--precision", "fp32", "--no-compile"
    made = morpho("train", str(small), "--epochs", "2", "--set", "widths=16", *how)
    assert made.code == 0, made.err
    ran = morpho("polish", "latest", "--features", "random", "--epochs", "1", *how)
    assert ran.code == 0, ran.err
    assert "codes are those of before, bit for bit" in ran.out
    assert re.search(r"perceptual distance \d\.\d{4} -> \d\.\d{4}", ran.out)
    assert "made for colour photographs from 32 pixels on, and these pictures are 8x8 grey" in ran.err
    assert "54 training images are few" in ran.err
    new = tmp_path / "runs" / "0002-small-quick-polished"
    assert f"space   runs/{new.name}" in ran.out
    found = morpho("info", str(new), "--json").json
    assert found["test"] == json.loads((new / "space" / "config.json").read_text())["test"]
    assert found["polish"][0]["epochs"] == 1
    assert "its decoder alone, after training" in morpho("info", str(new)).out
    assert "polished" not in morpho("info", "runs/0001-small-quick").out
    again = morpho("polish", "latest", "--features", "random", "--epochs", "1", "--json", "--out", "elsewhere", *how)
    assert Path(again.json["run"]) == Path("elsewhere/0001-small-quick-polished")
    assert len(again.json["polish"]) == 2
    none = morpho("polish", "runs/0001-small-quick", "--features", "nothing", "--epochs", "1")
    assert none.code == 2
    assert "nothing" in none.err
    both = morpho("polish", "runs/0001-small-quick", "--minutes", "1", "--epochs", "1")
    assert both.code == 2
    assert "--minutes: given together with --epochs" in both.err
    little = morpho("polish", "runs/0001-small-quick", "--minutes", "0.001", "--features", "random", *how)
    assert little.code == 2
    assert "--minutes: 0.001 is too little here" in little.err
    small.rename(tmp_path / "moved.npz")
    lost = morpho("polish", "runs/0001-small-quick", "--epochs", "1")
    assert lost.code == 1
    assert "cannot be opened" in lost.err
    assert "morpho polish runs/0001-small-quick --data PATH" in lost.err
    moved = "--data", "moved.npz", "--features", "random", "--epochs", "1"
    there = morpho("polish", "runs/0001-small-quick", *moved, *how)
    assert there.code == 0, there.err
    assert not (tmp_path / "runs" / "0004-small-quick-polished").exists()


def test_a_stage_that_begins_after_others_counts_its_own_seconds(once: Result, trained: Path) -> None:
    own, former = once.space.about["train"], load(trained).about["train"]
    assert own["seconds"] == pytest.approx(former["seconds"] + once.space.about["polish"][0]["seconds"], abs=0.01)
    assert dataclasses.asdict(machine()) | {"compiled": False} == once.space.about["machine"]
