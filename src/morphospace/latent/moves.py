"""Moves along concepts: several at once, others kept as they are, as far as wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from morphospace.errors import ArgumentError, did_you_mean
from morphospace.latent.concepts import Concept

__all__ = ["Strength", "move"]

Points = NDArray[np.float32]
Numbers = NDArray[np.float64]
Strength = float | Numbers

_STEPS = 8
_APART = 0.05  # of the determinant, which is 1 for concepts that have nothing in common
_RIDGE = 0.01
_BEYOND = 0.25  # strengths past the values of the examples


def move(
    z: Points,
    concepts: Mapping[str, Concept],
    strengths: Mapping[str, Strength],
    keep: Sequence[str] | Mapping[str, Strength] = (),
) -> Points:
    r"""Move latents along several concepts at once.

    Along directions alone it is :math:`z + \sum_i s_i d_i`. Along fields it takes 8 steps, each with the slopes of
    half-way, and each as long as the reading there still misses the wanted one, which is
    none far beyond those of the examples. With ``keep`` the ways
    :math:`d_b` of all concepts, moved and kept, are mixed at each step so that of the readings :math:`g_a` the moved
    ones change as asked and the kept ones not at all: :math:`\sum_b (g_a \cdot d_b) m_b = s_a`, or 0.

    Args:
        z: (N, d).
        concepts: of the space, by name.
        strengths: for each name one for all, or (N,).
        keep: the names of concepts that are to stay as they are; or how far each is to be brought back.

    Raises:
        ArgumentError: for an unknown concept, a strength that is not finite, a concept both moved and kept, or concepts
            too much alike to keep one while another moves.

    Example:
        >>> right = Concept(name="right", direction=np.array([1, 0], np.float32))
        >>> move(np.zeros((1, 2), np.float32), {"right": right}, {"right": 2.0}).tolist()
        [[2.0, 0.0]]
    """
    kept = dict(keep) if isinstance(keep, Mapping) else dict.fromkeys(keep, 0.0)
    for name in (*strengths, *kept):
        if name not in concepts:
            raise ArgumentError(
                f'this space has no concept "{name}". {did_you_mean(name, concepts)} '
                "Learn one: morpho concept learn SPACE NAME --data DATA --label L",
                argument="strengths",
            )
        if name in keep and name in strengths:
            raise ArgumentError(f'"{name}" is to be moved; it cannot be kept too.', argument="keep")
        if not np.isfinite(strengths.get(name, 0.0)).all():
            raise ArgumentError(f'expected a finite strength of "{name}", got {strengths[name]}.', argument="strengths")
    wanted = [
        (concepts[name], np.broadcast_to(np.asarray(strength, np.float64), len(z)))
        for name, strength in (*strengths.items(), *kept.items())
    ]
    here = z.astype(np.float64)
    if not kept and not any(concept.follows for concept, _ in wanted):
        for concept, strength in wanted:
            here += strength[:, None] * concept.direction
        return here.astype(np.float32)
    if kept:
        _check_apart([concept for concept, _ in wanted])
    goals = [_goal(concept, concept.at(here)[2], strength) for concept, strength in wanted]
    for left in range(_STEPS, 0, -1):
        # By the midpoint rule: the slopes of half-way lead along a curve, those of the start off it.
        middle = here + _step(here, wanted, goals, left, mixed=bool(kept)) / 2
        here += _step(middle, wanted, goals, left - 0.5, mixed=bool(kept))
    return here.astype(np.float32)


def _goal(concept: Concept, reading: Numbers, strength: Numbers) -> Numbers:
    """Where a reading is to get, in strengths; along a field hardly farther than its places know the way."""
    if concept.field is None or not concept.follows:
        return reading + strength
    low, high = (end / concept.distance for end in concept.field.span())
    goal: Numbers = np.clip(reading + strength, np.minimum(low - _BEYOND, reading), np.maximum(high + _BEYOND, reading))
    return goal


def _step(
    here: Numbers, wanted: Sequence[tuple[Concept, Numbers]], goals: Sequence[Numbers], left: float, *, mixed: bool
) -> Numbers:
    """How far to go (N, d) from ``here`` when ``left`` steps are left."""
    ways, gradients, readings = (np.stack(part) for part in zip(*(c.at(here) for c, _ in wanted), strict=True))
    short = (np.stack(goals) - readings).T / left  # (N, concepts)
    if mixed:
        short = _mixed(ways, gradients, short)
    else:
        # A direction goes straight; only fields look where they are.
        for i, (concept, strength) in enumerate(wanted):
            if not concept.follows:
                short[:, i] = strength / _STEPS
    step: Numbers = np.einsum("na,and->nd", short, ways)
    return step


def _mixed(ways: Numbers, gradients: Numbers, wanted: Numbers) -> Numbers:
    """How much (N, concepts) of each way to take so that the readings change by ``wanted`` (N, concepts)."""
    crossed = np.einsum("and,bnd->nab", gradients, ways)  # what way b does to reading a; about 1 where a is b
    found: Numbers = np.linalg.solve(crossed + _RIDGE * np.eye(len(ways)), wanted[..., None])[..., 0]
    return found


def _check_apart(concepts: Sequence[Concept]) -> None:
    """Refuse concepts of which none can move while another is kept, by their directions and linear readings."""
    origin = np.zeros((1, len(concepts[0].direction)))
    linear = [concept.linear(origin) for concept in concepts]
    crossed = np.array([[float(normal[0] @ way[0]) for way, _, _ in linear] for _, normal, _ in linear])
    own = np.sqrt(np.abs(np.diag(crossed)))
    alike = abs(float(np.linalg.det(crossed / np.maximum(own[:, None] * own, 1e-30))))
    if alike < _APART:
        names = ", ".join(f'"{concept.name}"' for concept in concepts)
        raise ArgumentError(f"{names} are too much alike in this space to move one and keep another.", argument="keep")
