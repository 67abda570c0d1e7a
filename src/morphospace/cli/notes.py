"""What a person should know of a result: that it lies in an empty region, or how pictures were read for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from morphospace.cli.screen import note

if TYPE_CHECKING:
    from morphospace.data.tally import Tally
    from morphospace.space import Space

__all__ = ["note_tally", "note_typicality"]


def note_tally(tally: Tally, space: Space) -> None:
    """Say what a person should know of how pictures were read for a space."""
    from morphospace.data.interpreting import notes_for_space

    for words in notes_for_space(tally, space.interpretation):
        note(words)


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
