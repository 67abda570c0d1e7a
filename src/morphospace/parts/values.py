"""What may stand in a field of a part: kinds of values, in words, from texts, and checked."""

from __future__ import annotations

import math
import types
import typing
from typing import Any, Literal

from morphospace.errors import ArgumentError, did_you_mean

__all__ = ["check_value", "kind_words", "read_value"]


def read_value(name: str, kind: Any, text: str) -> Any:
    """``text`` as a value of ``kind`` for the field ``name``, which holds no part.

    Raises:
        ArgumentError: if it is none.
    """
    whole = kind
    if typing.get_origin(kind) is Literal:
        return text  # which the part checks
    try:
        if isinstance(kind, types.UnionType):  # a number or None
            if text.lower() == "none":
                return None
            kind = typing.get_args(kind)[0]
        if typing.get_origin(kind) is tuple:
            return tuple(typing.get_args(kind)[0](part) for part in text.split(","))
        if kind is bool:
            return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[text.lower()]
        return kind(text)
    except (ValueError, KeyError) as error:
        raise ArgumentError(f'expected {kind_words(whole)}, got "{text}".', argument=name) from error


def check_value(name: str, kind: Any, value: Any, low: float, high: float) -> None:
    """Refuse a value that is not of ``kind``, or out of range.

    Raises:
        ArgumentError: with what was expected.
    """
    if typing.get_origin(kind) is Literal:
        options = typing.get_args(kind)
        if not isinstance(value, str) or value not in options:
            raise ArgumentError(f'there is no "{value}". {did_you_mean(str(value), options)}', argument=name)
        return
    if not _is_of(kind, value):
        raise ArgumentError(f"expected {kind_words(kind)}, got {value!r}.", argument=name)
    for number in value if isinstance(value, tuple) else (value,):
        if isinstance(number, (int, float)) and not isinstance(number, bool) and not low <= number <= high:
            expected = f"{low:.7g} to {high:.7g}" if high < math.inf else f"at least {low:.7g}"
            raise ArgumentError(f"expected {expected}, got {number}.", argument=name)


def _is_of(kind: Any, value: Any) -> bool:
    """Whether ``value`` is of ``kind``: words, yes or no, whole numbers, a number that is one, a number or None."""
    if isinstance(kind, types.UnionType):
        return value is None or _is_of(typing.get_args(kind)[0], value)
    if typing.get_origin(kind) is tuple:
        each = typing.get_args(kind)[0]
        return isinstance(value, tuple) and (len(value) > 0 or each is str) and all(_is_of(each, n) for n in value)
    if isinstance(value, bool) or kind is bool:  # which Python counts among the whole numbers
        return kind is bool and isinstance(value, bool)
    return isinstance(value, (int, float) if kind is float else kind)


def kind_words(kind: Any) -> str:
    """What ``kind`` is to a person."""
    if isinstance(kind, types.UnionType):
        return f"{kind_words(typing.get_args(kind)[0])}, or none"
    if typing.get_origin(kind) is tuple:
        return "words like model,prior" if typing.get_args(kind)[0] is str else "whole numbers like 256,128"
    return {bool: "true or false", int: "a whole number", float: "a number", str: "words"}[kind]
