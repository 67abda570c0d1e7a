"""Routes that look: what they answer is what the space itself says."""

from __future__ import annotations

import base64
import io
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient
from tests.models import as_vae
from tests.pictures import encoded
from tests.server.conftest import Ask, visitor

from morphospace._version import __version__
from morphospace.data import Dataset
from morphospace.latent.nearest import nearest
from morphospace.pictures import tile
from morphospace.server import Session, create_app
from morphospace.server.originals import find_originals
from morphospace.server.visits import json_response
from morphospace.space import Space
from morphospace.workflow import train

API = "/api/v1"


def pixels(response: object) -> np.ndarray:
    assert response.status_code == 200, response.text  # type: ignore[attr-defined]
    shape = [int(n) for n in response.headers["x-shape"].split(",")]  # type: ignore[attr-defined]
    return np.frombuffer(response.content, np.uint8).reshape(shape)  # type: ignore[attr-defined]


def test_the_server_says_that_it_is_there(client: TestClient) -> None:
    assert client.get(f"{API}/health").json() == {"status": "ok", "version": __version__}


def test_facts_name_the_space_and_what_can_be_done_here(client: TestClient, space: Space) -> None:
    facts = client.get(f"{API}/space").json()
    assert facts["shape"] == [8, 8, 1]
    assert facts["fingerprint"] == space.fingerprint()
    assert facts["count"] == len(space.reference)  # type: ignore[arg-type]
    assert (facts["writable"], facts["model"]) == (False, True)
    assert client.get(f"{API}/originals").json() == {"there": True}
    client.post(f"{API}/concepts", json={"name": "six", "label": "6"})
    assert [fact["name"] for fact in client.get(f"{API}/space").json()["concepts"]] == ["six"]


def test_points_come_as_they_lie_in_memory(client: TestClient, space: Space) -> None:
    codes = client.get(f"{API}/points/codes")
    assert space.reference is not None
    assert codes.content == space.reference.astype("<f4").tobytes()
    assert codes.headers["x-shape"] == ",".join(map(str, space.reference.shape))
    labels = np.frombuffer(client.get(f"{API}/points/labels").content, "<i4")
    assert labels.tolist() == space.reference_labels.tolist()  # type: ignore[union-attr]
    assert client.get(f"{API}/points/errors").json()["error"]["code"] == "not_found"
    assert client.get(f"{API}/points/others").json()["error"]["argument"] == "column"
    space.errors = np.arange(3, dtype=np.float32)
    assert client.get(f"{API}/points/errors").content == space.errors.tobytes()


