"""Build the documents as a site: plain HTML in site/, which asks no other server for anything.

    python docs/site/build.py [FOLDER]

Pages are the Markdown files of docs/, the notebooks of examples/, and a few files from elsewhere in the repository.
Zensical does the rest; a link that leads nowhere stops it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
from nbconvert import MarkdownExporter

from morphospace.files import atomic_folder

HERE = Path(__file__).parent
DOCS, ROOT = HERE.parent, HERE.parents[1]
# What lies elsewhere in the repository and is a page of the site, too.
FROM_OUTSIDE = {
    "benchmarks/RESULTS.md": "benchmarks.md",
    "benchmarks/NOTES.md": "tried.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
}
NOTEBOOKS = {"examples/chapter.ipynb": "chapter.md", "examples/chapter.ko.ipynb": "ko/chapter.md"}


def main(target: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        project = Path(name)
        assemble(project)
        environment = os.environ | {"PYTHONPATH": str(HERE), "NO_COLOR": "1"}  # roles.py, docstrings.py
        command = [sys.executable, "-m", "zensical", "build", "--strict"]
        built = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
        if built.returncode:
            sys.exit(built.stdout + built.stderr)
        with atomic_folder(target) as folder:
            shutil.copytree(project / "site", folder, dirs_exist_ok=True)


def assemble(project: Path) -> None:
    """Put everything that the site is made of into ``project``."""
    shutil.copy(HERE / "zensical.toml", project)
    docs = project / "docs"
    shutil.copytree(DOCS, docs, ignore=shutil.ignore_patterns("site", "*.py", "*.json", "__pycache__"))
    shutil.copy(HERE / "style.css", docs)
    for source, page in FROM_OUTSIDE.items():
        (docs / page).write_text((ROOT / source).read_text(encoding="utf-8"), encoding="utf-8")
    for source, page in NOTEBOOKS.items():
        write_notebook(ROOT / source, docs / page)
    for page in docs.rglob("*.md"):
        page.write_text(relinked(page, docs), encoding="utf-8")


def write_notebook(source: Path, page: Path) -> None:
    """A notebook as a page, its pictures beside it."""
    notebook = nbformat.read(source, as_version=4)
    text, resources = MarkdownExporter().from_notebook_node(notebook)
    folder = page.with_suffix("")
    folder.mkdir(parents=True)
    for name, data in resources["outputs"].items():
        (folder / name).write_bytes(data)
        text = text.replace(f"]({name})", f"]({folder.name}/{name})")
    page.write_text(text, encoding="utf-8")


def relinked(page: Path, docs: Path) -> str:
    """A page's text, with its links to the repository's files made links to their pages."""
    text = page.read_text(encoding="utf-8")
    up = "../" * len(page.relative_to(docs).parts[:-1])
    for source, target in (FROM_OUTSIDE | NOTEBOOKS).items():
        # Pages from elsewhere name their neighbours without a folder.
        folder, _, name = source.rpartition("/")
        place = rf"(?:{folder}/)?" if page.name in FROM_OUTSIDE.values() else rf"(?:{folder}/)" if folder else ""
        text = re.sub(rf"\]\((?:\.\./)*{place}{re.escape(name)}(#[^)]*)?\)", rf"]({up}{target}\1)", text)
    return text


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "site")
