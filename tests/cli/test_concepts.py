"""The verbs of concepts: show, discover, edit until and keep, pass on, test."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors import safe_open

from morphospace.bundle import change_concepts
from morphospace.cli.opening import open_space
from morphospace.data import open_dataset
from morphospace.evaluate import judges
from morphospace.images import read_text
from morphospace.space import Space, load
from morphospace.workflow import learn_from_dataset, learn_label_classes, train

Morpho = Callable[..., Any]
RUN = "runs/0001-digits-quick"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two spaces of digits, the first with concepts of a label and of a measure."""
    folder = tmp_path_factory.mktemp("home")

    digits = open_dataset("digits")
    space = train(digits, epochs=30, latent_dim=4, out=folder / "runs")
    for label in ("6", "0"):
        learn_from_dataset(space, label, digits, label=label)
    learn_from_dataset(space, "slant", digits, measured="slant")
    learn_label_classes(space, digits)
    space.save(folder / RUN / "space", force=True)
    train(digits, epochs=2, seed=5, out=folder / "runs")
    return folder


@pytest.fixture
def at(home: Path, tmp_path: Path, morpho: Morpho) -> Morpho:
    shutil.copytree(home, tmp_path / "home")
    return lambda *arguments: morpho(*arguments, cwd=tmp_path / "home")


def test_show_says_how_far_to_trust_and_draws_what_it_does(at: Morpho, tmp_path: Path) -> None:
    said = at("concept", "show", RUN, "slant", "--out", "c.png", "--json").json
    concept = said["concept"]
    assert concept["method"] == "local, balanced"
    assert concept["origin"] == {"measure": "slant"}
    assert concept["places"] > 10
    low, high = concept["auc_interval"]
    assert 0.5 < low < concept["auc"] < high <= 1
    shares = said["populated"]
    assert shares["0.0"] > 0.95
    assert shares["2.0"] < shares["0.5"]
    text = read_text(tmp_path / "home" / "c.png")
    assert text["concept"] == "slant"
    assert "concept show" in text["command"]
    assert "populated part" in at("concept", "show", RUN, "6").out
    wrong = at("concept", "show", RUN, "7")
    assert wrong.code == 2
    assert 'no concept "7"' in wrong.err


def test_discover_names_what_a_person_names(at: Morpho, tmp_path: Path) -> None:
    said = at("concept", "discover", RUN, "-k", "3", "--json").json
    assert [one["number"] for one in said["directions"]] == [1, 2, 3]
    effects = [one["effect"] for one in said["directions"]]
    assert effects == sorted(effects, reverse=True)
    assert said["named"] == []
    named = at("concept", "discover", RUN, "-k", "3", "--name", "2=lean", "--json").json
    assert named["named"] == ["lean"]
    space = load(tmp_path / "home" / RUN)
    assert np.allclose(space.concepts["lean"].direction, said["directions"][1]["direction"])
    assert at("edit", RUN, "digits:test/0", "--concept", "lean=1").code == 0
    for name, words in [("4=x", "K from 1 to 3"), ("x", "K=NAME"), ("1=lean", "already"), ("1=a=b", "without")]:
        wrong = at("concept", "discover", RUN, "-k", "3", "--name", name)
        assert wrong.code == 2, wrong.err
        assert words in wrong.err
    unread = at("edit", RUN, "digits:test/0", "--until", "lean=1")
    assert unread.code == 2
    assert "cannot be read" in unread.err


