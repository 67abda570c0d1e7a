"""``morpho demo``."""

from __future__ import annotations

from pathlib import Path

import typer

from morphospace.cli.arguments import DeviceOption, ForceOption, OutOption, SeedOption
from morphospace.cli.opening import open_data
from morphospace.cli.outputs import output_path
from morphospace.cli.screen import screen
from morphospace.cli.verbs import Answer, command_line, verb

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("demo", rich_help_panel="Train")(verb(demo))


def demo(
    seed: SeedOption = 0, device: DeviceOption = "auto", out: OutOption = None, force: ForceOption = False
) -> Answer:
    """Train on real handwritten digits and show everything a space can do, within a minute."""
    from morphospace.cli.display import Display
    from morphospace.demo import NEXT, run_demo
    from morphospace.training import choose_machine

    folder = output_path(out, "demo", "", force=force)
    machine = choose_machine(device=device)
    dataset = open_data("digits")
    with Display(screen()) as display:
        made = run_demo(
            dataset,
            folder,
            runs=Path("runs"),
            seed=seed,
            machine=machine,
            command=command_line(),
            listen=display,
        )
    report, page = (path.resolve().as_uri() for path in (made.report, made.page))
    text = (
        f"\n[bold]Open this:[/] {report}\n[bold]and walk through MNIST:[/] {page}\n\n"
        f"[dim]What to type next[/]\n{NEXT}\n"
    )
    return Answer(made.result.to_json(), text, made.outputs)
