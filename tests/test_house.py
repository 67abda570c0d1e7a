"""The house: imports run downwards only, and the public names are there."""

from __future__ import annotations

import ast
import doctest
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import morphospace as ms

SOURCE = Path(ms.__file__).parent
FLOORS = [
    {"errors", "_version", "builtin", "evenly", "quiet"},
    {"intensity", "parts"},
    {"interpretation"},
    {"files", "decoding"},
    {"images"},
    {"pictures"},
    {"data", "latent", "nn"},
    {"vae"},
    {"samplers", "training"},
    {"recipes"},
    {"attribute_files", "card", "concept_files", "points"},
    {"bundle"},
    {"bundle_checks"},
    {"space"},
    {"evaluate", "export"},
    {"report"},
    {"workflow"},
    {"demo", "server"},
    {"cli"},
]
FLOOR = {name: i for i, names in enumerate(FLOORS) for name in names}
MODULES = [m.name for m in pkgutil.walk_packages([str(SOURCE)], "morphospace.") if "__main__" not in m.name]


def public() -> set[str]:
    names: list[str] = vars(ms)["__all__"]
    return set(names)


def test_imports_run_downwards_only() -> None:
    for path in SOURCE.rglob("*.py"):
        place = path.relative_to(SOURCE).parts[0].removesuffix(".py")
        if place.startswith("__"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("morphospace."):
                other = node.module.split(".")[1]
                assert FLOOR[other] <= FLOOR[place], f"{path.name} imports {node.module}, which is above it"
                same_floor = FLOOR[other] == FLOOR[place]
                assert not same_floor or other == place, f"{path.name} imports its neighbour {other}"


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
