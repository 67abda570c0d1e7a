"""``morpho data ...``: look at sets, prepare them, forget them, write them out."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from morphospace.cli.arguments import DataArgument, ForceOption, OutOption
from morphospace.cli.opening import open_data
from morphospace.cli.outputs import output_path
from morphospace.cli.preparation import PreparationOptions
from morphospace.cli.problems import problem_lines
from morphospace.cli.screen import table_text
from morphospace.cli.verbs import Answer, command_line, verb
from morphospace.errors import ArgumentError, did_you_mean, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from morphospace.data import Dataset, KeptSet

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    group = typer.Typer(help="Look at data sets, and prepare them.", no_args_is_help=True, rich_markup_mode="rich")
    group.command("list")(verb(list_))
    for function in (info, prepare, forget, export):
        group.command(function.__name__)(verb(function))
    app.add_typer(group, name="data", rich_help_panel="Train")


def list_() -> Answer:
    """List the sets that have a name, and what is kept prepared or unpacked, with the room it takes."""
    from rich.markup import escape
    from rich.table import Column

    from morphospace.data import SOURCES, kept_sets, prepared_folder

    cache = prepared_folder()
    kept = kept_sets(cache)
    named = [{"name": name, "here": source.is_local(), "summary": source.summary} for name, source in SOURCES.items()]
    text = table_text(
        ("named", "", "what it is"),
        [(f"[bold]{one['name']}[/]", "" if one["here"] else "not here", str(one["summary"])) for one in named],
    )
    if kept:
        rows = [(f"[bold]{escape(k.folder.name)}[/]", *_described_kept(k), escape(k.source)) for k in kept]
        columns: list[str | Column] = [
            "prepared", Column("images", justify="right"), "form", Column("MB", justify="right"), "used", "made from",
        ]  # fmt: skip
        room = sum(k.nbytes for k in kept)
        text += "\n\n" + table_text(columns, rows)
        text += f"\n[dim]{room / 1e6:,.1f} MB in {escape(str(cache))}; morpho data forget NAME makes room[/]"
    facts = {
        "named": named,
        "prepared": [
            {
                "name": k.folder.name,
                "source": k.source or None,
                "shape": None if k.shape is None else list(k.shape),
                "files": k.files or None,
                "bytes": k.nbytes,
                "used": _moment(k).isoformat(timespec="seconds"),
            }
            for k in kept
        ],
        "folder": str(cache),
    }
    return Answer(facts, text)


def _moment(kept: KeptSet) -> datetime:
    return datetime.fromtimestamp(kept.used, UTC)


def _described_kept(kept: KeptSet) -> tuple[str, str, str, str]:
    room, day = f"{kept.nbytes / 1e6:,.1f}", f"{_moment(kept):%Y-%m-%d}"
    if kept.files:
        return f"{kept.files:,}", "unpacked files", room, day
    if kept.shape is None:
        return "", "unfinished", room, day
    return f"{kept.shape[0]:,}", _form(kept.shape[1:]), room, day


def _form(shape: Sequence[int]) -> str:
    """(H, W, C) in words."""
    height, width, channels = shape
    return f"{width}x{height} {'grey' if channels == 1 else 'colour'}"


def info(
    data: DataArgument,
    options: PreparationOptions = PreparationOptions(),  # noqa: B008 - frozen
    out: OutOption = None,
    force: ForceOption = False,
) -> Answer:
    """Show what a set holds: counts, sizes, labels, attributes, problems; and write a sheet of examples."""
    from rich.markup import escape

    from morphospace.report import example_sheet

    path = output_path(out, "data", ".png", force=force)
    dataset = open_data(data, options.preparation(), listed=True)
    example_sheet(dataset, {"command": command_line()}).save(path)
    facts = _facts(dataset)
    validation = f", {facts['validation']:,} to choose by" if "validation" in facts else ""
    lines = [
        f"[bold]{escape(dataset.name)}[/]{': ' + facts['summary'] if facts['summary'] else ''}",
        f"[dim]images      [/]{_form(dataset.shape)}, {len(dataset.train):,} to train, "
        f"{len(dataset.test):,} to test{validation}",
    ]
    if sizes := dataset.preparation.get("sizes"):
        found = ", ".join(f"{text} ({count:,})" for text, count in list(sizes.items())[:4])
        more = dataset.preparation["forms"] - min(4, len(sizes))
        lines.append(f"[dim]files       [/]{found}{f' and {more:,} other sizes' if more else ''}")
    lines.append(f"[dim]fingerprint [/]{dataset.fingerprint[:16]}")
    lines += [
        f"[dim]label[/] {escape(f'{name:20}')} {both['train']:7,} {both['test']:7,}"
        for name, both in facts["labels"].items()
    ]
    if not facts["labels"] and any(
        len(set(v.tolist())) > 1 for v in dataset.train.attributes.values() if v.dtype.kind != "f"
    ):
        lines.append("[dim]label       [/]none; --label COLUMN makes one of the attributes the labels")
    lines += [
        f"[dim]attribute[/] {escape(f'{name:16}')} {escape(words)}" for name, words in facts["attributes"].items()
    ]
    if dataset.problems:
        lines.append(f"[yellow]{plural(len(dataset.problems), 'problem')}[/]")
        lines += [f"  {escape(words)}" for words in problem_lines(dataset.problems)]
    return Answer(facts, "\n".join(lines), [path])


def _facts(dataset: Dataset) -> dict[str, Any]:
    """Everything that is known of a set, as JSON."""
    import numpy as np

    from morphospace.cli.rows import without_labels
    from morphospace.data import SOURCES, examples

    train, test = dataset.train, dataset.test
    counts = {
        name: {
            "train": int((train.labels == i).sum()) if train.labels is not None else 0,
            "test": int((test.labels == i).sum()) if test.labels is not None else 0,
        }
        for i, name in enumerate(dataset.label_names)
    }
    words = [] if train.labels is None else [dataset.label_names[number] for number in train.labels]
    facts: dict[str, Any] = {
        "data": dataset.name,
        "summary": SOURCES[dataset.source].summary if dataset.source in SOURCES else "",
        "source": dataset.source,
        "shape": list(dataset.shape),
        "train": len(train),
        "test": len(test),
        "labels": {name: both for name, both in counts.items() if sum(both.values())},
        "attributes": {name: _described(values) for name, values in without_labels(train.attributes, words).items()},
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
    options: PreparationOptions = PreparationOptions(),  # noqa: B008 - frozen
) -> Answer:
    """Prepare a set, which training would do by itself: decode every picture once and keep the result."""
    import time

    from rich.markup import escape

    began = time.perf_counter()
    dataset = open_data(data, options.preparation())
    seconds = time.perf_counter() - began
    count = len(dataset.train) + len(dataset.test) + (len(dataset.validation) if dataset.validation else 0)
    folder = dataset.preparation.get("folder")
    facts = {
        "data": dataset.name,
        "shape": list(dataset.shape),
        "images": count,
        "seconds": round(seconds, 3),
        "folder": folder,
        "problems": [problem._asdict() for problem in dataset.problems],
        "fingerprint": dataset.fingerprint,
    }
    where = f"\n[dim]kept in {escape(folder)}[/]" if folder else ""
    name, form = escape(dataset.name), _form(dataset.shape)
    return Answer(facts, f"[bold]{name}[/]: {count:,} images of {form}, ready in {seconds:.1f} s{where}")


def forget(
    names: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Argument(metavar="[NAME...]", help="As morpho data list shows them; photos means each photos-..."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
) -> Answer:
    """Remove prepared and unpacked copies from the cache; the pictures themselves stay where they are."""
    from morphospace.data import forget as remove
    from morphospace.data import kept_sets, prepared_folder

    if bool(names) == everything:
        raise ArgumentError("expected names of prepared sets, or --all. See morpho data list.", argument="name")
    kept = kept_sets(prepared_folder())
    for name in names or []:
        if not any(name in _names(k) for k in kept):
            known = dict.fromkeys(called for k in kept for called in _names(k))
            raise ArgumentError(f'there is no prepared set "{name}". {did_you_mean(name, known)}', argument="name")
    chosen = [k for k in kept if everything or any(name in _names(k) for name in names or [])]
    remove(chosen)
    freed = sum(k.nbytes for k in chosen)
    facts = {"forgotten": [k.folder.name for k in chosen], "bytes": freed}
    sets = "1 prepared set" if len(chosen) == 1 else f"{len(chosen)} prepared sets"
    return Answer(facts, f"forgot {sets}, {freed / 1e6:,.1f} MB; what they were made from stays")


def _names(kept: KeptSet) -> tuple[str, str]:
    """What a prepared set may be called: the name of its set, or its own."""
    return kept.folder.name.rpartition("-")[0], kept.folder.name


def export(
    data: DataArgument,
    out: Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder to make.")],
    options: PreparationOptions = PreparationOptions(),  # noqa: B008 - frozen
    force: ForceOption = False,
) -> Answer:
    """Write a set as a folder of PNGs: train/LABEL and test/LABEL, with attributes.csv beside them."""
    from morphospace.data.export import export_folder

    output_path(out, "", "", force=force)
    dataset = open_data(data, options.preparation())
    count = export_folder(dataset, out)
    return Answer({"data": dataset.name, "images": count}, outputs=[out])
