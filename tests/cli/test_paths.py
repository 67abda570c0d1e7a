"""``morpho morph --path``: every kind of path, and what the answer says about it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from morphospace.images import read_image, read_text
from morphospace.latent import KINDS
from morphospace.space import Space

Morpho = Callable[..., Any]

FRAMES = 8


@pytest.fixture
def saved(space: Space, tmp_path: Path) -> Path:
    """A bundle of digits."""
    return space.save(tmp_path / "digits-space")


def morph(morpho: Morpho, saved: Path, kind: str, *more: str) -> Any:
    return morpho(
        "morph", str(saved), "digits:test/0", "digits:test/1", "--path", kind, "--frames", str(FRAMES), *more, "--json"
    )


def test_the_answer_tells_length_and_evenness(morpho: Morpho, saved: Path, tmp_path: Path) -> None:
    said = {}
    for kind in KINDS:
        ran = morph(morpho, saved, kind, "--out", f"{kind}.png")
        assert ran.code == 0, ran.err
        said[kind] = ran.json
        assert ran.json["path"] == kind
        image = read_image(tmp_path / f"{kind}.png")
        assert image.shape[1] == FRAMES * image.shape[0]
        assert f"--path {kind}" in read_text(tmp_path / f"{kind}.png")["command"]
    assert said["geodesic"]["length"] <= said["lerp"]["length"] + 1e-3
    assert said["geodesic"]["evenness"] < 0.02 < said["lerp"]["evenness"]
    assert all(facts["length"] > 0.5 for facts in said.values())


def test_a_geodesic_is_drawn_the_same_again(morpho: Morpho, saved: Path, tmp_path: Path) -> None:
    for name in ("one.png", "two.png"):
        assert morph(morpho, saved, "geodesic", "--out", name).code == 0
    assert (read_image(tmp_path / "one.png") == read_image(tmp_path / "two.png")).all()


def test_a_morph_from_an_image_to_itself_has_no_length(morpho: Morpho, saved: Path) -> None:
    ran = morpho("morph", str(saved), *["digits:test/0"] * 3, "--path", "geodesic", "--out", "m.gif", "--json")
    assert ran.code == 0, ran.err
    assert (ran.json["length"], ran.json["evenness"]) == (0, 0)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("--path", "geodesics"), 'Did you mean "geodesic"? Known: lerp, slerp, gaussian, geodesic.'),
        (("--path", "gausian"), 'Did you mean "gaussian"?'),
        (("digits:test/2", "--path", "geodesic", "--frames", "2"), "--frames: expected at least 3"),
    ],
)
def test_wrong_use_is_one_line(morpho: Morpho, saved: Path, wrong: tuple[str, ...], said: str) -> None:
    ran = morpho("morph", str(saved), "digits:test/0", "digits:test/1", *wrong, "--out", "m.gif")
    assert ran.code == 2
    assert said in ran.err
    assert len(ran.err.strip().splitlines()) == 1


def test_the_help_names_every_path(morpho: Morpho) -> None:
    words = morpho("morph", "--help").out
    assert all(f"{kind}:" in words for kind in KINDS)
