"""Parts and keys in words, for people and for the documentation: all from the parts themselves."""

from __future__ import annotations

import inspect
import math
import re
from typing import Any, NamedTuple

from morphospace.parts import Field, Part, base_of, fields_of, kinds_of
from morphospace.recipes import catalogue as catalogue  # every part is known from here on

__all__ = ["SLOTS", "DescribedPart", "described", "part_facts"]

SLOTS = (
    "model", "encoder", "decoder", "posterior", "prior", "likelihood", "objective", "optimiser", "stage", "images",
    "sampler",
)  # fmt: skip


class DescribedPart(NamedTuple):
    """A part in words: its ``slot`` and ``kind``, ``text`` in a line, and its ``keys``: name, default, values, text."""

    slot: str
    kind: str
    text: str
    keys: tuple[tuple[str, str, str, str], ...]


def described(slot: str) -> tuple[str, tuple[DescribedPart, ...]]:
    """What a slot is for, in a line, and its kinds.

    Example:
        >>> text, kinds = described("likelihood")
        >>> text, kinds[0].kind
        ("p(x | z), how the decoder's values score an image", 'bernoulli')
    """
    parts = [_described(part) for _, part in sorted(kinds_of(slot).items())]
    return _line(base_of(slot)), tuple(parts)


def _described(part: type[Part]) -> DescribedPart:
    keys = tuple((field.name, _default(field), field.words, field.text) for field in fields_of(part))
    return DescribedPart(part.slot, part.kind, _line(part), keys)


def _line(part: type[Part]) -> str:
    line = (inspect.getdoc(part) or "").partition("\n")[0].rstrip(".")
    return re.sub(r":\w+:`([^`]+)`", r"\1", line)


def _default(field: Field) -> str:
    value = field.default
    if isinstance(value, Part):
        return value.kind
    if isinstance(value, tuple):
        return ",".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def part_facts() -> dict[str, Any]:
    """Every slot with its kinds and their keys, as plain JSON values."""
    return {
        slot: {
            part.kind: {
                "text": part.text,
                "keys": {field.name: _facts(field) for field in fields_of(kinds_of(slot)[part.kind])},
            }
            for part in described(slot)[1]
        }
        for slot in SLOTS
    }


def _facts(field: Field) -> dict[str, Any]:
    default = field.default.to_json() if isinstance(field.default, Part) else field.default
    bounds = {"low": field.low, "high": field.high}
    return {
        "default": list(default) if isinstance(default, tuple) else default,
        "values": field.words,
        "text": field.text,
        **{name: value for name, value in bounds.items() if math.isfinite(value)},
    }
