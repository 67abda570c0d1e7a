"""Which packages a verb may import parts from: those that ``--allow`` names, and no others."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Optional

import typer

if TYPE_CHECKING:
    from morphospace.parts import Foreign

__all__ = ["AllowOption", "allowed", "allowing"]

AllowOption = Annotated[
    Optional[list[str]],  # noqa: UP045 - typer reads it at run time
    typer.Option(
        "--allow", metavar="PACKAGE", help="A package of yours that parts may be imported from; may be repeated."
    ),
]

_packages: list[Sequence[str]] = [()]  # of the verb that runs, last


@contextmanager
def allowing(packages: Sequence[str] | None) -> Iterator[None]:
    """Let the verb that runs import from ``packages``, which may lie in the folder that it runs in."""
    _packages.append(packages or ())
    before = list(sys.path)
    if packages and "" not in sys.path:
        sys.path.append("")
    try:
        yield
    finally:
        sys.path[:] = before
        _packages.pop()


def allowed() -> Foreign:
    """Finds parts in the packages that are allowed."""
    from morphospace.parts import allowed_parts

    return allowed_parts(_packages[-1])
