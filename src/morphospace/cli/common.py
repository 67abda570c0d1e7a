"""What every verb shares: options, answers, errors, the names of outputs.

A verb is a function that returns an :class:`Answer`. The decorator :func:`verb` gives it ``--json`` and
``--debug``, prints the answer, and turns errors into one line and an exit code. A parameter whose type is a dataclass
stands for the options that are its fields.
"""

from __future__ import annotations

import functools
import inspect
import json as jsonlib
import re
import shlex
import sys
import traceback
import typing
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from morphospace.errors import ArgumentError, FileError, MorphospaceError, plural

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as RichProgress
    from rich.table import Column

    from morphospace.data import Dataset, Preparation, Split
    from morphospace.data.tally import Tally
    from morphospace.images import Images
    from morphospace.space import Space

__all__ = [
    "Answer",
    "DataArgument",
    "DeviceOption",
    "ForceOption",
    "OutOption",
    "SeedOption",
    "SpaceArgument",
    "command_line",
    "data_progress",
    "escape",
    "folder_pictures",
    "image_argument",
    "note",
    "note_tally",
    "note_typicality",
    "open_data",
    "open_space",
    "output_path",
    "screen",
    "space_folder",
    "table_text",
    "verb",
]

SpaceArgument = Annotated[
    str,
    typer.Argument(
        metavar="SPACE", help="A run folder, a bundle folder, [bold]latest[/], or [bold]builtin[/] (MNIST, 2 latents)."
    ),
]
SeedOption = Annotated[int, typer.Option("--seed", min=0, help="Seed of everything random; recorded in what is made.")]
DataArgument = Annotated[
    str,
    typer.Argument(
        metavar="DATA",
        help="A folder, zip or tar of pictures, a file .npz, .npy, .mat or IDX, hf:NAME, or digits, mnist, "
        "fashion-mnist, binarized-mnist, sprites.",
    ),
]
DeviceOption = Annotated[str, typer.Option("--device", help="auto, cpu, cuda, cuda:1, mps.")]
OutOption = Annotated[
    Optional[Path],  # noqa: UP045 - typer reads it at run time
    typer.Option("--out", help="Where to write; a new numbered file in morpho-out/ by default."),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace an output that exists.")]
_JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
_DebugOption = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]

_OUT = Path("morpho-out")
_claims = ExitStack()  # of the verb that runs: the numbers of what it writes


@dataclass(frozen=True)
class Answer:
    """What a verb gives back: ``json`` for machines, ``text`` (with rich markup) for people."""

    json: dict[str, Any]
    text: str = ""
    outputs: list[Path] = field(default_factory=list)


@functools.cache
def screen() -> Console:
    """Where progress and errors go: stderr."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, emoji=False)


def note(words: str) -> None:
    """Tell a person something that is no result."""
    screen().print(f"[yellow]note:[/] {escape(words)}", soft_wrap=True)


def escape(words: str) -> str:
    """Words as rich prints them, brackets and all."""
    from rich.markup import escape

    return escape(words)


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
    extra = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=annotation)
        for name, annotation in (("json", _JsonOption), ("debug", _DebugOption))
    ]

    @functools.wraps(function)
    def command(*args: Any, json: bool, debug: bool, **kwargs: Any) -> None:
        for name, group in groups.items():
            kwargs[name] = group(**{field.name: kwargs.pop(field.name) for field in fields(group)})
        try:
            _print(function(*args, **kwargs), as_json=json)
        except MorphospaceError as error:
            _fail(str(error), error.exit_code, error, as_json=json, debug=debug)
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
            _claims.close()
            _latest.cache_clear()

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


def output_path(out: Path | None, stem: str, suffix: str, *, force: bool) -> Path:
    """Where a verb writes: ``out``, or the next number in morpho-out/.

    Raises:
        FileError: if ``out`` exists and ``--force`` is not given, or it is a folder with other people's files.
    """
    from morphospace.files import check_replaceable, claimed_number

    if out is None:
        return _claims.enter_context(claimed_number(_OUT, stem, suffix))
    if out.is_dir() and suffix:
        raise FileError(f"--out: {out} is a folder, expected the name of a file like {out / (stem + suffix)}.")
    if out.exists() and not force:
        raise FileError(f"--out: {out} exists. Choose another name, or pass --force to replace it.")
    if not suffix:
        check_replaceable(out)
    return out


def table_text(columns: Sequence[str | Column], rows: Iterable[Sequence[str]]) -> str:
    """Rows of cells with rich markup below the names of their columns, as one text with markup.

    The last column is folded to the width of the screen; no other is ever cut, if the screen is too narrow for them.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=None, padding=(0, 2, 0, 0), header_style="dim")
    *whole, last = table.columns
    for column in whole:
        column.no_wrap = True
    last.overflow, last.min_width = "fold", 24
    for row in rows:
        table.add_row(*row)
    console = Console(highlight=False, emoji=False)
    console.width = max(console.width, console.measure(table, options=console.options.update(width=1000)).minimum)
    with console.capture() as capture:
        console.print(table)
    return Text.from_ansi(capture.get().rstrip()).markup


def space_folder(name: str) -> Path:
    """The folder that SPACE names: of a run, or of a bundle."""
    from morphospace.builtin import space_path

    return _latest() if name == "latest" else space_path(name)


