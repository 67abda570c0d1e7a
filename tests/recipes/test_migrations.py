"""What earlier versions wrote opens, and means what it meant."""

from __future__ import annotations

import json
from typing import Any

import pytest

from morphospace.errors import ArgumentError
from morphospace.recipes import changed, find_recipe, keys_of, recipe_from_json

# The named recipes as version 0.1 wrote them, to the letter: do not write them again.
WRITTEN: dict[str, dict[str, Any]] = {
    recipe["name"]: recipe
    for recipe in json.loads("""[
  {"name": "quick", "summary": "a 2-D space of small grey images in seconds: a dense VAE, ELBO", "network": "mlp",
   "encoder_widths": [128, 128, 128], "decoder_widths": [256, 256, 256], "blocks": 1, "fourier": 16,
   "fourier_scale": 1.0, "log_var": 0.0, "posterior": "gaussian", "likelihood": "bernoulli", "sigma": 0.1,
   "sampling": "prior", "latent_dim": 2, "objective": "elbo", "beta": null, "anneal": 0.8, "l1": 0.0, "augment":
   0.0, "flip": "none", "rotate": 0.0, "patience": 0, "epochs": 6, "batch": 256, "least_batch": 16, "min_steps":
   1400, "optimiser": "adam", "learning_rate": 0.008, "beta1": 0.9, "beta2": 0.98, "epsilon": 1e-08, "clip": 0.0,
   "warm_up": 0.2, "decay": "cosine"},
  {"name": "minute", "summary": "quick's network trained for a minute: the best 2-D space of small grey images",
   "network": "mlp", "encoder_widths": [128, 128, 128], "decoder_widths": [256, 256, 256], "blocks": 1, "fourier":
   16, "fourier_scale": 1.0, "log_var": 0.0, "posterior": "gaussian", "likelihood": "bernoulli", "sigma": 0.1,
   "sampling": "prior", "latent_dim": 2, "objective": "elbo", "beta": null, "anneal": 0.5, "l1": 0.0, "augment":
   0.0, "flip": "none", "rotate": 0.0, "patience": 0, "epochs": 45, "batch": 512, "least_batch": 16, "min_steps":
   5200, "optimiser": "adam", "learning_rate": 0.008, "beta1": 0.9, "beta2": 0.98, "epsilon": 1e-08, "clip": 0.0,
   "warm_up": 0.2, "decay": "cosine"},
  {"name": "editing", "summary":
   "a 16-D space of small grey images to edit in: sharp, every class by itself; a dense VAE, ELBO", "network":
   "mlp", "encoder_widths": [1024, 512], "decoder_widths": [512, 1024], "blocks": 1, "fourier": 0, "fourier_scale":
   1.0, "log_var": 0.0, "posterior": "gaussian", "likelihood": "bernoulli", "sigma": 0.1, "sampling": "prior",
   "latent_dim": 16, "objective": "elbo", "beta": null, "anneal": 0.2, "l1": 0.0, "augment": 0.0, "flip": "none",
   "rotate": 0.0, "patience": 0, "epochs": 20, "batch": 512, "least_batch": 16, "min_steps": 2340, "optimiser":
   "adam", "learning_rate": 0.003, "beta1": 0.9, "beta2": 0.98, "epsilon": 1e-08, "clip": 0.0, "warm_up": 0.2,
   "decay": "cosine"},
  {"name": "conv", "summary": "colour and larger images: residual convolutions, learned sigma, 32 latents, ELBO",
   "network": "conv", "encoder_widths": [64, 96, 128], "decoder_widths": [64, 96, 128], "blocks": 1, "fourier": 0,
   "fourier_scale": 1.0, "log_var": -8.0, "posterior": "gaussian", "likelihood": "gaussian-learned", "sigma": 0.1,
   "sampling": "mixture", "latent_dim": 32, "objective": "elbo", "beta": null, "anneal": 0.5, "l1": 0.0, "augment":
   null, "flip": "none", "rotate": 0.0, "patience": null, "epochs": 17, "batch": 32, "least_batch": 16, "min_steps":
   3000, "optimiser": "adam", "learning_rate": 0.003, "beta1": 0.9, "beta2": 0.98, "epsilon": 1e-08, "clip": 1.0,
   "warm_up": 0.15, "decay": "cosine"},
  {"name": "book", "summary": "the Keras book's network, loss and optimiser (section 8.4), with the right sampler",
   "network": "book", "encoder_widths": [256, 256, 256], "decoder_widths": [256, 256, 256], "blocks": 1, "fourier":
   0, "fourier_scale": 1.0, "log_var": 0.0, "posterior": "gaussian", "likelihood": "bernoulli", "sigma": 0.1,
   "sampling": "prior", "latent_dim": 2, "objective": "book", "beta": null, "anneal": 0.0, "l1": 0.0, "augment":
   0.0, "flip": "none", "rotate": 0.0, "patience": 0, "epochs": 10, "batch": 16, "least_batch": 16, "min_steps": 0,
   "optimiser": "rmsprop", "learning_rate": 0.001, "beta1": 0.9, "beta2": 0.9, "epsilon": 1e-07, "clip": 0.0,
   "warm_up": 0.0, "decay": "none"},
  {"name": "autoencoder", "summary": "the classical autoencoder: quick's network, one code an image, no prior",
   "network": "mlp", "encoder_widths": [128, 128, 128], "decoder_widths": [256, 256, 256], "blocks": 1, "fourier":
   16, "fourier_scale": 1.0, "log_var": 0.0, "posterior": "point", "likelihood": "bernoulli", "sigma": 0.1,
   "sampling": "mixture", "latent_dim": 2, "objective": "reconstruction", "beta": null, "anneal": 0.0, "l1": 0.0,
   "augment": 0.0, "flip": "none", "rotate": 0.0, "patience": 0, "epochs": 6, "batch": 256, "least_batch": 16,
   "min_steps": 1400, "optimiser": "adam", "learning_rate": 0.008, "beta1": 0.9, "beta2": 0.98, "epsilon": 1e-08,
   "clip": 0.0, "warm_up": 0.2, "decay": "cosine"},
  {"name": "sparse-autoencoder", "summary": "the classical sparse autoencoder: a 32-D ReLU code with an L1 penalty",
   "network": "mlp", "encoder_widths": [128, 128, 128], "decoder_widths": [256, 256, 256], "blocks": 1, "fourier":
   0, "fourier_scale": 1.0, "log_var": 0.0, "posterior": "relu", "likelihood": "bernoulli", "sigma": 0.1,
   "sampling": "mixture", "latent_dim": 32, "objective": "reconstruction", "beta": null, "anneal": 0.5, "l1": 0.5,
   "augment": 0.0, "flip": "none", "rotate": 0.0, "patience": 0, "epochs": 6, "batch": 256, "least_batch": 16,
   "min_steps": 1400, "optimiser": "adam", "learning_rate": 0.008, "beta1": 0.9, "beta2": 0.98, "epsilon": 1e-08,
   "clip": 0.0, "warm_up": 0.2, "decay": "cosine"}
]""")
}

