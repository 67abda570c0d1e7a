"""Small sets: augmentation, the best epoch, early stopping, honest words; and going on from a trained space."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file
from tests.models import vae_of
from tests.pictures import noise, write_folder

from morphospace.data import Dataset, dataset_from_arrays, open_dataset, with_validation
from morphospace.errors import ArgumentError, DataError
from morphospace.evaluate import TestFigures, overfitting
from morphospace.recipes import Recipe, changed, find_recipe, keys_of, setting_pairs
from morphospace.space import load
from morphospace.training import Augmentation, choose_machine
from morphospace.training.journal import read_metrics
from morphospace.workflow import Interrupted, Result, choose_recipe, resume_run, train, train_run

SMALL = ["encoder_widths=16", "decoder_widths=16", "network=conv", "likelihood=gaussian-learned", "clip=1"]


@pytest.fixture(scope="module")
def sprites() -> Dataset:
    return open_dataset("sprites:count=300,size=16")


def small_recipe(*more: str) -> Recipe:
    return changed(find_recipe("conv"), setting_pairs([*SMALL, "latent_dim=6", *more]))


def augment_of(recipe: Recipe) -> object:
    return keys_of(recipe)["images.augment"].value


def run(dataset: Dataset, recipe: Recipe, out: Path | None, **options: Any) -> Result:
    return train_run(dataset, recipe, out=out, seed=1, machine=choose_machine(precision="fp32"), **options)


def test_conv_is_for_what_quick_is_not() -> None:
    assert augment_of(find_recipe("conv").for_images(300)) == pytest.approx(0.06)
    assert find_recipe("conv").for_images(300).patience
    large = find_recipe("conv").for_images(20_000)
    assert (augment_of(large), large.patience) == (0, 0)
    chosen = changed(find_recipe("conv"), {"augment": "0.2", "patience": "3"}).for_images(20_000)
    assert (augment_of(chosen), chosen.patience) == (0.2, 3)
    assert changed(find_recipe("conv"), {"patience": "none"}).patience is None


@pytest.mark.parametrize("shape", [(8, 8, 1), (28, 20, 1), (64, 96, 3), (9, 33, 3), (256, 8, 1), (250, 256, 3)])
def test_conv_takes_any_size_from_8_to_256(shape: tuple[int, int, int]) -> None:
    model = vae_of(changed(find_recipe("conv"), {"encoder_widths": "8", "decoder_widths": "8"}), shape)
    x = torch.rand(2, shape[2], *shape[:2])
    q = model.infer(x)
    assert q.mean.shape == (2, 32)
    assert model.decode(q.mean).shape == x.shape
    torch.autograd.backward(model.decode(q.mean).sum())
    quiet = [name for name, p in model.named_parameters() if p.grad is None and "sigma" not in name]
    assert all("log_var" in name for name in quiet)


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 0.5), st.sampled_from(["none", "horizontal", "vertical", "both"]), st.integers(0, 9))
def test_augmentation_is_a_function_of_the_seed_and_keeps_the_range(amount: float, flip: Any, seed: int) -> None:
    x = torch.from_numpy(noise(seed, (5, 3, 8, 6))).float() / 255
    change = Augmentation(amount, flip)
    first, again = (change(x, torch.Generator().manual_seed(seed)) for _ in range(2))
    assert torch.equal(first, again)
    assert first.shape == x.shape
    assert first.min() >= 0
    assert first.max() <= 1.0001
    flat = torch.full_like(x, 0.3)
    assert torch.allclose(change(flat, torch.Generator()), flat, atol=1e-5)


def test_flips_happen_only_where_asked() -> None:
    x = torch.rand(64, 1, 6, 6)
    for flip, dims in (("none", ()), ("horizontal", (3,)), ("vertical", (2,))):
        found = Augmentation(0.0, flip)(x, torch.Generator().manual_seed(0))  # type: ignore[arg-type]
        same = [bool(torch.allclose(a, b, atol=1e-5)) for a, b in zip(found, x, strict=True)]
        mirrored = [bool(torch.allclose(a, b, atol=1e-5)) for a, b in zip(found, x.flip(dims), strict=True)]
        assert all(a or b for a, b in zip(same, mirrored, strict=True))
        assert all(same) == (flip == "none")


def test_validation_images_are_neither_learned_from_nor_tested_on(sprites: Dataset) -> None:
    learned, validation = with_validation(sprites)
    assert len(learned) + len(validation) == len(sprites.train)
    kinds = [{image.tobytes() for image in split.images} for split in (learned, validation, sprites.test)]
    assert len(kinds[0] | kinds[1] | kinds[2]) == sum(map(len, kinds))
    assert 0.05 < len(validation) / len(sprites.train) < 0.15


def test_the_best_epoch_is_kept_and_training_stops_early(sprites: Dataset, tmp_path: Path) -> None:
    # At a high rate that never falls, the score soon goes up and down.
    recipe = small_recipe("epochs=400", "batch=32", "patience=4", "learning_rate=0.02", "decay=none", "augment=0")
    result = run(sprites, recipe, tmp_path)
    assert result.run is not None
    lines = read_metrics(result.run / "metrics.jsonl")
    scores = {line["epoch"]: line["validation"]["neg_elbo"] for line in lines}
    best = min(scores, key=lambda epoch: scores[epoch])
    assert result.train["best_epoch"] == best
    assert result.train["epochs"] == max(scores) < 400
    assert max(scores) - best >= 4
    tested = {line["epoch"]: line["test"]["neg_elbo"] for line in lines}
    assert result.test.neg_elbo == pytest.approx(tested[best], abs=1e-3)
    assert load(result.run).about["test"]["neg_elbo"] == pytest.approx(tested[best], abs=1e-3)


def test_early_stopping_resumes_to_the_same_bits(sprites: Dataset, tmp_path: Path) -> None:
    recipe = small_recipe("epochs=12", "batch=32", "patience=6", "learning_rate=0.01", "flip=horizontal")
    whole = run(sprites, recipe, tmp_path / "whole")
    stops = iter([17, 41, 9, 30])

    def interrupt() -> Any:
        left = next(stops, 10**9)

        def listen(event: object) -> None:
            nonlocal left
            if type(event).__name__ == "Stepped":
                left -= 1
                if not left:
                    os.kill(os.getpid(), signal.SIGINT)

        return listen

    try:
        result = run(sprites, recipe, tmp_path / "cut", listen=interrupt())
    except Interrupted:
        while True:
            try:
                result = resume_run(next((tmp_path / "cut").iterdir()), listen=interrupt())
                break
            except Interrupted:
                continue
    assert next(stops, None) is None, "it was cut four times"
    assert whole.run is not None
    assert result.run is not None
    assert result.train["best_epoch"] == whole.train["best_epoch"]
    one, other = (load_file(r / "space" / "model.safetensors") for r in (whole.run, result.run))
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("count", [2, 3, 12, 17])
def test_a_handful_of_images_is_enough(count: int) -> None:
    """A batch is never more than what is left to learn from when some images choose the epoch."""
    images = np.random.default_rng(0).integers(0, 255, (count, 8, 8, 3), np.uint8)
    dataset = dataset_from_arrays(images, test_images=images[:1], name="few")
    recipe = small_recipe("epochs=1", "min_steps=1", "patience=none")
    result = train_run(dataset, recipe, out=None, seed=0, machine=choose_machine(device="cpu"))
    assert result.space.recipe.batch <= count


def test_small_sets_get_their_steps_from_the_images_that_are_learned_from() -> None:
    images = np.random.default_rng(0).integers(0, 255, (33, 8, 8, 3), np.uint8)
    dataset = dataset_from_arrays(images, test_images=images[:1], name="few")
    result = train_run(
        dataset, small_recipe("min_steps=40", "epochs=1", "least_batch=16"), out=None, seed=0,
        machine=choose_machine(device="cpu"),
    )  # fmt: skip
    recipe = result.space.recipe
    assert recipe.patience
    learned = len(with_validation(dataset)[0])
    assert recipe.epochs * (learned // recipe.batch) >= 40


def test_reconstruction_alone_wants_a_point() -> None:
    with pytest.raises(ArgumentError, match="beta=0"):
        changed(find_recipe("quick"), {"objective": "reconstruction"})


def test_over_fitting_is_said_in_words() -> None:
    images = noise(0, (60, 8, 8, 1))
    recipe = changed(find_recipe("autoencoder"), {"latent_dim": "32", "epochs": "200", "batch": "16"})
    result = run(dataset_from_arrays(images, name="noise"), recipe, None)
    assert any("over-fitting" in words for words in result.warnings)
    good = TestFigures(100.0, 90.0, 10.0, 1.0)
    assert overfitting(good, dataclasses.replace(good, neg_elbo=101.0), (28, 28, 1), 5) is None
    assert (
        "more pictures" in (overfitting(good, dataclasses.replace(good, neg_elbo=200.0), (28, 28, 1), 5) or "").lower()
    )


# -- going on ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained(sprites: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = run(sprites, small_recipe("epochs=20", "batch=32"), tmp_path_factory.mktemp("runs"))
    assert found.run is not None
    return found.run


def test_fine_tuning_starts_where_the_space_stands(trained: Path, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "new", 60, (40, 30, 3))
    space = load(trained)
    more = open_dataset("sprites:count=300,size=16,seed=5")
    before = float(space.about["test"]["neg_elbo"])
    recipe = choose_recipe("auto", shape=more.shape, start=space, epochs=1, settings={"batch": 64})
    assert recipe.stages[0].optimiser.learning_rate < find_recipe("conv").stages[0].optimiser.learning_rate
    result = run(more, recipe, tmp_path / "runs", start=space)
    assert result.test.neg_elbo is not None
    assert result.test.neg_elbo < before + 0.35 * abs(before), "one gentle epoch keeps what was learned"
    fresh = run(more, recipe, None)
    assert fresh.test.neg_elbo is not None
    assert result.test.neg_elbo < fresh.test.neg_elbo - 50
    assert result.run is not None
    assert load(result.run).about["start"]["data"]["name"] == "sprites"
    # other pictures are brought to the space's form
    other = train(str(folder), start=trained, epochs=1)
    assert other.shape == space.shape


def test_fine_tuning_resumes(trained: Path, tmp_path: Path) -> None:
    space = load(trained)
    more = open_dataset("sprites:count=200,size=16,seed=6")
    recipe = choose_recipe("auto", shape=more.shape, start=space, epochs=3, settings={"batch": 32, "patience": 0})

    def listen(event: object) -> None:
        if type(event).__name__ == "Stepped" and getattr(event, "epoch", 0) == 1:
            os.kill(os.getpid(), signal.SIGINT)

    whole = run(more, recipe, tmp_path / "whole", start=space)
    with pytest.raises(Interrupted):
        run(more, recipe, tmp_path / "cut", start=space, listen=listen)
    result = resume_run(next((tmp_path / "cut").iterdir()))
    for name, value in whole.space.model.state_dict().items():
        assert torch.equal(value, result.space.model.state_dict()[name]), name
    assert result.space.about["start"] == whole.space.about["start"]


def test_what_cannot_change_is_refused(trained: Path) -> None:
    space = load(trained)
    with pytest.raises(ArgumentError, match="latent_dim of a trained space"):
        choose_recipe("auto", shape=space.shape, start=space, latent_dim=3)
    with pytest.raises(ArgumentError, match=r"^recipe: a space that training starts from keeps its own"):
        choose_recipe("quick", shape=space.shape, start=space)
    with pytest.raises(DataError, match=r"^start: it takes images of"):
        run(open_dataset("digits"), space.recipe, None, start=space)
    with pytest.raises(ArgumentError, match="likelihood of a trained space cannot change"):
        choose_recipe("auto", shape=space.shape, start=space, settings={"likelihood": "bernoulli"})


def test_the_run_knows_its_folder_and_the_bundle_does_not(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "private place", 40)
    result = run(open_dataset(folder), small_recipe("epochs=2", "batch=16", "latent_dim=2"), tmp_path / "runs")
    assert result.run is not None
    assert json.loads((result.run / "recipe.json").read_text())["data"]["source"] == str(folder)
    for path in (result.run / "space").rglob("*"):
        if path.is_file():
            assert (
                b"private place" not in path.read_bytes().replace(b'"name": "private place"', b"")
                or path.name == "README.md"
            )
    card = (result.run / "space" / "README.md").read_text()
    assert "What it reveals" in card
    assert str(folder.parent) not in card
    assert np.isfinite(result.test.reconstruction)
