"""Write docs/command-line.md: every verb with its help, from what `morpho --help` knows.

python docs/site/command_line.py
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import typer
import typer.core
from typer.main import get_command

from morphospace.cli.app import app

PAGE = Path(__file__).parents[1] / "command-line.md"


def command_line() -> str:
    """Every verb with its help, as Markdown."""
    root = get_command(app)
    assert isinstance(root, typer.core.TyperGroup)
    verbs = list(walk(root, "morpho"))
    lines = [
        "# Command line",
        "",
        "`morpho VERB --help` says the same in a terminal. Every verb takes `--json`, for one JSON object on stdout, "
        "and `--debug`, for the traceback of an error. It ends with 0 for success, 1 for an error, 2 for a mistyped "
        "command, and 130 after Ctrl-C.",
        "",
        "| verb | |",
        "|---|---|",
        *(f"| [`{name}`](#{slug(name)}) | {first_line(command)} |" for name, command in verbs),
    ]
    for name, command in verbs:
        lines += ["", f"## {name}", "", plain(command.help or ""), "", *usage(name, command)]
    return "\n".join(lines) + "\n"


def walk(group: typer.core.TyperGroup, prefix: str) -> Iterator[tuple[str, typer.core.TyperCommand]]:
    """The verbs of a group and of the groups in it, by their whole names."""
    for name, command in group.commands.items():
        if isinstance(command, typer.core.TyperGroup):
            yield from walk(command, f"{prefix} {name}")
        elif isinstance(command, typer.core.TyperCommand) and not command.hidden:
            yield f"{prefix} {name}", command


def usage(name: str, command: typer.core.TyperCommand) -> list[str]:
    """How a verb is called: its arguments and options, as a table."""
    arguments = [p for p in command.params if isinstance(p, typer.core.TyperArgument)]
    options = [p for p in command.params if isinstance(p, typer.core.TyperOption) and p.name not in ("json", "debug")]
    called = " ".join([name, *(p.metavar or str(p.name).upper() for p in arguments), "[OPTIONS]"])
    lines = ["```text", called, "```", "", "| | | default |", "|---|---|---|"]
    lines += [
        f"| `{argument.metavar or str(argument.name).upper()}` | {cell(argument.help)} | |" for argument in arguments
    ]
    context = typer.Context(command, info_name=name)
    for option in options:
        record = option.get_help_record(context)
        if record is not None:
            lines.append(f"| `{record[0]}` | {cell(option.help)} | {default(option)} |")
    return lines


def default(option: typer.core.TyperOption) -> str:
    """What an option is unless it is given, where that says anything."""
    value = option.default
    return "" if value is None or value is False or value == () or callable(value) or option.required else f"`{value}`"


def cell(text: str | None) -> str:
    return plain(text or "").replace("|", "\\|")


def plain(text: str) -> str:
    """Help without rich's marks, angle brackets and line breaks."""
    return " ".join(re.sub(r"\[/?[a-z ]*\]", "", text).replace("<", "&lt;").split())


def first_line(command: typer.core.TyperCommand) -> str:
    return cell((command.help or "").partition("\n\n")[0])


def slug(name: str) -> str:
    return name.replace(" ", "-")


if __name__ == "__main__":
    PAGE.write_text(command_line(), encoding="utf-8")
