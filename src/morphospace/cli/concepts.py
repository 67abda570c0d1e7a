"""``morpho concept ...``: learn, classes, list, show, remove and rename."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from morphospace.cli import concept_learning, concept_sharing, concept_trials
from morphospace.cli.arguments import DeviceOption, ForceOption, OutOption, SeedOption, SpaceArgument
from morphospace.cli.opening import open_space
from morphospace.cli.outputs import output_path
from morphospace.cli.screen import escape
from morphospace.cli.stored_concepts import (
    concept_facts,
    concept_line,
    known_concept,
    store_concepts,
)
from morphospace.cli.verbs import Answer, command_line, verb
from morphospace.errors import ArgumentError

if TYPE_CHECKING:
    from morphospace.latent import Concept

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    group = typer.Typer(
        help="Learn and keep concepts: named directions of a space.",
        no_args_is_help=True,
        rich_markup_mode="rich",
    )
    group.command("learn")(verb(concept_learning.learn))
    group.command("classes")(verb(concept_learning.classes))
    group.command("discover")(verb(concept_learning.discover))
    group.command("list")(verb(list_))
    group.command("show")(verb(show))
    group.command("test")(verb(concept_trials.trial))
    group.command("export")(verb(concept_sharing.export))
    group.command("import")(verb(concept_sharing.import_))
    group.command("rename")(verb(rename))
    group.command("remove")(verb(remove))
    app.add_typer(group, name="concept", rich_help_panel="Edit")


def list_(space: SpaceArgument) -> Answer:
    """List the concepts of a space with their evidence."""
    found = open_space(space, "cpu")
    lines = [concept_line(concept, found.concepts) for concept in found.concepts.values()]
    text = "\n".join(lines) or "no concepts yet; learn one: morpho concept learn SPACE NAME --data DATA --label L"
    facts = [concept_facts(concept, found) for concept in found.concepts.values()]
    return Answer({"space": space, "seed": found.about.get("seed"), "concepts": facts}, text)


def show(
    space: SpaceArgument,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The concept.")],
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    out: OutOption = None,
    force: ForceOption = False,
) -> Answer:
    """Show a concept: its evidence, how far it can be followed, and a sheet of what it does."""
    import numpy as np

    from morphospace.report.concepts import STRENGTHS, concept_sheet, typicality_of_edits

    path = output_path(out, "concept", ".png", force=force)
    found = open_space(space, device)
    known_concept(found, name)
    concept = found.concepts[name]
    picture = concept_sheet(found, name)
    picture.text.update(command=command_line())
    picture.save(path)
    lines = [concept_line(concept, found.concepts)]
    populated = typicality_of_edits(found, name)
    if populated is not None:
        shares = "  ".join(f"{s:+g} {share:.0%}" for s, share in zip(STRENGTHS, populated, strict=True) if s)
        lines.append(f"    [dim]edits that end in the populated part of the space, by strength: {shares}[/]")
    facts = {"space": space, "seed": seed, "concept": concept_facts(concept, found)}
    facts["populated"] = (
        None if populated is None else dict(zip(map(str, STRENGTHS), np.round(populated, 4).tolist(), strict=True))
    )
    return Answer(facts, "\n".join(lines), outputs=[path])


def remove(
    space: SpaceArgument,
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="The concepts to remove.")],
) -> Answer:
    """Remove concepts."""
    found = open_space(space, "cpu")
    for name in names:
        known_concept(found, name)
    store_concepts(space, lambda there: {name: there[name] for name in there if name not in names})
    left = [name for name in found.concepts if name not in names]
    return Answer({"space": space, "removed": names, "concepts": left}, f"removed {escape(', '.join(names))}")


def rename(
    space: SpaceArgument,
    old: Annotated[str, typer.Argument(metavar="OLD")],
    new: Annotated[str, typer.Argument(metavar="NEW")],
) -> Answer:
    """Rename a concept."""
    found = open_space(space, "cpu")
    known_concept(found, old, "old")

    def renamed(there: dict[str, Concept]) -> dict[str, Concept]:
        if new in there:
            raise ArgumentError(f'there is a concept "{new}" already. Choose another name.', argument="new")
        return {c.name: c for c in (c.named(new) if name == old else c for name, c in there.items())}

    store_concepts(space, renamed)
    return Answer(
        {"space": space, "concepts": list(renamed(found.concepts))}, f"renamed {escape(old)} to {escape(new)}"
    )
