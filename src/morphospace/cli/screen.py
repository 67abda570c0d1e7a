"""What a person sees beside the answer, on stderr: notes, bars; and text with markup for tables."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from morphospace.cli.spelling import spell_words

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as RichProgress
    from rich.table import Column

__all__ = ["data_progress", "escape", "note", "screen", "stop_progress", "table_text"]


@functools.cache
def screen() -> Console:
    """Where progress and errors go: stderr."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, emoji=False)


def note(words: str) -> None:
    """Tell a person something that is no result; arguments in it are spelled as they are typed."""
    screen().print(f"[yellow]note:[/] {escape(spell_words(words))}", soft_wrap=True)


def escape(words: str) -> str:
    """Words as rich prints them, brackets and all."""
    from rich.markup import escape

    return escape(words)


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
