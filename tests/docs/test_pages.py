"""What the README and the documents say works: every block of Python and shell, on the small set in place of MNIST.

Of the pages, a stranger's first two and that of parts of one's own are run by `make test`, all others by
`make acceptance`.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from morphospace.data import Dataset
from morphospace.evaluate import judges
from morphospace.features import weights_are_here
from morphospace.images import write_png
from morphospace.workflow import train

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "README.ko.md", *sorted((ROOT / "docs").rglob("*.md"))]
FIRST = ("README.md", "docs/index.md", "docs/extending.md")
NEEDS_WEIGHTS = ("docs/photographs.md",)
KOREAN = {"README.ko.md": "README.md", "docs/ko/index.md": "docs/index.md"}
QUICKER = {
    'recipe="editing"': "latent_dim=6",
    "--recipe editing": "--latent-dim 6",
    "concept test latest": "concept test latest --seeds 2 --images 20",
    "epochs=10": "epochs=1",
    "--minutes 30": "--epochs 1",
    "--minutes 10": "--epochs 1",
    "--minutes 7": "--epochs 1",
    "minutes=30": "epochs=1",
    "minutes=7": "epochs=1",
    "SPACE": "latest",
}
SERVING = ("explore", "serve")
# What Keras's network wants, in the size of MNIST.
LARGE_DIGITS = """\
small = ms.open_dataset("digits")
grown = [np.pad(split.images[:, :, :, 0].repeat(3, 1).repeat(3, 2), ((0, 0), (2, 2), (2, 2)))[:256]
         for split in (small.train, small.test)]
digits = ms.dataset_from_arrays(grown[0], test_images=grown[1], name="grown")
"""


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> Iterator[tuple[str, str]]:
    """Kind and text of every block, as it is run."""
    for kind, text in re.findall(r"^```(\w*)\n(.*?)^```", page.read_text(encoding="utf-8"), re.S | re.M):
        quick = text.replace("mnist", "digits")
        for slow, quicker in QUICKER.items():
            quick = quick.replace(slow, quicker)
        quick = re.sub(r"(ms\.train\((?![^)]*epochs)[^)]+)\)", r"\1, epochs=1)", quick)
        yield kind, re.sub(r"^(morpho train (?!.*--epochs)[^#\n]*)", r"\1 --epochs 1 ", quick, flags=re.M)


def lines(page: Path) -> list[str]:
    """Every line of shell, without comments."""
    shell = "".join(text for kind, text in blocks(page) if kind == "sh").splitlines()
    return [line for text in shell if (line := shlex.join(shlex.split(text, comments=True)))]


def with_blocks() -> list[Any]:
    """The pages that have something to run."""
    pages = [page for page in PAGES if name_of(page) not in KOREAN]
    found = [page for page in pages if any(kind in ("sh", "python") for kind, _ in blocks(page))]
    return [pytest.param(page, id=name_of(page), marks=marks_of(name_of(page))) for page in found]


def marks_of(page: str) -> list[pytest.MarkDecorator]:
    """When a page is run, and what it needs."""
    marks = [] if page in FIRST else [pytest.mark.acceptance]
    if page in NEEDS_WEIGHTS:
        missing = not weights_are_here("efficientnet-lite0")
        marks.append(pytest.mark.skipif(missing, reason="needs the extra features"))
    return marks


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that is there already."""
    folder = tmp_path_factory.mktemp("home")
    train("digits", epochs=3, precision="fp32", out=folder / "runs")
    return folder


