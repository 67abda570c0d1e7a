"""The house: imports run downwards only, and the public names are there."""

from __future__ import annotations

import ast
import doctest
import importlib
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import morphospace as ms
from morphospace.parts import kinds_of
from morphospace.recipes.described import SLOTS

SOURCE = Path(ms.__file__).parent
FLOORS = [
    {"errors", "_version", "builtin", "evenly", "quiet"},
    {"intensity", "parts"},
    {"interpretation"},
    {"files", "decoding"},
    {"images"},
    {"pictures"},
    {"data", "features", "latent", "nn"},
    {"vae"},
    {"samplers", "training"},
    {"recipes"},
    {"attribute_files", "card", "concept_files", "extending", "points"},
    {"bundle"},
    {"bundle_checks"},
    {"told"},
    {"codec"},
    {"editing", "examples", "sampling", "saving", "views"},
    {"space"},
    {"evaluate", "export"},
    {"report"},
    {"workflow"},
    {"demo", "server"},
    {"cli"},
]
APART = {"acceptance", "benchmarks", "browser", "cli", "docs", "golden", "laws", "specimens", "training"}
"""Folders of tests that mirror no package: what must always hold, and what people do with all of it."""

MOST_LINES = 400

FLOOR = {name: i for i, names in enumerate(FLOORS) for name in names}
MODULES = [m.name for m in pkgutil.walk_packages([str(SOURCE)], "morphospace.") if "__main__" not in m.name]


def public() -> set[str]:
    names: list[str] = vars(ms)["__all__"]
    return set(names)


def name_of(path: Path) -> str:
    """What a file of the package is imported as."""
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {name_of(path): path for path in sorted(SOURCE.rglob("*.py"))}


def statements(node: ast.AST, *, types: bool) -> Iterator[ast.AST]:
    """All below ``node``; without what stands under ``if TYPE_CHECKING:`` unless ``types``."""
    for child in ast.iter_child_nodes(node):
        if types or not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
            yield child
            yield from statements(child, types=types)


def imports_of(source: str, *, types: bool = True) -> set[str]:
    """The modules of the package that a source imports, inside functions too."""
    found = set()
    for node in statements(ast.parse(source), types=types):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are written out from the package's name"
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= names & FILES.keys() or {str(node.module)}
    return found & FILES.keys()


def circle_in(imports: Mapping[str, set[str]]) -> list[str]:
    """Modules that import each other, the first one again at the end; empty where there are none."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        return circle[::-1]
    return []


def test_imports_run_downwards_only() -> None:
    for name, path in FILES.items():
        place = name.split(".")[1:2]
        if not place or place == ["__main__"]:
            continue
        for other in imports_of(path.read_text()) - {"morphospace"}:
            there = other.split(".")[1]
            assert [there] == place or FLOOR[there] < FLOOR[place[0]], f"{name} imports {other}, which is not below it"


def test_the_page_about_the_house_has_its_floors() -> None:
    page = (Path(__file__).parents[1] / "docs" / "inside.md").read_text(encoding="utf-8")
    rows = page.partition("| floor |")[2].partition("\n\n")[0].splitlines()[2:]
    assert [set(re.findall("`([^`]+)`", row.split("|")[1])) for row in rows] == FLOORS[::-1]


def test_no_imports_run_in_a_circle() -> None:
    assert not circle_in({name: imports_of(path.read_text(), types=False) for name, path in FILES.items()})


def test_a_circle_through_a_function_is_seen_and_one_of_types_is_none() -> None:
    function = "def late():\n    from morphospace.latent import grids"
    types = "if TYPE_CHECKING:\n    from morphospace.latent.grids import Plane"
    back = {"morphospace.latent.grids": imports_of("import morphospace.latent.axes", types=False)}
    assert circle_in({"morphospace.latent.axes": imports_of(function, types=False)} | back) == [
        "morphospace.latent.axes", "morphospace.latent.grids", "morphospace.latent.axes",
    ]  # fmt: skip
    assert not circle_in({"morphospace.latent.axes": imports_of(types, types=False)} | back)
    assert imports_of(types) == {"morphospace.latent.grids"}


def test_no_file_is_too_long_to_be_read_at_once() -> None:
    lengths = {name: len(path.read_text().splitlines()) for name, path in FILES.items()}
    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}


KNOWS_KINDS = (
    "nn.",
    "vae.",
    "samplers.",
    "training.augmentation",
    "recipes.named",
    "recipes.migrations",
    "recipes.keys",
)
"""Where parts are, where recipes are made of them, and where what they were called before is kept."""


def asked_of(source: str) -> list[tuple[str, str]]:
    """Every word that a source compares something with, and the whole comparison."""
    found = []
    for node in ast.walk(ast.parse(source)):
        sides = [node.left, *node.comparators] if isinstance(node, ast.Compare) else []
        sides += [node.value] if isinstance(node, ast.MatchValue) else []
        for side in sides:
            plain = [side, *(side.elts if isinstance(side, (ast.Tuple, ast.List, ast.Set)) else ())]
            words = [one.value for one in plain if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            found += [(word, ast.unparse(node)) for word in words]
    return found


def test_nothing_outside_the_parts_asks_for_one_by_its_name() -> None:
    """They ask what a part can do: a new kind would be overlooked otherwise."""
    kinds = {kind for slot in SLOTS for kind in kinds_of(slot)} - {"reconstruction"}  # which is a figure, too
    assert len(kinds) > 20
    for name, path in FILES.items():
        if not name.removeprefix("morphospace.").startswith(KNOWS_KINDS):
            asked = [whole for word, whole in asked_of(path.read_text()) if word in kinds]
            assert [whole for whole in asked if "recipe.name" not in whole] == [], f"{name} names a kind of part"


def test_a_name_that_is_asked_for_is_seen() -> None:
    source = "if p.kind == 'vamp' or k in ('iwae', q) or f('elbo') == 1: pass\nmatch k:\n    case 'rae': pass"
    assert sorted(word for word, _ in asked_of(source)) == ["iwae", "rae", "vamp"]


def test_tests_lie_where_their_modules_do() -> None:
    tests = Path(__file__).parent
    for path in tests.rglob("test_*.py"):
        *folders, name = path.relative_to(tests).with_suffix("").parts
        tested = name.removeprefix("test_")
        if (not folders and tested in ("house", "golden_losses", "specimens")) or set(folders) & APART:
            continue
        module = ".".join(["morphospace", *folders, *([] if folders == [tested] else [tested])])
        assert module in FILES, f"{path} tests no module: there is no {module}"


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_are_true(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__doc__, f"{name} has no docstring"
    failed, _ = doctest.testmod(module, extraglobs={"np": __import__("numpy"), "torch": __import__("torch")})
    assert not failed


def test_public_names_are_lazy_and_there() -> None:
    code = "import sys, morphospace; assert 'torch' not in sys.modules; print(morphospace.__version__)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout.strip()
    for name in public():
        assert getattr(ms, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        getattr(ms, "trian")  # noqa: B009
    assert "train" in dir(ms)


def test_the_function_train_survives_any_order_of_imports() -> None:
    code = (
        "import morphospace as ms; ms.load; ms.Space; import morphospace.training; assert ms.train.__name__ == 'train'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_typed_stub_names_what_the_package_has() -> None:
    stub = ast.parse((SOURCE / "__init__.pyi").read_text())
    named = {a.asname for n in stub.body if isinstance(n, ast.ImportFrom) for a in n.names}
    assert named == public()
