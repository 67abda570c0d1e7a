"""The recipe of the lattice: a decoder first, then its encoder, and what it does not fit."""

from __future__ import annotations

from typing import Any

import pytest
from torch import Tensor

from morphospace.data import Dataset
from morphospace.errors import ArgumentError
from morphospace.recipes import build_model, build_stages, recipe
from morphospace.training import EpochEnded, Machine, Trainer
from morphospace.vae import Generative

TINY = {"encoder__widths": (32,), "decoder__widths": (64,), "batch": 64, "points": 400, "stage2__batch": 64}


def test_a_decoder_is_trained_beside_its_encoder_which_goes_on_alone(digits: Dataset) -> None:
    chosen = recipe("lattice", epochs=4, stage2__epochs=3, **TINY)
    model = build_model(chosen, digits.shape, seed=0)
    fresh = weights(model)
    trainer = Trainer(
        model,
        build_stages(chosen, model, digits.shape, seed=0),
        digits.train.images,
        seed=0,
        machine=Machine(threads=1),
    )
    ended = trainer.run()
    first = [event.losses for event in ended if isinstance(event, EpochEnded)]
    assert [set(losses) for losses in first] == [{"nll", "posterior_kl"}] * 4 + [{"reconstruction", "kl"}] * 3
    assert first[3]["nll"] < first[0]["nll"] - 5
    assert first[3]["posterior_kl"] < 2, "it grows while the true posteriors become narrower, but stays near them"
    bounds = [losses["reconstruction"] + losses["kl"] for losses in first[4:]]
    assert bounds[2] < bounds[0] - 0.2
    assert bounds[2] > first[3]["nll"], "no encoder's bound is better than the likelihood"
    trained = weights(model)
    assert all((trained[name] != fresh[name]).any() for name in trained if "projection" not in name)


def test_the_second_stage_leaves_the_decoder_alone(digits: Dataset) -> None:
    chosen = recipe("lattice", epochs=1, stage2__epochs=1, **TINY)
    model = build_model(chosen, digits.shape, seed=0)
    fresh, between = weights(model), {}
    trainer = Trainer(
        model,
        build_stages(chosen, model, digits.shape, seed=0),
        digits.train.images,
        seed=0,
        machine=Machine(threads=1),
    )
    for event in trainer.run():
        if isinstance(event, EpochEnded) and event.stage == 0:
            between = weights(model)
    for name, value in weights(model).items():
        later = name.startswith(("encoder", "posterior"))
        assert (between[name] != fresh[name]).any(), name
        assert (value == between[name]).all().item() is not later, name


def weights(model: Generative) -> dict[str, Tensor]:
    return {name: parameter.detach().clone() for name, parameter in model.named_parameters()}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"latent_dim": 16}, "latent_dim: expected 1 to 3 for the objective lattice"),
        ({"condition": "label"}, "objective: a lattice is decoded once for all images"),
    ],
)
def test_what_it_does_not_fit_is_refused_at_once(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        recipe("lattice", **changes)


def test_another_prior_than_the_normal_one_is_refused_before_the_first_step() -> None:
    chosen = recipe("lattice", prior="vamp")
    model = build_model(chosen, (8, 8, 1), seed=0)
    with pytest.raises(ArgumentError, match=r"objective: a lattice has the points of N\(0, I\)"):
        build_stages(chosen, model, (8, 8, 1), seed=0)
