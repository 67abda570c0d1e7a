"""What is built from a recipe is tried before the first step, and refused in words."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from tests.own import Adversarial
from torch import Tensor, nn

import morphospace as ms
from morphospace import extending as ext
from morphospace.errors import ArgumentError
from morphospace.recipes import build_model, build_stages

SHAPE = (8, 8, 1)


class Linear(ext.Generative):
    """The least that spaces ask for: two latents, by one layer each way, without a density."""

    latent_dim, has_density, has_bound, normal_prior, likelihood_name = 2, False, False, False, "squares"

    def __init__(self) -> None:
        super().__init__()
        self.down, self.up = nn.Linear(64, 2), nn.Linear(2, 64)

    def noise(self, k: int, batch: int, generator: torch.Generator) -> ext.Noise:
        """None."""
        return ()

    def encode(self, x: Tensor, condition: Tensor | None = None) -> ext.Code:
        """Points."""
        return ext.Code(self.down(x.flatten(1)), None)

    def image(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """By a sigmoid."""
        return torch.sigmoid(self.up(z)).reshape(*z.shape[:-1], 1, 8, 8)

    def log_likelihood(self, z: Tensor, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Minus half the squares."""
        return -0.5 * (self.image(z) - x).square().sum((-3, -2, -1))

    def figures(self, batch: ext.Batch, noise: ext.Noise) -> dict[str, Tensor]:
        """The squares alone."""
        return {"reconstruction": -self.log_likelihood(self.encode(batch.input).mean[None], batch.target)[0]}


class Squares(ext.Objective):
    """What trains it."""

    def forward(self, player: str, model: Any, batch: ext.Batch, noise: ext.Noise, progress: ext.Progress) -> ext.Loss:
        """The mean of its figures."""
        loss = model.figures(batch, noise)["reconstruction"].mean()
        return ext.Loss(loss, {"reconstruction": loss})


def without(**changes: Any) -> Linear:
    """The model with something else in a place."""
    found: Linear = type("Changed", (Linear,), changes)()
    return found


def test_a_model_that_answers_what_spaces_ask_is_trained_and_opened(tmp_path: Any) -> None:
    images = (torch.rand(40, 8, 8, generator=torch.Generator().manual_seed(0)) * 255).byte().numpy()
    recipe = ms.recipe("autoencoder", model=Linear(), objective=Squares(), epochs=1)
    space = ms.train(images, recipe)
    space.save(tmp_path / "s")
    for part in (Linear, Linear()):
        again = ms.load(tmp_path / "s", parts=[part, Squares])
        assert (again.encode(images[:3]).mean == space.encode(images[:3]).mean).all()
        assert again.sample(3, seed=0).shape == (3, 8, 8, 1)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (without(encode=ext.Generative.encode), "Changed has no encode yet. Write it."),
        (without(encode=lambda self, x, c=None: self.down(x.flatten(1))), "expected a Code of its encode, got Tensor"),
        (
            without(encode=lambda self, x, c=None: ext.Code(x.flatten(1), None)),
            "expected its encode(x).mean to be of shape (2, 2), got shape (2, 64)",
        ),
        (
            without(has_density=True),
            "expected its encode(x).scale, as it has a density, to be of shape (2, 2), got NoneType",
        ),
        (
            without(image=lambda self, z, c=None: self.up(z)),
            "expected its image(z) to be of shape (2, 1, 8, 8), got shape (2, 64)",
        ),
        (
            without(image=lambda self, z, c=None: 3 + 0 * Linear.image(self, z)),
            "expected its image(z) within 0 to 1, got 3 to 3",
        ),
        (without(has_bound=True, normal_prior=True), "Changed has no sample yet. Write it."),
        (
            without(noise=lambda self, k, b, g: (torch.zeros(b, k),)),
            "expected each part of its noise(k, batch, generator) to begin with (3, 2), got shape (2, 3)",
        ),
        (
            without(figures=lambda self, b, n: {"kl": torch.zeros(())}),
            'expected its figures(batch, noise)["kl"] to be of shape (2,), got shape ()',
        ),
        (
            without(log_likelihood=lambda self, z, x, c=None: z @ x),
            "Changed.log_likelihood failed for two images: RuntimeError",
        ),
    ],
)
def test_a_model_that_does_not_answer_is_refused_by_what_it_lacks(model: Linear, words: str) -> None:
    with pytest.raises(ArgumentError, match=f"^model: {re.escape(words)}"):
        build_model(ms.recipe("autoencoder", model=model, objective=Squares()), SHAPE, seed=0)


def test_a_model_that_says_nothing_of_itself_is_refused_in_words() -> None:
    with pytest.raises(ArgumentError, match=r"^model: Generative does not say its \w+\. Write it as a property"):
        ms.recipe("autoencoder", model=ext.Generative(), objective=Squares())


def loss_of(*, total: Any = None, parts: Any = None, players: Any = None) -> ext.Objective:
    """An objective with something else in a place."""

    def forward(self: Any, player: str, model: Any, batch: ext.Batch, noise: ext.Noise, progress: Any) -> Any:
        own = -model.terms(batch, noise).log_px.mean()
        return ext.Loss(own if total is None else total(own), parts or {})

    changes = {"forward": forward} | ({} if players is None else {"players": players})
    found: ext.Objective = type("Changed", (ext.Objective,), changes)()
    return found


def twice(self: Any, model: nn.Module, optimiser: Any) -> tuple[ext.Player, ...]:
    return tuple(ext.Player(name, list(model.parameters()), optimiser) for name in ("one", "two"))


@pytest.mark.parametrize(
    ("objective", "words"),
    [
        (type("Empty", (ext.Objective,), {})(), "Empty has no forward yet. Write it."),
        (loss_of(players=lambda s, m, o: ()), "expected one Player or more of Changed.players, got ()"),
        (
            loss_of(players=lambda s, m, o: (*twice(s, m, o)[:1],) * 2),
            "expected players of different names, got one, one",
        ),
        (loss_of(players=twice), 'the player "two" has parameters of another one'),
        (loss_of(players=lambda s, m, o: (ext.Player("one", [], o),)), 'the player "one" has no parameters to train'),
        (
            loss_of(total=lambda own: own.detach()),
            'expected the total of the Loss for the player "model" to be one number with a gradient',
        ),
        (
            loss_of(total=lambda own: own.expand(2)),
            'expected the total of the Loss for the player "model" to be one number with a gradient, got shape (2,)',
        ),
        (
            loss_of(parts={"kl": 1.0}),
            'expected the part "kl" of the Loss for the player "model" to be a tensor of one number, got float',
        ),
        (loss_of(total=lambda own: own.nothing), "Changed.forward failed for two images: AttributeError"),
    ],
)
def test_an_objective_that_takes_no_step_is_refused_by_what_it_lacks(objective: Any, words: str) -> None:
    recipe = ms.recipe("quick", objective=objective)
    model = build_model(recipe, SHAPE, seed=0)
    with pytest.raises(ArgumentError, match=f"^objective: {re.escape(words)}"):
        build_stages(recipe, model, SHAPE, seed=0)


def test_trying_changes_nothing() -> None:
    recipe = ms.recipe("quick", objective=Adversarial)
    model = build_model(recipe, SHAPE, seed=0)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    torch.manual_seed(5)
    build_stages(recipe, model, SHAPE, seed=0)
    drawn = torch.rand(3)
    torch.manual_seed(5)
    assert torch.equal(drawn, torch.rand(3)), "nor anybody's random numbers"
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())
