"""What tests share: small data, a trained space, a command runner, and where MNIST is."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import settings

from morphospace.data import Dataset, dataset_from_arrays, open_dataset
from morphospace.space import Space
from morphospace.workflow import train

# The same examples in every run: a red run is a fault of the change, never of the draw.
# HYPOTHESIS_PROFILE=explore draws others.
settings.register_profile("fixed", derandomize=True, deadline=None)
settings.register_profile("explore", derandomize=False, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))

# PyTorch's own choice heeds the cores that this process may use, and OMP_NUM_THREADS: 1 where tests run side by side.
THREADS = min(2, torch.get_num_threads())
TINY = {"encoder_widths": (32,), "decoder_widths": (32,), "batch": 64}


@pytest.fixture(autouse=True, scope="session")
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Prepared sets and compiled code of tests go into folders of their own."""
    patch = pytest.MonkeyPatch()
    patch.setenv("MORPHOSPACE_CACHE", str(tmp_path_factory.mktemp("cache")))
    # Compiled code that other runs left may be of another processor, and two that write there at once spoil it.
    patch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path_factory.mktemp("compiled")))
    yield
    patch.undo()


@pytest.fixture(scope="session")
def digits() -> Dataset:
    return open_dataset("digits")


@pytest.fixture(scope="session")
def mnist() -> Dataset:
    folder = os.environ.get("MORPHOSPACE_DATA")
    if not folder or not (Path(folder) / "mnist").is_dir():
        pytest.skip("MNIST is not here: set MORPHOSPACE_DATA to a folder that holds mnist/")
    return open_dataset("mnist")


@pytest.fixture
def blobs() -> Dataset:
    """Forty 8x6 colour images of two kinds, with labels."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 90, (40, 8, 6, 3), np.uint8)
    labels = np.arange(40) % 2
    images[labels == 1, 2:6, 2:5] += 120
    return dataset_from_arrays(images, labels, name="blobs")


@pytest.fixture(scope="session")
def _trained(digits: Dataset) -> Space:
    return train(digits, epochs=20, seed=3, precision="fp32")


@pytest.fixture
def space(_trained: Space) -> Space:
    """A space of digits; each test gets its own concepts."""
    return Space(
        _trained.model,
        _trained.recipe,
        _trained.shape,
        reference=_trained.reference,
        reference_labels=_trained.reference_labels,
        about=_trained.about,
    )


@pytest.fixture(scope="session")
def told(digits: Dataset) -> Space:
    """A space of digits that is told the label of each."""
    return train(digits, epochs=20, seed=3, precision="fp32", settings={"condition": "label"})


@pytest.fixture(autouse=True)
def _threads() -> None:
    torch.set_num_threads(THREADS)


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture(scope="session")
def prepare() -> Callable[..., Ran]:
    """Run the command in a given folder, where all must go well; for fixtures, which cannot have ``morpho``."""
    from morphospace.cli import main

    def run(folder: Path, *arguments: str) -> Ran:
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            patch.setenv("COLUMNS", "200")
            patch.chdir(folder)
            patch.setattr(sys, "argv", ["morpho", *arguments])
            with pytest.raises(SystemExit) as left:
                main()
        assert not left.value.code, err.getvalue()
        return Ran(0, out.getvalue(), err.getvalue())

    return run


@pytest.fixture
def morpho(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run the command in an empty folder; in this process, where a new one would mostly import PyTorch."""
    from morphospace.cli import main

    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str, cwd: Path | None = None) -> Ran:
        monkeypatch.chdir(cwd or tmp_path)
        monkeypatch.setattr(sys, "argv", ["morpho", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        out, err = capsys.readouterr()
        return Ran(int(left.value.code or 0), out, err)

    return run
