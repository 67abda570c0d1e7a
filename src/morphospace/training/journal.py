"""The figures of every epoch: ``metrics.jsonl``, and TensorBoard events where that is installed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from morphospace.errors import FileError
from morphospace.files import write_bytes

__all__ = ["append_metrics", "cut_metrics", "open_events", "read_metrics", "write_events"]


def append_metrics(path: Path, line: dict[str, Any]) -> None:
    """Add one JSON object as a line, on the disk before the checkpoint that it tells of."""
    try:
        with path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line, allow_nan=False) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
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


def open_events(folder: Path, epochs_done: int) -> Any:
    """A TensorBoard writer that forgets what came after ``epochs_done``; None where TensorBoard is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder), purge_step=epochs_done + 1)


def write_events(writer: Any, line: dict[str, Any]) -> None:
    """The same line as TensorBoard scalars."""
    for split in ("train", "test"):
        for name, value in line[split].items():
            if value is not None:
                writer.add_scalar(f"{name}/{split}", value, line["epoch"])
    writer.flush()
