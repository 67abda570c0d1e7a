"""As which label a verb reads and draws: the one that ``--given`` names, in a space that is told labels."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from morphospace.cli.screen import note

if TYPE_CHECKING:
    from morphospace.space import Space

__all__ = ["GivenOption", "as_given", "giving", "saying"]

GivenOption = Annotated[
    Optional[str],  # noqa: UP045 - typer reads it at run time
    typer.Option(
        "--given",
        metavar="[label=]LABEL",
        help="Read images, and draw, as this label: of a space that is told labels, like those of the recipe "
        "conditional.",
    ),
]

_labels: list[str | None] = [None]  # of the verb that runs, last


@contextmanager
def giving(label: str | None) -> Iterator[None]:
    """Give every space that the verb opens this label."""
    _labels.append(label)
    try:
        yield
    finally:
        _labels.pop()


def as_given(space: Space) -> Space:
    """A space, given the label of ``--given``.

    Raises:
        ArgumentError: if there is no such label, or the space is told none.
    """
    label = _labels[-1]
    return space if label is None else space.given(label.removeprefix("label="))


class _Notes(logging.Handler):
    """Says as a note what the core decided for somebody."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.name == "morphospace":
            note(record.getMessage())
        elif logging.lastResort is not None:  # what goes wrong inside a server, with its traceback
            logging.lastResort.handle(record)


@contextmanager
def saying() -> Iterator[None]:
    """Say as notes what the core says through its logger while a verb runs."""
    log, handler = logging.getLogger("morphospace"), _Notes(logging.WARNING)
    before = log.propagate
    log.addHandler(handler)
    log.propagate = False
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.propagate = before
