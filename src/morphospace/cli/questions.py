"""``morpho analogy`` and ``neighbors``: what one asks of a space."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from morphospace.cli.arguments import DeviceOption, ForceOption, ImageArgument, OutOption, SeedOption, SpaceArgument
from morphospace.cli.notes import note_typicality
from morphospace.cli.opening import image_argument, open_space, open_splits
from morphospace.cli.outputs import output_path
from morphospace.cli.rows import ITEM, name_within_set
from morphospace.cli.space_data import data_for
from morphospace.cli.verbs import Answer, command_line, verb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from morphospace.data import Dataset, Split
    from morphospace.images import Images
    from morphospace.space import Space

__all__ = ["register"]

_ASK = "Ask"


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    for function in (analogy, neighbors):
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
    from morphospace.views import analogy as analogy_of

    path = output_path(out, "analogy", ".png", force=force)
    sheet = output_path(path.with_name(f"{path.stem}-sheet.png"), "analogy", ".png", force=force)
    found = open_space(space, device)
    asked = [image_argument(found, text) for text in (a, b, c)]
    points, labels = analogy_of(found, *asked)
    answer, typicality = found.decode(points, labels=labels), float(found.typicality(points)[0])
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
    from morphospace.examples import labels_of
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
    encoded = [found.encode(split.images, labels_of(found, split, dataset)).mean for split in splits.values()]
    codes = np.concatenate(encoded)
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
        [*filter(None, [line["label"], name_within_set(line["item"])]), f"distance {line['distance']:.2f}"]
        for line in listed
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

    item = None if Path(text).exists() else ITEM.fullmatch(text)
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
