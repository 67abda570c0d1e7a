"""What the README and the chapters say works: their Python and their shell, on the small set in place of MNIST."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONCEPTS = (ROOT / "docs" / "concepts.md").read_text(encoding="utf-8")
QUICKER = {
    'recipe="editing"': "latent_dim=6",
    "--recipe editing": "--latent-dim 6",
    "concept test latest": "concept test latest --seeds 2 --images 20",
}


def block(kind: str, contains: str) -> str:
    found = [b for b in re.findall(rf"```{kind}\n(.*?)```", README, re.S) if contains in b]
    assert len(found) == 1
    return str(found[0]).replace("mnist", "digits")


def test_the_python_of_the_readme(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(block("python", "import morphospace"), "README.md", "exec"), {})
    for name in ("atlas.png", "morph.gif"):
        with Image.open(tmp_path / name) as picture:
            picture.load()
    assert "neg_elbo" in capsys.readouterr().out
    assert (tmp_path / "runs" / "0001-digits-book" / "report.html").exists()


def test_the_shell_of_the_readme(morpho: Callable[..., Any], tmp_path: Path) -> None:
    for line in block("sh", "morpho train mnist --recipe book").splitlines():
        command = shlex.split(line, comments=True)
        assert command[0] == "morpho"
        ran = morpho(*command[1:])
        assert ran.code == 0, (line, ran.err)
    assert len(list((tmp_path / "morpho-out").iterdir())) == 4


def test_every_block_of_the_chapter_on_concepts(
    morpho: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = CONCEPTS.replace("mnist", "digits")
    for plain, quicker in QUICKER.items():
        assert plain in text
        text = text.replace(plain, quicker)
    monkeypatch.chdir(tmp_path)
    code = "\n".join(re.findall(r"```python\n(.*?)```", text, re.S))
    exec(compile(code, "concepts.md", "exec"), {})
    for line in "".join(re.findall(r"```sh\n(.*?)```", text, re.S)).splitlines():
        ran = morpho(*shlex.split(line, comments=True)[1:])
        assert ran.code == 0, (line, ran.err)


def test_the_make_commands_of_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"make (demo|test|\w+)", README):
        assert f"\n{target}:" in makefile


def test_every_link_of_the_readme_leads_somewhere() -> None:
    chapters = [(path.parent, path.read_text(encoding="utf-8")) for path in (ROOT / "docs").glob("*.md")]
    for folder, text in ((ROOT, README), *chapters):
        for target in re.findall(r"\]\(([^)#]+)\)", text):
            assert (folder / target).exists(), target


@pytest.mark.parametrize("name", ["atlas", "explorer", "explorer-path"])
def test_the_pictures_of_the_readme_are_light(name: str) -> None:
    picture = ROOT / "docs" / "images" / f"{name}.png"
    assert picture.stat().st_size < 400_000
