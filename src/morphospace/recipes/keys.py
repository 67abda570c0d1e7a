"""What the keys of a recipe may be, and which recipes have a use for them."""

from __future__ import annotations

import math
import types
import typing
from collections.abc import Collection, Container, Mapping
from typing import Any, Literal, NamedTuple

from morphospace.errors import ArgumentError, did_you_mean

__all__ = ["check_keys", "check_uses", "parse_key", "penalty_of", "with_uses"]

_WIDEST = 1 << 20

# What a number must be: the smallest and largest value allowed.
_RANGES: dict[str, tuple[float, float]] = {
    "blocks": (0, 64),
    "fourier": (0, 65536),
    "fourier_scale": (0, 1e6),
    "log_var": (-20, 5),
    "sigma": (1e-6, 1e3),
    "latent_dim": (1, math.inf),
    "beta": (0, 1e9),
    "anneal": (0, 1),
    "l1": (0, 1e9),
    "augment": (0, 0.5),
    "rotate": (0, 180),
    "patience": (0, 1e9),
    "epochs": (1, 1e9),
    "batch": (1, 1e9),
    "least_batch": (1, 1e9),
    "min_steps": (0, 1e12),
    "learning_rate": (1e-12, 1e3),
    "beta1": (0, 0.999999),
    "beta2": (0, 0.999999),
    "epsilon": (1e-30, 1.0),
    "clip": (0, 1e9),
    "warm_up": (0, 1),
}


class _Use(NamedTuple):
    """Which recipes have a use for a key: those whose ``part`` is one of ``values``; ``words`` say so."""

    part: str
    values: Container[Any]
    words: str


_WIDTHS = _Use("network", ("mlp", "conv"), 'only the networks "mlp" and "conv" have them')

# A key that is not here is used by every recipe. Keys that others depend on stand before them.
_USES: dict[str, _Use] = {
    "encoder_widths": _WIDTHS,
    "decoder_widths": _WIDTHS,
    "blocks": _Use("network", ("conv",), 'only the network "conv" has them'),
    "fourier": _Use("network", ("mlp",), 'only the network "mlp" has it'),
    "fourier_scale": _Use("fourier", range(1, 65537), "it spreads what fourier adds"),
    "log_var": _Use("posterior", ("gaussian",), 'only the posterior "gaussian" has variances'),
    "sampling": _Use("posterior", ("gaussian",), 'only the posterior "gaussian" has a prior to sample from'),
    "sigma": _Use("likelihood", ("gaussian", "gaussian-learned"), "only the Gaussian likelihoods have one"),
    "beta": _Use("objective", ("elbo", "book"), 'only the objectives "elbo" and "book" have a KL to weigh'),
    "l1": _Use("objective", ("reconstruction",), 'only the objective "reconstruction" has an L1 penalty'),
    "anneal": _Use("penalty", ("beta", "l1"), "it raises beta or l1"),
    "beta1": _Use("optimiser", ("adam",), 'only the optimiser "adam" has one'),
}

# Where a key of no use is to stand, if not at its default.
_OTHERWISE = {"sampling": "mixture"}


def penalty_of(values: Mapping[str, Any]) -> str | None:
    """What keeps codes near 0: "beta", the weight of the KL, or "l1"; None for nothing."""
    if values["posterior"] == "gaussian":
        return "beta"
    return "l1" if values["l1"] else None


def _why_of_no_use(key: str, values: Mapping[str, Any]) -> str | None:
    """Why a recipe of these values has no use for ``key``; None if it has."""
    use = _USES.get(key)
    if use is None:
        return None
    chosen = penalty_of(values) if use.part == "penalty" else values[use.part]
    if chosen in use.values:
        return None
    here = "there is neither" if use.part == "penalty" else f"{use.part} is {chosen}"
    return f"--set {key}: {use.words}, and {here}."


def with_uses(values: Mapping[str, Any], defaults: Mapping[str, Any], said: Collection[str] = ()) -> dict[str, Any]:
    """The values of a recipe, where keys that it has no use for stand at their defaults.

    Args:
        values: of all keys.
        defaults: of the keys that have one.
        said: keys that somebody asked for.

    Raises:
        ArgumentError: if one that was asked for is of no use.
    """
    found = dict(values)
    for key in _USES:
        if why := _why_of_no_use(key, found):
            if key in said:
                raise ArgumentError(f"{why} Leave it out.")
            found[key] = _OTHERWISE.get(key, defaults[key])
    return found


def check_uses(values: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
    """Refuse the values of a recipe that would change nothing.

    Raises:
        ArgumentError: for a key that the recipe has no use for, and that does not stand at its default.
    """
    for key in _USES:
        rest = _OTHERWISE.get(key, defaults[key])
        if values[key] != rest and (why := _why_of_no_use(key, values)):
            raise ArgumentError(f"{why} Leave it out, or at {rest!r}; got {values[key]!r}.")


def check_keys(values: Mapping[str, Any], kinds: Mapping[str, Any]) -> None:
    """Refuse values that are not of their key's kind and range.

    Raises:
        ArgumentError: with what was expected.
    """
    for key, kind in kinds.items():
        value = values[key]
        if typing.get_origin(kind) is Literal:
            _choice(key, value, typing.get_args(kind))
        elif not _is_of(kind, value):
            raise ArgumentError(f"{_option(key)}: expected {_words(kind)}, got {value!r}.")
        if key in _RANGES and value is not None:
            low, high = _RANGES[key]
            if not low <= value <= high:
                expected = f"{low:g} to {high:g}" if high < math.inf else f"at least {low:g}"
                raise ArgumentError(f"{_option(key)}: expected {expected}, got {value}.")


def parse_key(key: str, text: str, kind: Any) -> Any:
    """``text`` as a value of ``kind`` for ``key``.

    Raises:
        ArgumentError: if it is none.
    """
    if typing.get_origin(kind) is Literal:
        return _choice(key, text, typing.get_args(kind))
    try:
        if typing.get_origin(kind) is tuple:
            return tuple(int(part) for part in text.split(","))
        if typing.get_origin(kind) is types.UnionType:  # a number or None
            return None if text.lower() == "none" else typing.get_args(kind)[0](text)
        return kind(text)
    except ValueError as error:
        raise ArgumentError(f'--set {key}: expected {_words(kind)}, got "{text}".') from error


def _choice(key: str, value: Any, options: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in options:
        raise ArgumentError(f'--set {key}: there is no "{value}". {did_you_mean(str(value), options)}')
    return value


def _is_of(kind: Any, value: Any) -> bool:
    """Whether ``value`` is of ``kind``: words, whole numbers, a number that is one, a number or None."""
    if typing.get_origin(kind) is tuple:
        return isinstance(value, tuple) and len(value) > 0 and all(_is_of(int, n) and 1 <= n <= _WIDEST for n in value)
    if typing.get_origin(kind) is types.UnionType:
        return value is None or _is_of(typing.get_args(kind)[0], value)
    if isinstance(value, bool):  # which Python counts among the whole numbers
        return False
    return isinstance(value, (int, float) if kind is float else kind)


def _words(kind: Any) -> str:
    if typing.get_origin(kind) is tuple:
        return f"whole numbers from 1 to {_WIDEST:,} like 256,128"
    if typing.get_origin(kind) is types.UnionType:
        return f"{_words(typing.get_args(kind)[0])}, or none"
    return {int: "a whole number", float: "a number", str: "words"}[kind]


def _option(key: str) -> str:
    return f"--{key.replace('_', '-')}" if key in ("latent_dim", "epochs") else f"--set {key}"
