"""Attributes of the test images: kept in the space as labels are, and nothing of them is lost or made up."""

from __future__ import annotations

import base64
import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from safetensors.numpy import load_file, save_file
from tests.export.test_page import inside
from tests.server.conftest import visitor

from morphospace.attribute_files import attribute_arrays, attributes_from
from morphospace.data import dataset_from_arrays
from morphospace.data.attributes import Attribute
from morphospace.errors import FileError
from morphospace.export.page import attribute_numbers, share_page, space_facts, what_it_reveals
from morphospace.server import Session, create_app
from morphospace.space import Space, load
from morphospace.workflow import train


@pytest.fixture
def known(space: Space) -> Space:
    """The space of digits with two attributes of each test image: one of numbers, one of words, both with gaps."""
    assert space.reference is not None
    height = space.reference[:, 1].astype(np.float64) * 1e6 + 20231231.25  # more than 32 bits can say
    height[::7] = np.nan
    kind = np.array(["oak", "Esche", "물푸레", ""])[np.arange(len(height)) % 4]
    space.reference_attributes = {"kind": kind, "height <m>=": height}
    return space


def same(one: Attribute, other: Attribute) -> bool:
    if one.dtype.kind == "U":
        return bool(one.tolist() == other.tolist())
    return np.array_equal(one, other, equal_nan=True) and one.dtype == other.dtype


def test_they_come_back_from_a_bundle_whole_or_half(known: Space, tmp_path: Path) -> None:
    for half in (False, True):
        again = load(known.save(tmp_path / f"{half}", half=half))
        assert list(again.reference_attributes) == ["kind", "height <m>="]
        assert all(same(again.reference_attributes[k], v) for k, v in known.reference_attributes.items())
        assert np.array_equal(again.reference_labels, known.reference_labels)  # type: ignore[arg-type]


def test_a_bundle_without_them_opens(known: Space, tmp_path: Path) -> None:
    """As older versions wrote it."""
    folder = known.save(tmp_path / "space")
    arrays = load_file(folder / "reference.safetensors")
    save_file({k: v for k, v in arrays.items() if k in ("codes", "labels")}, folder / "reference.safetensors")
    again = load(folder)
    assert again.reference_attributes == {}
    assert np.array_equal(np.asarray(again.reference), np.asarray(known.reference))
    assert space_facts(again)["attributes"] == []


columns = st.one_of(
    st.lists(st.floats(allow_nan=True), min_size=3, max_size=3).map(np.array),
    st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=3, max_size=3).map(
        lambda words: np.array(words, np.str_)
    ),
)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), columns, max_size=4))
def test_whatever_a_table_says_comes_back(attributes: dict[str, Attribute]) -> None:
    again = attributes_from(*attribute_arrays(attributes), 3)
    assert list(again) == list(attributes)
    assert all(same(again[name], values) for name, values in attributes.items())


@pytest.mark.parametrize(
    ("arrays", "known", "words"),
    [
        ({}, {"a": None}, "not those of their arrays"),
        ({"a": np.zeros(3)}, {}, "not those of their arrays"),
        ({"a": np.zeros(2)}, {"a": None}, r'"a" has shape \(2,\), expected \(3,\)'),
        ({"a": np.zeros(3, np.int32)}, {"a": None}, "expected numbers"),
        ({"a": np.zeros(3, np.int32)}, {"a": [1]}, "no list of words"),
        ({"a": np.zeros(3, np.int32)}, {"a": "word"}, "no list of words"),
        ({"a": np.array([0, 1, 2], np.int32)}, {"a": ["x", "y"]}, "places outside its list of 2 words"),
        ({"a": np.array([0, -2, 1], np.int32)}, {"a": ["x", "y"]}, "places outside"),
        ({"a": np.zeros(3)}, {"a": ["x"]}, "places outside"),
        ({"a": np.zeros(3)}, [], "not those of their arrays"),
    ],
)
def test_damage_is_said(arrays: dict[str, Any], known: Any, words: str, space: Space, tmp_path: Path) -> None:
    whole = {f"attribute={name}": values for name, values in arrays.items()}
    with pytest.raises(ValueError, match=words):
        attributes_from(whole, {"attributes": json.dumps(known)}, 3)
    folder = space.save(tmp_path / "space")
    path = folder / "reference.safetensors"
    save_file({"codes": np.zeros((3, 2), np.float32), **whole}, path, {"attributes": json.dumps(known)})
    with pytest.raises(FileError, match=r"reference\.safetensors is damaged: attributes of test images: "):
        load(folder)
    save_file({"codes": np.zeros((3, 2), np.float32)}, path, {"attributes": "[" * 100_000})
    with pytest.raises(FileError, match="no JSON"):
        load(folder)


