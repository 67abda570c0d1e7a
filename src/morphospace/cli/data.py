"""``morpho data info``."""

from __future__ import annotations

from typing import Annotated

import typer

from morphospace.cli.common import Answer, open_data, verb

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    group = typer.Typer(help="Look at data sets.", no_args_is_help=True, rich_markup_mode="rich")

    @group.callback()
    def root() -> None:
        """Look at data sets."""

    group.command("info")(verb(info))
    app.add_typer(group, name="data", rich_help_panel="Train")


def info(
    data: Annotated[str, typer.Argument(metavar="DATA", help="digits, mnist or fashion-mnist.")],
) -> Answer:
    """Show what a data set holds: counts, size, labels, fingerprint."""
    import numpy as np

    from morphospace.data import SOURCES

    dataset = open_data(data)
    height, width, channels = dataset.shape
    counts = {
        name: [
            int((split.labels == i).sum()) if split.labels is not None else 0 for split in (dataset.train, dataset.test)
        ]
        for i, name in enumerate(dataset.label_names)
    }
    used = {name: both for name, both in counts.items() if sum(both)}
    facts = {
        "data": dataset.name,
        "summary": SOURCES[data].summary,
        "shape": [height, width, channels],
        "train": len(dataset.train),
        "test": len(dataset.test),
        "labels": {name: {"train": both[0], "test": both[1]} for name, both in used.items()},
        "mean": round(float(np.mean(dataset.train.images)), 3),
        "fingerprint": dataset.fingerprint,
    }
    kind = "grey" if channels == 1 else "colour"
    lines = [
        f"[bold]{dataset.name}[/]: {facts['summary']}",
        f"[dim]images      [/]{height}x{width} {kind}, {len(dataset.train):,} to train, {len(dataset.test):,} to test",
        f"[dim]fingerprint [/]{dataset.fingerprint[:16]}",
        *(f"[dim]label[/] {name:12} {both[0]:7,} {both[1]:7,}" for name, both in used.items()),
    ]
    return Answer(facts, "\n".join(lines))
