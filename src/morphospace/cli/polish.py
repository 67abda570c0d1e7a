"""``morpho polish``: the decoder of a space goes on, and every code stays."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from morphospace.cli.allowing import allowed
from morphospace.cli.arguments import CompileOption, DeviceOption, PrecisionOption, SpaceArgument
from morphospace.cli.opening import space_folder
from morphospace.cli.problems import problem_summary
from morphospace.cli.screen import data_progress, escape, note, screen
from morphospace.cli.verbs import Answer, command_line, verb

if TYPE_CHECKING:
    from morphospace.workflow import Result

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("polish", rich_help_panel="Train")(verb(polish))


def polish(
    start: SpaceArgument,  # not "space", which a verb with a device reads and draws through, as some label maybe
    data: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--data", help="Where the set that it was trained on lies, if it has moved or is not known."),
    ] = None,
    minutes: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option("--minutes", help="End in so many minutes, by the measured speed of this machine; 7 by default."),
    ] = None,
    epochs: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--epochs", min=1, help="Passes over the training images, instead of minutes."),
    ] = None,
    features: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--features", help="The feature network that tells how far pictures are apart."),
    ] = None,
    seed: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(min=0, help="Seed of batches and noise; that of the space by default."),
    ] = None,
    device: DeviceOption = "auto",
    precision: PrecisionOption = "auto",
    compiled: CompileOption = None,
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--out", help="The folder for the new run's folder; beside the old run by default, or runs/."),
    ] = None,
) -> Answer:
    """Make a space sharper: its decoder goes on under a perceptual distance, its encoder held still.

    A new run beside the old one gets the polished space; the old one stays as it is. Every code stays what it was to
    the last bit, and with the codes concepts, classes, sampler, reference points and attributes. What sharpness costs
    is likelihood: its figures are renewed, and the model card has those of before beside them.
    """
    began = time.perf_counter()
    from morphospace.cli.display import Display
    from morphospace.space import load
    from morphospace.training import choose_machine
    from morphospace.training.runs import run_of
    from morphospace.workflow import choose_polish, minutes_for, own_dataset, polish_run

    folder = space_folder(start)
    minutes = minutes_for(minutes, epochs)
    found, run = load(folder, parts=allowed()), run_of(folder)
    machine = choose_machine(device=device, precision=precision, compiled=compiled)
    recipe = choose_polish(found, features=features, epochs=epochs)  # before a hundred thousand pictures are prepared
    dataset = own_dataset(found, folder, data, warn=note, progress=data_progress)
    for words in ([problem_summary(dataset)] if dataset.problems else []) + list(dataset.notes):
        note(words)
    place = out or (Path("runs") if run is None else run.parent)
    with Display(screen()) as display:
        result = polish_run(
            found, dataset, recipe, out=place, machine=machine, seed=seed, command=command_line(), listen=display,
            warn=note, began=began, origin=folder, minutes=minutes,
        )  # fmt: skip
    return _answer(result)


def _answer(result: Result) -> Answer:
    for words in result.warnings:
        note(words)
    done = result.space.about["polish"][-1]
    lines = [f"{name} {was} -> [bold]{now}[/]" for name, was, now in _figures(result)]
    text = (
        f"\n[bold]polished[/] {done['seconds']:.1f} s, encoder held still: codes are those of before, bit for bit\n"
        f"{'; '.join(lines)}\n\n"
        f"space   [bold]{escape(str(result.run))}[/]\n"
        f"report  {escape(f'{result.run}/report.html')}\n"
        f"next    morpho sample {escape(str(result.run))}"
    )
    return Answer({**result.to_json(), "polish": result.space.about["polish"]}, text)


def _figures(result: Result) -> list[tuple[str, str, str]]:
    """What changed: (name, before, after)."""
    done: dict[str, Any] = result.space.about["polish"][-1]
    before, after = done["before"], result.test.to_json()
    found = []
    if "distance" in done:
        found.append(("perceptual distance", *(f"{done['distance'][key]:.4f}" for key in ("before", "after"))))
    for key, name, form in (("psnr", "reconstructions, dB", "{:.1f}"), ("neg_elbo", "−ELBO, nats", "{:.1f}")):
        if before.get(key) is not None and after.get(key) is not None:
            found.append((name, form.format(before[key]), form.format(after[key])))
    return found  # type: ignore[return-value]
