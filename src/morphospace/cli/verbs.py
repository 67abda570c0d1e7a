"""What makes a function a verb: its options, its answer, its errors.

A verb is a function that returns an :class:`Answer`. The decorator :func:`verb` gives it ``--json`` and
``--debug``, prints the answer, and turns errors into one line and an exit code. A parameter whose type is a dataclass
stands for the options that are its fields.
"""

from __future__ import annotations

import functools
import inspect
import json as jsonlib
import shlex
import sys
import traceback
import typing
from collections.abc import Callable
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from morphospace.cli.allowing import AllowOption, allowing
from morphospace.cli.giving import GivenOption, giving, saying
from morphospace.cli.opening import forget_latest
from morphospace.cli.outputs import release_numbers
from morphospace.cli.screen import escape, screen, stop_progress
from morphospace.cli.spelling import spell_error, verb_runs
from morphospace.errors import MorphospaceError

__all__ = ["Answer", "command_line", "verb"]

_JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
_DebugOption = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]

_OPEN = {"space", "spaces", "start", "run"}  # parameters that name what may be made of parts of other packages
_COMPUTE = {"space", "device"}  # what reads or draws through a space has both


@dataclass(frozen=True)
class Answer:
    """What a verb gives back: ``json`` for machines, ``text`` (with rich markup) for people."""

    json: dict[str, Any]
    text: str = ""
    outputs: list[Path] = field(default_factory=list)


def command_line() -> str:
    """The command as it was typed."""
    return shlex.join(["morpho", *sys.argv[1:]])


def verb(function: Callable[..., Answer]) -> Callable[..., None]:
    """Make a command of a function that returns an answer."""
    hints = typing.get_type_hints(function, include_extras=True)
    groups: dict[str, Any] = {name: hint for name, hint in hints.items() if name != "return" and is_dataclass(hint)}
    own = []
    for parameter in inspect.signature(function).parameters.values():
        hint = hints[parameter.name]
        own += _options(hint) if parameter.name in groups else [parameter.replace(annotation=hint)]
    keyword = inspect.Parameter.KEYWORD_ONLY
    extra = [
        inspect.Parameter("context", keyword, annotation=typer.Context),
        *([inspect.Parameter("given", keyword, default=None, annotation=GivenOption)] * (hints.keys() >= _COMPUTE)),
        *([inspect.Parameter("allow", keyword, default=None, annotation=AllowOption)] * bool(_OPEN & hints.keys())),
        inspect.Parameter("json", keyword, default=False, annotation=_JsonOption),
        inspect.Parameter("debug", keyword, default=False, annotation=_DebugOption),
    ]

    @functools.wraps(function)
    def command(*args: Any, context: typer.Context, json: bool, debug: bool, **kwargs: Any) -> None:
        for name, group in groups.items():
            kwargs[name] = group(**{field.name: kwargs.pop(field.name) for field in fields(group)})
        given = giving(kwargs.pop("given", None))
        with verb_runs(context), saying(), given, allowing(kwargs.pop("allow", None)):
            try:
                _print(function(*args, **kwargs), as_json=json)
            except MorphospaceError as error:
                _fail(spell_error(error), error.exit_code, error, as_json=json, debug=debug)
            except KeyboardInterrupt as error:
                _fail("interrupted; nothing half-written is left.", 130, error, as_json=json, debug=debug)
            except BrokenPipeError:
                # Whoever read our output has enough of it.
                sys.stdout = None
                raise typer.Exit(1) from None
            except (OSError, MemoryError) as error:
                words = f"{type(error).__name__}: {error}. Free some, or choose another place or a smaller size."
                _fail(words, 1, error, as_json=json, debug=debug)
            except Exception as error:
                words = f"internal error, {type(error).__name__}: {error}. Please report it with the output of --debug."
                _fail(words, 1, error, as_json=json, debug=debug)
            finally:
                release_numbers()
                forget_latest()

    command.__signature__ = inspect.Signature([*own, *extra])  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in (*own, *extra)}
    return command


def _options(group: Any) -> list[inspect.Parameter]:
    """The fields of a dataclass as options of a command."""
    hints = typing.get_type_hints(group, include_extras=True)
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return [inspect.Parameter(f.name, kind, default=f.default, annotation=hints[f.name]) for f in fields(group)]


def _print(answer: Answer, *, as_json: bool) -> None:
    if as_json:
        outputs = {"outputs": [str(path) for path in answer.outputs]} if answer.outputs else {}
        sys.stdout.write(jsonlib.dumps(outputs | answer.json, allow_nan=False) + "\n")
        return
    from rich.console import Console

    console = Console(highlight=False, emoji=False)
    if answer.text:
        console.print(answer.text, soft_wrap=True)
    for path in answer.outputs:
        console.print(f"[green]wrote[/] {escape(str(path))}", soft_wrap=True)


def _fail(words: str, code: int, error: BaseException, *, as_json: bool, debug: bool) -> None:
    stop_progress()
    if debug:
        traceback.print_exception(error)
    if as_json:
        sys.stdout.write(jsonlib.dumps({"error": words, "exit_code": code}) + "\n")
    label = "[cyan]stopped:[/]" if code == 130 else "[red]error:[/]"
    screen().print(f"{label} {escape(' '.join(words.split()))}", soft_wrap=True)
    raise typer.Exit(code)
