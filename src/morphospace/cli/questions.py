"""``morpho analogy``, ``neighbors`` and ``outliers``: what one asks of a space."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Optional

import typer

from morphospace.cli.arguments import DeviceOption, ForceOption, ImageArgument, OutOption, SeedOption, SpaceArgument
from morphospace.cli.notes import note_tally, note_typicality
from morphospace.cli.opening import folder_pictures, image_argument, open_space, open_splits
from morphospace.cli.outputs import output_path
from morphospace.cli.own import data_for
from morphospace.cli.problems import note_problems
from morphospace.cli.screen import note
from morphospace.cli.verbs import Answer, command_line, verb

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from morphospace.cli.rows import Rows
    from morphospace.data import Dataset, Split
    from morphospace.evaluate import OutlierFigures
    from morphospace.images import Images
    from morphospace.pictures import Picture
    from morphospace.space import Space

__all__ = ["register"]

_ASK = "Ask"
_ITEM = re.compile(r"(?P<set>.+):(?P<split>\w+)/(?P<number>\d+)")


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    for function in (analogy, neighbors, outliers):
        app.command(function.__name__, rich_help_panel=_ASK)(verb(function))


def analogy(
    space: SpaceArgument,
    a: Annotated[str, typer.Argument(metavar="A", help="A picture file, or an item like mnist:test/17.")],
    b: Annotated[str, typer.Argument(metavar="B", help="What A becomes.")],
    c: Annotated[str, typer.Argument(metavar="C", help="What is to change in the same way.")],
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    out: OutOption = None,
    force: ForceOption = False,
) -> Answer:
    """A is to B as C is to what? Draw the answer, and beside it a sheet of all four."""
    import numpy as np

    from morphospace.pictures import Picture
    from morphospace.report import analogy_sheet

    path = output_path(out, "analogy", ".png", force=force)
    sheet = output_path(path.with_name(f"{path.stem}-sheet.png"), "analogy", ".png", force=force)
    found = open_space(space, device)
    asked = [image_argument(found, text) for text in (a, b, c)]
    points = found.analogy_points(*asked)
    answer, typicality = found.decode(points), float(found.typicality(points)[0])
    text = found.text(kind="analogy", command=command_line())
    Picture(answer[0], text).save(path)
    picture = analogy_sheet(found, np.concatenate(asked), answer, (a, b, c), typicality)
    picture.text.update(text)
    picture.save(sheet)
    facts = note_typicality(typicality, "the answer")
    return Answer({"seed": seed, "images": [a, b, c], **facts}, outputs=[path, sheet])


def neighbors(
    space: SpaceArgument,
    image: ImageArgument,
    data: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--data", help="Whose images: a set, or a split like mnist:test; the space's own by default."),
    ] = None,
    n: Annotated[int, typer.Option("-n", min=1, max=1000, help="How many.")] = 12,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    out: OutOption = None,
    force: ForceOption = False,
) -> Answer:
    """List and draw the images of a set whose codes lie nearest to that of an image."""
    import numpy as np

    from morphospace.errors import DataError
    from morphospace.latent.nearest import nearest
    from morphospace.report import neighbor_sheet

    path = output_path(out, "neighbors", ".png", force=force)
    found = open_space(space, device)
    dataset, splits = open_splits(*data_for(space, found, data))
    items = [(name, split, i) for name, split in splits.items() for i in range(len(split))]
    query, own = _query(found, image, dataset, splits)
    if own is not None and len(items) == 1:
        raise DataError(
            f"expected images beside {image} to look among, got it alone. Name a set or split of more images.",
            argument="data",
        )
    codes = np.concatenate([found.encode(split.images).mean for split in splits.values()])
    places, distances = nearest(found.encode(query).mean[0], codes, n + 1)
    chosen = [(place, distance) for place, distance in zip(places, distances, strict=True) if place != own][:n]
    listed: list[dict[str, Any]] = []
    pictures = []
    for place, distance in chosen:
        name, split, i = items[place]
        label = None if split.labels is None else dataset.label_names[split.labels[i]]
        listed.append({"item": f"{dataset.name}:{name}/{i}", "label": label, "distance": round(float(distance), 4)})
        pictures.append(split.images[i])
    among = f"{len(items) - (own is not None):,} images of {dataset.name}"
    captions = [
        [*filter(None, [line["label"], _within(line["item"])]), f"distance {line['distance']:.2f}"] for line in listed
    ]
    picture = neighbor_sheet(found, query, np.stack(pictures), captions, f"nearest among {among}", image)
    picture.text.update(command=command_line())
    picture.save(path)
    facts = {"seed": seed, "image": image, "data": dataset.name, "images": len(items), "neighbors": listed}
    return Answer(facts, _table(listed), outputs=[path])


def _query(space: Space, text: str, dataset: Dataset, splits: dict[str, Split]) -> tuple[Images, int | None]:
    """The image asked about, and its place among those of ``splits`` where it is one of them."""
    from morphospace.data import open_dataset
    from morphospace.workflow import preparation_for

    item = None if Path(text).exists() else _ITEM.fullmatch(text)
    if item is None or not (Path(item["set"]).exists() or _kind(item["set"]) == _kind(dataset.source)):
        return image_argument(space, text), None
    if open_dataset(item["set"], preparation_for(space)).source != dataset.source:
        return image_argument(space, text), None
    # Prepared as the set is, and not by itself: the split of a folder depends on its pixels.
    split, number = dataset.split(item["split"]), int(item["number"])
    if number >= len(split):
        return image_argument(space, text), None  # says what is wrong
    before = 0
    for name, some in splits.items():
        if name == item["split"]:
            return split.images[number : number + 1], before + number
        before += len(some)
    return split.images[number : number + 1], None


def _within(item: str) -> str:
    """What an item is called within its set, as sheets name it below the set's own name."""
    return item.rpartition(":")[2] if _ITEM.fullmatch(item) else item


def _kind(source: str) -> str:
    return source.partition(":")[0]


def _table(listed: Sequence[dict[str, Any]]) -> str:
    from rich.markup import escape

    rank, item = len(str(len(listed))), max(len(line["item"]) for line in listed)
    label = max(len(line["label"] or "") for line in listed)
    return "\n".join(
        f"[dim]{i:{rank}}[/]  {escape(line['item'].ljust(item))}  {escape((line['label'] or '').ljust(label))}"
        f"  [dim]{line['distance']:.3f}[/]"
        for i, line in enumerate(listed, 1)
    )


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
    from morphospace.cli.rows import write_scores
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
            _within(scored.names[place]), float(figures.errors[place]), float(figures.typicality[place]),
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

    from morphospace.cli.rows import rows_of_splits
    from morphospace.evaluate import reconstruction_errors
    from morphospace.workflow import preparation_for

    dataset, splits = open_splits(data, preparation_for(space))
    codes = [space.encode(split.images).mean for split in splits.values()]
    errors = [reconstruction_errors(space, s.images, z) for s, z in zip(splits.values(), codes, strict=True)]
    items = [(name, i) for name, split in splits.items() for i in range(len(split))]

    def pictures(places: list[int]) -> Images:
        return np.stack([splits[name].images[i] for name, i in (items[place] for place in places)])

    rows = rows_of_splits(dataset, splits)
    return _Scored(rows, np.concatenate(codes), np.concatenate(errors), pictures, {})


def _score_folder(space: Space, data: str) -> _Scored | None:
    """Of all pictures of the folder ``data``; None if it is no folder."""
    import numpy as np

    from morphospace.cli.rows import rows_of_folder
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
        codes.append(space.encode(images).mean)
        errors.append(reconstruction_errors(space, images, codes[-1]))
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
