"""What the verbs of concepts share: finding them, keeping them, saying what they are worth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from morphospace.cli.opening import space_folder
from morphospace.errors import ArgumentError, did_you_mean

if TYPE_CHECKING:
    from morphospace.latent import Concept
    from morphospace.space import Space

__all__ = ["add_concepts", "bundle_folder", "concept_facts", "concept_line", "known_concept", "store_concepts"]


def known_concept(space: Space, name: str, argument: str = "name") -> Concept:
    """The concept that ``argument`` names.

    Raises:
        ArgumentError: if the space has none of that name.
    """
    if name not in space.concepts:
        raise ArgumentError(
            f'this space has no concept "{name}". {did_you_mean(name, space.concepts)}', argument=argument
        )
    return space.concepts[name]


def store_concepts(name: str, change: Callable[[dict[str, Concept]], dict[str, Concept]]) -> None:
    """Change the concepts that the space SPACE has by now."""
    from morphospace.bundle import change_concepts

    change_concepts(bundle_folder(name), change)


def add_concepts(name: str, added: Mapping[str, Concept], *, force: bool) -> None:
    """Add concepts to those that the space SPACE has by now.

    Raises:
        ArgumentError: for a name that is taken, without ``force``.
    """

    def change(there: dict[str, Concept]) -> dict[str, Concept]:
        for taken in there.keys() & added.keys():
            if not force:
                raise ArgumentError(
                    f'there is a concept "{taken}" already. Choose another, or pass --force.', argument="name"
                )
        return there | dict(added)

    store_concepts(name, change)


def bundle_folder(name: str) -> Path:
    """The bundle's folder that SPACE names."""
    from morphospace.builtin import builtin_folder
    from morphospace.training import runs

    folder = space_folder(name)
    if folder == builtin_folder():
        raise ArgumentError(
            "the built-in space cannot be changed. Copy its folder, or train one of your own.", argument="space"
        )
    return runs.bundle_folder(folder)


def concept_facts(concept: Concept, space: Space) -> dict[str, object]:
    """A concept for --json: its evidence, its direction, its warnings."""
    from morphospace.concept_files import concept_evidence

    return {
        "name": concept.name,
        **concept_evidence(concept),
        "direction": [float(v) for v in concept.direction],
        "places": 0 if concept.field is None else len(concept.field.places),
        "warnings": concept.warnings(space.concepts),
    }


def concept_line(concept: Concept, others: Mapping[str, Concept] | None = None) -> str:
    """A concept for people: how it was learned, how far to trust it, and why not."""
    from rich.markup import escape

    score = ""
    if concept.auc is not None:
        score = f", {'held-out AUC' if concept.held_out else 'AUC'} {concept.auc:.3f}"
        if concept.auc_interval is not None:
            score += " ({:.3f} to {:.3f})".format(*concept.auc_interval)
    if concept.correlation is not None:
        score += f", correlation {concept.correlation:.2f}"
    if concept.stability is not None:
        score += f", stable to {concept.stability:.3f}"
    counts = f", {concept.positives:,} against {concept.negatives:,}" if concept.positives else ""
    warnings = "".join(f"\n    [yellow]{escape(words)}[/]" for words in concept.warnings(others))
    return (
        f"[bold]{escape(concept.name)}[/]: {escape(concept.method)}{counts}{score}\n"
        f"    [dim]{escape(concept.source)}[/]{warnings}"
    )
