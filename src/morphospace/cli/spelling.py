"""How arguments are spelled on a command line: the core names them as Python does (:mod:`morphospace.errors`).

An argument is spelled as the verb that runs has it: a parameter or an option of the same name, or one whose value is
called so (``--from SPACE`` for "space"). A key of a recipe that is none of these is spelled as training takes it,
``--set beta``; any other name stays as it is. So the parameters of a verb bear the names of the core's arguments.
"""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import typer

    from morphospace.errors import MorphospaceError

__all__ = ["spell_argument", "spell_error", "spell_words", "verb_runs"]

_NAMED = re.compile(r"`([a-z]\w*(?:\.\w+)*)(?:=([^`]+))?`")

_running: list[typer.Context] = []  # the verb that runs, last


@contextmanager
def verb_runs(context: typer.Context) -> Iterator[None]:
    """Spell arguments as this verb has them."""
    _running.append(context)
    try:
        yield
    finally:
        _running.pop()


def spell_error(error: MorphospaceError) -> str:
    """An error's words, after the argument that is at fault."""
    words = spell_words(error.words)
    return words if error.argument is None else f"{spell_argument(error.argument)}: {words}"


def spell_words(words: str) -> str:
    """Words with each argument in backquotes spelled: `` `frames="all"` `` is ``--frames all`` where a verb has it.

    Example:
        >>> spell_words('`beta=0.3` may help')
        '--set beta=0.3 may help'
    """
    return _NAMED.sub(lambda found: spell_argument(found[1], found[2]), words)


def spell_argument(name: str, value: str | None = None) -> str:
    """What a person types for the argument ``name``, and for a ``value`` of it as Python has it.

    Example:
        >>> spell_argument("beta"), spell_argument("encoder_widths", "(64, 64)"), spell_argument("images")
        ('--set beta', '--set encoder_widths=64,64', 'images')
    """
    parameter = _parameter(name)
    if parameter is not None and parameter.param_type_name == "argument":
        return _called(parameter)
    typed = None if value is None else _typed(value)
    if parameter is not None:
        option = max(parameter.opts, key=len)
        return option if typed in (None, "True") else f"{option} {shlex.quote(str(typed))}"
    key = f"--set {name}" if _is_key(name) else name
    return key if typed is None else f"{key}={typed}"


def _parameter(name: str) -> Any:
    """The parameter ``name`` of the verb that runs, or for a key of a recipe of training; None where there is none."""
    if not _running:
        return None
    context = _running[-1]
    known = list(context.command.params)
    option = "--" + name.replace("_", "-")
    found = next((one for one in known if one.name == name), None)
    found = found or next((one for one in known if option in one.opts or _called(one).lower() == name), None)
    if found is None and _is_key(name):
        train = context.find_root().command.commands["train"]  # type: ignore[attr-defined] # the root is a group
        return next((one for one in train.params if one.name == name), None)
    return found


def _called(parameter: Any) -> str:
    """What the value of a parameter is called in the help: SPACE, IMAGE, ..."""
    return str(parameter.metavar or parameter.name).strip("[].")


def _typed(value: str) -> str:
    """A value as Python has it, as one types it: ``"all"`` is all, ``(1, 2)`` is 1,2."""
    try:
        meant = ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return value
    return ",".join(map(str, meant)) if isinstance(meant, (tuple, list)) else str(meant)


def _is_key(name: str) -> bool:
    """Whether a recipe has such a key."""
    from morphospace.recipes import is_key

    return is_key(name)