# Keys that 0.1 let stand where they changed nothing, by the recipe that had no use for them.
IDLE: dict[str, dict[str, Any]] = {
    "quick": {"blocks": 2, "sigma": 0.3},
    "minute": {"blocks": 3},
    "editing": {"fourier_scale": 2.0, "sigma": 0.2},
    "conv": {"fourier": 4, "fourier_scale": 3.0},
    "book": {"encoder_widths": [8], "decoder_widths": [8], "beta1": 0.5, "blocks": 2, "fourier": 4},
    "autoencoder": {"log_var": -1.0, "sampling": "prior", "beta": 2.0, "anneal": 0.3},
    "sparse-autoencoder": {"log_var": -1.0, "beta": 2.0, "sampling": "prior", "sigma": 0.5},
}


def test_all_named_recipes_of_then_are_here() -> None:
    assert list(WRITTEN) == ["quick", "minute", "editing", "conv", "book", "autoencoder", "sparse-autoencoder"]


@pytest.mark.parametrize("name", WRITTEN)
def test_a_recipe_of_0_1_is_the_one_of_today(name: str) -> None:
    assert recipe_from_json(WRITTEN[name]) == find_recipe(name)
    assert recipe_from_json(recipe_from_json(WRITTEN[name]).to_json()) == find_recipe(name)


@pytest.mark.parametrize("name", WRITTEN)
def test_keys_that_changed_nothing_are_let_go(name: str) -> None:
    idle = IDLE[name]
    assert all(WRITTEN[name][key] != value for key, value in idle.items())
    assert recipe_from_json(WRITTEN[name] | idle) == find_recipe(name)


