"""Concepts are not tested on what they were learned from; where they are, that is said."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from morphospace.concept_files import concept_evidence
from morphospace.data import Dataset
from morphospace.evaluate import judges
from morphospace.evenly import evenly_spaced
from morphospace.images import write_png
from morphospace.latent import Concept
from morphospace.latent.concepts import AGAINST_TEST_IMAGES
from morphospace.space import load
from morphospace.workflow import train

Morpho = Callable[..., Any]
SMALL = {"encoder_widths": "16", "decoder_widths": "16"}
RUN = "runs/0001-digits-quick"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, digits: Dataset) -> Path:
    """A space, and a folder of five pictures of a 3."""
    folder = tmp_path_factory.mktemp("home")
    train("digits", epochs=1, out=folder / "runs", settings=SMALL)
    (folder / "threes").mkdir()
    for i in np.flatnonzero(np.asarray(digits.train.labels) == 3)[:5]:
        write_png(folder / "threes" / f"{i}.png", digits.train.images[i])
    return folder


@pytest.fixture
def at(home: Path, tmp_path: Path, morpho: Morpho) -> Morpho:
    shutil.copytree(home, tmp_path / "home")
    return lambda *arguments: morpho(*arguments, cwd=tmp_path / "home")


def difference(bundle: Path, name: str, others: np.ndarray) -> bool:
    """Whether the concept leads from the mean of other codes to that of the five pictures."""
    space = load(bundle)
    threes = space.encode([str(path) for path in sorted((bundle.parents[0] / "threes").iterdir())]).mean
    return bool(np.allclose(space.concepts[name].direction, threes.mean(0) - others.mean(0), atol=1e-4))


def test_a_folder_stands_against_training_images_where_they_are_to_be_had(
    at: Morpho, tmp_path: Path, digits: Dataset
) -> None:
    ran = at("concept", "learn", RUN, "3", "--positive", "threes", "--json")
    assert ran.code == 0, ran.err
    concept, count = ran.json["concept"], min(2000, len(digits.train))
    assert concept["source"] == f"threes against {count:,} training images of digits"
    assert (concept["positives"], concept["negatives"], concept["held_out"]) == (5, count, False)
    assert "no test of it" not in ran.err
    space = load(tmp_path / "home" / RUN)
    others = space.encode(digits.train.images[evenly_spaced(len(digits.train), 2000)]).mean
    shutil.copytree(tmp_path / "home" / RUN / "space", tmp_path / "home" / "copy")
    assert difference(tmp_path / "home" / "copy", "3", others)
    assert not space.concepts["3"].saw_test_images


@pytest.mark.parametrize("gone", ["bundle", "source"])
def test_else_it_stands_against_test_images_and_says_what_that_means(at: Morpho, tmp_path: Path, gone: str) -> None:
    home = tmp_path / "home"
    if gone == "bundle":
        name = "copy"
        shutil.copytree(home / RUN / "space", home / "copy")
    else:
        name, recipe = RUN, home / RUN / "recipe.json"
        facts = json.loads(recipe.read_text())
        facts["data"]["source"] = "pictures/that/moved"
        recipe.write_text(json.dumps(facts))
    ran = at("concept", "learn", name, "3", "--positive", "threes", "--json")
    assert ran.code == 0, ran.err
    assert "it stands against the space's own test images, which are no test of it any more" in " ".join(
        ran.err.split()
    )
    assert ("the space's training images cannot be opened" in ran.err) == (gone == "source")
    assert ran.json["concept"]["source"] == f"threes {AGAINST_TEST_IMAGES}"
    if gone == "bundle":
        reference = load(home / "copy").reference
        assert reference is not None
        assert difference(home / "copy", "3", reference)


def test_a_test_of_a_concept_that_saw_the_test_images_says_so(
    at: Morpho, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judges, "_FEWEST_STEPS", 5)
    monkeypatch.setattr(judges, "_EPOCHS", 0)
    copy = tmp_path / "home" / "copy"
    shutil.copytree(tmp_path / "home" / RUN / "space", copy)
    assert at("concept", "learn", "copy", "3", "--positive", "threes").code == 0
    assert at("concept", "learn", "copy", "6", "--data", "digits", "--label", "6").code == 0
    ran = at("concept", "test", "copy", "--seeds", "2", "--images", "5", "--out", "t", "--json")
    assert ran.code == 0, ran.err
    said = {name: found["learned_from_test_images"] for name, found in ran.json["concepts"].items()}
    assert said == {"3": True, "6": False}
    assert '"3" was learned from test images, which are edited here: of it, this is no held-out test' in ran.err
    assert '"6" was' not in ran.err
    page = (tmp_path / "home" / "t" / "report.html").read_text(encoding="utf-8")
    assert page.count("It was learned from test images") == 1


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("test images, label 6", True),  # as the explorer learns them
        ("5 test images against all others", True),
        ("few against the test images", True),  # as 0.1.0 wrote it
        ("digits, label 6 against all others", False),
        ("smiling against others", False),
        ("", False),
    ],
)
def test_whatever_learned_from_test_images_is_known_by_its_source(source: str, *, seen: bool) -> None:
    concept = Concept(name="c", direction=np.ones(2, np.float32), source=source)
    assert concept.saw_test_images == seen
    assert "saw_test_images" not in concept_evidence(concept), "files stay as they are"
