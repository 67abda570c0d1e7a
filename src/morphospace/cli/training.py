"""``morpho train`` and ``resume``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from morphospace.cli.allowing import allowed
from morphospace.cli.arguments import CompileOption, DataArgument, DeviceOption, PrecisionOption, SeedOption
from morphospace.cli.opening import open_data, open_space
from morphospace.cli.preparation import PreparationOptions
from morphospace.cli.screen import escape, note, screen
from morphospace.cli.verbs import Answer, command_line, verb
from morphospace.errors import plural

if TYPE_CHECKING:
    from morphospace.workflow import Result

__all__ = ["register"]

_TRAIN, _LOOK = "Train", "Look"


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command("train", rich_help_panel=_TRAIN)(verb(train))
    app.command("resume", rich_help_panel=_TRAIN)(verb(resume))


def train(
    data: DataArgument,
    recipe: Annotated[
        str,
        typer.Option(
            "--recipe",
            help="See morpho recipes; auto is quick for small grey images, photo for colour ones of 32 pixels a side "
            "or more where the extra features is installed, else conv.",
        ),
    ] = "auto",
    start: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--from", metavar="SPACE", help="Go on from a trained space, with these images."),
    ] = None,
    options: PreparationOptions = PreparationOptions(),  # noqa: B008 - frozen
    latent_dim: Annotated[
        Optional[int], typer.Option("--latent-dim", help="The number of latents; the recipe's by default.")  # noqa: UP045
    ] = None,
    epochs: Annotated[Optional[int], typer.Option("--epochs", help="Passes over the images.")] = None,  # noqa: UP045
    minutes: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(
            "--minutes",
            help="As many epochs as end in so many minutes, by this machine's measured speed; they count from when the "
            "images are ready, until all is written.",
        ),
    ] = None,
    settings: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--set", metavar="KEY=VALUE", help="Change a key of the recipe; may be repeated."),
    ] = None,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    precision: PrecisionOption = "auto",
    compiled: CompileOption = None,
    out: Annotated[Path, typer.Option("--out", help="The folder for the run's folder.")] = Path("runs"),
) -> Answer:
    """Train a space on DATA; the run is OUT/0001-DATA-RECIPE."""
    began = time.perf_counter()
    from morphospace.cli.display import Display
    from morphospace.recipes import recipe_notes, setting_pairs
    from morphospace.training import choose_machine
    from morphospace.workflow import choose_recipe, epochs_note, preparation_for, train_run
    from morphospace.workflow.plan import check_minutes

    wishes: Any = {
        "latent_dim": latent_dim,
        "epochs": epochs,
        "settings": setting_pairs(settings or []),
        "foreign": allowed(),
    }
    begin = open_space(start, "cpu") if start else None
    check_minutes(minutes, epochs=epochs, settings=wishes["settings"])
    # A mistyped key is found before a hundred thousand pictures are prepared.
    choose_recipe(recipe, shape=None, start=begin, **wishes)
    machine = choose_machine(device=device, precision=precision, compiled=compiled)
    preparation = options.preparation()
    if begin is not None:
        preparation = preparation_for(begin, preparation)
    dataset = open_data(data, preparation)
    chosen = choose_recipe(recipe, shape=dataset.shape, start=begin, **wishes)
    auto = recipe == "auto" and begin is None
    for words in [*epochs_note(chosen, epochs), *recipe_notes(chosen, dataset.shape, auto=auto)]:
        note(words)
    with Display(screen()) as display:
        result = train_run(
            dataset,
            chosen,
            out=out,
            seed=seed,
            machine=machine,
            command=command_line(),
            listen=display,
            began=began,
            start=begin,
            minutes=minutes,
            warn=note,
        )
    return _answer(result)


def resume(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run, or [bold]latest[/].")],
    data: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--data", help="Where its set lies by now, if it has moved; the run remembers it."),
    ] = None,
    more_epochs: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--more-epochs", min=1, help="Go on with a finished run for so many epochs, in a new run."),
    ] = None,
) -> Answer:
    """Finish an interrupted run, bit for bit as if it had never stopped; or go on with a finished one.

    With --more-epochs, a new run beside the finished one begins with its weights, metrics and the optimiser's moments;
    the finished run stays as it is. A rate that had fallen to nothing starts again at 0.3 of the recipe's highest, and
    falls over the new epochs; one that never falls stays. A KL weight that had risen stays risen.
    """
    from morphospace.cli.display import Display
    from morphospace.cli.screen import data_progress
    from morphospace.training.runs import latest_run, latest_unfinished
    from morphospace.workflow import resume_run

    if str(run) == "latest":
        run = (None if more_epochs else latest_unfinished()) or latest_run()
    with Display(screen()) as display:
        result = resume_run(
            run,
            data=data,
            more_epochs=more_epochs,
            command=command_line(),
            listen=display,
            warn=note,
            progress=data_progress,
            parts=allowed(),
        )
    return _answer(result)


def _answer(result: Result) -> Answer:
    for words in result.warnings:
        note(words)
    test, space = result.test, f"[bold]{escape(str(result.run))}[/]"
    if test.neg_elbo is None:
        figures = f"reconstruction {test.reconstruction:.2f} nats"
    else:
        beta = "" if test.beta == 1 else f", beta {test.beta:g}: not an ELBO's weight"
        figures = f"−ELBO {test.neg_elbo:.2f} nats = reconstruction {test.reconstruction:.2f} + KL {test.kl:.2f}{beta}"
    book = (
        f"\nbook loss {test.book_loss:.4f}" if test.book_loss is not None and result.space.recipe.name == "book" else ""
    )
    psnr = "" if test.psnr is None else f"\nreconstructions {test.psnr:.1f} dB"
    best = (
        f", the best of {plural(result.train['epochs'], 'epoch')} was {best}"
        if (best := result.train.get("best_epoch"))
        else ""
    )
    text = (
        f"\n[bold]test[/] {figures}{book}{psnr}{best}\n"
        f"[dim]trained {result.train['seconds']:.1f} s at {result.train['images_per_second'] or 0:,.0f} images/s[/]\n\n"
        f"space   {space}\n"
        f"report  {escape(f'{result.run}/report.html')}\n"
        f"next    morpho atlas latest"
    )
    return Answer(result.to_json(), text)