# What somebody had set: the keys of then, and those of now.
SET: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("quick", {"encoder_widths": [8, 4], "decoder_widths": [4]}, {"encoder.widths": (8, 4), "decoder.widths": (4,)}),
    ("quick", {"fourier": 3, "fourier_scale": 0.5}, {"fourier": 3, "fourier_scale": 0.5}),
    ("quick", {"latent_dim": 7, "log_var": -2.0}, {"latent_dim": 7, "log_var": -2.0}),
    ("quick", {"likelihood": "gaussian", "sigma": 0.3}, {"likelihood": "gaussian", "sigma": 0.3}),
    ("quick", {"likelihood": "gaussian-learned"}, {"likelihood": "gaussian", "learned": True}),
    ("quick", {"likelihood": "continuous-bernoulli"}, {"likelihood": "continuous-bernoulli"}),
    ("quick", {"sampling": "mixture"}, {"sampler": "mixture"}),
    ("quick", {"beta": 0.5, "anneal": 0.1}, {"beta": 0.5, "anneal": 0.1}),
    ("quick", {"augment": None, "flip": "both", "rotate": 9.0}, {"augment": None, "flip": "both", "rotate": 9.0}),
    ("quick", {"epochs": 3, "batch": 9, "least_batch": 4, "min_steps": 5, "patience": None},
     {"epochs": 3, "batch": 9, "least_batch": 4, "min_steps": 5, "patience": None}),
    ("quick", {"learning_rate": 0.1, "beta1": 0.5, "beta2": 0.6, "epsilon": 0.2, "clip": 2.0, "warm_up": 0.3},
     {"learning_rate": 0.1, "beta1": 0.5, "beta2": 0.6, "epsilon": 0.2, "clip": 2.0, "warm_up": 0.3}),
    ("quick", {"decay": "none"}, {"decay": "none"}),
    ("conv", {"blocks": 4}, {"encoder.blocks": 4, "decoder.blocks": 4}),
    ("book", {"beta": 0.7, "anneal": 0.4}, {"objective.beta": 0.7, "objective.anneal": 0.4}),
    ("book", {"optimiser": "adam", "beta1": 0.4}, {"optimiser": "adam", "beta1": 0.4}),
    ("sparse-autoencoder", {"l1": 2.0, "anneal": 0.9}, {"l1": 2.0, "anneal": 0.9}),
    ("sparse-autoencoder", {"l1": 0.0, "anneal": 0.0}, {"l1": 0.0}),
    ("autoencoder", {"posterior": "relu"}, {"posterior": "relu"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "then", "now"), SET, ids=[f"{case[0]}-{'-'.join(case[1])}" for case in SET])
def test_what_was_set_means_the_same(name: str, then: dict[str, Any], now: dict[str, Any]) -> None:
    found = recipe_from_json(WRITTEN[name] | then)
    assert found != find_recipe(name)
    assert found == changed(find_recipe(name), now)


def test_every_key_of_then_was_set_above() -> None:
    said = {key for _, then, _ in SET for key in then}
    assert set(WRITTEN["quick"]) - said == {"name", "summary", "network", "objective"}


def test_keys_that_came_late_in_0_1_take_their_defaults() -> None:
    bare = recipe_from_json({"name": "own", "summary": "one's own", "network": "mlp"})
    values = {name: key.value for name, key in keys_of(bare).items()}
    expected = {
        "encoder.widths": (256, 256, 256), "decoder.widths": (256, 256, 256), "decoder.fourier": 0,
        "posterior.latent_dim": 2, "posterior.log_var": 0.0, "objective.beta": None, "objective.anneal": 0.0,
        "optimiser.learning_rate": 1e-3, "optimiser.beta1": 0.9, "optimiser.beta2": 0.999, "optimiser.epsilon": 1e-8,
        "epochs": 10, "batch": 256, "least_batch": 16, "min_steps": 0, "patience": 0,
        "images.augment": 0.0, "images.flip": "none", "images.rotate": 0.0,
    }  # fmt: skip
    assert {name: values[name] for name in expected} == expected
    kinds = ("encoder", "decoder", "posterior", "prior", "likelihood", "objective", "optimiser", "sampler")
    assert [values[name].kind for name in kinds] == [
        "mlp", "mlp", "gaussian", "normal", "bernoulli", "elbo", "adam", "prior",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"spin": 3}, r"recipe: unknown keys \['spin'\], missing keys \[\]"),
        ({"batch": "64"}, r"stage\.batch: expected a whole number, got '64'"),
        ({"latent_dim": 0}, r"posterior\.latent_dim: expected at least 1, got 0"),
        ({"network": "cnn"}, 'encoder: there is no "cnn"'),
        ({"likelihood": "gaussian-leaned"}, 'likelihood: there is no "gaussian-leaned"'),
        ({"l1": 2.0}, 'objective: "elbo" has no key "l1"'),  # which 0.1 refused, too
        ({"posterior": "point"}, "objective: a point has no KL"),
    ],
)
def test_what_0_1_refused_is_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ArgumentError, match=f"^{words}"):
        recipe_from_json(WRITTEN["quick"] | change)


def test_a_flat_recipe_without_a_network_is_damaged() -> None:
    with pytest.raises(ArgumentError, match=r"^recipe: unknown keys \[\], missing keys \['network'\]"):
        recipe_from_json({key: value for key, value in WRITTEN["quick"].items() if key != "network"})
