"""Every key of a recipe means something, or is refused: however the recipe is made."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest

import morphospace as ms
from morphospace.data import Dataset
from morphospace.errors import ArgumentError
from morphospace.recipes import (
    RECIPES,
    Recipe,
    build_model,
    build_stages,
    changed,
    find_recipe,
    recipe_from_json,
)
from morphospace.vae import Optimiser
from morphospace.workflow import choose_recipe


def text_of(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


CHOICES = [key for key, kind in get_type_hints(Recipe).items() if get_args(kind) and isinstance(get_args(kind)[0], str)]


@pytest.mark.parametrize(
    ("key", "word", "meant"),
    [("network", "cnn", "conv"), ("objective", "elb0", "elbo"), ("likelihood", "gausian", "gaussian")],
)
def test_a_word_that_no_part_has_is_refused_with_the_nearest(key: str, word: str, meant: str) -> None:
    with pytest.raises(ArgumentError, match=f'--set {key}: there is no "{word}".*Did you mean "{meant}"'):
        dataclasses.replace(find_recipe("quick"), **{key: word})  # type: ignore[arg-type]


@pytest.mark.parametrize("key", CHOICES)
@pytest.mark.parametrize("value", ["", "nothing-like-it", None, 3, ("elbo",), np.array(["mlp"])])
def test_all_choices_are_closed(key: str, value: Any) -> None:
    with pytest.raises(ArgumentError, match=f"--set {key}: there is no .*Known: "):
        dataclasses.replace(find_recipe("conv"), **{key: value})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"batch": "64"}, "--set batch: expected a whole number, got '64'"),
        ({"batch": 64.0}, "--set batch: expected a whole number, got 64.0"),
        ({"epochs": True}, "--epochs: expected a whole number, got True"),
        ({"latent_dim": np.int64(3)}, "--latent-dim: expected a whole number, got np.int64"),
        ({"learning_rate": "fast"}, "--set learning_rate: expected a number, got 'fast'"),
        ({"learning_rate": float("nan")}, "--set learning_rate: expected 1e-12 to 1000, got nan"),
        ({"learning_rate": None}, "--set learning_rate: expected a number, got None"),
        ({"beta": False}, "--set beta: expected a number, or none, got False"),
        ({"patience": 1.5}, "--set patience: expected a whole number, or none, got 1.5"),
        ({"encoder_widths": [64]}, r"--set encoder_widths: expected whole numbers from 1 .*, got \[64\]"),
        ({"encoder_widths": ()}, r"--set encoder_widths: expected whole numbers from 1 .*, got \(\)"),
        ({"encoder_widths": (64, 0)}, "--set encoder_widths: expected whole numbers from 1"),
        ({"decoder_widths": (True,)}, "--set decoder_widths: expected whole numbers from 1"),
        ({"decoder_widths": (10**9,)}, "--set decoder_widths: expected whole numbers from 1"),
        ({"name": 3}, "--set name: expected words, got 3"),
    ],
)
def test_a_value_of_another_type_is_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        dataclasses.replace(find_recipe("quick"), **change)


# A key, a recipe that has a use for it, one that has none, a value that it does not stand at, and why it is of no use.
UNUSED: list[tuple[str, str, str, Any, str]] = [
    ("encoder_widths", "quick", "book", (8,), 'only the networks "mlp" and "conv" have them, and network is book'),
    ("decoder_widths", "conv", "book", (8,), 'only the networks "mlp" and "conv" have them, and network is book'),
    ("blocks", "conv", "quick", 2, 'only the network "conv" has them, and network is mlp'),
    ("fourier", "quick", "conv", 4, 'only the network "mlp" has it, and network is conv'),
    ("fourier_scale", "quick", "editing", 2.0, "it spreads what fourier adds, and fourier is 0"),
    ("log_var", "quick", "autoencoder", -1.0, 'only the posterior "gaussian" has variances, and posterior is point'),
    ("sampling", "quick", "autoencoder", "prior", "has a prior to sample from, and posterior is point"),
    ("sigma", "conv", "quick", 0.2, "only the Gaussian likelihoods have one, and likelihood is bernoulli"),
    ("beta", "book", "autoencoder", 2.0, 'objectives "elbo" and "book" have a KL to weigh, and objective is'),
    ("l1", "sparse-autoencoder", "quick", 0.1, 'only the objective "reconstruction" has an L1 penalty'),
    ("anneal", "sparse-autoencoder", "autoencoder", 0.3, "it raises beta or l1, and there is neither"),
    ("beta1", "quick", "book", 0.5, 'only the optimiser "adam" has one, and optimiser is rmsprop'),
]


@pytest.mark.parametrize(("key", "user", "other", "value", "why"), UNUSED, ids=[case[0] for case in UNUSED])
def test_a_key_of_no_use_is_refused_and_says_who_uses_it(key: str, user: str, other: str, value: Any, why: str) -> None:
    assert getattr(changed(find_recipe(user), {key: text_of(value)}), key) == value
    with pytest.raises(ArgumentError, match=f"--set {key}: .*{why}.*Leave it out"):
        changed(find_recipe(other), {key: text_of(value)})
    with pytest.raises(ArgumentError, match=f"--set {key}: .*{why}.*Leave it out, or at"):
        dataclasses.replace(find_recipe(other), **{key: value})
    # Said is said, even where it stands there anyway.
    with pytest.raises(ArgumentError, match="Leave it out"):
        changed(find_recipe(other), {key: text_of(getattr(find_recipe(other), key))})


@pytest.mark.parametrize("key", [f.name for f in dataclasses.fields(Recipe) if f.name not in ("name", "summary")])
def test_every_key_is_in_use_somewhere(key: str) -> None:
    user = find_recipe(next((case[1] for case in UNUSED if case[0] == key), "quick"))
    along: dict[str, Any] = {"epochs": {"min_steps": 0}, "batch": {"least_batch": user.batch}}.get(key, {})
    assert changed(user, {key: text_of(getattr(user, key))}) == dataclasses.replace(user, **along)


def test_another_part_lets_go_of_what_the_first_one_had() -> None:
    recipe = changed(find_recipe("quick"), {"network": "conv"})
    assert (recipe.fourier, recipe.fourier_scale, recipe.encoder_widths) == (0, 1.0, (128, 128, 128))
    with pytest.raises(ArgumentError, match=r"--set fourier: .*Leave it out, or at 0; got 16\."):
        dataclasses.replace(find_recipe("quick"), network="conv")
    point = changed(find_recipe("quick"), {"posterior": "point", "objective": "reconstruction"})
    assert (point.sampling, point.anneal) == ("mixture", 0.0)


@pytest.mark.parametrize("name", RECIPES)
def test_what_earlier_versions_wrote_still_opens(name: str) -> None:
    """They let keys stand that changed nothing: of the named recipes, and of those that were set."""
    recipe = find_recipe(name)
    idle = {key: value for key, _, other, value, _ in UNUSED if other == name and key != "l1"}  # which was refused
    assert recipe_from_json(json.loads(json.dumps(recipe.to_json() | idle))) == recipe
    with pytest.raises(ArgumentError, match="expected a whole number, got '64'"):
        recipe_from_json(recipe.to_json() | {"batch": "64"})


def test_nothing_is_built_from_a_word_that_was_smuggled_in(digits: Dataset) -> None:
    for key in ("network", "posterior", "likelihood"):
        recipe = dataclasses.replace(find_recipe("quick"))
        object.__setattr__(recipe, key, "cnn")
        with pytest.raises(AssertionError, match="cnn"):
            build_model(recipe, digits.shape, seed=0)
    recipe = dataclasses.replace(find_recipe("quick"))
    object.__setattr__(recipe, "objective", "elb0")
    with pytest.raises(AssertionError, match="elb0"):
        build_stages(recipe, digits.shape)
    with pytest.raises(AssertionError, match="sgd"):
        Optimiser(kind="sgd").build([])  # type: ignore[arg-type]


def test_what_is_said_in_two_ways_is_refused() -> None:
    with pytest.raises(ArgumentError, match="--epochs: given twice, as 5 and by --set epochs"):
        ms.train("digits", epochs=5, settings={"epochs": 3})


def test_a_key_of_either_default_recipe_waits_until_the_images_are_known() -> None:
    assert choose_recipe("auto", shape=None, settings={"blocks": 2}).network == "conv"
    assert choose_recipe("auto", shape=None, settings={"fourier": 4}).network == "mlp"
    with pytest.raises(ArgumentError, match="only the network"):
        choose_recipe("auto", shape=(28, 28, 1), settings={"blocks": 2})
    with pytest.raises(ArgumentError, match="Did you mean"):
        choose_recipe("auto", shape=None, settings={"blocs": 2})


def test_the_command_says_it_in_a_line(morpho: Callable[..., Any]) -> None:
    ran = morpho("train", "digits", "--recipe", "book", "--set", "encoder_widths=8")
    assert ran.code == 2
    assert 'only the networks "mlp" and "conv" have them, and network is book. Leave it out.' in ran.err
