"""Parts: frozen, checked, known by slot and kind, and plain JSON."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

import pytest

from morphospace.errors import ArgumentError
from morphospace.nn.mlp import MLPDecoder, MLPEncoder
from morphospace.parts import Part, fields_of, kinds_of, option, part_from_json
from morphospace.vae import VAE, Adam, Gaussian, GaussianPosterior, Prior, PriorConfig, StandardNormalPrior


class Shifted(PriorConfig):
    """A part of one's own, which holds another."""

    inside: PriorConfig = option("what is shifted", default=StandardNormalPrior.Config())
    shift: float = option("by how much", default=0.5, low=-1, high=1)
    way: Literal["up", "down"] = option("where to", default="up")
    turns: tuple[int, ...] = option("so often", default=(1,), low=1)
    slowly: bool = option("at which pace", default=False)
    pace: int | None = option("how slowly", default=None, low=1, needs="slowly")

    def build(self, latent_dim: int, shape: tuple[int, int, int]) -> Prior:
        """See :class:`PriorConfig`."""
        return self.inside.build(latent_dim, shape)


def own(kind: str) -> type[Part] | None:
    return Shifted if kind == Shifted.kind else None


def test_a_part_of_another_package_is_not_among_the_kinds() -> None:
    assert (Shifted.slot, Shifted.kind) == ("prior", f"{__name__}:Shifted")
    assert Shifted not in kinds_of("prior").values()
    assert kinds_of("encoder")["mlp"] is MLPEncoder.Config
    assert kinds_of("model")["vae"] is VAE.Config


def test_a_second_part_of_a_kind_is_a_mistake_of_its_author() -> None:
    with pytest.raises(TypeError, match=r'^there are two parts of kind "normal" for the slot "prior"'):

        class Other(PriorConfig, kind="normal"):
            pass

    assert kinds_of("prior")["normal"].__qualname__ == "StandardNormalPrior.Config"


def test_parts_are_frozen_values() -> None:
    one = Shifted(shift=0.25)
    assert one == Shifted(shift=0.25) != Shifted()
    assert hash(one) == hash(Shifted(shift=0.25))
    assert one.replace(way="down") == Shifted(shift=0.25, way="down")
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.shift = 1.0  # type: ignore[misc]
    with pytest.raises(TypeError, match="positional"):
        Shifted(0.25)  # type: ignore[call-arg, arg-type]


def test_fields_say_what_may_stand_there() -> None:
    words = {field.name: field.words for field in fields_of(Shifted)}
    assert words.pop("inside").startswith("one of autoregressive, normal, ")
    assert words == {
        "shift": "a number, -1 to 1",
        "way": "up or down",
        "turns": "whole numbers like 256,128, at least 1",
        "slowly": "true or false",
        "pace": "a whole number, or none, at least 1",
    }
    assert [(field.text, field.default, field.needs) for field in fields_of(Shifted)][-1] == (
        "how slowly",
        None,
        "slowly",
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"shift": "1"}, "shift: expected a number, got '1'"),
        ({"shift": 1.5}, "shift: expected -1 to 1, got 1.5"),
        ({"shift": float("nan")}, "shift: expected -1 to 1, got nan"),
        ({"shift": True}, "shift: expected a number, got True"),
        ({"way": "upp"}, r'way: there is no "upp". Did you mean "up"\? Known: up, down'),
        ({"turns": [1]}, r"turns: expected whole numbers like 256,128, got \[1\]"),
        ({"turns": ()}, r"turns: expected whole numbers like 256,128, got \(\)"),
        ({"turns": (1, 0)}, "turns: expected at least 1, got 0"),
        ({"slowly": 1}, "slowly: expected true or false, got 1"),
        ({"pace": 0, "slowly": True}, "pace: expected at least 1, got 0"),
        ({"pace": 3}, "pace: it changes nothing without slowly, which is False. Leave it out, or at None; got 3"),
        ({"inside": "normal"}, "inside: expected one of .*normal.*, got 'normal'"),
        ({"inside": MLPEncoder.Config()}, "inside: expected one of .*normal.*, got MLPEncoder.Config"),
    ],
)
def test_what_may_not_stand_there_is_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ArgumentError, match=rf"^prior\.{words}"):
        Shifted(**change)


def test_json_is_tagged_and_comes_back() -> None:
    whole = Shifted(shift=-1, turns=(3, 2), inside=Shifted(way="down"))
    plain = whole.to_json()
    assert (plain["kind"], plain["turns"], plain["inside"]["way"]) == (Shifted.kind, [3, 2], "down")
    assert plain["inside"]["inside"] == {"kind": "normal"}
    assert part_from_json("prior", plain, own) == whole
    assert part_from_json("prior", {"kind": Shifted.kind}, own) == Shifted(), "what is missing takes its default"
    for slot, part in {"encoder": MLPEncoder.Config(), "likelihood": Gaussian.Config(learned=True)}.items():
        assert part_from_json(slot, part.to_json()) == part


@pytest.mark.parametrize(
    ("slot", "values", "words"),
    [
        ("encoder", None, 'encoder: expected an object with a "kind", got None'),
        ("encoder", {"widths": [3]}, 'encoder: expected an object with a "kind", got '),
        ("encoder", {"kind": ["mlp"]}, 'encoder: expected an object with a "kind", got '),
        ("encoder", {"kind": "mpl"}, r'encoder: there is no "mpl". Did you mean "mlp"\? Known: .*mlp'),
        ("encoder", {"kind": "mlp", "width": [3]}, r'encoder: "mlp" has no key "width". Did you mean "widths"\? Known'),
        ("encoder", {"kind": "mlp", "widths": [3.5]}, r"encoder\.widths: expected whole numbers like 256,128, got"),
        ("optimiser", {"kind": "adam", "beta1": None}, r"optimiser\.beta1: expected a number, got None"),
        ("encoder", {"kind": "gaussian"}, 'encoder: there is no "gaussian"'),
    ],
)
def test_json_of_no_part_is_refused(slot: str, values: Any, words: str) -> None:
    with pytest.raises(ArgumentError, match=f"^{words}"):
        part_from_json(slot, values)


def test_parts_in_parts_are_found() -> None:
    model = VAE.Config(posterior=GaussianPosterior.Config(latent_dim=5))
    assert [name for name, _ in model.parts()] == ["encoder", "decoder", "posterior", "prior", "likelihood"]
    assert dict(model.parts())["decoder"] == MLPDecoder.Config()
    assert list(Adam().parts()) == []
