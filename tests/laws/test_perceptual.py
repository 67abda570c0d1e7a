"""The perceptual objective is its formula, and its looks do what they are for."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from morphospace.features import Features, feature_network, looked_at, perceptual_distance
from morphospace.nn import MLPDecoder, MLPEncoder
from morphospace.training.loop import Step, gradients_of
from morphospace.vae import VAE, Adam, Batch, Gaussian, GaussianPosterior, Noise, Progress, StandardNormalPrior
from morphospace.vae.interfaces import turns_of
from morphospace.vae.objectives.perceptual import Perceptual

SHAPES = [(3, 16, 16), (1, 16, 24), (3, 40, 20)]
COUNT = 4


def vae(shape: tuple[int, int, int]) -> VAE:
    torch.manual_seed(0)
    model = VAE(
        MLPEncoder(shape, (16,)), GaussianPosterior(16, 3), StandardNormalPrior(3), MLPDecoder(3, shape, (16,)),
        Gaussian(learned=True),
    )  # fmt: skip
    for values in model.parameters():  # what starts at zero says nothing
        values.data += 0.05 * torch.randn(values.shape)
    return model


def perceptual(**settings: Any) -> Perceptual:
    torch.manual_seed(1)
    return Perceptual(feature_network("random"), **({"side": 16} | settings))


def step_of(objective: Perceptual, shape: tuple[int, int, int]) -> tuple[VAE, Batch, Noise]:
    model, generator = vae(shape), torch.Generator().manual_seed(2)
    x = torch.rand(COUNT, *shape, generator=generator)
    return model, Batch(x, x, torch.arange(COUNT)), objective.noise(model, COUNT, generator)


def at(step: float, total: int = 100) -> Progress:
    return Progress(torch.tensor(float(step)), total, 1)


@pytest.mark.parametrize("shape", SHAPES)
def test_its_parts_are_the_bounds_and_a_distance_for_each_value_of_an_image(shape: tuple[int, int, int]) -> None:
    objective = perceptual(distance=0.7)
    model, batch, noise = step_of(objective, shape)
    parts = objective("model", model, batch, noise, at(0)).parts
    terms = model.terms(batch, noise[:-1])
    q = model.infer(batch.input)
    assert q.scale is not None
    kl = torch.distributions.kl_divergence(
        torch.distributions.Normal(q.mean, q.scale), torch.distributions.Normal(0.0, 1.0)
    )
    torch.testing.assert_close(parts["reconstruction"], -terms.log_px.mean())
    torch.testing.assert_close(parts["kl"], kl.sum(1).mean())
    # The picture fills a window of 16 pixels, or is enlarged until its longer side does; and then up to 1.6 times.
    low = max(1.0, 16 / max(shape[1:]))
    made = model.expected(terms.reconstruction[0])
    windows = [looked_at(pictures, noise[-1], 16, low, 1.6 * low) for pictures in (batch.target, made)]
    distance = perceptual_distance(objective.network, *windows).mean()
    torch.testing.assert_close(parts["distance"], 0.7 * math.prod(shape) * distance)
    assert parts["distance"] > 0
    assert set(parts) == {"reconstruction", "distance", "kl"}


def test_a_grey_picture_weighs_a_third_of_the_same_in_colour() -> None:
    """n is the number of values of an image: the distance of pictures that look alike follows it."""
    grey, colour = (1, 16, 16), (3, 16, 16)
    objective = perceptual()
    model, batch, noise = step_of(objective, grey)
    of_grey = objective("model", model, batch, noise, at(0)).parts["distance"]

    class Coloured(VAE):
        def expected(self, values: Tensor) -> Tensor:
            return model.expected(values[:, :1]).expand(-1, 3, -1, -1)

        def terms(self, batch: Batch, noise: Noise) -> Any:
            found = model.terms(Batch(batch.input[:, :1], batch.target[:, :1], batch.index), noise)
            return found._replace(reconstruction=found.reconstruction.expand(-1, -1, 3, -1, -1))

    coloured = vae(colour)
    coloured.__class__ = Coloured
    wide = Batch(batch.input.expand(-1, 3, -1, -1), batch.target.expand(-1, 3, -1, -1), batch.index)
    of_colour = objective("model", coloured, wide, noise, at(0)).parts["distance"]
    torch.testing.assert_close(of_colour, 3 * of_grey)


@pytest.mark.parametrize(
    ("step", "risen", "heard"),
    [(0, 0.0, 0.0), (10, 0.5, 0.0), (20, 1.0, 0.0), (25, 1.0, 0.0), (28, 1.0, 0.3), (35, 1.0, 1.0), (100, 1.0, 1.0)],
)
def test_the_total_is_made_of_its_parts_and_of_where_training_stands(step: int, risen: float, heard: float) -> None:
    """The KL rises over ``anneal`` of all steps; the critic is heard from a share on, and fully a tenth later."""
    objective = perceptual(adversary=0.4, adversary_from=0.25, beta=3.0, anneal=0.2)
    loss = objective("model", *step_of(objective, (3, 16, 16)), at(step))
    parts = loss.parts
    assert set(parts) == {"reconstruction", "distance", "kl", "unreal", "critic"}
    assert parts["unreal"] != 0
    expected = parts["reconstruction"] + parts["distance"] + 3 * risen * parts["kl"] + heard * parts["unreal"]
    torch.testing.assert_close(loss.total, expected + parts["critic"])


def test_what_the_critic_finds_unreal_counts_for_each_value_of_an_image() -> None:
    objective = perceptual(adversary=0.4)
    model, batch, noise = step_of(objective, (3, 16, 16))
    parts = objective("model", model, batch, noise, at(0)).parts
    made = model.expected(model.terms(batch, noise[:-1]).reconstruction[0])
    real, made = (objective.network(looked_at(p, noise[-1], 16, 1.0, 1.6))[1:] for p in (batch.target, made))
    assert objective.critic is not None
    torch.testing.assert_close(parts["unreal"], -0.4 * 768 * objective.critic.realness(made))
    torch.testing.assert_close(parts["critic"], objective.critic.error(real, made))


def test_without_an_adversary_there_is_no_critic_and_nobody_else_plays() -> None:
    plain, with_critic = perceptual(adversary=0.0), perceptual(adversary=0.1)
    model, optimiser = vae((3, 16, 16)), Adam()
    assert plain.critic is None
    assert [player.name for player in plain.players(model, optimiser)] == ["model"]
    assert [*plain.parameters()] == [*plain.network.parameters()]
    players = with_critic.players(model, optimiser)
    assert [player.name for player in players] == ["model", "critic"]
    assert turns_of(players) == [list(players)]  # one turn: the critic joins the model's


def test_a_step_together_has_the_gradients_of_two_apart() -> None:
    """The critic's error has no gradient by the model, and nothing else has one by the critic."""
    objective = perceptual(adversary=0.4, beta=2.0)
    model, batch, noise = step_of(objective, (3, 16, 16))
    (turn,) = turns_of(objective.players(model, Adam()))
    of_model, of_critic = (player.parameters for player in turn)
    _, together = gradients_of(Step(model, objective))("model", [*of_model, *of_critic], batch, noise, at(100))
    total, parts = objective("model", model, batch, noise, at(100))
    alone = torch.autograd.grad(total - parts["critic"], of_model, retain_graph=True)
    critics = torch.autograd.grad(parts["critic"], of_critic)
    assert all(gradient.norm() > 0 for gradient in critics if gradient.ndim > 1)
    for found, expected in zip(together, (*alone, *critics), strict=True):
        assert found is not None
        torch.testing.assert_close(found, expected)
    # And the model feels the critic: without it its gradients are others.
    objective.adversary = 0.0
    _, deaf = gradients_of(Step(model, objective))("model", of_model, batch, noise, at(100))
    assert any(not torch.allclose(a, b) for a, b in zip(alone, deaf, strict=True) if b is not None)


