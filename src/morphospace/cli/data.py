"""``morpho data ...``: look at sets, prepare them, write them out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from morphospace.cli.common import (
    Answer,
    ColourOption,
    DataArgument,
    ForceOption,
    OutOption,
    ResizeOption,
    SizeOption,
    StrictOption,
    command_line,
    open_data,
    output_path,
    preparation_of,
    problem_summary,
    verb,
)

if TYPE_CHECKING:
    from morphospace.data import Dataset

__all__ = ["register"]

_SHOWN = 12


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    group = typer.Typer(help="Look at data sets, and prepare them.", no_args_is_help=True, rich_markup_mode="rich")
    for function in (info, prepare, export):
        group.command(function.__name__)(verb(function))
    app.add_typer(group, name="data", rich_help_panel="Train")


def info(
    data: DataArgument,
    size: SizeOption = None,
    resize: ResizeOption = "crop",
    colour: ColourOption = "auto",
    strict: StrictOption = False,
    out: OutOption = None,
    force: ForceOption = False,
) -> Answer:
    """Show what a set holds: counts, sizes, labels, attributes, problems; and write a sheet of examples."""
    from rich.markup import escape

    from morphospace.report import example_sheet

    path = output_path(out, "data", ".png", force=force)
    dataset = open_data(data, preparation_of(size, resize, colour, strict))
    example_sheet(dataset, {"command": command_line()}).save(path)
    facts = _facts(dataset)
    height, width, channels = dataset.shape
    kind = "grey" if channels == 1 else "colour"
    validation = f", {facts['validation']:,} to choose by" if "validation" in facts else ""
    lines = [
        f"[bold]{escape(dataset.name)}[/]{': ' + facts['summary'] if facts['summary'] else ''}",
        f"[dim]images      [/]{width}x{height} {kind}, {len(dataset.train):,} to train, "
        f"{len(dataset.test):,} to test{validation}",
    ]
    if sizes := dataset.preparation.get("sizes"):
        found = ", ".join(f"{text} ({count:,})" for text, count in list(sizes.items())[:4])
        more = dataset.preparation["forms"] - min(4, len(sizes))
        lines.append(f"[dim]files       [/]{found}{f' and {more:,} other sizes' if more else ''}")
    lines.append(f"[dim]fingerprint [/]{dataset.fingerprint[:16]}")
    lines += [
        f"[dim]label[/] {escape(name):20} {both['train']:7,} {both['test']:7,}"
        for name, both in facts["labels"].items()
    ]
    lines += [f"[dim]attribute[/] {escape(name):16} {escape(words)}" for name, words in facts["attributes"].items()]
    if dataset.problems:
        lines.append(f"[yellow]{problem_summary(dataset).partition(';')[0]}[/]")
        lines += [f"  {escape(_one_line(p.name))}: {escape(p.reason)}" for p in dataset.problems[:_SHOWN]]
        if len(dataset.problems) > _SHOWN:
            lines.append(f"  [dim]and {len(dataset.problems) - _SHOWN:,} more; --json lists them all[/]")
    return Answer(facts, "\n".join(lines), [path])


def _one_line(name: str) -> str:
    return name.encode("unicode_escape").decode() if any(not c.isprintable() for c in name) else name


def _facts(dataset: Dataset) -> dict[str, Any]:
    """Everything that is known of a set, as JSON."""
    import numpy as np

    from morphospace.data import SOURCES, examples

    train, test = dataset.train, dataset.test
    counts = {
        name: {
            "train": int((train.labels == i).sum()) if train.labels is not None else 0,
            "test": int((test.labels == i).sum()) if test.labels is not None else 0,
        }
        for i, name in enumerate(dataset.label_names)
    }
    facts: dict[str, Any] = {
        "data": dataset.name,
        "summary": SOURCES[dataset.source].summary if dataset.source in SOURCES else "",
        "source": dataset.source,
        "shape": list(dataset.shape),
        "train": len(train),
        "test": len(test),
        "labels": {name: both for name, both in counts.items() if sum(both.values())},
        "attributes": {name: _described(values) for name, values in train.attributes.items()},
        "mean": round(float(np.mean(examples(train.images, 2000))), 3),
        "fingerprint": dataset.fingerprint,
        "preparation": dataset.preparation,
        "problems": [problem._asdict() for problem in dataset.problems],
        "notes": list(dataset.notes),
    }
    if dataset.validation is not None:
        facts["validation"] = len(dataset.validation)
    return facts


def _described(values: Any) -> str:
    """An attribute in a few words."""
    import numpy as np

    if values.dtype.kind == "f":
        known = values[~np.isnan(values)]
        missing = f", {len(values) - len(known):,} missing" if len(known) < len(values) else ""
        return (f"{known.min():g} to {known.max():g}" if len(known) else "no values") + missing
    words, counts = np.unique(values[values != ""], return_counts=True)
    shown = ", ".join(str(word) for word in words[np.argsort(-counts, kind="stable")][:5])
    missing = f", {int((values == '').sum()):,} missing" if (values == "").any() else ""
    return (
        shown + (f" and {len(words) - 5:,} more" if len(words) > 5 else "") if len(words) else "no values"
    ) + missing


def prepare(
    data: DataArgument,
    size: SizeOption = None,
    resize: ResizeOption = "crop",
    colour: ColourOption = "auto",
    strict: StrictOption = False,
) -> Answer:
    """Prepare a set, which training would do by itself: decode every picture once and keep the result."""
    import time

    began = time.perf_counter()
    dataset = open_data(data, preparation_of(size, resize, colour, strict))
    seconds = time.perf_counter() - began
    count = len(dataset.train) + len(dataset.test) + (len(dataset.validation) if dataset.validation else 0)
    height, width, channels = dataset.shape
    folder = dataset.preparation.get("folder")
    facts = {
        "data": dataset.name,
        "shape": [height, width, channels],
        "images": count,
        "seconds": round(seconds, 3),
        "folder": folder,
        "problems": len(dataset.problems),
        "fingerprint": dataset.fingerprint,
    }
    kind = "grey" if channels == 1 else "colour"
    where = f"\n[dim]kept in {folder}[/]" if folder else ""
    text = f"[bold]{dataset.name}[/]: {count:,} images of {width}x{height}, {kind}, ready in {seconds:.1f} s{where}"
    return Answer(facts, text)


def export(
    data: DataArgument,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder to make.")],
    size: SizeOption = None,
    resize: ResizeOption = "crop",
    colour: ColourOption = "auto",
    force: ForceOption = False,
) -> Answer:
    """Write a set as a folder of PNGs: train/LABEL and test/LABEL, with attributes.csv beside them."""
    from morphospace.data.export import export_folder

    output_path(folder, "", "", force=force)
    dataset = open_data(data, preparation_of(size, resize, colour, strict=False))
    count = export_folder(dataset, folder)
    return Answer({"data": dataset.name, "images": count}, outputs=[folder])
