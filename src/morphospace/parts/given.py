"""Parts of other packages: objects and classes that somebody gives, as parts of a recipe."""

from __future__ import annotations

import copy
import functools
import importlib
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from morphospace.errors import ArgumentError, MissingPartError
from morphospace.parts.part import Foreign, Part, base_of, part_from_json

__all__ = ["GivenParts", "allowed_parts", "as_part", "foreign_parts"]

GivenParts: TypeAlias = Iterable[object] | Mapping[str, object] | Foreign
"""Parts of other packages, as :func:`foreign_parts` takes them."""


_OWN = ("thing", "slot", "kind", "build", "replace", "parts", "to_json")


class _Given:
    """A part that exists already, as an object that somebody made: building it is copying it."""

    slot: str

    def __init__(self, thing: object) -> None:
        object.__setattr__(self, "thing", thing)

    def __getattribute__(self, name: str) -> Any:
        """What is asked of a part of its slot, it answers by the object's own word, where that has one."""
        if name not in _OWN and not name.startswith("__"):
            thing = object.__getattribute__(self, "thing")
            try:
                if hasattr(thing, name):
                    return getattr(thing, name)
            except NotImplementedError as error:
                raise ArgumentError(
                    f"{type(thing).__name__} does not say its {name}. Write it as a property, or an attribute.",
                    argument=object.__getattribute__(self, "slot"),
                ) from error
        return object.__getattribute__(self, name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Given) and other.thing is self.thing

    def __hash__(self) -> int:
        return id(self.thing)

    def __repr__(self) -> str:
        return f"{type(self.thing).__qualname__}(...)"

    @property
    def kind(self) -> str:
        return f"{type(self.thing).__module__}:{type(self.thing).__qualname__}"

    def build(self, *_: object) -> Any:
        return copy.deepcopy(self.thing)

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind}


@functools.cache
def _given(slot: str) -> Callable[[object], Part]:
    return types.new_class("Given", (_Given, base_of(slot)), {"given": True})


def as_part(slot: str, value: object, foreign: Foreign | None = None) -> Part:
    """What somebody gives for a slot, as a part: one, the name of a kind, a class that has one inside, or an object.

    Args:
        slot: the place.
        value: what is to stand there.
        foreign: finds parts of other packages by their names.

    Raises:
        ArgumentError: for an unknown kind, or a part of another slot.
    """
    if isinstance(value, str):
        return part_from_json(slot, {"kind": value}, foreign)
    if isinstance(value, type):
        inside = _inside(value)
        if inside is None:
            raise ArgumentError(
                f"expected an object, or a class with a Config inside, got the class {value.__name__}. "
                f"Make one: {value.__name__}(...)",
                argument=slot,
            )
        if inside.slot == slot:
            return part_from_json(slot, {"kind": inside.kind}, lambda _: inside)
        raise ArgumentError(f"expected a part for {slot}, got one for {inside.slot}: {value.__name__}", argument=slot)
    if isinstance(value, Part):
        if value.slot != slot:
            raise ArgumentError(f"expected a part for {slot}, got one for {value.slot}: {value!r:.60}", argument=slot)
        return value
    if not callable(value):  # networks, objectives and the like are
        raise ArgumentError(f"expected a part, or the name of one, got {value!r:.60}.", argument=slot)
    return _part_of(slot, value)


def _part_of(slot: str, thing: object) -> Part:
    """An object as a part, if it is what the parts of the slot build."""
    if not isinstance(thing, built := _built(slot)):
        raise ArgumentError(
            f"expected a part, or a {built.__name__}, got {type(thing).__name__}. Make it a subclass of "
            f"{built.__module__}.{built.__qualname__}.",
            argument=slot,
        )
    return _given(slot)(thing)


def _built(slot: str) -> type:
    """What the parts of a slot build, as the abstract one says."""
    build = getattr(base_of(slot), "build", None)
    kind = typing.get_type_hints(build).get("return") if build else None
    return kind if isinstance(kind, type) else object


