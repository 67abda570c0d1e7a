"""Parts of other packages: given as objects and classes, never imported by what a file says."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import morphospace as ms
from morphospace.errors import ArgumentError, FileError
from morphospace.parts import allowed_parts, as_part, foreign_parts, option
from morphospace.recipes import Recipe, build_model, recipe_from_json
from morphospace.space import Space
from morphospace.vae import Prior, PriorConfig
from morphospace.vae.priors.normal import StandardNormalPrior

SHAPE = (8, 8, 1)
IMAGES = np.random.default_rng(0).integers(0, 256, (5, *SHAPE), np.uint8)


class Halves(nn.Module):
    """An encoder of somebody's own, which is made without arguments."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(64, 6)

    def forward(self, x: Tensor) -> Tensor:
        features: Tensor = self.layer(x.flatten(1))
        return features


class Sized(Halves):
    """One that is not."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.layer = nn.Linear(64, features)


class Weighed(StandardNormalPrior):
    """A prior with a configuration inside."""

    class Config(PriorConfig):
        """N(0, I) with a weight that nobody heeds."""

        weight: float = option("its weight", default=1.0, low=0)

        def build(self, latent_dim: int, shape: tuple[int, int, int]) -> Prior:
            """See :class:`PriorConfig`."""
            return Weighed(latent_dim)


def saved(recipe: Recipe, path: Path) -> Space:
    space = Space(build_model(recipe, SHAPE, seed=0), recipe, SHAPE)
    space.save(path)
    return space


@pytest.mark.parametrize("given", [Halves(), Sized(9)], ids=["plain", "sized"])
def test_a_space_of_somebodys_network_opens_with_it_and_says_how(given: nn.Module, tmp_path: Path) -> None:
    name = type(given).__name__
    space = saved(ms.recipe("quick", encoder=given), tmp_path / "s")
    with pytest.raises(FileError) as refused:
        ms.load(tmp_path / "s")
    words = str(refused.value)
    assert words.startswith("space: ")
    assert f'config.json names what is not there: "{__name__}:{name}" is a part of another package' in words
    assert f"from {__name__} import {name}; ms.load(path, parts=[{name}])" in words
    assert f"--allow {__name__.partition('.')[0]}" in words
    assert "damaged" not in words
    loaded = ms.load(tmp_path / "s", parts=[given])
    assert (loaded.encode(IMAGES).mean == space.encode(IMAGES).mean).all()
    if isinstance(given, Sized):
        with pytest.raises(
            FileError, match=r"Sized cannot be made without arguments .*an object that is made as it was"
        ):
            ms.load(tmp_path / "s", parts=[Sized])
        with pytest.raises(FileError, match=r"encoder\.layer\.bias: expected \(3,\), got \(9,\)"):
            ms.load(tmp_path / "s", parts=[Sized(3)])
    else:
        assert (ms.load(tmp_path / "s", parts=[Halves]).encode(IMAGES).mean == space.encode(IMAGES).mean).all()


def test_two_objects_of_one_class_are_told_apart_by_their_places(tmp_path: Path) -> None:
    """What is saved opens again, though both networks go by one name."""
    torch.manual_seed(0)
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, 5))
    decoder = nn.Sequential(nn.Linear(2, 64), nn.Unflatten(1, (1, 8, 8)))
    space = saved(ms.recipe("quick", encoder=encoder, decoder=decoder), tmp_path / "s")
    with pytest.raises(
        FileError, match=r'several of the given parts are a "torch\..*:Sequential".*parts=\{"encoder": '
    ):
        ms.load(tmp_path / "s", parts=[encoder, decoder])
    again = ms.load(tmp_path / "s", parts={"encoder": encoder, "decoder": decoder})
    assert (again.encode(IMAGES).mean == space.encode(IMAGES).mean).all()
    assert (again.decode([[1.0, 2.0]]) == space.decode([[1.0, 2.0]])).all()
    again.save(tmp_path / "t")
    assert (
        ms.load(tmp_path / "t", parts={"decoder": decoder, "encoder": encoder}).recipe.to_json()
        == again.recipe.to_json()
    )


def test_a_configuration_without_a_default_is_asked_for_its_value() -> None:
    class Bare(PriorConfig):
        weight: float

        def build(self, latent_dim: int, shape: tuple[int, int, int]) -> Prior:
            return StandardNormalPrior(latent_dim)

    with pytest.raises(ArgumentError, match=r'^prior: ".*Bare" does not know its weight, which has no default'):
        as_part("prior", Bare)


def test_a_class_with_a_configuration_is_known_by_it_and_keeps_its_values(tmp_path: Path) -> None:
    recipe = ms.recipe("quick", prior=Weighed, epochs=3)
    assert recipe.model.to_json()["prior"] == {"kind": f"{__name__}:Weighed", "weight": 1.0}
    recipe = ms.recipe("quick", prior=Weighed.Config(weight=0.25))
    plain = json.loads(json.dumps(recipe.to_json()))
    for parts in ([Weighed], [Weighed.Config], [Halves, Weighed]):
        assert recipe_from_json(plain, foreign_parts(parts)) == recipe
    saved(recipe, tmp_path / "s")
    assert ms.load(tmp_path / "s", parts=[Weighed]).recipe == recipe
    plain["model"]["prior"]["wait"] = 3
    with pytest.raises(ArgumentError, match=rf'^prior: "{__name__}:Weighed" has no key "wait". Did you mean "weight"'):
        recipe_from_json(plain, foreign_parts([Weighed]))


def test_what_is_given_is_copied() -> None:
    given = Halves()
    model: Any = build_model(ms.recipe("quick", encoder=given), SHAPE, seed=0)
    assert model.encoder is not given
    with torch.no_grad():
        model.encoder.layer.weight.zero_()
    assert given.layer.weight.abs().sum() > 0


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (
            Halves,
            r"expected an object, or a class with a Config inside, got the class Halves\. Make one: Halves\(\.\.\.\)",
        ),
        (Weighed.Config(), "expected a part for encoder, got one for prior"),
        (Weighed, "expected a part for encoder, got one for prior: Weighed"),
        (3, "expected a part, or the name of one, got 3"),
        ("mpl", 'there is no "mpl". Did you mean "mlp"'),
        ("somewhere:Net", '"somewhere:Net" is a part of another package, and is never imported by itself'),
    ],
)
def test_what_is_no_part_is_refused(value: object, words: str) -> None:
    with pytest.raises(ArgumentError, match=f"^encoder: {words}"):
        as_part("encoder", value)


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        (
            "encoder",
            nn.Identity(),
            r"encoder: expected it to turn images \(B, 1, 8, 8\) into features \(B, features\), got",
        ),
        ("encoder", nn.Linear(3, 3), r"encoder: Linear does not take what it is given here, shape \(2, 1, 8, 8\)"),
        (
            "decoder",
            nn.Linear(2, 64),
            r"decoder: expected it to turn latents \(B, 2\) into \(B, 1, 8, 8\), got shape \(2, 64\)",
        ),
        (
            "posterior",
            nn.Linear(128, 2),
            r"posterior: expected a part, or a Posterior, got Linear\. Make it a subclass of ",
        ),
        (
            "objective",
            nn.Linear(128, 2),
            r"objective: .*Objective, got Linear.*of morphospace\.vae\.interfaces\.Objective",
        ),
        ("prior", nn.Identity(), "prior: .* or a Prior, got Identity"),
        ("model", nn.Identity(), "model: .* or a Generative, got Identity"),
    ],
)
def test_parts_that_do_not_fit_are_found_before_the_first_step(name: str, given: nn.Module, words: str) -> None:
    with pytest.raises(ArgumentError, match=f"^{words}"):
        build_model(ms.recipe("quick", **{name: given}), SHAPE, seed=0)


def test_nothing_is_imported_but_what_somebody_allows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("allowed_there", "allowed_there_not"):
        (tmp_path / f"{package}.py").write_text(Path(__file__).read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    find = allowed_parts(["allowed_there"])
    assert find("allowed_there_not:Weighed") is None
    assert find("json:JSONDecoder") is None
    assert find("allowed_there") is None
    plain = ms.recipe("quick", prior=Weighed.Config(weight=0.25)).to_json()
    plain["model"]["prior"]["kind"] = "allowed_there_not:Weighed"
    with pytest.raises(ArgumentError, match=r"is never imported by itself"):
        recipe_from_json(plain, find)
    assert "allowed_there_not" not in sys.modules
    plain["model"]["prior"]["kind"] = "allowed_there:Weighed"
    found: Any = recipe_from_json(plain, find).model
    assert found.prior.weight == 0.25
    assert sys.modules.pop("allowed_there").__file__ == str(tmp_path / "allowed_there.py")
    for package in ("allowed_there.py", "./allowed_there", "allowed_there:Weighed", ""):
        with pytest.raises(ArgumentError, match=r"^allow: expected the name of a package, as Python imports it"):
            allowed_parts([package])
    for kind in ("allowed_there:Path", "allowed_there:torch.manual_seed", "allowed_there:IMAGES"):
        with pytest.raises(ArgumentError, match=r'^allow: ".*" is no class of the packages that are allowed'):
            find(kind)
    for kind in ("allowed_there:Nothing", "allowed_there.nowhere:Thing"):
        with pytest.raises(ArgumentError, match=f'^allow: cannot import "{kind}": .*Is it installed here'):
            find(kind)
    sys.modules.pop("allowed_there", None)