@pytest.fixture
def home(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder but for a run and for what the pages' reader has: photographs of faces, say, and scans."""
    shutil.copytree(trained / "runs", tmp_path / "runs")
    rng = np.random.default_rng(0)
    rows = ["file,age,glasses,person"]
    pictures = []
    for i in range(56):
        kind = ("smiling", "others")[i % 2]
        picture = rng.integers(60, 120, (16, 16, 3), np.uint8)
        picture[10 + i % 2 : 12, 4:12] = 220  # a mouth
        picture[:4] -= np.uint8(i)  # hair, by age
        pictures.append(picture)
        for folder in (tmp_path / "photos" / kind, tmp_path / kind):
            folder.mkdir(parents=True, exist_ok=True)
            write_png(folder / f"{i:03d}.png", picture, {})
        rows.append(f"{kind}/{i:03d}.png,{20 + i},{'yes' if i % 4 < 2 else 'no'},p{i // 4:02}")
        (tmp_path / "more").mkdir(exist_ok=True)
        write_png(tmp_path / "more" / f"{i:03d}.png", picture[:, ::-1], {})
    (tmp_path / "photos" / "attributes.csv").write_text("\n".join(rows) + "\n")
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        for path in sorted((tmp_path / "photos").rglob("*.*")):
            archive.write(path, path.relative_to(tmp_path))
    (tmp_path / "scans").mkdir()
    for i in range(24):
        first, *others = (Image.fromarray(rng.integers(0, 4096, (16, 16), np.uint16)) for _ in range(3))
        kind = ("leaf", "stem")[i % 2]
        first.save(tmp_path / "scans" / f"{kind}_{i:02}.tif", save_all=True, append_images=others)
    np.savez(tmp_path / "pictures.npz", images=np.stack(pictures), labels=np.arange(56) % 2)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(judges, "_FEWEST_STEPS", 8)  # what judges find is no matter here
    monkeypatch.setattr(judges, "_EPOCHS", 1)
    return tmp_path


@pytest.mark.parametrize("page", with_blocks())
def test_every_block(page: Path, home: Path, morpho: Callable[..., Any]) -> None:
    code = "\n".join(text for kind, text in blocks(page) if kind == "python")
    if "import keras" in code:
        run_keras(code, home)
    elif code:
        exec(compile(code, page.name, "exec"), {})
    for line in lines(page):
        command, *arguments = shlex.split(line)
        if command == "make":
            assert f"\n{arguments[0]}:" in (ROOT / "Makefile").read_text()  # CI calls them
        elif command == "morpho" and arguments[0] in SERVING:
            assert line in lines(ROOT / "docs" / "explorer.md")  # whose lines are run below
        elif command == "morpho":
            ran = morpho(*arguments, cwd=home)
            assert ran.code == 0, (line, ran.err)
        else:
            assert page.name == "explorer.md", f"{line}: no test runs it"


def run_keras(code: str, home: Path) -> None:
    """Keras by itself: it warns of things that are none of ours."""
    data = 'digits = ms.open_dataset("digits")\n'
    assert data in code
    check = """
codes = encoder.predict(digits.test.images[:20] / np.float32(255), verbose=0)[0]
assert np.abs(space.encode(digits.test.images[:20]).mean - codes).max() < 1e-5
drawn = decoder.predict(np.float32([[0.3, -0.7]]), verbose=0)
assert np.abs(space.decode([[0.3, -0.7]], dtype="float") - drawn).max() < 1e-5
assert pictures.shape == (196, 196)
"""
    (home / "page.py").write_text(code.replace(data, LARGE_DIGITS) + check)
    environment = os.environ | {"KERAS_BACKEND": "torch"}
    ran = subprocess.run(
        [sys.executable, "page.py"], cwd=home, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr


@pytest.mark.acceptance
def test_the_servers_of_the_explorers_page(home: Path) -> None:
    """Each line is typed, answers in a browser's stead, and ends by Ctrl-C; curl asks the last one."""
    shell = lines(ROOT / "docs" / "explorer.md")
    servers = [line for line in shell if line.split()[1] in SERVING]
    asking = [line for line in shell if line.startswith("curl")]
    assert len(servers) == 5
    assert asking
    for line in servers:
        arguments = shlex.split(line)[1:] + (["--no-browser"] if "explore" in line else [])
        process = subprocess.Popen(
            [sys.executable, "-m", "morphospace", *arguments],
            cwd=home, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | {"COLUMNS": "200"},
        )  # fmt: skip
        try:
            assert process.stderr is not None
            address = next(found[0] for said in process.stderr if (found := re.search(r"http://\S+", said)))
            visitor = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())  # the token becomes a cookie
            with visitor.open(address.replace("0.0.0.0", "127.0.0.1")) as answer:
                assert b"<title>" in answer.read()
            if line is servers[-1]:
                for asked in asking:
                    # The page writes them for a shell: quotes and a redirection.
                    subprocess.run(asked.replace("'>'", ">"), shell=True, cwd=home, check=True, capture_output=True)
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=30)
    with Image.open(home / "two.png") as picture:
        picture.load()


@pytest.mark.parametrize(("korean", "english"), KOREAN.items())
def test_a_page_in_korean_has_the_blocks_of_its_twin(korean: str, english: str) -> None:
    """Up to comments, which are in its own language."""
    pages = ROOT / korean, ROOT / english

    def bare(page: Path) -> list[tuple[str, list[str]]]:
        return [
            (kind, [line.partition("#")[0].rstrip() for line in text.splitlines()])
            for kind, text in blocks(page)
            if kind != "text"
        ]

    assert bare(pages[0]) == bare(pages[1])


def test_blocks_are_of_known_kinds() -> None:
    for page in PAGES:
        assert {kind for kind, _ in blocks(page)} <= {"sh", "python", "text", "bat"}, page


def test_every_link_leads_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), (page.name, target)


@pytest.mark.parametrize("picture", sorted((ROOT / "docs" / "images").glob("*.png")), ids=lambda path: path.stem)
def test_pictures_are_light(picture: Path) -> None:
    assert picture.stat().st_size < 500_000


def test_the_digits_stand_in_for_mnist(digits: Dataset) -> None:
    """Every item that the pages name is there."""
    for page in PAGES:
        for split, number in re.findall(r"digits:(\w+)/(\d+)", " ".join(lines(page))):
            assert int(number) < len(digits.split(split))