def foreign_parts(parts: GivenParts) -> Foreign:
    """Finds parts among those that somebody gives.

    Args:
        parts: configurations, classes that have one inside, classes that are made without arguments, objects made as
            for training; by their slots where two objects are of one class: ``{"encoder": one, "decoder": other}``. Or
            what finds them already.
    """
    if callable(parts):
        return parts
    slots: Mapping[str, object] = parts if isinstance(parts, Mapping) else {}
    found: dict[str, list[object]] = {}
    for part in slots.values() or parts:
        found.setdefault(_kind_of(part), []).append(part)

    def find(kind: str) -> type[Part] | Callable[[str], Part] | None:
        same = found.get(kind, [])
        if not same:
            return None
        if all(part is same[0] for part in same):
            return _maker(same[0])
        return lambda slot: _made(_of_slot(slots, slot, kind), slot)

    return find


def _of_slot(slots: Mapping[str, object], slot: str, kind: str) -> object:
    if slot not in slots:
        raise MissingPartError(
            f'several of the given parts are a "{kind}". Say which is which: parts={{"{slot}": ...}}.', argument="parts"
        )
    return slots[slot]


def allowed_parts(packages: Iterable[str]) -> Foreign:
    """Finds classes in packages that somebody allows to be imported, and in no others.

    Args:
        packages: names like ``mypackage``; of each all modules.

    Raises:
        ArgumentError: for what is no package's name.
    """
    allowed = tuple(packages)
    for package in allowed:
        if package.endswith(".py") or not all(word.isidentifier() for word in package.split(".")):
            raise ArgumentError(
                f'expected the name of a package, as Python imports it, like mypackage, got "{package}".',
                argument="allow",
            )

    def within(module: str) -> bool:
        return any(module == package or module.startswith(f"{package}.") for package in allowed)

    def find(kind: str) -> type[Part] | Callable[[str], Part] | None:
        module, _, name = kind.partition(":")
        if not name or not within(module):
            return None
        try:
            found: object = functools.reduce(getattr, name.split("."), importlib.import_module(module))
        except Exception as error:  # whatever a module does when it is imported
            raise MissingPartError(
                f'cannot import "{kind}": {type(error).__name__}: {error}. Is it installed here, or in this folder?',
                argument="allow",
            ) from error
        if not isinstance(found, type) or not within(found.__module__):
            raise MissingPartError(f'"{kind}" is no class of the packages that are allowed.', argument="allow")
        return _maker(found)

    return find


def _inside(part: object) -> type[Part] | None:
    """The configuration that a class is, or has inside."""
    inside = part if isinstance(part, type) and issubclass(part, Part) else getattr(part, "Config", None)
    return inside if isinstance(part, type) and isinstance(inside, type) and issubclass(inside, Part) else None


def _kind_of(part: object) -> str:
    inside = _inside(part)
    named = part if isinstance(part, type) else type(part)
    return f"{named.__module__}:{named.__qualname__}" if inside is None else inside.kind


def _maker(part: object) -> type[Part] | Callable[[str], Part]:
    return _inside(part) or functools.partial(_made, part)


def _made(part: object, slot: str) -> Part:
    if not isinstance(part, type):
        return _part_of(slot, part)
    if not issubclass(part, built := _built(slot)):
        raise MissingPartError(
            f"expected a {built.__name__}, got the class {part.__name__}. Make it a subclass of "
            f"{built.__module__}.{built.__qualname__}.",
            argument=slot,
        )
    try:
        return _part_of(slot, part())
    except Exception as error:  # whatever its author's code does
        raise MissingPartError(
            f"{part.__name__} cannot be made without arguments ({type(error).__name__}: {error}). Give an object that "
            "is made as it was for training, or put a Config inside, which keeps the arguments.",
            argument=slot,
        ) from error
