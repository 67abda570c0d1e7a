"""Which recipe trains."""

from __future__ import annotations

from pathlib import Path

import pytest

from morphospace.errors import ArgumentError, FileError
from morphospace.features import weights_are_here
from morphospace.features.weights import Weights
from morphospace.space import Space
from morphospace.workflow import choose_polish, choose_recipe, epochs_note


def test_a_key_of_either_default_recipe_waits_until_the_images_are_known() -> None:
    kinds = [
        choose_recipe("auto", shape=None, settings=settings).model.to_json()["decoder"]["kind"]
        for settings in ({"blocks": 2}, {"fourier": 4}, {})
    ]
    assert kinds == ["conv", "mlp", "mlp"]
    with pytest.raises(ArgumentError, match=r"^blocks: of encoders, only conv has it, and encoder is mlp"):
        choose_recipe("auto", shape=(28, 28, 1), settings={"blocks": 2})
    with pytest.raises(ArgumentError, match="Did you mean"):
        choose_recipe("auto", shape=None, settings={"blocs": 2})


def test_epochs_of_several_stages_are_said_to_be_of_the_first() -> None:
    assert epochs_note(choose_recipe("vq", shape=(8, 8, 1), epochs=2), 2) == [
        "`epochs=2` is of the first stage alone; `stage2.epochs` decides on what comes after it"
    ]
    assert not epochs_note(choose_recipe("quick", shape=(8, 8, 1), epochs=2), 2)
    assert not epochs_note(choose_recipe("vq", shape=(8, 8, 1)), None)


def test_a_model_of_ones_own_keeps_the_plain_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Weights, "check_here", lambda _: Path())
    assert choose_recipe("auto", shape=(64, 64, 3)).name == "photo"
    assert choose_recipe("auto", shape=(64, 64, 3), settings={"model": "ladder"}).name == "conv"


def test_a_key_that_photo_alone_has_waits_until_the_images_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Weights, "check_here", lambda _: Path())
    assert choose_recipe("auto", shape=None, settings={"look": "32"}).name == "photo"
    assert choose_recipe("auto", shape=None, settings={"blocks": "1"}).name == "conv"


@pytest.mark.skipif(not weights_are_here("efficientnet-lite0"), reason="needs the extra features")
def test_the_default_of_photographs_is_photo_where_the_extra_is() -> None:
    assert choose_recipe("auto", shape=(64, 64, 3)).name == "photo"


def test_a_polish_without_its_network_is_refused_before_pictures_are_prepared(
    space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(weights: Weights) -> Path:
        raise FileError(f"no {weights.name}.", argument="features")

    monkeypatch.setattr(Weights, "check_here", missing)
    with pytest.raises(FileError, match=r"^features: no efficientnet-lite0\.$"):
        choose_polish(space)
    assert choose_polish(space, features="random").stages[0].epochs == 5