def test_decode_gives_the_pixels_of_the_space_raw_and_as_a_sheet(client: TestClient, space: Space) -> None:
    z = space.sample_points(5, seed=0)
    found = client.post(f"{API}/decode", json={"points": z.tolist()})
    assert (pixels(found) == space.decode(z)).all()
    sheet = client.post(f"{API}/decode?format=png", json={"points": z.tolist()})
    assert sheet.headers["content-type"] == "image/png"
    assert (np.asarray(Image.open(io.BytesIO(sheet.content))) == tile(space.decode(z), 3)[..., 0]).all()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"points": [[1, 2, 3]]}', "2 latents"),
        ('{"points": [[0, 0], [1]]}', "2 latents"),
        ('{"points": [[NaN, 0]]}', "points"),
        ('{"points": [[Infinity, 0]]}', "points"),
        ('{"points": [[1e400, 0]]}', "points"),
        ('{"points": [[1e39, 0]]}', "1000000"),
        ('{"points": [["1", 0]]}', "valid number"),
        ('{"points": [[true, 0]]}', "valid number"),
        ('{"points": []}', "at least 1"),
        ('{"points": [[]]}', "at least 1"),
        ('{"points": null}', "valid list"),
        ('{"points": [[0, 0]], "more": 1}', "more"),
        ('{"points": [[0, 0]]', "JSON"),
        ('{"points": [[' + "1" * 5000 + ", 0]]}", "JSON"),
        ('{"points": ' + "[" * 100_000 + "]" * 100_000 + "}", "JSON"),
        ('{"points": ' + "[" * 500 + "]" * 500 + "}", "points"),
        ('{"points": [[0, 0]], "latest": "\\ud800"}', "latest"),
        ('{"\\ud800": 1}', "body"),
        ("", "body"),
        ("[]", "body"),
    ],
)
def test_latents_that_are_none_are_refused_with_a_sentence(client: TestClient, body: str, words: str) -> None:
    answer = client.post(f"{API}/decode", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert error["code"] == "invalid"
    assert error["argument"] in ("points", "body", "latest", "more")
    assert words in error["message"]


def test_more_than_can_be_answered_is_refused(space: Space, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("morphospace.server.visits._LARGEST_ANSWER", 200)
    answer = ask().post(f"{API}/decode", json={"points": [[0, 0]] * 4})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    assert "up to 3" in answer.json()["error"]["message"]


def test_encode_places_a_picture(client: TestClient, space: Space, digits: Dataset) -> None:
    image = digits.test.images[0]
    answer = client.post(f"{API}/encode", content=encoded(image[..., 0])).json()
    code = space.encode(image[None])
    assert answer["mean"] == code.mean[0].tolist()
    assert answer["log_var"] == code.log_var[0].tolist()  # type: ignore[index]
    assert answer["typicality"] == pytest.approx(float(space.typicality(code.mean)[0]))
    assert answer["shape"] == [8, 8, 1]
    assert base64.b64decode(answer["pixels"]) == image.tobytes()
    assert base64.b64decode(answer["reconstruction"]) == space.decode(code.mean).tobytes()


def test_samples_are_those_of_their_seed(client: TestClient, space: Space) -> None:
    seed = 2**63 - 1
    answer = client.post(f"{API}/sample", json={"n": 3, "seed": seed}).json()
    assert answer == {"points": space.sample_points(3, seed=seed).tolist(), "seed": seed}
    assert client.post(f"{API}/sample", json={"n": 3, "seed": 2**63}).status_code == 422
    assert client.post(f"{API}/sample", json={"n": 0, "seed": 0}).json()["error"]["argument"] == "n"


def test_a_tile_has_the_middles_of_its_cells(client: TestClient, space: Space) -> None:
    found = pixels(client.get(f"{API}/atlas/1/-1/2?cells=2"))
    u, v = (-1.0 + np.array([0.25, 0.75])), (2.0 + np.array([0.75, 0.25]))
    expected = space.decode([[a, b] for b in v for a in u])
    assert (found[0] == tile(expected, 2)).all()
    turned = pixels(client.get(f"{API}/atlas/1/-1/2?cells=2&origin=0,0&right=1,0&up=0,1"))
    assert (turned == found).all()
    sheet = client.get(f"{API}/atlas/1/-1/2?cells=2&format=png")
    assert (np.asarray(Image.open(io.BytesIO(sheet.content))) == found[0, ..., 0]).all()


@pytest.mark.parametrize(
    ("address", "argument"),
    [
        ("41/0/0", "level"),
        ("0/0/0?cells=33", "cells"),
        ("0/x/0", "column"),
        ("-8/99999999/0", "column and row"),
        ("0/0/0?origin=0,0", "right"),
        ("0/0/0?origin=0,nan&right=1,0&up=0,1", "origin"),
        ("0/0/0?origin=0,0&right=1,0,0&up=0,1", "right"),
        ("0/0/0?origin=0,0&right=1,0&up=0,x", "up"),
        ("0/0/0?format=gif", "format"),
    ],
)
def test_tiles_that_are_nowhere_are_refused(client: TestClient, address: str, argument: str) -> None:
    answer = client.get(f"{API}/atlas/{address}")
    assert answer.status_code == 422
    assert answer.json()["error"]["argument"] == argument


def test_a_space_of_one_latent_has_a_map_too(digits: Dataset) -> None:
    session = Session(train(digits, latent_dim=1, epochs=1))
    client = visitor(create_app(session))
    found = pixels(client.get(f"{API}/atlas/0/0/0?cells=2"))
    assert (found[0, :8] == found[0, 8:]).all()
    session.close()


@pytest.mark.parametrize("path", ["lerp", "slerp", "gaussian", "geodesic"])
def test_morphs_go_through_their_points(client: TestClient, path: str) -> None:
    ends = [[0.0, 0.5], [1.0, -0.5], [-1.0, 0.25]]
    answer = client.post(f"{API}/morph", json={"points": ends, "frames": 5, "path": path}).json()
    assert [answer["points"][i] for i in (0, 2, 4)] == ends
    few = client.post(f"{API}/morph", json={"points": ends, "frames": 2, "path": path})
    assert (few.status_code, few.json()["error"]["argument"]) == (422, "frames")


def test_neighbors_are_the_nearest(client: TestClient, space: Space) -> None:
    assert space.reference is not None
    assert space.reference_labels is not None
    answer = client.post(f"{API}/neighbors", json={"point": [0.3, 0.1], "n": 4}).json()
    indices, distances = nearest(np.array([0.3, 0.1], np.float32), space.reference, 4)
    assert answer["indices"] == indices.tolist()
    assert answer["distances"] == pytest.approx(distances.tolist())
    assert answer["labels"] == space.reference_labels[indices].tolist()
    space.reference = None
    assert client.post(f"{API}/neighbors", json={"point": [0.3, 0.1], "n": 4}).status_code == 404


def test_originals_are_the_test_images(client: TestClient, digits: Dataset) -> None:
    assert (pixels(client.get(f"{API}/originals/3"))[0] == digits.test.images[3]).all()
    assert client.get(f"{API}/originals/3?format=png").content.startswith(b"\x89PNG")
    assert client.get(f"{API}/originals/100000").json()["error"]["argument"] == "index"


def test_originals_are_the_very_set_and_never_downloaded(
    space: Space, digits: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_originals(space, None) is not None
    space.about = space.about | {"data": {**space.about["data"], "fingerprint": "another"}}
    assert find_originals(space, None) is None
    monkeypatch.setenv("MORPHOSPACE_DATA", str(tmp_path))
    monkeypatch.setattr("morphospace.data.named.download", lambda *_: pytest.fail("it went to the network"))
    for name in ("mnist", "hf:someone/something", "binarized-mnist", "no such set", "/etc"):
        space.about = {"data": {"name": name, "fingerprint": "x"}}
        assert find_originals(space, None) is None
    assert find_originals(Space(space.model, space.recipe, space.shape), None) is None


def test_a_run_knows_where_its_images_lie(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    np.save(tmp_path / "images.npy", rng.integers(0, 255, (40, 8, 8), np.uint8))
    space = train(str(tmp_path / "images.npy"), epochs=1, out=tmp_path / "runs")
    run = next((tmp_path / "runs").iterdir())
    for folder in (run, run / "space"):
        found = find_originals(space, folder)
        assert found is not None
        assert (space.encode(found).mean == space.reference).all()
    (run / "recipe.json").write_text('{"format": "damaged"}')
    assert find_originals(space, run) is None


def test_the_model_comes_as_onnx_unless_it_is_too_large(
    client: TestClient, space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    import onnxruntime

    z = space.sample_points(2, seed=0)
    content = client.get(f"{API}/model/decoder").content
    (images,) = onnxruntime.InferenceSession(content).run(None, {"z": z})
    assert np.abs(images - space.decode(z, dtype="float")).max() < 0.01
    assert client.get(f"{API}/model/encoder").status_code == 200
    assert client.get(f"{API}/model/prior").status_code == 422
    monkeypatch.setattr("morphospace.server.session.LARGEST_MODEL", 10)
    answer = client.get(f"{API}/model/decoder")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    assert client.get(f"{API}/space").json()["model"] is False


def test_what_takes_too_long_is_given_up_and_what_waits_is_told_so(space: Space, ask: Ask, session: Session) -> None:
    session.patience = 0.1
    release = threading.Event()
    hook = as_vae(space.model).decoder.register_forward_pre_hook(lambda *_: release.wait(10) and None)
    began = time.monotonic()
    answers = [ask().post(f"{API}/decode", json={"points": [[0, 0]]}) for _ in range(2)]
    assert time.monotonic() - began < 3
    release.set()
    hook.remove()
    assert [answer.status_code for answer in answers] == [504, 503]
    computing, waiting = (answer.json()["error"] for answer in answers)
    assert (computing["code"], waiting["code"]) == ("timeout", "busy")
    assert "more than 0.1 seconds to compute" in computing["message"]
    assert "its turn did not come within 0.2 seconds" in waiting["message"]
    assert answers[1].headers["retry-after"] == "1"


def test_an_unforeseen_error_says_nothing_of_itself(
    client: TestClient, space: Space, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(space, "sample_points", lambda *_, **__: [][1])
    answer = client.post(f"{API}/sample", json={"n": 1, "seed": 0})
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal")
    assert "index" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "IndexError" in caplog.text


def test_json_is_strict() -> None:
    body = json_response({"a": [1.5, float("nan")], "b": {"c": float("inf")}}).body
    assert body == b'{"a": [1.5, null], "b": {"c": null}}'


def test_addresses_and_methods_that_are_none(client: TestClient) -> None:
    assert client.get(f"{API}/nothing").json()["error"]["code"] == "not_found"
    assert client.get("/../etc/passwd").json()["error"]["code"] == "not_found"
    answer = client.put(f"{API}/decode")
    assert (answer.status_code, answer.json()["error"]["code"], answer.headers["allow"]) == (405, "method", "POST")
