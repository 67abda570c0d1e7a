"""``morpho concept ...`` and ``morpho edit``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from morphospace.cli.common import (
    Answer,
    DeviceOption,
    ForceOption,
    OutOption,
    SeedOption,
    SpaceArgument,
    command_line,
    folder_pictures,
    image_argument,
    note,
    open_data,
    open_space,
    output_path,
    verb,
)
from morphospace.errors import ArgumentError, did_you_mean

if TYPE_CHECKING:
    from morphospace.latent import Concept
    from morphospace.space import Space

__all__ = ["register"]

_EDIT = "Edit"
_TRUSTED = 0.9


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    group = typer.Typer(
        help="Learn and keep concepts: named directions of a space.",
        no_args_is_help=True,
        rich_markup_mode="rich",
    )
    group.command("learn")(verb(learn))
    group.command("classes")(verb(classes))
    group.command("list")(verb(show))
    group.command("remove")(verb(remove))
    group.command("rename")(verb(rename))
    app.add_typer(group, name="concept", rich_help_panel=_EDIT)
    app.command("edit", rich_help_panel=_EDIT)(verb(edit))


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
        typer.Option("--negative", metavar="FOLDER", help="Pictures that do not; the space's test images if left out."),
    ] = None,
    method: Annotated[
        str, typer.Option("--method", help="mean-difference, ridge, logistic, or auto: by held-out AUC.")
    ] = "mean-difference",
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    force: ForceOption = False,
) -> Answer:
    """Learn a concept: from a label, an attribute, a measure of each drawing, or two folders of examples."""
    from morphospace.workflow import learn_from_dataset, preparation_for

    found = open_space(space, device)
    if name in found.concepts and not force:
        raise ArgumentError(f'NAME: there is a concept "{name}" already. Choose another, or pass --force.')
    if (data is None) == (positive is None):
        raise ArgumentError("expected --data SET, or --positive FOLDER, got both or neither.")
    if positive is not None:
        if balance or not label is attribute is measured is None:
            raise ArgumentError("--label, --attribute, --measure and --balance belong to --data, not to --positive.")
        concept = _from_folders(found, name, positive, negative, method)
    elif negative is not None:
        raise ArgumentError("--negative belongs to --positive; with --data all others are the negatives.")
    else:
        concept = learn_from_dataset(
            found, name, open_data(str(data), preparation_for(found)), label=label, attribute=attribute,
            measured=measured, balance=[] if balance == ["none"] else balance or None, method=method,
        )  # fmt: skip
    _store(space, found)
    for words in concept.warnings(found.concepts):
        note(f"{name}: {words}")
    facts = {"space": space, "seed": seed, "concept": _facts(concept, found)}
    return Answer(facts, f"learned {_line(concept)}")


def _from_folders(space: Space, name: str, positive: str, negative: str | None, method: str) -> Concept:
    from morphospace.cli.folders import encode_folder
    from morphospace.latent import learn_concept, sides

    def codes(option: str, folder: str) -> Any:
        encoded = encode_folder(space, folder)
        if encoded is None:
            raise ArgumentError(f"{option}: expected a folder of pictures, got {folder}.")
        return encoded[0]

    away = space.reference if negative is None else codes("--negative", negative)
    if away is None:
        raise ArgumentError("--negative: this space keeps no reference points; give a folder of pictures that lack it.")
    source = f"{positive} against {'the test images' if negative is None else negative}"
    seed = int(space.about.get("seed", 0))
    known = sides(codes("--positive", positive), away)
    concept = learn_concept(name, *known, method=method, source=source, seed=seed)
    space.concepts[name] = concept
    return concept


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
    from morphospace.workflow import learn_label_classes, preparation_for

    found = open_space(space, device)
    if found.classes is not None and not force:
        raise ArgumentError(f"SPACE: it knows the classes of {found.classes.source}. Pass --force to learn others.")
    learned, evidence = learn_label_classes(found, open_data(data, preparation_for(found)))
    write_classes(_bundle_folder(space), learned)
    s, t = divmod(int(np.nanargmin(evidence.reached + 2 * np.eye(len(learned.names)))), len(learned.names))
    worst = f"{learned.names[s]} to {learned.names[t]}"
    if evidence.worst < _TRUSTED:
        note(f"edits from {worst} often miss; a space of more latents, like that of --recipe editing, tells more apart")
    reached = f"{evidence.mean:.1%}" + (f", worst {worst} {evidence.worst:.1%}" if evidence.worst < 1 else "")
    text = (
        f"learned [bold]{len(learned.names)} classes[/] from {int(evidence.counts.sum()):,} images of {data}\n"
        f"[dim]edits of validation images, encoded again, reach their class: {reached}; "
        f"margin {learned.margin:g} nats[/]"
    )
    facts = {
        "space": space, "seed": seed, "classes": list(learned.names), "counts": evidence.counts.tolist(),
        "margin": learned.margin, "mean": evidence.mean, "worst": evidence.worst,
        "reached": [[None if np.isnan(share) else share for share in row] for row in evidence.reached.tolist()],
    }  # fmt: skip
    return Answer(facts, text)


def show(space: SpaceArgument) -> Answer:
    """List the concepts of a space with their evidence."""
    found = open_space(space, "cpu")
    lines = [_line(concept, found.concepts) for concept in found.concepts.values()]
    text = "\n".join(lines) or "no concepts yet; learn one: morpho concept learn SPACE NAME --data DATA --label L"
    facts = [_facts(concept, found) for concept in found.concepts.values()]
    return Answer({"space": space, "seed": found.about.get("seed"), "concepts": facts}, text)


def remove(
    space: SpaceArgument,
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="The concepts to remove.")],
) -> Answer:
    """Remove concepts."""
    found = open_space(space, "cpu")
    for name in names:
        _known(found, name)
    for name in names:
        found.concepts.pop(name, None)
    _store(space, found)
    return Answer({"space": space, "removed": names, "concepts": list(found.concepts)}, f"removed {', '.join(names)}")


def rename(
    space: SpaceArgument,
    old: Annotated[str, typer.Argument(metavar="OLD")],
    new: Annotated[str, typer.Argument(metavar="NEW")],
) -> Answer:
    """Rename a concept."""
    import dataclasses

    found = open_space(space, "cpu")
    _known(found, old)
    if new in found.concepts or not new.strip() or "=" in new:
        raise ArgumentError(f'NEW: expected a name that is free and has no "=", got "{new}".')
    found.concepts = {
        (new if name == old else name): (dataclasses.replace(concept, name=new) if name == old else concept)
        for name, concept in found.concepts.items()
    }
    _store(space, found)
    return Answer({"space": space, "concepts": list(found.concepts)}, f"renamed {old} to {new}")


def edit(
    space: SpaceArgument,
    image: Annotated[
        str, typer.Argument(metavar="IMAGE", help="A picture file, an item like mnist:test/17, or a folder.")
    ],
    concept: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--concept", metavar="NAME=STRENGTH", help="6=2.0; may be repeated."),
    ] = None,
    to: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--to", metavar="CLASS", help="The class that it is to be of."),
    ] = None,
    source: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--from", metavar="CLASS", help="The class that it is of; found if left out."),
    ] = None,
    strength: Annotated[float, typer.Option("--strength", help="How far towards --to: 1 is the whole way.")] = 1.0,
    keep_detail: Annotated[
        bool,
        typer.Option("--keep-detail", help="Add the change to the original picture instead of replacing it."),
    ] = False,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    out: OutOption = None,
    force: ForceOption = False,
) -> Answer:
    """Edit an image, or a folder of them, to another class or along concepts; beside one image lies a sheet."""
    import numpy as np

    from morphospace.cli.folders import change_folder
    from morphospace.pictures import Picture, enlarge
    from morphospace.report.sheets import captioned

    if not concept and to is None:
        raise ArgumentError("expected --concept NAME=STRENGTH or --to CLASS, or both, got neither.")
    if to is None and (source is not None or strength != 1.0):
        raise ArgumentError("--from and --strength belong to --to CLASS; --concept has its own, like 6=2.0.")
    strengths = dict(_strength(text) for text in concept or ())
    asked = {**({} if to is None else {"from": source, "to": to, "strength": strength}), "concepts": strengths}
    words = " ".join(concept or ()) if to is None else " ".join([f"to {to}", *(concept or ())])
    if (pictures := folder_pictures(image)) is not None:
        folder = output_path(out, "edit", "", force=force)
        found = open_space(space, device)
        about = found.text(kind="edit", concepts=words, command=command_line())
        change = partial(
            found.edit, strengths=strengths, target=to, source=source, strength=strength, keep_detail=keep_detail
        )
        facts = change_folder(found, pictures, folder, change, about)
        return Answer({"space": space, "seed": seed, **asked, **facts}, outputs=[folder])
    path = output_path(out, "edit", ".png", force=force)
    found = open_space(space, device)
    original = image_argument(found, image)
    edited = found.edit(original, strengths, target=to, source=source, strength=strength, keep_detail=keep_detail)
    text = found.text(kind="edit", concepts=words, command=command_line())
    Picture(edited[0], text).save(path)
    row = enlarge(np.concatenate([original, found.reconstruct(original), edited]), 168)
    sheet = path.with_name(f"{path.stem}-sheet.png")
    lines = [] if to is None else [f"to {to}" + (f" x{strength:g}" if strength != 1 else "")]
    caption = "\n".join([*lines, *(f"{name} {value:+g}" for name, value in strengths.items())])
    Picture(captioned([row], [caption], columns=["original", "decoded", "edited"]), text).save(sheet)
    facts = {"seed": seed, "image": image, **asked, "keep_detail": keep_detail}
    return Answer(facts, outputs=[path, sheet])


def _strength(text: str) -> tuple[str, float]:
    name, equals, value = text.rpartition("=")
    try:
        strength = float(value)
    except ValueError:
        strength = float("nan")
    if not equals or not name or strength != strength:
        raise ArgumentError(f'--concept: expected NAME=STRENGTH, like 6=2.0, got "{text}".')
    return name, strength


def _known(space: Space, name: str) -> None:
    if name not in space.concepts:
        raise ArgumentError(f'NAME: this space has no concept "{name}". {did_you_mean(name, space.concepts)}')


def _store(name: str, space: Space) -> None:
    from morphospace.bundle import write_concepts

    write_concepts(_bundle_folder(name), space.concepts)


def _bundle_folder(name: str) -> Path:
    from morphospace.training.runs import SPACE, latest_run

    folder = latest_run() if name == "latest" else Path(name)
    return folder / SPACE if (folder / SPACE).is_dir() else folder


def _facts(concept: Concept, space: Space) -> dict[str, object]:
    facts = {k: v for k, v in vars(concept).items() if k != "direction"}
    return facts | {
        "direction": [float(v) for v in concept.direction],
        "warnings": concept.warnings(space.concepts),
    }


def _line(concept: Concept, others: Mapping[str, Concept] | None = None) -> str:
    score = ""
    if concept.auc is not None:
        score = f", {'held-out AUC' if concept.held_out else 'AUC'} {concept.auc:.3f}"
        if concept.auc_interval is not None:
            score += " ({:.3f} to {:.3f})".format(*concept.auc_interval)
    if concept.correlation is not None:
        score += f", correlation {concept.correlation:.2f}"
    if concept.stability is not None:
        score += f", stable to {concept.stability:.3f}"
    warnings = "".join(f"\n    [yellow]{words}[/]" for words in concept.warnings(others))
    return (
        f"[bold]{concept.name}[/]: {concept.method}, {concept.positives:,} against {concept.negatives:,}{score}\n"
        f"    [dim]{concept.source}[/]{warnings}"
    )
