"""Every key of a recipe means something, or is refused: however the recipe is made."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from morphospace.errors import ArgumentError
from morphospace.nn.mlp import MLPDecoder, MLPEncoder
from morphospace.parts import Shape, fields_of, kinds_of, option
from morphospace.recipes import RECIPES, Recipe, changed, find_recipe, is_key, keys_of, setting_pairs
from morphospace.vae import ELBO, PointPosterior, Prior, PriorConfig, Reconstruction
from morphospace.vae.priors.normal import StandardNormalPrior

SLOTS = ("encoder", "decoder", "posterior", "prior", "likelihood", "objective", "optimiser", "sampler")


class HeavyPrior(StandardNormalPrior):
    """A prior of somebody's own, with a key that objectives have too."""

    class Config(PriorConfig):
        """N(0, I) with a weight that nobody heeds."""

        beta: float = option("its weight", default=1.0, low=0, high=9)

        def build(self, latent_dim: int, shape: Shape) -> Prior:
            """See :class:`PriorConfig`."""
            return HeavyPrior(latent_dim)


def values_of(recipe: Recipe) -> dict[str, Any]:
    """Every key and its value; of a part its kind."""
    return {name: getattr(key.value, "kind", key.value) for name, key in keys_of(recipe).items()}


def text_of(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def test_a_key_goes_by_its_full_name_and_by_the_shortest_that_is_clear() -> None:
    quick = find_recipe("quick")
    for key in ("posterior.latent_dim", "latent_dim"):
        found = changed(quick, {key: "3"})
        assert found.latent_dim == 3
        assert values_of(found) == values_of(quick) | {"posterior.latent_dim": 3}
    assert values_of(changed(quick, {"encoder.widths": (64, 32)}))["encoder.widths"] == (64, 32)
    with pytest.raises(ArgumentError, match=r'^Widths: recipe "quick" has no key "Widths"\. Did you mean "widths"\?'):
        changed(quick, {"Widths": "8"})


@pytest.mark.parametrize(("key", "value"), [("widths", (8, 4)), ("network", "conv"), ("blocks", 3)])
def test_what_encoder_and_decoder_share_is_set_for_both(key: str, value: Any) -> None:
    conv = find_recipe("conv")
    full = [f"{side}.{key}" for side in ("encoder", "decoder")] if key != "network" else ["encoder", "decoder"]
    assert changed(conv, {key: value}) == changed(conv, dict.fromkeys(full, value))
    assert [values_of(changed(conv, {key: value}))[name] for name in full] == [value, value]
    only = changed(conv, {full[0]: "mlp" if key == "network" else text_of(value)})
    assert values_of(only)[full[1]] == values_of(conv)[full[1]], "the other one stays"


def test_a_key_that_several_parts_have_is_to_be_said_in_full() -> None:
    both = changed(find_recipe("quick"), {"prior": HeavyPrior.Config()})
    with pytest.raises(
        ArgumentError, match=r"^beta: several parts have one\. Say which: prior\.beta, objective\.beta\."
    ):
        changed(both, {"beta": "2"})
    assert values_of(changed(both, {"prior.beta": "2"})) == values_of(both) | {"prior.beta": 2.0}
    assert values_of(changed(both, {"objective.beta": "2"})) == values_of(both) | {"objective.beta": 2.0}


def test_keys_of_later_stages_have_their_number_in_front() -> None:
    quick = find_recipe("quick")
    two = dataclasses.replace(quick, stages=(*quick.stages, quick.stages[0].replace(epochs=2)))
    found = changed(two, {"stage2.epochs": 5, "stage2.objective.beta": "0.5", "beta": 3})
    assert [stage.epochs for stage in found.stages] == [6, 5]
    assert [stage.min_steps for stage in found.stages] == [1400, 0]
    assert [values_of(found)[key] for key in ("objective.beta", "stage2.objective.beta")] == [3, 0.5]
    with pytest.raises(ArgumentError, match="has no key"):
        changed(two, {"stage3.epochs": 5})


# What somebody may set, and what it has meant since version 0.1.
FORMER: list[tuple[str, str, str, dict[str, Any]]] = [
    ("quick", "encoder_widths", "8,4", {"encoder.widths": (8, 4)}),
    ("quick", "decoder_widths", "8,4", {"decoder.widths": (8, 4)}),
    ("quick", "sampling", "mixture", {"sampler": "mixture"}),
    ("book", "network", "mlp", {"encoder": "mlp", "decoder": "mlp"}),
    ("quick", "likelihood", "gaussian-learned", {"likelihood": "gaussian", "likelihood.learned": True}),
]


@pytest.mark.parametrize(("name", "key", "value", "meant"), FORMER, ids=[case[1] for case in FORMER])
def test_former_keys_and_values_stay(name: str, key: str, value: str, meant: dict[str, Any]) -> None:
    found = values_of(changed(find_recipe(name), {key: value}))
    assert meant.items() <= found.items()
    untouched = {k: v for k, v in values_of(find_recipe(name)).items() if not k.startswith(tuple(meant))}
    assert untouched.items() <= found.items()


@pytest.mark.parametrize(
    ("key", "word", "meant"),
    [("network", "cnn", "conv"), ("objective", "elb0", "elbo"), ("likelihood", "gausian", "gaussian")],
)
def test_a_word_that_no_part_has_is_refused_with_the_nearest(key: str, word: str, meant: str) -> None:
    with pytest.raises(ArgumentError, match=f'^{key.replace("network", "encoder")}: there is no "{word}"') as refused:
        changed(find_recipe("quick"), {key: word})
    assert f'Did you mean "{meant}"' in str(refused.value)


@pytest.mark.parametrize("slot", SLOTS)
@pytest.mark.parametrize("value", ["", "nothing-like-it", None, 3, ("elbo",), np.array(["mlp"])])
def test_all_places_are_closed(slot: str, value: Any) -> None:
    with pytest.raises(ArgumentError, match=f"^{slot}: (there is no .*Known: |expected a part, or the name of one)"):
        changed(find_recipe("conv"), {slot: value})


@pytest.mark.parametrize("slot", SLOTS)
def test_a_part_of_another_place_is_refused(slot: str) -> None:
    other = MLPDecoder.Config() if slot != "decoder" else MLPEncoder.Config()
    with pytest.raises(ArgumentError, match=f"^{slot}: expected a part for {slot}, got one for {other.slot}"):
        changed(find_recipe("quick"), {slot: other})


@pytest.mark.parametrize("key", ["decay", "flip"])
@pytest.mark.parametrize("value", ["", "nothing-like-it", None, 3, ("none",)])
def test_all_choices_are_closed(key: str, value: Any) -> None:
    with pytest.raises(ArgumentError, match=f"^{key}: there is no .*Known: none, "):
        changed(find_recipe("conv"), {key: value})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"batch": 64.0}, "batch: expected a whole number, got 64.0"),
        ({"batch": "64.0"}, 'batch: expected a whole number, got "64.0"'),
        ({"epochs": True}, "epochs: expected a whole number, got True"),
        ({"epochs": "many"}, 'epochs: expected a whole number, got "many"'),
        ({"epochs": -1}, r"epochs: expected 1 to 1e\+09, got -1"),
        ({"latent_dim": np.int64(3)}, "latent_dim: expected a whole number, got np.int64"),
        ({"latent_dim": 0}, "latent_dim: expected at least 1, got 0"),
        ({"learning_rate": "fast"}, 'learning_rate: expected a number, got "fast"'),
        ({"learning_rate": float("nan")}, "learning_rate: expected 1e-12 to 1000, got nan"),
        ({"learning_rate": None}, "learning_rate: expected a number, got None"),
        ({"beta": False}, "beta: expected a number, or none, got False"),
        ({"beta": float("nan")}, r"beta: expected 0 to 1e\+09, got nan"),
        ({"anneal": 1.5}, "anneal: expected 0 to 1, got 1.5"),
        ({"patience": 1.5}, "patience: expected a whole number, or none, got 1.5"),
        ({"patience": -1}, r"patience: expected 0 to 1e\+09, got -1"),
        ({"binarize": 1}, "binarize: expected true or false, got 1"),
        ({"binarize": "maybe"}, 'binarize: expected true or false, got "maybe"'),
        ({"widths": ()}, r"widths: expected whole numbers like 256,128, got \(\)"),
        ({"widths": "64,0"}, "widths: expected 1 to 1048576, got 0"),
        ({"decoder.widths": (True,)}, r"decoder\.widths: expected whole numbers like 256,128, got \(True,\)"),
        ({"decoder.widths": (10**9,), "encoder.widths": (3,)}, r"decoder\.widths: expected 1 to 1048576, got 1000000"),
        ({"trains": (1,)}, r"trains: expected words like model,prior, got \(1,\)"),
        ({"posterior": "point"}, 'objective: a point has no KL.*`objective="reconstruction"`'),
        (
            {"objective": "reconstruction"},
            'objective: it has no KL.*`posterior="point"`, or keep `objective="elbo"` with `beta=0`',
        ),
    ],
)
def test_a_value_of_another_type_or_out_of_range_or_without_meaning_is_refused(change: Any, words: str) -> None:
    with pytest.raises(ArgumentError, match=f"^{words}"):
        changed(find_recipe("quick"), change)