def test_a_checkerboard_stays_where_nothing_moves_and_goes_where_looks_do() -> None:
    """Pictures that are made descend the distance to the real ones: what a strided network steps over stays in them."""
    layer = torch.nn.Conv2d(3, 4, 1, 2)
    layer.load_state_dict({"weight": torch.eye(4, 3)[..., None, None], "bias": torch.eye(4)[3]})  # colour, and a one
    blind, generator = Features([layer], read=(0,), least=1), torch.Generator().manual_seed(0)
    x = torch.nn.functional.interpolate(torch.rand(4, 3, 4, 4, generator=generator), size=(32, 32), mode="bicubic")
    board = torch.zeros(3, 32, 32)
    board[0, 1::2, ::2] = board[1, ::2, 1::2] = 0.2  # what a stride of two steps over

    def left(high: float) -> float:
        """The share of the board that is there after descent, by root of the mean square."""
        y = (x + board).requires_grad_()
        optimiser = torch.optim.Adam([y], 0.01)
        for _ in range(100):
            draws = torch.rand(4, 3, generator=generator) if high > 1 else torch.full((4, 3), 0.5)
            optimiser.zero_grad()
            seen = [looked_at(p, draws, 32, 1.0, high) for p in (x, y)]
            perceptual_distance(blind, *seen).sum().backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        return ((y - x).square().mean() / board.square().mean()).sqrt().item()

    assert left(1.0) > 0.99
    assert left(1.6) < 0.5
