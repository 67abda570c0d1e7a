"""Concepts in files: the same after the way through one, and damage is one clear error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from morphospace.concept_files import Examples, SharedConcept, read_shared_concept, write_shared_concept
from morphospace.errors import FileError
from morphospace.latent import Concept, learn_concept


def learned(method: str | None = None) -> Concept:
    rng = np.random.default_rng(0)
    values = rng.normal(size=300)
    codes = (values[:, None] * np.ones(3) + rng.normal(size=(300, 3))).astype(np.float32)
    return learn_concept("größe 1", codes, values, method=method, origin={"measure": "size"}, source="pictures")


@pytest.mark.parametrize("method", ["local", "mean-difference"])
def test_the_way_through_a_file_changes_nothing(tmp_path: Path, method: str) -> None:
    images = np.random.default_rng(1).integers(0, 255, (4, 5, 6, 3), np.uint8)
    before = SharedConcept(learned(method), "abc", "a space", Examples(images, np.arange(4.0)))
    path = tmp_path / "c.safetensors"
    write_shared_concept(path, before)
    after = read_shared_concept(path)
    assert (after.space, after.about) == ("abc", "a space")
    assert after.examples is not None
    assert (after.examples.images == images).all()
    assert (after.examples.values == np.arange(4.0)).all()
    z = np.random.default_rng(2).normal(size=(5, 3))
    for a, b in zip(before.concept.at(z), after.concept.at(z), strict=True):
        assert (a == b).all()
    assert after.concept.origin == {"measure": "size"}
    assert after.concept.follows == (method == "local")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_mutated_files_are_read_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "c.safetensors"
    write_shared_concept(path, SharedConcept(learned(), "abc", "a space"))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, min(len(content), 3000) - 1))
        content[place] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content)
    try:
        shared = read_shared_concept(path)
    except FileError as error:
        assert str(path) in str(error)
    else:
        assert np.isfinite(shared.concept.direction).all()


def test_foreign_files_say_what_they_are(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    with pytest.raises(FileError, match="missing"):
        read_shared_concept(path)
    save_file({"x": np.zeros(3, np.float32)}, path)
    with pytest.raises(FileError, match="foreign"):
        read_shared_concept(path)
    concept = learned()
    evidence = {"method": "ridge", "colour": "red"}
    about = {"format": "morphospace-concept-1", "name": "c", "evidence": evidence, "space": "", "about": ""}
    save_file({"concept c": concept.direction}, path, {"concept": json.dumps(about)})
    with pytest.raises(FileError, match="colour"):
        read_shared_concept(path)
    about["evidence"] = {}
    save_file({"concept c": np.array([1, np.nan], np.float32)}, path, {"concept": json.dumps(about)})
    with pytest.raises(FileError, match="finite"):
        read_shared_concept(path)
    arrays: dict[str, np.ndarray] = {"concept c": concept.direction, "examples values": np.zeros(3)}
    arrays["examples images"] = np.zeros((2, 4, 4, 1), np.uint8)
    save_file(arrays, path, {"concept": json.dumps(about)})
    with pytest.raises(FileError, match="examples"):
        read_shared_concept(path)
    damage: list[Any] = [
        {"auc": "x"},
        {"method": 5},
        {"auc_interval": [1]},
        {"origin": {"label": 6}},
        {"offset": None},
        [],
    ]
    for wrong in damage:
        about["evidence"] = wrong
        save_file({"concept c": concept.direction}, path, {"concept": json.dumps(about)})
        with pytest.raises(FileError, match="damaged"):
            read_shared_concept(path)