# A key, a recipe that has a use for it, one that has none, a value that it does not stand at, and why it is of no use.
UNUSED: list[tuple[str, str, str, Any, str]] = [
    ("encoder.widths", "quick", "book", (8,), "of encoders, only conv and mlp have it, and encoder is book"),
    ("decoder.widths", "conv", "book", (8,), "of decoders, only conv and mlp have it, and decoder is book"),
    ("encoder.blocks", "conv", "quick", 2, "of encoders, only conv has it, and encoder is mlp"),
    ("decoder.blocks", "conv", "quick", 2, "of decoders, only conv has it, and decoder is mlp"),
    ("decoder.fourier", "quick", "conv", 4, "of decoders, only mlp has it, and decoder is conv"),
    ("decoder.fourier_scale", "quick", "conv", 2.0, "of decoders, only mlp has it, and decoder is conv"),
    ("decoder.fourier_scale", "quick", "editing", 2.0, "it changes nothing without fourier, which is 0"),
    (
        "posterior.log_var",
        "quick",
        "autoencoder",
        -1.0,
        "of posteriors, only .*gaussian.* ha.*, and posterior is point",
    ),
    ("likelihood.sigma", "conv", "quick", 0.2, "of likelihoods, only .*gaussian.* ha.*, and likelihood is bernoulli"),
    ("likelihood.learned", "conv", "quick", False, "of likelihoods, only .*gaussian.*, and likelihood is bernoulli"),
    (
        "objective.beta",
        "book",
        "autoencoder",
        2.0,
        "of objectives, only elbo.* have it, and objective is reconstruction",
    ),
    ("objective.samples", "quick", "book", 2, "of objectives, only elbo.* ha.* it, and objective is book"),
    (
        "objective.l1",
        "sparse-autoencoder",
        "quick",
        0.1,
        "of objectives, only .*reconstruction.* has it, and objective is",
    ),
    ("objective.anneal", "sparse-autoencoder", "autoencoder", 0.3, "it changes nothing without l1, which is 0"),
    ("optimiser.beta1", "quick", "book", 0.5, "of optimisers, only adam.* ha.* it, and optimiser is rmsprop"),
]


