"""The chapter's notebooks: twins in code, with their pictures, and they run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from morphospace.data import Dataset

EXAMPLES = Path(__file__).parents[2] / "examples"
CHAPTERS = ("chapter.ipynb", "chapter.ko.ipynb")
MNIST = 'ms.open_dataset("mnist")'


def read(name: str) -> Any:
    return nbformat.read(EXAMPLES / name, as_version=4)  # type: ignore[no-untyped-call]


def code_of(notebook: Any) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def pictures_of(notebook: Any) -> list[int]:
    """The size of every picture that is kept."""
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    return [len(output.data["image/png"]) for output in outputs if "image/png" in output.get("data", {})]


def run(name: str, data: str, also: str = "") -> Any:
    notebook = read(name)
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    assert MNIST in first.source
    first.source = first.source.replace(MNIST, f'ms.open_dataset("{data}")') + also
    NotebookClient(notebook, timeout=900, kernel_name="python3").execute()  # raises where a cell does
    assert len(pictures_of(notebook)) == len(pictures_of(read(name)))
    return notebook


def test_the_twins_have_the_same_code_and_their_own_words() -> None:
    english, korean = map(read, CHAPTERS)
    assert code_of(english) == code_of(korean)
    words = [[cell.source for cell in n.cells if cell.cell_type == "markdown"] for n in (english, korean)]
    assert len(words[0]) == len(words[1])
    for ours, theirs in zip(*words, strict=True):
        assert ours != theirs
        assert any("가" <= letter <= "힣" for letter in theirs)


@pytest.mark.parametrize("name", CHAPTERS)
def test_pictures_are_kept_and_light(name: str) -> None:
    sizes = pictures_of(read(name))
    assert len(sizes) >= 7
    assert (EXAMPLES / name).stat().st_size < 2_000_000


def test_the_chapter_runs_on_the_digits_of_the_package() -> None:
    run("chapter.ipynb", "digits", "\nfrom functools import partial\nms.train = partial(ms.train, epochs=3)")


@pytest.mark.acceptance
@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.usefixtures("mnist")
def test_the_korean_chapter_runs_on_mnist(mnist: Dataset) -> None:
    notebook = run("chapter.ko.ipynb", "mnist")
    said = "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", []))
    assert "towards 6: AUC 0.8" in said
