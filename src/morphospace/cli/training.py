"""``morpho train``, ``resume`` and ``recipes``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from morphospace.cli.common import (
    Answer,
    DeviceOption,
    SeedOption,
    command_line,
    note,
    open_data,
    screen,
    verb,
)

if TYPE_CHECKING:
    from morphospace.workflow import Result

__all__ = ["register"]

_TRAIN, _LOOK = "Train", "Look"


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command("train", rich_help_panel=_TRAIN)(verb(train))
    app.command("resume", rich_help_panel=_TRAIN)(verb(resume))
    app.command("recipes", rich_help_panel=_TRAIN)(verb(recipes))


def train(
    data: Annotated[str, typer.Argument(metavar="DATA", help="digits, mnist or fashion-mnist.")],
    recipe: Annotated[str, typer.Option("--recipe", help="See morpho recipes.")] = "quick",
    latent_dim: Annotated[
        Optional[int], typer.Option("--latent-dim", help="The number of latents; the recipe's by default.")  # noqa: UP045
    ] = None,
    epochs: Annotated[Optional[int], typer.Option("--epochs", help="Passes over the images.")] = None,  # noqa: UP045
    changes: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--set", metavar="KEY=VALUE", help="Change a key of the recipe; may be repeated."),
    ] = None,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    precision: Annotated[str, typer.Option("--precision", help="auto, bf16 or fp32.")] = "auto",
    compiled: Annotated[
        Optional[bool],  # noqa: UP045
        typer.Option("--compile/--no-compile", help="torch.compile; by default only where it saves time."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="The folder for the run's folder.")] = Path("runs"),
) -> Answer:
    """Train a space on DATA; the run is OUT/0001-DATA-RECIPE."""
    began = time.perf_counter()
    from morphospace.cli.display import Display
    from morphospace.recipes import find_recipe, with_settings
    from morphospace.training import choose_settings
    from morphospace.workflow import train_run

    pairs = list(changes or [])
    pairs += [f"latent_dim={latent_dim}"] if latent_dim is not None else []
    pairs += [f"epochs={epochs}"] if epochs is not None else []
    chosen = with_settings(find_recipe(recipe), pairs)
    settings = choose_settings(device=device, precision=precision, compiled=compiled)
    dataset = open_data(data)
    with Display(screen()) as display:
        result = train_run(
            dataset,
            chosen,
            out=out,
            seed=seed,
            settings=settings,
            command=command_line(),
            listen=display,
            began=began,
        )
    return _answer(result)


def resume(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of an interrupted run.")],
) -> Answer:
    """Finish an interrupted run, bit for bit as if it had never stopped."""
    from morphospace.cli.common import data_progress
    from morphospace.cli.display import Display
    from morphospace.workflow import resume_run

    with Display(screen()) as display:
        result = resume_run(run, listen=display, warn=note, progress=data_progress)
    return _answer(result)


def recipes() -> Answer:
    """List the recipes."""
    from rich.console import Console
    from rich.table import Table

    from morphospace.recipes import RECIPES

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in ("recipe", "latents", "epochs", "batch", "what it is"):
        table.add_column(column)
    for recipe in RECIPES.values():
        table.add_row(
            f"[bold]{recipe.name}[/]",
            str(recipe.latent_dim),
            str(recipe.epochs),
            str(recipe.batch),
            recipe.summary,
        )
    console = Console(highlight=False)
    with console.capture() as capture:
        console.print(table)
        console.print("[dim]Change any key with --set key=value; --json shows them all.[/]")
    from rich.text import Text

    text = Text.from_ansi(capture.get().rstrip()).markup
    return Answer({"recipes": [recipe.to_json() for recipe in RECIPES.values()]}, text)


def _answer(result: Result) -> Answer:
    for words in result.warnings:
        note(words)
    test, space = result.test, f"[bold]{result.run}[/]"
    if test.neg_elbo is None:
        figures = f"reconstruction {test.reconstruction:.2f} nats"
    else:
        beta = "" if test.beta == 1 else f", beta {test.beta:g}: not an ELBO's weight"
        figures = f"−ELBO {test.neg_elbo:.2f} nats = reconstruction {test.reconstruction:.2f} + KL {test.kl:.2f}{beta}"
    book = (
        f"\nbook loss {test.book_loss:.4f}" if test.book_loss is not None and result.space.recipe.name == "book" else ""
    )
    text = (
        f"\n[bold]test[/] {figures}{book}\n"
        f"[dim]trained {result.train['seconds']:.1f} s at {result.train['images_per_second'] or 0:,.0f} images/s[/]\n\n"
        f"space   {space}\n"
        f"report  {result.run}/report.html\n"
        f"next    morpho atlas latest"
    )
    return Answer(result.to_json(), text)