@pytest.mark.parametrize(("key", "user", "other", "value", "why"), UNUSED, ids=[f"{c[0]}-{c[2]}" for c in UNUSED])
def test_a_key_of_no_use_is_refused_and_says_who_uses_it(key: str, user: str, other: str, value: Any, why: str) -> None:
    both = why.replace("decoder", "(en|de)coder")  # the short name means both
    for name, because in ((key, why), (key.rpartition(".")[2], both)):
        assert values_of(changed(find_recipe(user), {name: text_of(value)}))[key] == value
        for said in (value, text_of(value)):
            with pytest.raises(ArgumentError, match=rf"^{name}: {because}.*Leave it out"):
                changed(find_recipe(other), {name: said})


@pytest.mark.parametrize(("key", "recipe"), [("fourier_scale", "editing"), ("anneal", "autoencoder")])
def test_said_is_said_even_where_it_stands_there_anyway(key: str, recipe: str) -> None:
    full = next(name for name in keys_of(find_recipe(recipe)) if name.endswith(f".{key}"))
    with pytest.raises(ArgumentError, match=rf"^{key}: it changes nothing without .*Leave it out"):
        changed(find_recipe(recipe), {key: text_of(values_of(find_recipe(recipe))[full])})


def test_a_part_by_itself_refuses_what_changes_nothing() -> None:
    with pytest.raises(
        ArgumentError, match=r"^objective\.anneal: .*without l1, which is 0\.0\. .*, or at 0\.0; got 0\.3"
    ):
        Reconstruction.Config(anneal=0.3)
    with pytest.raises(ArgumentError, match=r"^decoder\.fourier_scale: .*Leave it out, or at 1\.0; got 2\.0\."):
        MLPDecoder.Config(fourier_scale=2.0)
    with pytest.raises(ArgumentError, match=r"^sampler: a posterior that is a point has no prior to sample from"):
        dataclasses.replace(find_recipe("autoencoder"), sampler=find_recipe("quick").sampler)
    with pytest.raises(ArgumentError, match=r"^sampler: a posterior that is a point has no prior to sample from"):
        changed(find_recipe("autoencoder"), {"sampling": "prior"})