def test_edit_until_and_keep(at: Morpho, tmp_path: Path) -> None:
    home = tmp_path / "home"
    space = load(home / RUN)
    image = open_dataset("digits").test.images[1]
    said = at("edit", RUN, "digits:test/1", "--until", "0=80%", "--out", "e.png", "--json").json
    assert said["until"] == {"0": 0.8}
    assert said["reads"]["0"] == pytest.approx(0.8, abs=0.2)
    expected = space.edit(image, until={"0": 0.8})[0, ..., 0]
    assert (np.asarray(Image.open(home / "e.png")) == expected).all()
    leaning = space.encode(space.edit(image, {"slant": 0.5})).mean
    wanted = float(space.concepts["slant"].read(leaning)[0])
    said = at("edit", RUN, "digits:test/1", "--until", f"slant={wanted}", "--json").json
    assert said["reads"]["slant"] == pytest.approx(wanted, abs=0.03)
    kept = at("edit", RUN, "digits:test/1", "--concept", "slant=0.5", "--keep", "6", "--json")
    assert kept.json["keep"] == ["6"]
    half, whole = (
        at("edit", RUN, "digits:test/1", "--to", "0", *until, "--json").json for until in (("--until", "60%"), ())
    )
    assert (half["chance"], whole["chance"]) == (0.6, None)
    assert half["until"] == whole["until"] == {}
    far = at("edit", RUN, "digits:test/1", "--concept", "6=9", "--json")
    assert far.json["atypical"]
    assert "empty region" in far.err
    missed = at("edit", RUN, "digits:test/1", "--until", "slant=1000")
    assert missed.code == 0
    assert "strengths up to 4 were tried" in missed.err
    for arguments, words in [
        (("--until", "0"), "NAME=TARGET"),
        (("--until", "0=x"), "NAME=TARGET"),
        (("--until", "90%"), "belongs to --to"),
        (("--until", "0=120%"), "between 0 % and 100 %"),
        (("--until", "0=0.9", "--concept", "0=1"), "strength already"),
        (("--until", "0=0.9", "--until", "0=0.8"), "given twice"),
        (("--concept", "0=1", "--concept", "0=2"), "given twice"),
        (("--until", "7=90%"), 'no concept "7"'),
        (("--to", "0", "--until", "100%"), "between 0 % and 100 %"),
        (("--concept", "6=1", "--keep", "6"), "kept too"),
        (("--concept", "6=1", "--keep", "7"), 'no concept "7"'),
    ]:
        wrong = at("edit", RUN, "digits:test/1", *arguments)
        assert wrong.code == 2, (arguments, wrong.err)
        assert words in wrong.err, (arguments, wrong.err)


def test_a_folder_is_edited_and_says_how_many_went_too_far(at: Morpho, tmp_path: Path) -> None:
    assert at("data", "export", "digits", "pictures").code == 0
    folder = str(sorted((tmp_path / "home" / "pictures" / "test").iterdir())[0])
    near, far = (at("edit", RUN, folder, "--concept", f"6={s}", "--json") for s in (0, 9))
    assert near.json["count"] == far.json["count"] == far.json["outside"] > 0
    assert near.json["outside"] < far.json["outside"]
    assert "leave the populated part" in far.err


def test_a_concept_is_passed_on(at: Morpho, tmp_path: Path) -> None:
    other = "runs/0002-digits-quick"
    assert at("concept", "export", RUN, "6", "--out", "plain.safetensors").code == 0
    back = at("concept", "import", RUN, "plain.safetensors", "--name", "six", "--json").json
    assert not back["learned_again"]
    space = load(tmp_path / "home" / RUN)
    assert (space.concepts["six"].direction == space.concepts["6"].direction).all()
    refused = at("concept", "import", other, "plain.safetensors")
    assert refused.code == 2
    assert "means nothing in this one" in refused.err
    assert "--examples" in refused.err
    assert not load(tmp_path / "home" / other).concepts
    given = at("concept", "export", RUN, "6", "--examples", "40", "--out", "given.safetensors", "--json")
    assert given.json["examples"] == 80
    assert "as they are" in given.err
    taken = at("concept", "import", other, "given.safetensors", "--json").json
    assert taken["learned_again"]
    assert taken["concept"]["positives"] + taken["concept"]["negatives"] == 64
    assert taken["concept"]["held_out"]
    assert taken["concept"]["auc"] > 0.7
    number = at("concept", "export", RUN, "slant", "--examples", "30", "--json").json["outputs"][0]
    assert at("concept", "import", other, number, "--json").json["concept"]["correlation"] is not None
    with safe_open(tmp_path / "home" / "plain.safetensors", "np") as file:
        assert not [key for key in file.keys() if "examples" in key]  # noqa: SIM118
    for arguments, words in [
        (("export", RUN, "7"), 'no concept "7"'),
        (("export", RUN, "6", "--data", "digits"), "how many"),
        (("export", RUN, "6", "--out", "x.json"), ".safetensors"),
        (("import", RUN, "nowhere.safetensors"), "missing"),
        (("import", RUN, "plain.safetensors"), "already"),
        (("import", RUN, "plain.safetensors", "--name", "a=b"), "without"),
    ]:
        wrong = at("concept", *arguments)
        assert wrong.code in (1, 2), (arguments, wrong.err)
        assert words in wrong.err, (arguments, wrong.err)


