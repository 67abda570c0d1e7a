"""The figures of every epoch: ``metrics.jsonl``, and TensorBoard events where that is installed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from morphospace.errors import FileError
from morphospace.files import write_bytes

__all__ = ["append_metrics", "cut_metrics", "read_metrics", "write_events"]


def append_metrics(path: Path, line: dict[str, Any]) -> None:
    """Add one JSON object as a line."""
    try:
        with path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line, allow_nan=False) + "\n")
    except OSError as error:
        raise FileError(f"cannot write {path}: {error.strerror}. Free space and resume.") from error


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """Every whole line; a line cut by a kill is no line."""
    if not path.is_file():
        return []
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return found


def cut_metrics(path: Path, epochs: int) -> None:
    """Keep the lines of the first ``epochs`` epochs: what comes after a checkpoint will be written again."""
    kept = [line for line in read_metrics(path) if line["epoch"] <= epochs]
    write_bytes(path, "".join(json.dumps(line, allow_nan=False) + "\n" for line in kept).encode())


def write_events(folder: Path, line: dict[str, Any]) -> None:
    """The same line as TensorBoard scalars, if TensorBoard is installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return
    with SummaryWriter(str(folder), purge_step=line["epoch"]) as writer:
        for part in ("train", "test"):
            for name, value in line[part].items():
                if value is not None:
                    writer.add_scalar(f"{name}/{part}", value, line["epoch"])
