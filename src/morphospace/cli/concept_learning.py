"""``morpho concept learn``, ``classes`` and ``discover``: where concepts come from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from morphospace.cli.arguments import DeviceOption, ForceOption, OutOption, SeedOption, SpaceArgument
from morphospace.cli.opening import open_data, open_space, space_folder
from morphospace.cli.outputs import output_path
from morphospace.cli.screen import escape, note
from morphospace.cli.space_data import data_for
from morphospace.cli.stored_concepts import (
    add_concepts,
    bundle_folder,
    concept_facts,
    concept_line,
)
from morphospace.cli.verbs import Answer, command_line
from morphospace.errors import ArgumentError, MorphospaceError

if TYPE_CHECKING:
    from morphospace.latent import Concept
    from morphospace.space import Space

__all__ = ["classes", "discover", "learn"]

_TRUSTED = 0.9
_MOST_OTHERS = 2000  # training images that lack a concept, where no others are given


def learn(
    space: SpaceArgument,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to call it.")],
    data: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--data", help="The set to learn it from, with one of the next three."),
    ] = None,
    label: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--label", help="The label of the images that show it, against all others."),
    ] = None,
    attribute: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--attribute", metavar="NAME[=VALUE]", help="A number known of each image, or one of its words."),
    ] = None,
    measured: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--measure", help="Measured of bright drawings: slant, stroke-width, height, width, size, ink."),
    ] = None,
    balance: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--balance", metavar="label|ATTRIBUTE|none", help="Compare only within its groups; repeatable."),
    ] = None,
    positive: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--positive", metavar="FOLDER", help="Pictures that show it, in place of --data; five will do."),
    ] = None,
    negative: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--negative", metavar="FOLDER", help="Pictures that do not; the space's training images if left out."
        ),
    ] = None,
    method: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            "--method",
            help="mean-difference, local, ridge, lda, logistic, or auto: by held-out AUC. By default local for "
            "numbers, mean-difference for yes and no.",
        ),
    ] = None,
    seed: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--seed", min=0, help="Seed of what is drawn again and again; by default the space's."),
    ] = None,
    device: DeviceOption = "auto",
    force: ForceOption = False,
) -> Answer:
    """Learn a concept: from a label, an attribute, a measure of each drawing, or two folders of examples."""
    from morphospace.workflow import learn_from_dataset

    found = open_space(space, device)
    if name in found.concepts and not force:
        raise ArgumentError(f'there is a concept "{name}" already. Choose another, or pass --force.', argument="name")
    if (data is None) == (positive is None):
        raise ArgumentError("expected --data SET, or --positive FOLDER, got both or neither.")
    if positive is not None:
        if balance or not label is attribute is measured is None:
            raise ArgumentError("--label, --attribute, --measure and --balance belong to --data, not to --positive.")
        concept = _from_folders(space, found, name, positive, negative, method, seed)
    elif negative is not None:
        raise ArgumentError("--negative belongs to --positive; with --data all others are the negatives.")
    else:
        concept = learn_from_dataset(
            found, name, open_data(*data_for(space, found, str(data))), label=label, attribute=attribute,
            measured=measured, balance=[] if balance == ["none"] else balance or None, method=method, seed=seed,
        )  # fmt: skip
    add_concepts(space, {name: concept}, force=force)
    for words in concept.warnings(found.concepts):
        note(f"{name}: {words}")
    facts = {"space": space, "seed": concept.seed, "concept": concept_facts(concept, found)}
    return Answer(facts, f"learned {concept_line(concept)}")


def _from_folders(
    folder: str, space: Space, name: str, positive: str, negative: str | None, method: str | None, seed: int | None
) -> Concept:
    from morphospace.cli.folders import encode_folder
    from morphospace.latent import learn_concept, sides

    def codes(argument: str, folder: str) -> Any:
        encoded = encode_folder(space, folder)
        if encoded is None:
            raise ArgumentError(f"expected a folder of pictures, got {folder}.", argument=argument)
        return encoded[0]

    shows = codes("positive", positive)
    if negative is None:
        lacks, words = _others(folder, space)
    else:
        lacks, words = codes("negative", negative), f"against {Path(negative).name}"
    source = f"{Path(positive).name} {words}"  # names, not places: a bundle may be shared
    seed = int(space.about.get("seed", 0)) if seed is None else seed
    known = sides(shows, lacks)
    concept = learn_concept(name, *known, method=method, source=source, seed=seed)
    space.concepts[name] = concept
    return concept


def _others(folder: str, space: Space) -> tuple[Any, str]:
    """Codes of images to learn against, and which they are: training images, so that test images can still test it.

    Where a space does not know its training images any more, they are the test images, and that is said.
    """
    from morphospace.evenly import evenly_spaced
    from morphospace.examples import labels_of
    from morphospace.latent.concepts import AGAINST_TEST_IMAGES
    from morphospace.training.runs import run_data
    from morphospace.workflow import preparation_for

    known = run_data(space_folder(folder)) or {}
    try:
        dataset = open_data(str(known["source"]), preparation_for(space)) if known.get("source") else None
    except MorphospaceError as error:
        note(f"the space's training images cannot be opened: {error}")
        dataset = None
    if dataset is not None:
        train = dataset.train.take(evenly_spaced(len(dataset.train), _MOST_OTHERS))
        codes = space.encode(train.images, labels_of(space, train, dataset)).mean
        return codes, f"against {len(train):,} training images of {dataset.name}"
    if space.reference is None:
        raise ArgumentError(
            "this space keeps no reference points; give a folder of pictures that lack it.", argument="negative"
        )
    note(
        "it stands against the space's own test images, which are no test of it any more; --negative FOLDER for others"
    )
    return space.reference, AGAINST_TEST_IMAGES


def classes(
    space: SpaceArgument,
    data: Annotated[str, typer.Option("--data", help="The labelled set to learn them from.")],
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    force: ForceOption = False,
) -> Answer:
    """Learn where the images of each label lie: what `morpho edit --to LABEL` needs."""
    import numpy as np

    from morphospace.bundle import write_classes
    from morphospace.workflow import learn_label_classes

    found = open_space(space, device)
    if found.classes is not None and not force:
        raise ArgumentError(
            f"it knows the classes of {found.classes.source}. Pass --force to learn others.", argument="space"
        )
    learned, evidence = learn_label_classes(found, open_data(*data_for(space, found, data)))
    write_classes(bundle_folder(space), learned)
    s, t = divmod(int(np.nanargmin(evidence.reached + 2 * np.eye(len(learned.names)))), len(learned.names))
    worst = f"{learned.names[s]} to {learned.names[t]}"
    if evidence.worst < _TRUSTED:
        note(f"edits from {worst} often miss; a space of more latents, like that of --recipe editing, tells more apart")
    reached = f"{evidence.mean:.1%}" + (f", worst {escape(worst)} {evidence.worst:.1%}" if evidence.worst < 1 else "")
    text = (
        f"learned [bold]{len(learned.names)} classes[/] from {int(evidence.counts.sum()):,} images of {escape(data)}\n"
        f"[dim]edits of validation images, encoded again, reach their class: {reached}; "
        f"margin {learned.margin:g} nats[/]"
    )
    facts = {
        "space": space, "seed": seed, "classes": list(learned.names), "counts": evidence.counts.tolist(),
        "margin": learned.margin, "mean": evidence.mean, "worst": evidence.worst,
        "reached": [[None if np.isnan(share) else share for share in row] for row in evidence.reached.tolist()],
    }  # fmt: skip
    return Answer(facts, text)


def discover(
    space: SpaceArgument,
    k: Annotated[int, typer.Option("-k", min=1, help="How many.")] = 8,
    names: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--name", metavar="K=NAME", help="Keep the K-th as a concept of this name; may be repeated."),
    ] = None,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    out: OutOption = None,
    force: ForceOption = False,
) -> Answer:
    """Find directions without labels: those along which pictures change most, each with a strip to name it by."""
    from morphospace.report.concepts import discovery_sheet

    chosen = [_place(text, k) for text in names or ()]
    path = output_path(out, "discover", ".png", force=force)
    found = open_space(space, device)
    directions = found.discover(k)
    named: dict[str, Concept] = {}
    for place, name in chosen:
        if place > len(directions):
            raise ArgumentError(f"there are only {len(directions)} directions, got {place}={name}.", argument="names")
        if name in found.concepts and not force:
            raise ArgumentError(
                f'there is a concept "{name}" already. Choose another, or pass --force.', argument="names"
            )
        named[name] = directions[place - 1].concept.named(name)
    found.concepts |= named
    picture = discovery_sheet(found, directions)
    picture.text.update(command=command_line())
    picture.save(path)
    if named:
        add_concepts(space, named, force=force)
    lines = [
        f"{i:3d}  [bold]{one.concept.name}[/]  [dim]changes a pixel by {one.effect:.1f} of 255[/]"
        for i, one in enumerate(directions, 1)
    ]
    if not chosen:
        lines.append("[dim]name one: morpho concept discover SPACE --name 1=NAME[/]")
    facts = [
        {
            "number": i,
            "kind": one.concept.name,
            "effect": round(one.effect, 3),
            "direction": one.concept.direction.tolist(),
        }
        for i, one in enumerate(directions, 1)
    ]
    answer = {"space": space, "seed": seed, "directions": facts, "named": [name for _, name in chosen]}
    return Answer(answer, "\n".join(lines), outputs=[path])


def _place(text: str, k: int) -> tuple[int, str]:
    place, equals, name = text.partition("=")
    if not equals or not place.isdecimal() or not name or not 1 <= int(place) <= k:
        raise ArgumentError(f'expected K=NAME with K from 1 to {k}, like 2=smile, got "{text}".', argument="names")
    return int(place), name