def test_training_keeps_those_of_the_test_images(morpho: Callable[..., Any], tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    folder = tmp_path / "trees"
    folder.mkdir()
    rows = ["file,kind,height,title"]
    for i in range(300):
        Image.fromarray(rng.integers(0, 255, (8, 8), np.uint8)).save(folder / f"{i}.png")
        rows.append(f"{i}.png,{['oak', 'ash', ''][i % 3]},{i if i % 5 else ''},title number {i}")
    (folder / "attributes.csv").write_text("\n".join(rows))
    ran = morpho("train", "trees", "--epochs", "1", "--set", "encoder_widths=8", "--set", "decoder_widths=8")
    assert ran.code == 0, ran.err
    said = " ".join((ran.out + ran.err).split())
    assert 'Not kept in the space, of the set\'s table: "title". No two test images share a word there' in said
    space = load(next((tmp_path / "runs").iterdir()))
    assert list(space.reference_attributes) == ["kind", "height"]
    assert space.reference is not None
    height, kind = (space.reference_attributes[name] for name in ("height", "kind"))
    assert len(kind) == len(space.reference) > 20
    numbers = height[np.isfinite(height)].astype(int)  # each tells which picture it is of
    assert (kind[np.isfinite(height)] == np.array(["oak", "ash", ""])[numbers % 3]).all()
    assert morpho("info", "latest", "--json").json["attributes"] == ["kind", "height"]
    assert "of the test images: kind, height" in morpho("info", "latest").out
    card = " ".join((next((tmp_path / "runs").iterdir()) / "space" / "README.md").read_text().split())
    assert "beside each code stands what the set's table says of it (kind, height) and how well it is" in card


def test_labels_and_attributes_are_said_in_the_card(known: Space) -> None:
    assert "beside each code stands its label and what the set's table says of it (kind, height <m>=)" in known.card()
    known.reference_attributes = {}
    assert "beside each code stands its label." in known.card()
    known.errors = np.zeros(195, np.float32)
    assert "beside each code stands its label and how well it is reconstructed." in known.card()


def test_the_shared_file_has_them_and_says_so(known: Space) -> None:
    html = share_page(known).decode()
    facts = json.loads(inside(html, "space"))
    assert facts["attributes"] == [
        {"name": "kind", "words": ["Esche", "oak", "물푸레"]},
        {"name": "height <m>=", "words": None},
    ]
    kinds, heights = np.frombuffer(gzip.decompress(base64.b64decode(inside(html, "attributes")))).reshape(2, -1)
    assert kinds[:4].tolist()[:3] == [1, 0, 2]
    assert np.isnan(kinds[3])
    assert np.array_equal(heights, known.reference_attributes["height <m>="], equal_nan=True)
    assert ", their labels, what the set's table says of each (kind, height <m>=)" in what_it_reveals(known)
    known.reference_attributes = dict.fromkeys("abcdefg", kinds)
    assert "of each (a, b, c, d, e and 2 more)" in what_it_reveals(known)
    known.reference_attributes = {}
    assert 'id="attributes"' not in share_page(known).decode()
    assert "table" not in what_it_reveals(known)


def test_a_server_hands_them_out(known: Space, tmp_path: Path) -> None:
    session = Session(known)
    client = visitor(create_app(session, static=tmp_path))
    assert [fact["name"] for fact in client.get("/api/v1/space").json()["attributes"]] == ["kind", "height <m>="]
    for i, values in enumerate(known.reference_attributes.values()):
        found = client.get(f"/api/v1/points/attributes/{i}")
        assert found.headers["x-shape"] == "195"
        assert np.array_equal(np.frombuffer(found.content, "<f8"), attribute_numbers(values), equal_nan=True)
    refused = client.get("/api/v1/points/attributes/2")
    assert refused.status_code == 404
    assert refused.json()["error"]["message"].startswith("index: this space keeps 2 attributes of its test images")
    session.close()


def test_a_set_without_a_table_has_none(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 255, (40, 8, 8), np.uint8)
    assert train(dataset_from_arrays(images), epochs=1, out=tmp_path).reference_attributes == {}
    shutil.rmtree(tmp_path)
