"""``morpho traverse``: each latent by itself, with what it tells of an image."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from morphospace.data import Dataset
from morphospace.evaluate import evaluate_space, latent_figures
from morphospace.images import read_text
from morphospace.recipes import build_model, changed, find_recipe
from morphospace.report import traversal_sheet, walk_latents
from morphospace.space import Space

Morpho = Callable[..., Any]


def untrained(digits: Dataset, recipe: str, latents: int) -> Space:
    """A space of digits that has learned nothing."""
    chosen = changed(find_recipe(recipe), {"latent_dim": latents, "encoder_widths": "16", "decoder_widths": "16"})
    about = {"data": {"name": "digits", "label_names": list(digits.label_names)}, "seed": 1}
    space = Space(build_model(chosen, digits.shape, seed=1), chosen, digits.shape, about=about)
    space.reference = space.encode(digits.test.images).mean
    return space


def test_the_kl_of_latents_adds_up_to_that_of_the_space(space: Space, digits: Dataset) -> None:
    figures = latent_figures(space, digits.test.images)
    assert figures.kl is not None
    assert figures.kl.sum() == pytest.approx(evaluate_space(space, digits)["test"]["kl"], rel=1e-5)
    assert figures.order().tolist() == sorted(range(2), key=lambda i: -figures.kl[i])  # type: ignore[index]
    assert figures.variances == pytest.approx(space.encode(digits.test.images).mean.var(0), rel=1e-4)


def test_one_latent_moves_and_all_others_stay(digits: Dataset) -> None:
    space = untrained(digits, "quick", 5)
    image = digits.test.images[3:4]
    walk = walk_latents(space, image, name="three", steps=5)
    z = space.encode(image).mean[0]
    points = walk.points([4, 0])
    assert points.shape == (2, 5, 5)
    assert points[0, :, 4].tolist() == [-3, -1.5, 0, 1.5, 3]
    assert (points[1, :, 1:] == z[1:]).all()
    assert walk.columns == ("-3", "-1.5", "0", "+1.5", "+3")
    assert (walk_latents(space).base == 0).all(), "without an image, from the middle of the prior"
    figures = latent_figures(space, digits.test.images)
    with_image = np.asarray(traversal_sheet(space, walk, [4, 0], figures, image))
    without = np.asarray(traversal_sheet(space, walk, [4, 0], figures))
    assert with_image.shape[0] > without.shape[0] + 80
    longer = np.asarray(traversal_sheet(space, walk, [4, 0, 1], figures))
    assert longer.shape[0] > without.shape[0] + 80


def test_an_autoencoder_walks_over_the_quantiles_of_its_codes(digits: Dataset) -> None:
    space = untrained(digits, "autoencoder", 3)
    assert space.reference is not None
    walk = walk_latents(space, steps=3)
    assert walk.base == pytest.approx(space.reference.mean(0))
    assert walk.values == pytest.approx(np.quantile(space.reference, [0.01, 0.5, 0.99], axis=0).T)
    assert walk.columns == ("1 %", "50 %", "99 %")
    figures = latent_figures(space, digits.test.images)
    assert figures.kl is None
    assert figures.order()[0] == space.reference.var(0).argmax()


def test_the_command_orders_by_kl_and_says_what_it_leaves_out(morpho: Morpho, digits: Dataset, tmp_path: Path) -> None:
    space = untrained(digits, "quick", 5)
    space.save(tmp_path / "s")
    kl = latent_figures(space, digits.test.images).kl
    assert kl is not None
    whole = morpho("traverse", "s", "--out", "t.png", "--json")
    assert whole.code == 0, whole.err
    assert whole.err == ""
    assert [line["latent"] - 1 for line in whole.json["latents"]] == np.argsort(-kl).tolist()
    assert [line["kl"] for line in whole.json["latents"]] == pytest.approx(np.sort(kl)[::-1], abs=1e-5)
    assert whole.json["left_out"] == 0
    text = read_text(tmp_path / "t.png")
    assert text["kind"] == "traversal"
    assert "morpho traverse s" in text["command"]
    few = morpho("traverse", "s", "digits:test/3", "--top", "2", "--steps", "3", "--out", "few.png", "--json")
    assert [line["latent"] - 1 for line in few.json["latents"]] == np.argsort(-kl)[:2].tolist()
    assert few.json["left_out"] == 3
    assert "2 of 5 latents are drawn, those with most of the KL" in few.err
    with Image.open(tmp_path / "few.png") as small, Image.open(tmp_path / "t.png") as large:
        assert small.height < large.height
    chosen = morpho("traverse", "s", "--latents", "z5, 2", "--json")
    assert {line["latent"] for line in chosen.json["latents"]} == {2, 5}
    assert "those asked for" in chosen.err


def test_without_a_kl_it_says_so_and_orders_by_variance(morpho: Morpho, digits: Dataset, tmp_path: Path) -> None:
    space = untrained(digits, "autoencoder", 3)
    space.save(tmp_path / "points")
    ran = morpho("traverse", "points", "--json")
    assert "this space has no KL" in ran.err
    assert [line["kl"] for line in ran.json["latents"]] == [None] * 3
    found = [line["variance"] for line in ran.json["latents"]]
    assert found == sorted(found, reverse=True)
    learned = untrained(digits, "vamp", 3)
    learned.save(tmp_path / "learned")
    ran = morpho("traverse", "learned", "--json")
    assert "no latent of this space has a KL of its own, as the prior is not N(0, I)" in ran.err
    assert ran.json["latents"][0]["kl"] is None
    other = untrained(digits, "quick", 3)
    other.about["data"] = {"name": "hf:nobody/nothing"}
    other.save(tmp_path / "away")
    ran = morpho("traverse", "away", "--json")
    assert ran.code == 0, ran.err
    assert '"hf:nobody/nothing" is not on this machine' in ran.err
    assert ran.json["data"] is None
    named = morpho("traverse", "away", "--data", "digits", "--json")
    assert named.err == ""
    assert named.json["data"] == "digits"
    assert named.json["latents"][0]["kl"] > 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--latents", "0,3"), 2, 'expected numbers from 1 to 2 (z1 to z2) with commas between, got "0"'),
        (("--latents", "3"), 2, 'got "3"'),
        (("--latents", "a"), 2, 'got "a"'),
        (("--latents", ""), 2, 'got ""'),
        (("--top", "0"), 2, "--top"),
        (("--steps", "1"), 2, "--steps"),
        (("--data", "mnits"), 2, 'Did you mean "mnist"'),
        (("nowhere.png",), 1, "no file"),
        (("--out", "t.gif"), 2, ".png"),
    ],
)
def test_wrong_usage_is_one_clear_line(
    morpho: Morpho, tmp_path: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    ran = morpho("traverse", "builtin", *arguments)
    assert ran.code == code, ran.err
    assert words in ran.err
    assert "Traceback" not in ran.err
    assert not list(tmp_path.iterdir())
