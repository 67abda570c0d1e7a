"""Editing: codes moved to another class, along concepts, or until a concept reads as wanted; what is decoded counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from morphospace.codec import Codec, Points
from morphospace.errors import ArgumentError
from morphospace.images import Images, to_pixels
from morphospace.latent.classes import Classes, change_class, class_scores
from morphospace.latent.concepts import Concept
from morphospace.latent.moves import Strength, move

__all__ = [
    "Edited",
    "Movable",
    "change_pictures",
    "edited",
    "move_along",
    "move_and_look",
    "move_to_class",
    "strength_until",
]

Numbers = NDArray[np.float64]

_BACK = 0.5  # strengths by which a second look may correct a concept that was to stay
_FARTHEST, _STRIDE = 4.0, 0.125  # strengths that are tried until a concept is reached


class Movable(Codec):
    """A codec with classes, whose codes can be moved; :class:`morphospace.Space` is one.

    Attributes:
        classes: where the codes of each class lie; None until learned.
    """

    classes: Classes | None

    def move(self, *args: Any, **kwargs: Any) -> Points:
        """See :meth:`morphospace.Space.move`."""
        raise NotImplementedError


S = TypeVar("S", bound=Movable)


def move_to_class(
    space: Movable,
    z: Points,
    target: str,
    *,
    source: str | None = None,
    strength: float = 1.0,
    chance: float | None = None,
) -> Points:
    """Latents (N, d) moved to the class ``target``: what :meth:`morphospace.Space.change_class` does.

    Raises:
        ArgumentError: for an unknown class, or a space whose classes have not been learned, or that is told labels.
    """
    classes = space.classes
    if space.model.condition is not None:
        raise ArgumentError(
            f"this space is told labels, and its codes hold none: draw the same code as another, `given={target!r}`.",
            argument="target",
        )
    if classes is None:
        raise ArgumentError(
            "this space does not know any classes. Learn them: morpho concept classes SPACE --data DATA",
            argument="target",
        )
    if not np.isfinite(strength):  # before images that are of the class already are left alone
        raise ArgumentError(f"expected a finite number, got {strength}.", argument="strength")
    if source is not None:
        return change_class(classes, z, source, target, strength=strength, chance=chance)
    classes.number(target)
    moved = z.copy()
    sources = class_scores(classes, z).argmax(1)
    for number in np.unique(sources):
        if (name := classes.names[number]) != target:
            own = sources == number
            moved[own] = change_class(classes, z[own], name, target, strength=strength, chance=chance)
    return moved


def move_along(
    codec: Codec,
    concepts: Mapping[str, Concept],
    z: Points,
    strengths: Mapping[str, Strength],
    *,
    keep: Sequence[str] = (),
    until: Mapping[str, float] | None = None,
    start: Points | None = None,
) -> Points:
    """Latents (N, d) moved along concepts, with a second look at what is decoded.

    Args:
        codec: decodes them, and encodes what it sees.
        concepts: by name.
        z: latents.
        strengths: concept -> strength, one for all or (N,).
        keep: concepts that are to stay as they are.
        until: concept -> the value, or the chance, that the decoded picture is to read.
        start: where ``z`` come from, if they have been moved already: kept concepts are brought back to what they were.

    Raises:
        ArgumentError: for an unknown concept, a strength that is not finite, a chance outside 0..1, one concept in two
            places, or concepts too much alike to keep one while another moves.
    """
    # Refuses what is wrong by name, before anything is read by it.
    move(z[:1], concepts, dict.fromkeys((*strengths, *(until or {})), 0.0), keep)
    held: dict[str, Strength] = dict.fromkeys(keep, 0.0)
    if start is not None:
        for name in held:
            concept = concepts[name]
            held[name] = concept.at(start.astype(np.float64))[2] - concept.at(z.astype(np.float64))[2]
    wanted = dict(strengths)
    for name, value in (until or {}).items():
        if name in wanted:
            raise ArgumentError(f'"{name}" has a strength already; give one of the two.', argument="until")
        wanted[name] = strength_until(codec, concepts, z, name, value, along=wanted, held=held)
    return move_and_look(codec, concepts, z, wanted, held)


def move_and_look(
    codec: Codec,
    concepts: Mapping[str, Concept],
    z: Points,
    strengths: Mapping[str, Strength],
    held: Mapping[str, Strength],
) -> Points:
    """Latents moved along concepts, others held (or brought back by so much); along fields with a second look.

    What the decoded picture, encoded again, is short of is added.
    """
    moved = move(z, concepts, strengths, held)
    fields = [name for name, strength in strengths.items() if concepts[name].follows and np.any(strength)]
    if not fields:
        return moved
    seen = codec.encode(codec.decode(moved)).mean

    def missing(name: str, asked: Strength) -> Strength:
        concept = concepts[name]
        got = (concept.read(seen) - concept.read(z)) / concept.distance
        return np.clip(asked - got, -np.maximum(np.abs(asked), _BACK), np.maximum(np.abs(asked), _BACK))

    more = {name: missing(name, strengths[name]) for name in fields}
    if not held:
        return move(moved, concepts, more)
    # What is held is brought back as far as it went astray; what has arrived is held from now on, too.
    back = {name: missing(name, asked) if concepts[name].follows else 0.0 for name, asked in held.items()}
    arrived = {name: 0.0 for name in strengths if name not in more}
    return move(moved, concepts, more, back | arrived)


def strength_until(
    codec: Codec,
    concepts: Mapping[str, Concept],
    z: Points,
    name: str,
    target: float,
    *,
    along: Mapping[str, Strength],
    held: Mapping[str, Strength],
) -> Numbers:
    """The least strengths (N,) at which what is decoded, and encoded again, reads ``target``; else the nearest.

    Args:
        codec: decodes and encodes.
        concepts: by name.
        z: latents (N, d).
        name: the concept that is read.
        target: of a number the value, of yes and no the chance.
        along: the strengths of other concepts, which go along.
        held: concepts that stay, see :func:`move_and_look`.

    Raises:
        ArgumentError: for a concept that cannot be read, or a ``target`` that it cannot read.
    """
    concept = concepts[name]
    if concept.field is None:
        raise ArgumentError(f'"{name}" cannot be read; learn it again, from examples.', argument="until")
    if not np.isfinite(target) or not (concept.of_number or 0 < target < 1):
        expected = "a finite value" if concept.of_number else "a chance between 0 % and 100 %, like 90%"
        raise ArgumentError(f'expected {expected} of "{name}", got {target:g}.', argument="until")

    def read(strengths: Numbers) -> Numbers:
        moved = move_and_look(codec, concepts, z, {**along, name: strengths}, held)
        return concept.read(codec.encode(codec.decode(moved)).mean)

    return _first_crossing(read, target, len(z))


def _first_crossing(read: Callable[[Numbers], Numbers], target: float, count: int) -> Numbers:
    """The least strengths (``count``,) at which ``read`` gives ``target``, or those at which it comes nearest to it."""
    before = read(np.zeros(count))
    sign = np.where(before <= target, 1.0, -1.0)
    found, missed = np.zeros(count), np.abs(before - target)
    going = missed > 0
    for k in range(1, round(_FARTHEST / _STRIDE) + 1):
        if not going.any():
            break
        reading = read(sign * k * _STRIDE)
        nearer = going & (np.abs(reading - target) < missed)
        found[nearer], missed[nearer] = (sign * k * _STRIDE)[nearer], np.abs(reading - target)[nearer]
        crossed = going & (sign * (reading - target) >= 0)
        share = (target - before) / np.where(reading == before, 1.0, reading - before)
        found[crossed] = (sign * (k - 1 + share.clip(0, 1)) * _STRIDE)[crossed]
        going &= ~crossed
        before = reading
    return found


def change_pictures(codec: Codec, images: Images, z: Points, moved: Points, before: Codec | None = None) -> Images:
    """``images`` (N, H, W, C) of codes ``z`` (N, d), changed as what is decoded changes from z to ``moved``.

    ``before``, where it is given, decodes z: the same codec, told another label.
    """
    change = codec.decode(moved, dtype="float") - (before or codec).decode(z, dtype="float")
    return to_pixels(images / 255.0 + change)


class Edited(NamedTuple, Generic[S]):
    """Edited ``images`` uint8 (N, H, W, C), the ``points`` (N, d) where they lie, and what draws them there.

    That is the space that was asked, given the labels that they are drawn as where it is told any.
    """

    images: Images
    points: Points
    space: S


def edited(space: S, images: object, *, keep_detail: bool = False, **how: Any) -> Edited[S]:
    """What :meth:`morphospace.Space.edit`, whose arguments are those of this one, makes of images, and where it lies.

    In a space that is told labels the edit holds that of each image; ``target`` is another that it is drawn as.
    """
    pixels = space.prepare(images)
    before = after = space
    if space.model.condition is None:
        z = space.encode(pixels).mean
    else:
        target, source = how.pop("target", None), how.pop("source", None)
        z, _, labels = space.given(source).encode(pixels)
        before, after = space.given(labels), space.given(labels if target is None else target)
        if target is not None and (how.get("strength", 1.0) != 1.0 or how.get("chance") is not None):
            raise ArgumentError(
                "this space is told labels: an image is drawn as another one, or not, and nothing lies between. Leave "
                "`strength` and `until` out.",
                argument="target",
            )
    moved = after.move(z, **how)
    made = change_pictures(after, pixels, z, moved, before) if keep_detail else after.decode(moved)
    return Edited(made, moved, after)
