"""The command's root: its verbs, and its help."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from morphospace._version import __version__
from morphospace.cli import (
    concepts,
    data,
    demo,
    edit,
    explore,
    export,
    outliers,
    pictures,
    points,
    polish,
    questions,
    recipes,
    refit,
    spaces,
    training,
    traverse,
)

__all__ = ["app", "main"]

app = typer.Typer(
    name="morpho",
    help="Turn a set of images into a space to generate from, walk through, and edit along concepts.\n\n"
    "Start with [bold]morpho demo[/], or [bold]morpho train mnist[/] and then [bold]morpho atlas latest[/].",
    rich_markup_mode="rich",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"morphospace {__version__}\n")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options before the verb."""
    del version


demo.register(app)
training.register(app)
polish.register(app)
refit.register(app)
recipes.register(app)
spaces.register(app)
explore.register(app)
pictures.register(app)
traverse.register(app)
concepts.register(app)
edit.register(app)
questions.register(app)
outliers.register(app)
points.register(app)
data.register(app)
export.register(app)


def main() -> None:
    """Run the command."""
    app()
