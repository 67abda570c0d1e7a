"""Routes that edit: concepts come and go, and moves are those of the space."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from starlette.testclient import TestClient
from tests.server.conftest import visitor

from morphospace.bundle import read_bundle
from morphospace.data import Dataset
from morphospace.latent import Concept, learn_classes
from morphospace.server import Session, create_app
from morphospace.space import Space, load

API = "/api/v1"


def test_a_concept_of_a_label(client: TestClient, space: Space) -> None:
    answer = client.post(f"{API}/concepts", json={"name": "six", "label": "6"})
    assert answer.status_code == 201
    fact = answer.json()
    assert (fact["name"], fact["origin"]) == ("six", {"label": "6"})
    assert fact["auc"] > 0.8
    assert fact["direction"] == space.concepts["six"].direction.tolist()
    assert client.get(f"{API}/concepts").json() == {"concepts": [fact]}
    again = client.post(f"{API}/concepts", json={"name": "six", "label": "6"})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "conflict")
    assert client.delete(f"{API}/concepts/six").status_code == 204
    assert not space.concepts
    assert client.delete(f"{API}/concepts/six").json()["error"]["code"] == "not_found"


def test_a_concept_from_examples(client: TestClient, space: Space) -> None:
    body = {"name": "mine", "positive": [0, 1, 2], "negative": [3, 4]}
    fact = client.post(f"{API}/concepts", json=body).json()
    assert (fact["positives"], fact["negatives"]) == (3, 2)
    assert any("few images" in words for words in fact["warnings"])
    others = client.post(f"{API}/concepts", json={"name": "against all", "positive": [0, 1, 2]}).json()
    assert others["negatives"] == len(space.reference) - 3  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("body", "argument"),
    [
        ({"name": "x"}, "body"),
        ({"name": "x", "label": "6", "positive": [1]}, "body"),
        ({"name": "x", "label": "6", "negative": [1]}, "body"),
        ({"name": "x", "label": "66"}, "label"),
        ({"name": "x", "positive": [100_000]}, "positive"),
        ({"name": "x", "positive": [-1]}, "positive"),
        ({"name": "x", "positive": [1.5]}, "positive"),
        ({"name": "x", "positive": []}, "positive"),
        ({"name": "x", "positive": [1], "negative": [1]}, "negative"),
        ({"name": "", "label": "6"}, "name"),
        ({"name": "a=b", "label": "6"}, "name"),
        ({"name": "a\nb", "label": "6"}, "name"),
        ({"name": "..", "label": "6"}, "name"),
        ({"name": "x" * 101, "label": "6"}, "name"),
    ],
)
def test_concepts_that_cannot_be_learned(client: TestClient, body: dict[str, object], argument: str) -> None:
    answer = client.post(f"{API}/concepts", json=body)
    assert answer.status_code == 422
    assert answer.json()["error"]["argument"] == argument


def test_there_is_an_end_to_concepts(client: TestClient, space: Space) -> None:
    for i in range(200):
        space.concepts[str(i)] = Concept(name=str(i), direction=np.ones(2, np.float32))
    assert client.post(f"{API}/concepts", json={"name": "x", "label": "6"}).status_code == 409


@pytest.mark.parametrize("name", ["../../../evil", "a/b", "C:\\x", "50 % x", "Größe 6/9?#", "x/keep", "~root", "*"])
def test_a_name_is_never_a_path(client: TestClient, space: Space, session: Session, tmp_path: Path, name: str) -> None:
    session.folder, session.writable = space.save(tmp_path / "inside" / "space"), True
    before = {path for path in tmp_path.rglob("*") if "space" not in path.relative_to(tmp_path / "inside").parts}
    files = {path.name for path in session.folder.iterdir()}
    assert client.post(f"{API}/concepts", json={"name": name, "label": "6"}).status_code == 201
    assert client.post(f"{API}/concepts/{quote(name, safe='')}/keep").json() == {"kept": True}
    assert list(read_bundle(session.folder).concepts) == [name]
    assert client.delete(f"{API}/concepts/{quote(name, safe='')}").status_code == 204
    assert {path.name for path in session.folder.iterdir()} == files | {".lock"}
    assert {p for p in tmp_path.rglob("*") if "space" not in p.relative_to(tmp_path / "inside").parts} == before


def test_keeping_leaves_what_others_have_learned_meanwhile(space: Space, tmp_path: Path) -> None:
    folder = space.save(tmp_path / "space")
    session = Session(space, folder)
    client = visitor(create_app(session))
    assert client.get(f"{API}/space").json()["writable"] is True
    other = load(folder)
    other.concepts["other"] = Concept(name="other", direction=np.ones(2, np.float32))
    other.save(folder, force=True)
    for name in ("mine", "not kept"):
        client.post(f"{API}/concepts", json={"name": name, "label": "6"})
    assert client.post(f"{API}/concepts/mine/keep").json() == {"kept": True}
    assert list(read_bundle(folder).concepts) == ["other", "mine"]
    assert client.post(f"{API}/concepts/nothing/keep").json()["error"]["code"] == "not_found"
    (folder / "config.json").unlink()
    gone = client.post(f"{API}/concepts/mine/keep")
    assert (gone.status_code, gone.json()["error"]["code"]) == (409, "conflict")
    assert str(tmp_path) not in gone.text
    session.close()


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="everything can be written here")
def test_a_folder_that_cannot_be_written_is_said_so(space: Space, tmp_path: Path) -> None:
    folder = space.save(tmp_path / "space")
    folder.chmod(0o555)
    session = Session(space, folder)
    assert not session.writable
    session.close()
    folder.chmod(0o755)


def test_a_space_without_a_folder_keeps_nothing(client: TestClient) -> None:
    client.post(f"{API}/concepts", json={"name": "six", "label": "6"})
    answer = client.post(f"{API}/concepts/six/keep")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conflict")


def test_edits_are_the_moves_of_the_space(client: TestClient, space: Space, digits: Dataset) -> None:
    for name, label in (("six", "6"), ("one", "1")):
        client.post(f"{API}/concepts", json={"name": name, "label": label})
    assert space.reference is not None
    assert space.reference_labels is not None
    space.classes = learn_classes(digits.label_names, space.reference, space.reference_labels, None, "digits")
    z = space.sample_points(3, seed=0)
    for how in (
        {"strengths": {"six": 1.5}},
        {"strengths": {"six": 1.5}, "keep": ["one"]},
        {"until": {"six": 0.6}},
        {"target": "6", "strength": 0.5},
        {},
    ):
        answer = client.post(f"{API}/edit", json={"points": z.tolist(), **how}).json()
        expected = space.move(z, **how)
        np.testing.assert_allclose(answer["points"], expected, atol=1e-5)
        np.testing.assert_allclose(answer["typicality"], space.typicality(expected), atol=0.02)


@pytest.mark.parametrize(
    ("how", "argument"),
    [
        ({"strengths": {"nothing": 1}}, "strengths"),
        ({"keep": ["nothing"]}, "strengths"),
        ({"target": "66"}, "target"),
        ({"strength": 1e9}, "strength"),
        ({"strengths": {"six": "1"}}, "strengths"),
        ({"strengths": {"six": 1}, "keep": ["six"]}, "keep"),
        ({"until": {"six": 2.0}}, "until"),
        ({"strengths": {"six": 1}, "until": {"six": 0.5}}, "until"),
    ],
)
def test_edits_that_cannot_be(client: TestClient, how: dict[str, object], argument: str) -> None:
    client.post(f"{API}/concepts", json={"name": "six", "label": "6"})
    answer = client.post(f"{API}/edit", json={"points": [[0, 0]], **how})
    assert answer.status_code == 422
    assert answer.json()["error"]["argument"] == argument