def test_judges_tell_what_concepts_do(at: Morpho, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = at("concept", "test", RUN, "--seeds", "2", "--images", "30", "--out", "t", "--json")
    assert ran.code == 0, ran.err
    said = ran.json
    assert set(said["concepts"]) == {"6", "0", "slant"}
    assert said["judges"]["label"]["mean"] > 0.9
    zero = {row["strength"]: row for row in said["concepts"]["0"]["strengths"]}
    assert set(zero) == {0.5, 1.0, 1.5, 2.0}
    assert zero[2.0]["reached"]["mean"] > zero[2.0]["random_reached"]["mean"] + 0.2
    for row in zero.values():
        for figure in row.values():
            if isinstance(figure, dict):
                assert figure["low"] <= figure["mean"] <= figure["high"]
    assert said["concepts"]["slant"]["correlation"]["mean"] > 0.8
    matrix = np.array(said["entanglement"]["moved"])
    assert said["entanglement"]["rows"] == said["entanglement"]["columns"] == ["6", "0", "slant"]
    assert matrix[2, 2] > 0.2 > abs(matrix[2, 1]) - 0.2
    assert 0 <= said["classes"]["worst"] <= said["classes"]["mean"] <= 1
    folder = tmp_path / "home" / "t"
    names = {path.name for path in folder.iterdir()}
    assert {"report.html", "figures.json", "entanglement.png", "concept-01.png", "classes.png", "pairs.png"} <= names
    assert json.loads((folder / "figures.json").read_text())["seeds"] == 2
    assert "concept test" in read_text(folder / "entanglement.png")["command"]
    monkeypatch.setattr(judges, "_FEWEST_STEPS", 8)  # what judges find has been seen; the rest is what is said
    monkeypatch.setattr(judges, "_EPOCHS", 1)
    again = at("concept", "test", RUN, "slant", "--seeds", "2", "--images", "30", "--out", "t")
    assert again.code == 1
    assert "exists" in again.err
    one = at("concept", "test", RUN, "slant", "--seeds", "2", "--images", "30", "--out", "u", "--json").json
    assert set(one["concepts"]) == {"slant"}
    assert one["classes"] is None
    assert one["entanglement"]["columns"] == ["slant", "6", "0"], "others that the set knows of are watched"
    assert at("concept", "discover", RUN, "--name", "1=lean").code == 0
    unknown = at("concept", "test", RUN, "lean", "--seeds", "2")
    assert unknown.code == 2
    assert "nothing in" in unknown.err
    left_out = at("concept", "test", RUN, "--seeds", "2", "--images", "20", "--json")
    assert left_out.code == 0, left_out.err
    assert '"lean" is left out' in left_out.err
    assert "lean" not in left_out.json["concepts"]
    assert at("concept", "test", RUN, "7").code == 2
    assert at("concept", "test", RUN, "--seeds", "1").code == 2


def test_what_others_do_meanwhile_is_left_as_it_is(at: Morpho, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A concept takes a while to learn: another training ends, and another concept is learned."""
    runs = tmp_path / "home" / "runs"
    own, newer = runs / "0002-digits-quick" / "space", runs / "0003-digits-quick" / "space"

    def open_and_wait(name: str, device: str) -> Space:
        found = open_space(name, device)
        theirs = found.discover(1)[0].concept.named("theirs")
        shutil.copytree(own.parent, newer.parent)
        change_concepts(own, lambda there: there | {"theirs": theirs})
        return found

    monkeypatch.setattr("morphospace.cli.concept_learning.open_space", open_and_wait)
    ran = at("concept", "learn", "latest", "mine", "--data", "digits", "--label", "6", "--json")
    assert ran.code == 0, ran.err
    assert set(load(own).concepts) == {"mine", "theirs"}
    assert not load(newer).concepts


def test_the_seed_of_a_concept_is_the_one_that_was_given(at: Morpho) -> None:
    learn = ("--data", "digits", "--label", "1", "--json")
    own, again, other = (
        at("concept", "learn", RUN, name, *learn, *options).json["concept"]
        for name, options in (("a", ()), ("b", ("--seed", "0")), ("c", ("--seed", "7")))
    )
    assert (own["seed"], again["seed"], other["seed"]) == (0, 0, 7)
    assert own["auc_interval"] == again["auc_interval"] != other["auc_interval"]
