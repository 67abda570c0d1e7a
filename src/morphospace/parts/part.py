"""Parts: frozen configurations, each inside the class that it configures, known by slot and kind.

A *slot* is a place in a recipe (encoder, prior, objective, ...), a *kind* is one of the things that fit it. Subclassing
a slot's configuration is all it takes to make another kind: it becomes a frozen dataclass, and can be named in recipes,
files and on the command line.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import typing
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any, ClassVar, Literal, NamedTuple, Self, TypeGuard, TypeVar, cast, dataclass_transform

from morphospace.errors import ArgumentError, MissingPartError, did_you_mean
from morphospace.parts.values import check_value, kind_words

__all__ = [
    "Field",
    "Foreign",
    "Part",
    "Shape",
    "base_of",
    "fields_of",
    "is_part",
    "kinds_of",
    "option",
    "part_from_json",
]

T = TypeVar("T")
Shape = tuple[int, int, int]
"""Channels, height and width of an image as networks see it."""

Foreign = Callable[[str], "type[Part] | Callable[[str], Part] | None"]
"""Finds a part of another package by its kind, ``module:Class``; None for what nobody gave or allowed."""

_OPTION = "morphospace"


class _Option(NamedTuple):
    text: str
    low: float
    high: float
    needs: str | None
    starts: bool


def option(
    text: str,
    *,
    default: T,
    low: float = -math.inf,
    high: float = math.inf,
    needs: str | None = None,
    starts: bool = False,
) -> T:
    """A field of a part.

    Args:
        text: what it is, in one line without a full stop; the documentation is made of these.
        default: its value where nothing is said.
        low: the smallest number that it may be.
        high: the largest.
        needs: another field without which (0, none, false) this one changes nothing.
        starts: whether it only decides how training starts, so that weights fit whatever it is.
    """
    value: T = dataclasses.field(default=default, metadata={_OPTION: _Option(text, low, high, needs, starts)})
    return value


class Field(NamedTuple):
    """A field of a part: ``name``, ``type``, ``default``, and what :func:`option` says."""

    name: str
    type: Any
    default: Any
    text: str
    low: float
    high: float
    needs: str | None
    starts: bool

    @property
    def slot(self) -> str | None:
        """The slot, of a field that holds a part."""
        return self.type.slot if is_part(self.type) else None

    @property
    def words(self) -> str:
        """What may stand there, in words."""
        if self.slot:
            return f"one of {', '.join(sorted(kinds_of(self.slot)))}"
        if typing.get_origin(self.type) is Literal:
            return " or ".join(typing.get_args(self.type))
        found = kind_words(self.type)
        if self.low > -math.inf and self.high < math.inf:
            return f"{found}, {self.low:.7g} to {self.high:.7g}"
        return f"{found}, at least {self.low:.7g}" if self.low > -math.inf else found


_BASES: dict[str, type[Part]] = {}
_KINDS: dict[str, dict[str, type[Part]]] = {}


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(option,))
class Part:
    """A frozen configuration that can build what it configures.

    Subclasses with ``slot=`` found a slot; subclasses of those are its kinds, or with ``abstract=True`` what several
    kinds have in common. One without ``kind=`` is a part of another package, and goes by ``module:Class``.

    Raises:
        ArgumentError: when made with a value of another type or out of range.
    """

    slot: ClassVar[str] = ""
    kind: ClassVar[str] = ""

    def __init_subclass__(
        cls, *, slot: str | None = None, kind: str | None = None, abstract: bool = False, given: bool = False
    ) -> None:
        super().__init_subclass__()
        if given:
            return
        if slot is not None:
            cls.slot = slot
            _BASES[slot], _KINDS[slot] = cls, {}
            return
        dataclasses.dataclass(frozen=True, kw_only=True)(cls)  # in place: the class itself stays
        if abstract:
            return
        cls.kind = kind or f"{cls.__module__}:{cls.__qualname__.removesuffix('.Config')}"
        if kind is not None:
            if _KINDS[cls.slot].get(kind, cls).__qualname__ != cls.__qualname__:
                raise TypeError(f'there are two parts of kind "{kind}" for the slot "{cls.slot}"')
            _KINDS[cls.slot][kind] = cls

    def __post_init__(self) -> None:
        for field in fields_of(type(self)):
            value, name = getattr(self, field.name), _name(self.slot, field.name)
            if not field.slot:
                check_value(name, field.type, value, field.low, field.high)
            elif not isinstance(value, field.type):
                raise ArgumentError(f"expected {field.words}, got {value!r:.60}.", argument=name)
        for field in fields_of(type(self)):
            if field.needs and not getattr(self, field.needs) and getattr(self, field.name) != field.default:
                raise ArgumentError(
                    f"it changes nothing without {field.needs}, which is {getattr(self, field.needs)}. Leave it out, "
                    f"or at {field.default!r}; got {getattr(self, field.name)!r}.",
                    argument=_name(self.slot, field.name),
                )

    def replace(self, **changes: Any) -> Self:
        """The part with some fields changed."""
        return dataclasses.replace(self, **changes)  # type: ignore[type-var]

    def parts(self) -> Iterator[tuple[str, Part]]:
        """The parts that it holds, by the names of its fields."""
        for field in fields_of(type(self)):
            value = getattr(self, field.name)
            if isinstance(value, Part):
                yield field.name, value

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values, tagged by its kind."""
        values = {field.name: _plain(getattr(self, field.name)) for field in fields_of(type(self))}
        return {"kind": self.kind, **values}


