"""Samplers: fitted to codes of training images, kept in the bundle, and what a space draws of from then on."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

import morphospace as ms
from morphospace.data import Dataset
from morphospace.errors import ArgumentError, DataError, FileError
from morphospace.export.page import space_facts
from morphospace.latent.flows import Flow
from morphospace.parts import kinds_of
from morphospace.samplers.flow import FlowConfig
from morphospace.samplers.interfaces import SamplerConfig
from morphospace.samplers.mixture import GaussianConfig, MixtureConfig, MixtureSampler
from morphospace.samplers.prior import PriorConfig
from morphospace.space import Space, load

Ran = Callable[..., Any]
QUICK = {"flow": FlowConfig(steps=2), "mixture": MixtureConfig(components=2), "gaussian": GaussianConfig()}
KINDS = sorted(set(kinds_of("sampler")) - {"prior"})


def codes(n: int = 300, d: int = 3) -> NDArray[np.float32]:
    return np.random.default_rng(0).normal([5, 0, -5], [1, 2, 0.5], (n, d)).astype(np.float32)


def drawn(space: Space, n: int = 40) -> NDArray[np.float32]:
    return space.sample_points(n, seed=1)


def means(space: Space) -> NDArray[np.float64]:
    return cast("MixtureSampler", space.sampler).mixture.means


@pytest.mark.parametrize("kind", KINDS)
def test_draws_are_like_the_codes_and_come_back_from_arrays(kind: str) -> None:
    config = QUICK.get(kind) or cast("SamplerConfig", kinds_of("sampler")[kind]())
    fitted = config.fit(codes(), None, seed=0)
    z = fitted.sample(4000, np.random.default_rng(0))
    assert np.allclose(z.mean(0), [5, 0, -5], atol=0.4)
    assert np.allclose(z.std(0), [1, 2, 0.5], atol=0.3)
    again = config.restore(fitted.arrays(), 3)
    assert np.array_equal(again.sample(9, np.random.default_rng(1)), fitted.sample(9, np.random.default_rng(1)))
    with pytest.raises(ValueError, match=r"means: expected shape \(\d+, 4\), got \(\d+, 3\)"):
        config.restore(fitted.arrays(), 4)
    with pytest.raises(ValueError, match="expected an array weights, got"):
        config.restore({}, 3)


def test_a_space_draws_of_what_was_fitted_and_its_bundle_keeps_it(
    space: Space, digits: Dataset, tmp_path: Path
) -> None:
    before = drawn(space)
    for config in QUICK.values():
        space.refit(config, digits.train.images, digits.train.labels)
        assert space.recipe.sampler == config
        assert not np.array_equal(drawn(space), before)
        again = load(space.save(tmp_path / config.kind))
        assert again.recipe == space.recipe
        assert np.array_equal(drawn(again), drawn(space))
    space.refit("prior")
    assert np.array_equal(drawn(space), before)
    assert np.array_equal(drawn(load(space.save(tmp_path / "prior"))), before)
    assert not (tmp_path / "prior" / "sampler.safetensors").exists()


def test_it_is_fitted_to_the_codes_of_the_images_that_are_given(space: Space, digits: Dataset) -> None:
    images = digits.train.images[:200]
    space.refit("gaussian", images)
    assert np.allclose(means(space)[0], space.encode(images).mean.mean(0), atol=1e-5)
    space.refit(FlowConfig(steps=0), digits.train.images, digits.train.labels)
    assert len(cast("Flow", space.sampler).start.weights) == 10  # a piece for each label


def test_training_ends_with_the_fit_of_its_recipe_to_what_was_learned_from(digits: Dataset) -> None:
    trained = ms.train(digits, epochs=1, seed=0, settings={"sampler": "gaussian"})
    assert trained.recipe.sampler == GaussianConfig()
    assert np.allclose(means(trained)[0], trained.encode(digits.train.images).mean.mean(0), atol=1e-4)
    assert ms.train(digits, epochs=1, seed=0).sampler is None  # the prior


def test_what_cannot_be_fitted_is_refused(space: Space, digits: Dataset) -> None:
    with pytest.raises(ArgumentError, match=r'sampler: there is no "flaw"\. Did you mean "flow"'):
        space.refit("flaw", digits.train.images)
    with pytest.raises(ArgumentError, match="images: expected training images to fit the mixture to, got none"):
        space.refit("mixture")
    with pytest.raises(DataError, match="images: expected 2 images or more to fit a sampler to, got 1"):
        space.refit("mixture", digits.train.images[:1])
    with pytest.raises(DataError, match="this space takes images of shape"):
        space.refit("mixture", np.zeros((5, 9, 9, 1), np.uint8))
    assert space.sampler is None
    assert space.recipe.sampler == PriorConfig()
    point = ms.train(digits, "autoencoder", epochs=1)
    with pytest.raises(ArgumentError, match="sampler: a posterior that is a point has no prior to sample from"):
        point.refit("prior")
    assert point.sampler is not None  # fitted when training ended


def test_a_damaged_sampler_is_named(space: Space, digits: Dataset, tmp_path: Path) -> None:
    space.refit("gaussian", digits.train.images)
    folder = space.save(tmp_path / "space")
    path = folder / "sampler.safetensors"
    arrays = load_file(path)
    for change, metadata, words in (
        ({"means": torch.zeros(1, 3)}, {"kind": "gaussian"}, r"means: expected shape \(1, 2\), got \(1, 3\)"),
        ({}, {"kind": "mixer"}, 'there is no "mixer"'),
        ({}, {"kind": "mixture", "components": 0}, "components: expected at least 1, got 0"),
        ({}, [], 'expected an object with a "kind"'),
        ({}, {"kind": "flow"}, "no flow of codes"),
    ):
        save_file(arrays | change, path, {"sampler": json.dumps(metadata)})
        with pytest.raises(FileError, match=rf"sampler\.safetensors is damaged: .*{words}"):
            load(folder)
    save_file(arrays, path)
    with pytest.raises(FileError, match=r"sampler\.safetensors is damaged: .*Fit it again: morpho refit"):
        load(folder)


def test_the_page_is_given_draws(space: Space, digits: Dataset) -> None:
    assert space_facts(space)["draws"] is None
    space.refit("gaussian", digits.train.images)
    sent = np.frombuffer(base64.b64decode(space_facts(space)["draws"]), "<f4").reshape(256, 2)
    assert np.array_equal(sent, space.sample_points(256, seed=0))


def test_the_verb_says_what_it_did_and_the_space_keeps_it(space: Space, morpho: Ran, tmp_path: Path) -> None:
    before = load(space.save(tmp_path / "s")).sample_points(5, seed=0)
    ran = morpho("refit", "s", "--sampler", "gaussian")
    assert ran.code == 0, ran.err
    assert "samples come from a Gaussian fitted to the codes of training images (1,602 images, " in " ".join(
        ran.out.split()
    )
    assert not np.array_equal(load(tmp_path / "s").sample_points(5, seed=0), before)
    assert "come from a Gaussian fitted to the codes" in morpho("info", "s").out
    assert morpho("refit", "s", "--sampler", "mixture", "--json").json["sampler"] == {
        "kind": "mixture", "components": 10,
    }  # fmt: skip
    ran = morpho("refit", "s", "--sampler", "prior")
    assert "samples come from the model's own prior" in ran.out
    assert np.array_equal(load(tmp_path / "s").sample_points(5, seed=0), before)


def test_the_verb_says_so_of_another_set(space: Space, morpho: Ran, tmp_path: Path) -> None:
    space.save(tmp_path / "s")
    images = np.random.default_rng(0).integers(0, 255, (60, 8, 8, 1), np.uint8)
    np.savez(tmp_path / "other.npz", images=images)
    ran = morpho("refit", "s", "--sampler", "gaussian", "--data", "other.npz")
    assert "is not the very set that this space was trained on (digits)" in " ".join(ran.err.split())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("builtin", "--sampler", "prior"), "SPACE: the built-in space cannot be changed"),
        (("s", "--sampler", "flaw"), '--sampler: there is no "flaw". Did you mean "flow"'),
        (("s",), "--sampler"),
    ],
)
def test_the_verb_refuses(space: Space, morpho: Ran, tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    space.save(tmp_path / "s")
    ran = morpho("refit", *arguments)
    assert ran.code == 2
    assert words in " ".join(ran.err.split())
