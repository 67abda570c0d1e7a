"""``morpho concept test``: what concepts really do, told by judges of images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from morphospace.cli.arguments import DeviceOption, ForceOption, OutOption, SeedOption, SpaceArgument
from morphospace.cli.opening import open_data, open_space
from morphospace.cli.outputs import output_path
from morphospace.cli.screen import escape, note, screen
from morphospace.cli.space_data import data_for, note_overlap
from morphospace.cli.stored_concepts import known_concept
from morphospace.cli.verbs import Answer, command_line
from morphospace.errors import ArgumentError

if TYPE_CHECKING:
    from morphospace.data import Dataset
    from morphospace.space import Space

__all__ = ["trial"]


def trial(
    space: SpaceArgument,
    names: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Argument(metavar="[NAME]...", help="The concepts to test; all, and the classes, if left out."),
    ] = None,
    data: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--data", help="The set whose images are judged; the space's own by default."),
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", min=2, max=100, help="How many judges, each with a seed.")] = 5,
    images: Annotated[int, typer.Option("--images", min=2, help="How many test images each concept edits.")] = 200,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    out: OutOption = None,
    force: ForceOption = False,
) -> Answer:
    """Test concepts: judges that never saw a latent tell what edits of held-out images really did."""
    from morphospace.evaluate.class_trials import class_figures
    from morphospace.evaluate.concept_trials import try_concepts
    from morphospace.files import atomic_folder, write_json
    from morphospace.report.trials import write_trial_report

    folder = output_path(out, "concept-test", "", force=force)
    found = open_space(space, device)
    for name in names or ():
        known_concept(found, name)
    dataset = open_data(*data_for(space, found, data))
    overlap = note_overlap(space, found, dataset)
    chosen = list(dict.fromkeys(names)) if names else _testable(found, dataset)
    wanted_classes = not names and found.classes is not None
    if wanted_classes and found.classes is not None and not set(found.classes.names) <= set(dataset.label_names):
        note(f"the classes of the space are not those of {dataset.name}; edits from class to class are left out")
        wanted_classes = False
    if not chosen and not wanted_classes:
        raise ArgumentError(
            "it has no concepts that this set can tell of. Learn one: morpho concept learn SPACE NAME --data DATA",
            argument="space",
        )
    wanted = range(seed, seed + seeds)
    trials, judge = try_concepts(found, dataset, chosen, seeds=wanted, images=images, tell=_tell)
    classes = None
    if wanted_classes:
        _tell("edits from class to class")
        classes = class_figures(found, dataset, judge, images=images, seed=seed)
    facts: dict[str, Any] = {"space": space, "data": dataset.name, "seed": seed, "seeds": seeds, **trials.to_json()}
    for name in trials.seen:
        note(f'"{name}" was learned from test images, which are edited here: of it, this is no held-out test')
    facts["test_images_trained_on"] = overlap
    facts["classes"] = None if classes is None else classes.to_json()
    with atomic_folder(folder) as partial:
        written = write_trial_report(partial, found, dataset, trials, classes, command=command_line())
        write_json(partial / "figures.json", facts)
        files = [folder / path.name for path in (*written, partial / "figures.json")]
    return Answer(facts, _text(facts), outputs=[files[0], *files[1:]])


def _testable(space: Space, dataset: Dataset) -> list[str]:
    """The concepts that the set can tell of; says which it cannot."""
    from morphospace.evaluate.origins import origin_in

    found = []
    for name, concept in space.concepts.items():
        try:
            origin_in(concept, dataset)
        except ArgumentError:
            note(f'"{name}" is left out: nothing in {dataset.name} can tell what it does')
        else:
            found.append(name)
    return found


def _tell(words: str) -> None:
    screen().print(f"[dim]{escape(words)}[/]", soft_wrap=True)


def _text(facts: dict[str, Any]) -> str:
    """The figures of strength 1 as a table."""

    def share(found: dict[str, Any], key: str) -> str:
        return f"{found[key]['mean']:.0%}" if key in found and found[key]["mean"] is not None else "-"

    head = f"{'at strength 1':20} {'reached':>8} {'random':>8} {'others':>8} {'identity':>9} {'real':>6}"
    lines = [f"[dim]{head}[/]"] if facts["concepts"] else []
    for name, each in facts["concepts"].items():
        found = next(row for row in each["strengths"] if row["strength"] == 1.0)
        line = (
            f"{escape(f'{name:20}')} {share(found, 'reached'):>8} {share(found, 'random_reached'):>8} "
            f"{share(found, 'others'):>8} {share(found, 'kept'):>9} {share(found, 'real'):>6}"
        )
        if each.get("correlation", {}).get("mean") is not None:
            line += f"  [dim]correlation {each['correlation']['mean']:.2f}[/]"
        lines.append(line)
    if facts["classes"] is not None:
        found = facts["classes"]
        lines.append(
            f"from class to class {found['mean']:.1%}, worst pair {found['worst']:.1%}, random {found['random']:.1%}"
        )
    return "\n".join(lines)
