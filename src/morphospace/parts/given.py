"""Parts of other packages: objects and classes that somebody gives, as parts of a recipe."""

from __future__ import annotations

import copy
import functools
import importlib
import types
import typing
from collections.abc import Callable, Iterable
from typing import Any

from morphospace.errors import ArgumentError
from morphospace.parts.part import Foreign, Part, base_of, part_from_json

__all__ = ["allowed_parts", "as_part", "foreign_parts"]


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
            if hasattr(thing, name):
                return getattr(thing, name)
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
        inside = value if issubclass(value, Part) else getattr(value, "Config", None)
        if inside is None:
            raise ArgumentError(
                f"expected an object, or a class with a Config inside, got the class {value.__name__}. "
                f"Make one: {value.__name__}(...)",
                argument=slot,
            )
        value = inside()
    if isinstance(value, Part):
        if value.slot != slot:
            raise ArgumentError(f"expected a part for {slot}, got one for {value.slot}: {value!r:.60}", argument=slot)
        return value
    if not callable(value):  # networks, objectives and the like are
        raise ArgumentError(f"expected a part, or the name of one, got {value!r:.60}.", argument=slot)
    if not isinstance(value, built := _built(slot)):
        raise ArgumentError(
            f"expected a part, or a {built.__name__}, got {type(value).__name__}. Make it a subclass of "
            f"{built.__module__}.{built.__qualname__}.",
            argument=slot,
        )
    return _given(slot)(value)


def _built(slot: str) -> type:
    """What the parts of a slot build, as the abstract one says."""
    build = getattr(base_of(slot), "build", None)
    kind = typing.get_type_hints(build).get("return") if build else None
    return kind if isinstance(kind, type) else object


def foreign_parts(parts: Iterable[object] | Foreign) -> Foreign:
    """Finds parts among those that somebody gives.

    Args:
        parts: configurations, classes that have one inside, classes that are made without arguments, objects made as
            for training; or what finds them already.
    """
    if callable(parts):
        return parts
    found: dict[str, type[Part] | Callable[[str], Part]] = {}
    for part in parts:
        found |= {_kind_of(part): _maker(part)}
    return found.get


def allowed_parts(packages: Iterable[str]) -> Foreign:
    """Finds parts in packages that somebody allows to be imported, and in no others.

    Args:
        packages: names like ``mypackage``; of each all modules.
    """
    allowed = tuple(packages)

    def find(kind: str) -> type[Part] | Callable[[str], Part] | None:
        module, _, name = kind.partition(":")
        if not name or not any(module == package or module.startswith(f"{package}.") for package in allowed):
            return None
        try:
            return _maker(functools.reduce(getattr, name.split("."), importlib.import_module(module)))
        except (ImportError, AttributeError) as error:
            raise ArgumentError(f'cannot import "{kind}": {error}. Is it installed here?', argument="allow") from error

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
    try:
        return _given(slot)(part() if isinstance(part, type) else part)
    except TypeError as error:
        raise ArgumentError(
            f"{getattr(part, '__name__', part)} cannot be made without arguments ({error}). Give an object that is "
            "made as it was for training.",
            argument="parts",
        ) from error
