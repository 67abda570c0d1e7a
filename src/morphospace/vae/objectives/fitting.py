"""Whether an objective that somebody brings can train a model: found by one step of two images, before the first."""

from __future__ import annotations

import copy
import functools
from typing import Any

import torch
from torch import Tensor

from morphospace.errors import ArgumentError
from morphospace.parts import Shape
from morphospace.vae.interfaces import Loss, Model, Objective, Player, Progress, turns_of
from morphospace.vae.models.fitting import asked, device_of, two_images
from morphospace.vae.optimisers import OptimiserConfig

__all__ = ["fitting_objective"]


def fitting_objective(objective: Objective, model: Model, shape: Shape, optimiser: OptimiserConfig) -> None:
    """Refuse an objective of somebody's own that no step can be taken by; nothing of it or the model changes.

    Args:
        objective: of any package; those of this one are tested elsewhere.
        model: that it is to train.
        shape: (C, H, W) of the images.
        optimiser: the stage's.

    Raises:
        ArgumentError: with what was expected of its players or its loss, and what came.
    """
    if type(objective).__module__.startswith(f"{__package__.split('.')[0]}."):
        return
    own, tried = copy.deepcopy((objective, model))
    with torch.random.fork_rng(devices=[]), device_of(tried):
        _one_step(own, tried, shape, optimiser)


def _one_step(objective: Objective, model: Model, shape: Shape, optimiser: OptimiserConfig) -> None:
    batch = two_images(model, shape)
    players = _players(objective, asked("objective", objective, "players", lambda: objective.players(model, optimiser)))
    generator = torch.Generator(batch.input.device).manual_seed(0)
    noise = asked("objective", objective, "noise", lambda: objective.noise(model, len(batch.input), generator))
    progress = Progress(torch.zeros(()), 1, len(batch.input))
    for name in players:
        step = functools.partial(objective, name, model, batch, noise, progress)
        loss = asked("objective", objective, "forward", step)
        _check_loss(f'for the player "{name}"', loss)


def _players(objective: Objective, players: Any) -> list[str]:
    """The names of the players who have a loss, each with parameters of its own."""
    if not isinstance(players, (tuple, list)) or not players or not all(isinstance(p, Player) for p in players):
        raise ArgumentError(
            f"expected one Player or more of {type(objective).__name__}.players, got {players!r:.60}.",
            argument="objective",
        )
    names = [player.name for player in players]
    if len(set(names)) < len(names):
        raise ArgumentError(f"expected players of different names, got {', '.join(names)}.", argument="objective")
    seen: set[int] = set()
    for player in players:
        own = {id(parameter) for parameter in player.parameters}
        if not own:
            raise ArgumentError(f'the player "{player.name}" has no parameters to train.', argument="objective")
        if own & seen:
            raise ArgumentError(
                f'the player "{player.name}" has parameters of another one. Each trains its own.', argument="objective"
            )
        seen |= own
    return [turn[0].name for turn in turns_of(players)]


def _check_loss(whose: str, loss: Any) -> None:
    if not isinstance(loss, Loss):
        raise ArgumentError(f"expected a Loss {whose}, got {type(loss).__name__}.", argument="objective")
    if not _is_number(loss.total) or not loss.total.requires_grad:
        raise ArgumentError(
            f"expected the total of the Loss {whose} to be one number with a gradient, got {_words(loss.total)}. Take "
            "the mean over images; what is detached does not train.",
            argument="objective",
        )
    for name, value in loss.parts.items():
        if not _is_number(value):
            raise ArgumentError(
                f'expected the part "{name}" of the Loss {whose} to be a tensor of one number, got {_words(value)}.',
                argument="objective",
            )


def _is_number(value: object) -> bool:
    return isinstance(value, Tensor) and not value.ndim


def _words(value: object) -> str:
    return f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
