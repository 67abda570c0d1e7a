"""``morpho concept export`` and ``import``: a concept as a small file, for others."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Optional

import typer

from morphospace.cli.arguments import DeviceOption, ForceOption, OutOption, SeedOption, SpaceArgument
from morphospace.cli.opening import open_data, open_space
from morphospace.cli.outputs import output_path
from morphospace.cli.screen import note
from morphospace.cli.space_data import data_for
from morphospace.cli.stored_concepts import add_concepts, concept_facts, concept_line, known_concept
from morphospace.cli.verbs import Answer
from morphospace.errors import ArgumentError

__all__ = ["export", "import_"]


def export(
    space: SpaceArgument,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The concept.")],
    examples: Annotated[
        int,
        typer.Option(
            "--examples",
            min=0,
            help="Carry so many training images that show it, and as many that do not, so that it can be learned again "
            "in another space. They are in the file as they are.",
        ),
    ] = 0,
    data: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--data", help="The set that the examples are from; the space's own by default."),
    ] = None,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    out: OutOption = None,
    force: ForceOption = False,
) -> Answer:
    """Write a concept to a file of its own: its direction, its evidence and, if asked for, examples."""
    from morphospace.concept_files import SharedConcept, write_shared_concept
    from morphospace.workflow import shared_examples

    stem = re.sub(r"[^\w.-]+", "-", name).strip("-.") or "concept"
    path = output_path(out, stem, ".safetensors", force=force)
    if path.suffix != ".safetensors":
        raise ArgumentError(f"expected a name that ends in .safetensors, got {path.name}.", argument="out")
    if data is not None and not examples:
        raise ArgumentError("it says where --examples come from; how many?", argument="data")
    found = open_space(space, device)
    concept = known_concept(found, name)
    carried = None
    if examples:
        dataset = open_data(*data_for(space, found, data))
        carried = shared_examples(concept, dataset, examples, seed=seed)
    about = f"recipe {found.recipe.name}, {found.about.get('data', {}).get('name', 'unknown images')}"
    write_shared_concept(path, SharedConcept(concept, found.fingerprint(), about, carried))
    count = 0 if carried is None else len(carried.images)
    if count:
        note(f"the file carries {count} images as they are; give it only to whom you may give them")
    elif concept.field is not None:
        count_of_codes = len(concept.field.places)
        note(
            f"the file carries the codes of {count_of_codes} images it was learned from; the space can draw their like"
        )
    facts = {"space": space, "seed": seed, "concept": name, "examples": count, "bytes": path.stat().st_size}
    return Answer(facts, f"{path.stat().st_size:,} bytes, {count or 'no'} examples", outputs=[path])


def import_(
    space: SpaceArgument,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What [bold]concept export[/] wrote.")],
    name: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--name", help="What to call it here; its own name by default."),
    ] = None,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    force: ForceOption = False,
) -> Answer:
    """Take a concept from a file: as it is into its own space, learned again from its examples into another."""
    from morphospace.concept_files import read_shared_concept
    from morphospace.workflow import adopt_concept

    shared = read_shared_concept(file)
    found = open_space(space, device)
    wanted = shared.concept.named(name or shared.concept.name).name
    if wanted in found.concepts and not force:
        raise ArgumentError(f'there is a concept "{wanted}" already. Pass --name ANOTHER, or --force.', argument="name")
    concept, again = adopt_concept(found, shared, wanted)
    add_concepts(space, {wanted: concept}, force=force)
    for words in concept.warnings(found.concepts):
        note(f"{wanted}: {words}")
    facts = {"space": space, "seed": seed, "learned_again": again, "concept": concept_facts(concept, found)}
    how = "learned again from the examples" if again else "taken as it is"
    return Answer(facts, f"{how}: {concept_line(concept)}")