def test_keys_that_need_each_other_come_in_any_order() -> None:
    editing = find_recipe("editing")
    changes = {"fourier_scale": "2.0", "fourier": "4"}
    found = changed(editing, changes)
    assert found == changed(editing, dict(reversed(changes.items())))
    expected = {"decoder.fourier": 4, "decoder.fourier_scale": 2.0}
    assert values_of(found) == values_of(editing) | expected
    # What loses its use lets go, unless somebody asks for it.
    assert values_of(changed(found, {"fourier": 0})) == values_of(editing)
    assert values_of(changed(find_recipe("sparse-autoencoder"), {"l1": 0}))["objective.anneal"] == 0
    with pytest.raises(ArgumentError, match=r"^anneal: it changes nothing without l1, which is 0\.0\. Leave it out\."):
        changed(find_recipe("sparse-autoencoder"), {"anneal": "0.5", "l1": "0"})
    # Parts come before what they hold.
    changes = {"blocks": "3", "network": "conv", "l1": "0.25", "objective": "reconstruction", "posterior": "relu"}
    found = changed(find_recipe("quick"), changes)
    assert found == changed(find_recipe("quick"), dict(reversed(changes.items())))
    assert [values_of(found)[key] for key in ("encoder.blocks", "decoder.blocks", "objective.l1")] == [3, 3, 0.25]


@pytest.mark.parametrize("name", RECIPES)
def test_every_key_is_in_use_where_it_stands(name: str) -> None:
    """Whatever a recipe's keys say may be said again, as text and as a value, and changes nothing."""
    recipe = find_recipe(name)
    for key, there in keys_of(recipe).items():
        if there.field is None or there.field.slot or (there.field.needs and not there.value):
            continue
        if there.field.needs and values_of(recipe)[f"{key.rpartition('.')[0]}.{there.field.needs}"] == 0:
            continue
        stage, _, last = key.rpartition(".")
        along = {"epochs": ("min_steps", 0), "batch": ("least_batch", there.value)}.get(last)
        expected = values_of(recipe)
        if along is not None:
            expected[f"{stage}.{along[0]}".lstrip(".")] = along[1]
        for said in (there.value, text_of(there.value)):
            if last != "trains" or said:  # nothing cannot be typed
                assert values_of(changed(recipe, {key: said})) == expected, key


def test_another_part_keeps_what_both_have_and_lets_go_of_the_rest() -> None:
    recipe = changed(find_recipe("quick"), {"network": "conv"})
    assert values_of(recipe)["encoder.widths"] == (128, 128, 128)
    assert "decoder.fourier" not in values_of(recipe)
    back = changed(recipe, {"network": "mlp"})
    assert [values_of(back)[f"decoder.{key}"] for key in ("fourier", "fourier_scale")] == [0, 1.0]
    point = changed(find_recipe("quick"), {"posterior": "point", "objective": "reconstruction"})
    assert [values_of(point)[key] for key in ("sampler", "objective.anneal")] == ["mixture", 0.0]
    rms = changed(find_recipe("quick"), {"optimiser": "rmsprop"})
    assert values_of(rms)["optimiser.learning_rate"] == 8e-3
    # A configuration is taken as it is.
    assert changed(find_recipe("quick"), {"objective": ELBO.Config()}).stages[0].objective == ELBO.Config(anneal=0.0)
    assert (
        changed(
            find_recipe("editing"), {"posterior": PointPosterior.Config(), "objective": "reconstruction"}
        ).latent_dim
        == 2
    )


def test_epochs_and_batches_that_are_asked_for_are_what_one_gets() -> None:
    """``min_steps`` and ``least_batch`` would make others of them, unless somebody asks for these, too."""
    minute = find_recipe("minute")
    assert changed(minute, {"epochs": 3, "batch": 100}).for_images(400).epochs == 3
    assert changed(minute, {"epochs": 3, "batch": 100}).for_images(400).batch == 100
    both = changed(minute, {"epochs": 3, "min_steps": 900, "batch": 100, "least_batch": 50})
    assert (both.stages[0].min_steps, both.stages[0].least_batch) == (900, 50)


def test_every_key_of_every_part_is_known_as_one() -> None:
    for slot in (*SLOTS, "stage", "images"):
        for part in kinds_of(slot).values():
            for field in fields_of(part):
                assert is_key(field.name), field.name
                assert is_key(f"{slot}.{field.name}"), field.name
    assert all(map(is_key, (*SLOTS, "network", "sampling", "encoder_widths", "patience")))
    assert not any(map(is_key, ("images", "seed", "name", "kind", "format")))


def test_pairs_are_texts_with_an_equals_sign() -> None:
    assert setting_pairs(["epochs=3", " beta = 0.5", "epochs=4"]) == {"epochs": "4", "beta": "0.5"}
    with pytest.raises(ArgumentError, match=r'^settings: expected key=value, like epochs=20, got "epochs"'):
        setting_pairs(["epochs"])


def test_the_command_says_it_in_a_line(morpho: Callable[..., Any]) -> None:
    ran = morpho("train", "digits", "--recipe", "book", "--set", "widths=8")
    assert ran.code == 2
    assert "--set widths: of encoders, only conv and mlp have it, and encoder is book. Leave it out" in ran.err