def is_part(kind: Any) -> TypeGuard[type[Part]]:
    """Whether a field of this type holds a part."""
    return isinstance(kind, type) and issubclass(kind, Part)


def fields_of(part: type[Part]) -> tuple[Field, ...]:
    """The fields of a part, in their order."""
    return _fields_of(cast("Hashable", part))


@functools.cache
def _fields_of(part: Any) -> tuple[Field, ...]:
    if not dataclasses.is_dataclass(part):
        return ()
    kinds = typing.get_type_hints(part)
    found = []
    for field in dataclasses.fields(part):
        said = field.metadata.get(_OPTION, _Option("", -math.inf, math.inf, None, False))
        found.append(Field(field.name, kinds[field.name], field.default, *said))
    return tuple(found)


def kinds_of(slot: str) -> Mapping[str, type[Part]]:
    """The parts of a slot by their kind."""
    return _KINDS[slot]


def base_of(slot: str) -> type[Part]:
    """The abstract configuration of a slot."""
    return _BASES[slot]


def part_from_json(slot: str, values: Any, foreign: Foreign | None = None) -> Part:
    """The part that :meth:`Part.to_json` gave: a missing key takes its default, an unknown one is an error.

    Args:
        slot: where it belongs.
        values: tagged by ``kind``.
        foreign: parts of other packages that may be named.

    Raises:
        ArgumentError: for what is no part, or has an unknown kind or key, or a value of the wrong type or range.
    """
    if not isinstance(values, Mapping) or not isinstance(values.get("kind"), str):
        raise ArgumentError(f'expected an object with a "kind", got {values!r:.60}.', argument=slot)
    kind, rest = values["kind"], {key: value for key, value in values.items() if key != "kind"}
    part = _KINDS[slot].get(kind) or (foreign(kind) if foreign else None)
    if part is None:
        raise _unknown(slot, kind)
    if not is_part(part):  # it makes itself: there is nothing to be said of it
        return cast("Callable[[str], Part]", part)(slot)
    if part.slot != slot:
        raise ArgumentError(f'"{kind}" is a part for {part.slot}.', argument=slot)
    fields = {field.name: field for field in fields_of(part)}
    for key in rest:
        if key not in fields:
            raise ArgumentError(f'"{kind}" has no key "{key}". {did_you_mean(key, fields)}', argument=slot)
    if unsaid := [f.name for f in fields.values() if f.default is dataclasses.MISSING and f.name not in rest]:
        raise ArgumentError(
            f'"{kind}" does not know its {", ".join(unsaid)}, which has no default. Say it, or give it one: '
            "option(..., default=...).",
            argument=slot,
        )
    made: Part = part(**{key: _from_json(fields[key], value, foreign) for key, value in rest.items()})
    return made


def _unknown(slot: str, kind: str) -> ArgumentError:
    if ":" not in kind:
        return ArgumentError(f'there is no "{kind}". {did_you_mean(kind, _KINDS[slot])}', argument=slot)
    module, _, name = kind.partition(":")
    name = name.rpartition(".")[2]
    return MissingPartError(
        f'"{kind}" is a part of another package, and is never imported by itself. Import it and give it: from {module} '
        f"import {name}; ms.load(path, parts=[{name}]). On the command line: --allow {module.partition('.')[0]}.",
        argument=slot,
    )


def _from_json(field: Field, value: Any, foreign: Foreign | None) -> Any:
    if field.slot:
        return part_from_json(field.slot, value, foreign)
    return tuple(value) if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    if isinstance(value, Part):
        return value.to_json()
    return list(value) if isinstance(value, tuple) else value


def _name(slot: str, field: str) -> str:
    return f"{slot}.{field}" if slot else field
