"""Recipes: whichever way one is made, it means something; and they come back from JSON."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from morphospace.errors import ArgumentError
from morphospace.recipes import RECIPES, find_recipe, keys_of, recipe_from_json
from morphospace.recipes.migrations import FORMAT
from morphospace.vae import PointPosterior


def written(name: str = "quick") -> dict[str, Any]:
    """A recipe as it lies in a file."""
    found: dict[str, Any] = json.loads(json.dumps(find_recipe(name).to_json()))
    return found


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_comes_back_from_json(name: str) -> None:
    recipe = find_recipe(name)
    assert recipe_from_json(written(name)) == recipe
    small = recipe.for_images(300)
    assert recipe_from_json(json.loads(json.dumps(small.to_json()))) == small
    assert small.for_images(300) == small


def test_json_is_a_tree_of_parts_tagged_by_their_kind() -> None:
    quick = written()
    assert quick["format"] == FORMAT == 2
    assert quick["model"]["kind"] == "vae"
    assert quick["model"]["decoder"] == {
        "kind": "mlp", "widths": [256, 256, 256], "fourier": 16, "fourier_scale": 1.0,
    }  # fmt: skip
    assert quick["model"]["prior"] == {"kind": "normal"}
    assert [stage["objective"]["kind"] for stage in quick["stages"]] == ["elbo"]
    assert quick["sampler"] == {"kind": "prior"}


def test_what_is_missing_takes_its_default() -> None:
    """A key that came later is not in older files."""
    conv = written("conv")
    del conv["images"], conv["sampler"], conv["patience"], conv["stages"][0]["batch"], conv["stages"][0]["optimiser"]
    del conv["model"]["encoder"]["widths"], conv["model"]["likelihood"]["sigma"], conv["model"]["prior"]
    found = {name: key.value for name, key in keys_of(recipe_from_json(conv)).items()}
    expected = {
        "encoder.widths": (256, 256, 256), "decoder.widths": (64, 96, 128), "likelihood.sigma": 0.1, "batch": 256,
        "patience": 0, "images.augment": 0.0, "optimiser.learning_rate": 1e-3, "epochs": 17,
    }  # fmt: skip
    assert {name: found[name] for name in expected} == expected
    assert [found[name].kind for name in ("prior", "optimiser", "sampler")] == ["normal", "adam", "prior"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"spin": 3}, r"recipe: unknown keys \['spin'\], missing keys \[\]"),
        ({"format": 3}, "recipe: its format is 3, and this version reads 1 to 2. Install a newer one"),
        ({"format": "2"}, "recipe: its format is '2', and this version reads 1 to 2"),
        ({"stages": []}, "stages: expected one stage or more"),
        ({"stages": {}}, "stages: expected a list, got {}"),
        ({"stages": ["stage"]}, "stage: expected an object with a \"kind\", got 'stage'"),
        ({"model": None}, 'model: expected an object with a "kind", got None'),
        ({"model": {"kind": "vea"}}, 'model: there is no "vea". Did you mean "vae"'),
        ({"model": {"kind": "vae", "encodr": {}}}, 'model: "vae" has no key "encodr". Did you mean "encoder"'),
        ({"model": {"kind": "vae", "encoder": "mlp"}}, "encoder: expected an object with a \"kind\", got 'mlp'"),
        ({"model": {"kind": "vae", "encoder": {"kind": "mlp", "widths": 3}}}, "encoder.widths: expected whole numbers"),
        ({"images": {"kind": "images", "rotate": 200}}, "images.rotate: expected 0 to 180, got 200"),
        ({"name": 3}, "name: expected words, got 3"),
        ({"patience": 1.5}, "patience: expected a whole number, or none, got 1.5"),
        ({"patience": -1}, r"patience: expected 0 to 1e\+09, got -1"),
    ],
)
def test_what_is_unknown_or_damaged_is_an_error(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ArgumentError, match=f"^{words}"):
        recipe_from_json(written() | change)


@pytest.mark.parametrize("values", [None, [], "quick", 3])
def test_what_is_no_object_is_damaged(values: Any) -> None:
    with pytest.raises(ArgumentError, match=r"^recipe: expected an object, got "):
        recipe_from_json(values)


def test_what_a_recipe_cannot_do_without_is_missed() -> None:
    for key in ("name", "summary", "model", "stages"):
        values = {name: value for name, value in written().items() if name != key}
        with pytest.raises(ArgumentError, match=rf"^recipe: unknown keys \[\], missing keys \['{key}'\]"):
            recipe_from_json(values)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": 3}, "name: expected words, got 3"),
        ({"model": "vae"}, "model: expected a part, got 'vae'"),
        ({"sampler": PointPosterior.Config()}, "sampler: expected a part, got PointPosterior"),
        ({"stages": ()}, "stages: expected one stage or more"),
        ({"stages": [3]}, "stages: expected one stage or more"),
        ({"patience": True}, "patience: expected a whole number, or none, got True"),
        ({"model": find_recipe("autoencoder").model}, 'objective: a point has no KL.*`objective="reconstruction"`'),
        ({"stages": find_recipe("autoencoder").stages}, 'objective: it has no KL.*`posterior="point"`'),
    ],
)
def test_what_has_no_meaning_is_refused_however_it_is_said(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ArgumentError, match=f"^{words}"):
        dataclasses.replace(find_recipe("quick"), **change)
    plain = {key: getattr(value, "to_json", lambda v=value: v)() for key, value in change.items()}
    if "stages" in change:
        plain["stages"] = [stage.to_json() if stage != 3 else 3 for stage in change["stages"]]
    with pytest.raises(ArgumentError):
        recipe_from_json(written() | plain)


def test_parts_refuse_values_of_another_type() -> None:
    stage = find_recipe("quick").stages[0]
    with pytest.raises(ArgumentError, match=r"^stage\.batch: expected a whole number, got '64'"):
        stage.replace(batch="64")
    with pytest.raises(ArgumentError, match=r"^stage\.objective: expected one of book, elbo, .*, got 'elbo'"):
        stage.replace(objective="elbo")
    with pytest.raises(ArgumentError, match=r"^model\.encoder: expected one of .*, got MLPDecoder\.Config"):
        find_recipe("quick").model.replace(encoder=find_recipe("quick").model.decoder)  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        stage.batch = 3  # type: ignore[misc]
