"""A trainer's state in one file, written whole or not at all; tensors and JSON, no pickle."""

from __future__ import annotations

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from morphospace.errors import FileError
from morphospace.files import atomic_file
from morphospace.training.loop import Trainer

__all__ = ["load_checkpoint", "load_weights", "save_checkpoint", "save_weights"]

_FORMAT = "morphospace-checkpoint-1"


def save_checkpoint(trainer: Trainer, path: Path) -> None:
    """Write where ``trainer`` stands to ``path``.

    Raises:
        FileError: if the file cannot be written; what was there before is still there.
    """
    tensors = {name: value.detach().contiguous() for name, value in trainer.tensors().items()}
    metadata = {"format": _FORMAT, "position": json.dumps(trainer.position())}
    with atomic_file(path) as partial:
        try:
            save_file(tensors, partial, metadata)
        except SafetensorError as error:
            raise OSError(None, str(error)) from error


def save_weights(model: nn.Module, path: Path) -> None:
    """Write the weights of ``model`` alone to ``path``."""
    tensors = {name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()}
    with atomic_file(path) as partial:
        try:
            save_file(tensors, partial)
        except SafetensorError as error:
            raise OSError(None, str(error)) from error


def load_weights(path: Path) -> dict[str, Tensor]:
    """What :func:`save_weights` wrote.

    Raises:
        FileError: if the file is missing or damaged.
    """
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise FileError(f"cannot read the weights {path}: missing or damaged ({error}).") from error


def load_checkpoint(trainer: Trainer, path: Path) -> None:
    """Stand ``trainer`` where the one was that wrote ``path``.

    Raises:
        FileError: if the file is missing, damaged, or of another model.
    """
    try:
        with safe_open(path, "pt", device=str(trainer.device)) as stored:
            metadata = stored.metadata() or {}
            if metadata.get("format") != _FORMAT:
                raise FileError(f"the checkpoint {path} is foreign: expected {_FORMAT}.")
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
            trainer.restore(tensors, json.loads(metadata["position"]))
    except (OSError, SafetensorError, json.JSONDecodeError, KeyError) as error:
        raise FileError(f"cannot read the checkpoint {path}: missing or damaged ({error}).") from error
    except RuntimeError as error:
        raise FileError(f"the checkpoint {path} is of another model: {error}") from error
