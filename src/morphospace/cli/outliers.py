"""``morpho outliers``: which images of a set the space has not learned."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from morphospace.cli.arguments import DeviceOption, ForceOption, OutOption, SeedOption, SpaceArgument
from morphospace.cli.notes import note_tally
from morphospace.cli.opening import folder_pictures, open_space, open_splits
from morphospace.cli.outputs import output_path
from morphospace.cli.problems import note_problems
from morphospace.cli.rows import Rows, name_within_set, rows_of_folder, rows_of_splits, write_scores
from morphospace.cli.screen import note
from morphospace.cli.verbs import Answer, command_line, verb

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from morphospace.evaluate import OutlierFigures
    from morphospace.images import Images
    from morphospace.pictures import Picture
    from morphospace.space import Space

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("outliers", rich_help_panel="Ask")(verb(outliers))


def outliers(
    space: SpaceArgument,
    data: Annotated[
        str, typer.Argument(metavar="DATA", help="A folder of pictures, a set like mnist, or a split like mnist:test.")
    ],
    n: Annotated[int, typer.Option("-n", min=1, max=1000, help="How many of the worst to list and draw.")] = 24,
    everything: Annotated[
        bool, typer.Option("--all", help="Write a CSV with a row for every image instead of drawing the worst.")
    ] = False,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    out: OutOption = None,
    force: ForceOption = False,
) -> Answer:
    """Find the images of a set that the space has not learned: badly reconstructed, or in an empty region.

    The CSV of --all has of each image its name, split and label (empty where not known), typicality, error (nats),
    share_as_badly_reconstructed, outlier (1 or 0) and rank (1 is the worst).
    """
    from morphospace.errors import ArgumentError
    from morphospace.evaluate import outlier_figures

    path = output_path(out, "outliers", ".csv" if everything else ".png", force=force)
    if everything and path.suffix.lower() != ".csv":
        raise ArgumentError(f"expected a name that ends in .csv with --all, got {path.name}.", argument="out")
    if not everything and path.suffix.lower() == ".csv":
        raise ArgumentError(
            f"expected a name that ends in .png, got {path.name}. Add --all for a table.", argument="out"
        )
    found = open_space(space, device)
    scored = _score_folder(found, data) or _score_set(found, data)
    if found.errors is None:
        note("this space keeps no errors of its test images: these images are compared with each other")
    figures = outlier_figures(scored.errors, found.typicality(scored.codes), found.errors)
    places = figures.worst(n).tolist()
    if everything:
        write_scores(path, scored.rows, figures)
        if not any(scored.rows.splits):
            note(f"{data} has no train/ and test/, so the column split is empty; {data}:test has test images alone")
    else:
        _draw(found, scored, figures, places, f"{figures.summary()} ({Path(data).name})").save(path)
    worst = [_facts(figures, place, scored.names[place]) for place in places]
    facts = {
        "seed": seed,
        "data": data,
        "images": len(scored.names),
        "against": figures.against,
        "outliers": int(figures.outliers.sum()),
        "badly_reconstructed": int(figures.badly_reconstructed.sum()),
        "in_an_empty_region": int(figures.in_an_empty_region.sum()),
        "worst": worst,
        **scored.more,
    }
    return Answer(facts, _listing(figures, worst), outputs=[path])


def _draw(space: Space, scored: _Scored, figures: OutlierFigures, places: list[int], title: str) -> Picture:
    """The worst images as a sheet."""
    from morphospace.report import Suspect, outlier_sheet

    suspects = [
        Suspect(
            name_within_set(scored.names[place]), float(figures.errors[place]), float(figures.typicality[place]),
            bool(figures.badly_reconstructed[place]), bool(figures.in_an_empty_region[place]),
        )
        for place in places
    ]  # fmt: skip
    picture = outlier_sheet(space, scored.pictures(places), suspects, title, figures.against)
    picture.text.update(command=command_line())
    return picture


class _Scored(NamedTuple):
    """Images with their scores; ``pictures`` reads those at some places again."""

    rows: Rows
    codes: NDArray[np.float32]
    errors: NDArray[np.float32]
    pictures: Callable[[list[int]], Images]
    more: dict[str, Any]

    @property
    def names(self) -> list[str]:
        """What the images are called."""
        return self.rows.names


def _score_set(space: Space, data: str) -> _Scored:
    import numpy as np

    from morphospace.evaluate import reconstruction_errors
    from morphospace.examples import labels_of
    from morphospace.workflow import preparation_for

    dataset, splits = open_splits(data, preparation_for(space))
    labels = [labels_of(space, split, dataset) for split in splits.values()]
    told = list(zip(splits.values(), labels, strict=True))
    codes = [space.encode(split.images, own).mean for split, own in told]
    errors = [reconstruction_errors(space, split.images, z, own) for (split, own), z in zip(told, codes, strict=True)]
    items = [(name, i) for name, split in splits.items() for i in range(len(split))]

    def pictures(places: list[int]) -> Images:
        return np.stack([splits[name].images[i] for name, i in (items[place] for place in places)])

    rows = rows_of_splits(dataset, splits)
    return _Scored(rows, np.concatenate(codes), np.concatenate(errors), pictures, {})


def _score_folder(space: Space, data: str) -> _Scored | None:
    """Of all pictures of the folder ``data``; None if it is no folder."""
    import numpy as np

    from morphospace.data.items import files_as_items, read_fitted
    from morphospace.data.tally import Tally
    from morphospace.evaluate import reconstruction_errors
    from morphospace.workflow import preparation_for

    files = folder_pictures(data, listed=True)
    if files is None:
        return None
    how, tally = space.interpretation, Tally()
    items = files_as_items(files, how)
    problems: list[Any] = []
    names: list[str] = []
    codes, errors = [], []
    for some, images in read_fitted(items, space.shape, space.resize, how, problems, tally):
        names += some
        code = space.encode(images)
        codes.append(code.mean)
        errors.append(reconstruction_errors(space, images, code.mean, code.labels))
    note_problems(problems, len(names))
    note_tally(tally, space)
    known = dict(items)

    def pictures(places: list[int]) -> Images:
        again = [(names[place], known[names[place]]) for place in places]
        return np.concatenate([some for _, some in read_fitted(again, space.shape, space.resize, how, [], Tally())])

    rows, others = rows_of_folder(Path(data), names, preparation_for(space))
    more = {"problems": [problem._asdict() for problem in (*others, *problems)]}
    return _Scored(rows, np.concatenate(codes), np.concatenate(errors), pictures, more)


def _facts(figures: OutlierFigures, place: int, name: str) -> dict[str, Any]:
    typicality = float(figures.typicality[place])
    return {
        "name": name,
        "outlier": bool(figures.outliers[place]),
        "reasons": figures.reasons(place),
        "nats": round(float(figures.errors[place]), 3),
        "share_as_badly_reconstructed": float(figures.share[place]),
        "typicality": None if typicality != typicality else typicality,
    }


def _listing(figures: OutlierFigures, worst: Sequence[dict[str, Any]]) -> str:
    from rich.markup import escape

    width = max(len(line["name"]) for line in worst)
    lines = [
        f"{escape(line['name'].ljust(width))}  {' and '.join(line['reasons']) or '[dim]no outlier[/]'}"
        for line in worst
    ]
    return "\n".join([f"[bold]{figures.summary()}[/]", *lines])