@functools.cache
def _latest() -> Path:
    """Looked up once for a verb: another run may finish while it works."""
    from morphospace.training.runs import latest_run

    return latest_run()


def open_space(name: str, device: str = "auto") -> Space:
    """The space that SPACE names."""
    from morphospace.space import load
    from morphospace.training.machine import choose_device, keep_freed_memory

    keep_freed_memory()
    chosen = choose_device(device)
    return load(space_folder(name), device=chosen)


@functools.cache
def _bar() -> RichProgress:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        TextColumn("[dim]{task.fields[unit]}"),
        TimeRemainingColumn(compact=True),
        console=screen(),
        transient=True,
    )


def data_progress(what: str, done: int, total: int | None, unit: str) -> None:
    """Show a download or a preparation: a bar in a terminal, a line at its end elsewhere."""
    console = screen()
    if unit == "bytes":
        done, total, unit = done // 1_000_000, total and -(-total // 1_000_000), "MB"
    finished = total is not None and done >= total
    if not console.is_terminal:
        if finished:
            console.print(f"{escape(what)}: {total:,} {unit}", soft_wrap=True)
        return
    bar = _bar()
    task = next((task.id for task in bar.tasks if task.description == escape(what)), None)
    if task is None:
        bar.start()
        task = bar.add_task(escape(what), unit=unit)
    bar.update(task, completed=done, total=total)
    if finished:
        bar.remove_task(task)
        bar.stop()


def stop_progress() -> None:
    """Take an unfinished bar from the screen."""
    if _bar.cache_info().currsize:
        _bar().stop()


def open_data(name: str, preparation: Preparation | None = None, *, listed: bool = False) -> Dataset:
    """The data set that DATA names; what was left out of it, and why, is said, unless it will be ``listed``."""
    from morphospace.cli.problems import problem_summary
    from morphospace.data import open_dataset

    dataset = open_dataset(name, preparation, progress=data_progress)
    if dataset.problems and not listed:
        note(problem_summary(dataset))
    for words in dataset.notes:
        note(words)
    return dataset


def note_typicality(typicality: float, what: str) -> dict[str, Any]:
    """Say so where ``what`` lies outside the populated part of a space; returns the facts for --json.

    Args:
        typicality: see :meth:`morphospace.Space.typicality`; NaN where unknown, which JSON has as null.
        what: like "the answer".
    """
    from morphospace.latent.mixtures import ATYPICAL

    atypical = typicality < ATYPICAL
    if atypical:
        others = f"only {100 * typicality:.2g} % of the test images lie" if typicality else "no test image lies"
        note(f"{what} lies in an empty region of the space: {others} as far out, so it may look like none of the set")
    return {"typicality": None if typicality != typicality else typicality, "atypical": bool(atypical)}


def open_splits(text: str, preparation: Preparation | None = None) -> tuple[Dataset, dict[str, Split]]:
    """``mnist`` as all its splits, ``mnist:test`` as one.

    Raises:
        ArgumentError: if the set has no such split.
    """
    from morphospace.data import SOURCES

    name, _, split = text.rpartition(":")
    known = name in SOURCES or name.startswith(("sprites", "hf:")) or (name and Path(name).exists())
    if not known or "=" in split or Path(text).exists():
        name, split = text, ""
    dataset = open_data(name, preparation)
    splits = [split] if split else ["train", "test", *(["validation"] if dataset.validation is not None else [])]
    return dataset, {kind: dataset.split(kind) for kind in splits}


def folder_pictures(text: str, *, listed: bool = False) -> list[tuple[str, Path]] | None:
    """(name, path) of each picture of a folder; None if it is none. Others are said, unless they will be ``listed``."""
    path = Path(text)
    if not path.is_dir():
        return None
    from morphospace.data.folder import list_folder, shown_name

    listing = list_folder(path)
    if listing.problems and not listed:
        first = listing.problems[0]
        note(f"{plural(len(listing.problems), 'file')} in {text} left out; the first is {first.name}: {first.reason}")
    return [(shown_name(name), path / name) for name in listing.files]


def note_tally(tally: Tally, space: Space) -> None:
    """Say what a person should know of how pictures were read for a space."""
    from morphospace.data.interpreting import notes_for_space

    for words in notes_for_space(tally, space.interpretation):
        note(words)


def image_argument(space: Space, text: str) -> Images:
    """IMAGE, a file or an item like ``mnist:test/17``, at the space's size: uint8 (1, H, W, C).

    Raises:
        FileError: if there is no such file.
        ArgumentError: if it looks like an item and is none.
    """
    from morphospace.data import SOURCES, open_item
    from morphospace.data.tally import Tally
    from morphospace.images import fit_image, read_image
    from morphospace.workflow import preparation_for

    if not Path(text).exists():
        if text.partition(":")[0] in (*SOURCES, "sprites", "hf") or re.search(r":\w+/\d+$", text):
            image = open_item(text, preparation_for(space), progress=data_progress)
            return fit_image(image, space.shape, space.resize)[None]
        raise FileError(f'IMAGE: there is no file "{text}". Expected a picture, or an item like "mnist:test/17".')
    if Path(text).is_dir():
        raise ArgumentError(f"IMAGE: {text} is a folder, expected a picture file.")
    tally = Tally()  # of one picture
    image = read_image(text, space.interpretation, near=max(space.shape[:2]), notice=tally.count)
    note_tally(tally, space)
    return fit_image(image, space.shape, space.resize)[None]
