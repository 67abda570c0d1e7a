"""What spaces are compared by, against what is known of them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import morphospace as ms
from morphospace.data import Dataset, dataset_from_arrays
from morphospace.errors import DataError
from morphospace.evaluate import compare_spaces, comparison, space_figures
from morphospace.evaluate.comparison import code_bits, draw_samples, mixed_images
from morphospace.evaluate.judges import Judge, train_judge
from morphospace.recipes import changed, find_recipe
from morphospace.report.comparison import FIGURES, comparison_table, figure_text
from morphospace.space import Space


@pytest.fixture(scope="module")
def judge(digits: Dataset) -> Judge:
    return train_judge(digits.train.images, {"label": np.asarray(digits.train.labels)})


@pytest.fixture(scope="module")
def sparse(digits: Dataset) -> Space:
    return ms.train(digits, recipe="sparse-autoencoder", epochs=2)


def test_figures_are_shares_and_nats(space: Space, digits: Dataset, judge: Judge) -> None:
    found = space_figures(space, digits, judge)
    shares = ("prior", "gaussian", "mixture", "kept_posterior", "kept_tenth", "kept_third", "between", "zeros", "probe")
    assert all(0 <= getattr(found, name) <= 1 for name in shares)
    assert found.prior > 0.4  # a space that was trained towards it, for 20 epochs
    assert 1 < found.prior_kinds <= 10
    assert found.kept_third <= found.kept_tenth + 0.02
    assert found.length >= 1
    assert found.jump >= 1
    assert found.zeros == 0
    test = space.about["test"]
    assert found.rate == pytest.approx(test["kl"] / np.log(2), rel=1e-3)
    assert found.psnr == pytest.approx(test["psnr"], abs=1e-3)
    assert set(found.to_json()) == set(FIGURES)


def test_the_same_seed_gives_the_same_figures(space: Space, digits: Dataset, judge: Judge) -> None:
    first, again = (space_figures(space, digits, judge, seed=3) for _ in range(2))
    assert first == again
    assert first != space_figures(space, digits, judge, seed=4)


def test_a_sparse_code_has_exact_zeros_and_no_negative_samples(sparse: Space, digits: Dataset, judge: Judge) -> None:
    found = space_figures(sparse, digits, judge)
    codes = sparse.encode(digits.test.images).mean
    assert found.zeros == (codes == 0).mean() > 0.1
    assert found.rate is None
    assert found.kept_posterior is None
    for points in draw_samples(sparse, codes, 50, seed=0).values():
        assert points.shape == (50, 32)
        assert points.min() >= 0


def test_samples_follow_what_they_are_fitted_to(space: Space) -> None:
    codes = np.random.default_rng(0).normal([3, -2], [0.5, 2], (4000, 2)).astype(np.float32)
    drawn = draw_samples(space, codes, 4000, seed=1)
    for name in ("gaussian", "mixture"):
        np.testing.assert_allclose(drawn[name].mean(0), [3, -2], atol=0.15)
        np.testing.assert_allclose(drawn[name].std(0), [0.5, 2], rtol=0.1)
    np.testing.assert_allclose(drawn["prior"].std(0), [1, 1], rtol=0.1)


def test_bits_are_the_logarithm_of_how_many_codes_there_are(space: Space, digits: Dataset) -> None:
    """Codes that take 8 values along one latent, equally often, and one along the other, take 3 bits."""
    values = np.linspace(-2, 2, 8, dtype=np.float32)
    codes = np.stack([np.tile(values, 40), np.zeros(320, np.float32)], 1)
    images = space.decode(codes)
    assert code_bits(space, images, codes, loss=1e-4) == pytest.approx(3, abs=0.01)
    assert code_bits(space, images, codes) < 3 - 1e-3, "a nat more, and some of the eight are told as one"
    assert code_bits(space, images, codes, loss=1e4) == 0, "one code for everything"


def test_at_equal_quality_the_worst_space_says_no_more_than_a_nat_needs(
    space: Space, sparse: Space, digits: Dataset, judge: Judge
) -> None:
    found = compare_spaces({"vae": space, "sparse": sparse}, digits, judge=judge).spaces
    worst, best = sorted(found.values(), key=lambda each: -each.error)
    assert worst.equal_bits == worst.bits
    assert best.equal_bits is not None
    assert best.equal_bits < best.bits
    alone = space_figures(space, digits, judge)
    assert alone.equal_bits is None


def test_mixed_images_begin_and_end_with_the_images(digits: Dataset) -> None:
    a, b = digits.test.images[:2]
    mixed = mixed_images(a, b, 5)
    assert np.array_equal(mixed[0], a)
    assert np.array_equal(mixed[-1], b)
    assert np.abs(mixed[2].astype(int) - (a.astype(int) + b) / 2).max() <= 0.5


def test_a_decoder_that_knows_one_picture_has_samples_of_one_kind(space: Space, digits: Dataset, judge: Judge) -> None:
    """It is recognised everywhere, and its entropy gives it away."""
    one = digits.test.images[[int(np.flatnonzero(np.asarray(digits.test.labels) == 3)[0])]]
    logits = torch.from_numpy((one.astype(np.float32) / 255 - 0.5) * 20).permute(0, 3, 1, 2)

    class Stuck(torch.nn.Module):
        def forward(self, z: torch.Tensor) -> torch.Tensor:
            return logits.expand(len(z), -1, -1, -1)

    stuck = Space(space.model, space.recipe, space.shape)
    model = stuck.model
    kept = model.decoder
    model.decoder = Stuck()
    try:
        found = space_figures(stuck, digits, judge)
    finally:
        model.decoder = kept
    assert found.prior == 1
    assert found.prior_kinds == pytest.approx(1)
    assert found.kept_third == 1
    assert found.length == found.jump == 1  # nothing moves


def test_sets_without_labels_and_of_another_size_are_refused(space: Space, digits: Dataset) -> None:
    bare = dataset_from_arrays(digits.train.images[:50], name="bare")
    with pytest.raises(DataError, match="expected a set that has some"):
        compare_spaces({"it": space}, bare)
    wide = dataset_from_arrays(
        np.random.default_rng(0).integers(0, 255, (20, 8, 9, 1), np.uint8), np.arange(20) % 2, name="wide"
    )
    with pytest.raises(DataError, match="it takes"):
        compare_spaces({"it": space}, wide)


def test_test_images_of_one_label_are_refused_before_a_judge_learns(space: Space, digits: Dataset) -> None:
    ones = digits.test.take(np.flatnonzero(np.asarray(digits.test.labels) == 1))
    with pytest.raises(DataError, match="two labels or more"):
        compare_spaces({"it": space}, dataclasses.replace(digits, test=ones), tell=pytest.fail)


def test_a_judge_of_something_else_is_refused(space: Space, digits: Dataset) -> None:
    other = train_judge(digits.train.images[:64], {"shade": np.arange(64) % 2}, steps=2)
    with pytest.raises(DataError, match=r'judge: expected one of "label" with 10 kinds'):
        compare_spaces({"it": space}, digits, judge=other)


def test_ends_of_paths_are_of_different_labels_however_rare_one_is() -> None:
    labels = np.zeros(1000, np.int64)
    labels[7] = 1
    first, last = comparison._pairs(labels, seed=0)
    assert len(first) == 200
    assert (labels[first] != labels[last]).all()


def test_figures_as_text() -> None:
    assert figure_text("prior", 0.976) == "98 %"
    assert figure_text("error", 12.345) == "12.3"
    assert figure_text("rate", None) == "–"


def test_colour_pictures_of_any_form_and_a_single_latent(tmp_path: Path, morpho: Callable[..., Any]) -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(300) % 3
    images = rng.integers(0, 60, (300, 8, 14, 3), np.uint8)
    images[np.arange(300), :, :, labels] += 120
    np.savez(tmp_path / "colours.npz", images=images, labels=labels)
    for latents in (1, 2):
        ms.train(ms.open_dataset(tmp_path / "colours.npz"), "quick", latent_dim=latents, epochs=8).save(
            tmp_path / str(latents)
        )
    ran = morpho("compare", "1", "2", "--data", "colours.npz", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["judge"] == 1
    one, two = ran.json["spaces"].values()
    assert one["probe"] > 0.5
    assert two["prior_kinds"] > 1.5
    folder = tmp_path / "morpho-out" / "0001-comparison"
    assert {path.name for path in folder.iterdir()} >= {"samples.png", "paths.png", "maps.png", "report.html"}


def test_the_verb(space: Space, sparse: Space, tmp_path: Path, morpho: Callable[..., Any]) -> None:
    space.save(tmp_path / "vae")
    space.save(tmp_path / "twin")
    sparse.save(tmp_path / "sae")
    ran = morpho("compare", "vae", "twin", "sae", "--data", "digits", "--seed", "5", "--json")
    assert ran.code == 0, ran.err
    said = ran.json
    assert set(said["spaces"]) == {
        "quick, 2 latents (vae)",
        "quick, 2 latents (twin)",
        "sparse-autoencoder, 32 latents",
    }
    assert said["spaces"]["quick, 2 latents (vae)"] == said["spaces"]["quick, 2 latents (twin)"]
    folder = tmp_path / "morpho-out" / "0001-comparison"
    assert json.loads((folder / "figures.json").read_text())["judge"] == said["judge"] > 0.9
    for name in ("samples", "paths", "maps"):
        with Image.open(folder / f"{name}.png") as picture:
            picture.load()
            assert "morpho compare vae twin sae" in picture.info["command"]
    page = (folder / "report.html").read_text()
    assert "KL, bits" in page
    assert "<script" not in page
    assert all(Path(tmp_path / path).exists() for path in said["outputs"])
    assert "likelihoods differ" not in ran.err
    assert "trained on" not in ran.err
    assert morpho("compare", "vae", "nowhere", "--data", "digits").code == 1
    assert morpho("compare").code == 2


def test_what_makes_figures_mean_less_is_said(
    space: Space, tmp_path: Path, morpho: Callable[..., Any], digits: Dataset
) -> None:
    space.save(tmp_path / "vae")
    noise = np.random.default_rng(0).integers(0, 256, (240, *digits.shape), np.uint8)
    np.savez(tmp_path / "noise.npz", images=noise, labels=np.arange(240) % 3)
    recipe = changed(find_recipe("quick"), {"likelihood": "gaussian"})
    ms.train(digits, recipe=recipe, epochs=1).save(tmp_path / "other")
    ran = morpho("compare", "vae", "other", "vae", "--data", "noise.npz")
    assert ran.code == 0, ran.err
    words = " ".join(ran.err.split())
    assert "the judge tells only" in words
    assert "likelihoods differ (quick, 2 latents (vae): bernoulli; quick, 2 latents (other): gaussian)" in words
    assert words.count("learned from cannot be known") == 2, "the same space twice is one"
    assert "of test images right; it recognises" in " ".join(ran.out.split())


def test_the_table_has_a_row_for_each_figure(space: Space, digits: Dataset, judge: Judge) -> None:
    rows = comparison_table({"x": space_figures(space, digits, judge)})
    assert rows[0] == ["", "x"]
    assert len(rows) == len(FIGURES) + 1
