"""ONNX of a space that is told labels has them for a second input, and says the same as PyTorch of each."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from morphospace.data import Dataset
from morphospace.errors import DataError
from morphospace.export import onnx as exported
from morphospace.export.onnx import to_onnx
from morphospace.export.page import space_facts
from morphospace.space import Space


def run(data: bytes, **inputs: np.ndarray) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    assert {entry.name: entry.type for entry in session.get_inputs()}["label"] == "tensor(int64)"
    found: list[np.ndarray] = session.run(None, inputs)
    return found


def test_each_label_is_drawn_as_pytorch_draws_it(told: Space, digits: Dataset) -> None:
    labels = np.arange(23) % 10
    z = told.sample_points(23, seed=0)
    (images,) = run(to_onnx(told, "decoder"), z=z, label=labels)
    assert np.abs(images - told.decode(z, dtype="float", labels=labels)).max() < 1e-4
    assert np.abs(images - told.decode(z, dtype="float", labels=(labels + 1) % 10)).max() > 0.1
    pixels = digits.test.images[:23]
    mean, log_var = run(to_onnx(told, "encoder"), images=(pixels / 255).astype(np.float32), label=labels)
    encoding = told.encode(pixels, labels)
    assert encoding.log_var is not None
    assert np.abs(mean - encoding.mean).max() < 1e-4
    assert np.abs(log_var - encoding.log_var).max() < 1e-4


def test_its_metadata_names_the_labels(told: Space) -> None:
    about = {entry.key: entry.value for entry in onnx.load_from_string(to_onnx(told, "decoder")).metadata_props}
    assert json.loads(about["labels"]) == [str(k) for k in range(10)]


def test_a_label_that_came_out_wrong_is_refused(told: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is checked is all labels: a decoder that takes 9 for 8 is found out."""
    forward = exported._Decoder.forward
    swapped = iter([False, False])  # the shapes, and the graph, are right

    def wrong(self: Any, z: Any, label: Any = None) -> Any:
        return forward(self, z, label if next(swapped, True) is False else label.clamp(max=8))

    monkeypatch.setattr(exported._Decoder, "forward", wrong)
    with pytest.raises(DataError, match="differs from PyTorch"):
        to_onnx(told, "decoder")


def test_the_verb_says_what_goes_in(morpho: Callable[..., Any], told: Space, tmp_path: Path) -> None:
    told.save(tmp_path / "bundle")
    ran = morpho("export", "bundle")
    assert ran.code == 0, ran.err
    assert "decoder.onnx: z (N, 2) and label (N,), int64: 0 0 to 9 9, to images (N, 8, 8, 1) in 0..1" in ran.out


def test_the_page_knows_the_labels_and_which_is_given(told: Space, space: Space) -> None:
    assert space_facts(told)["told"] == [str(k) for k in range(10)]
    assert space_facts(told)["given"] is None
    assert space_facts(told.given("4"))["given"] == "4"
    assert (space_facts(space)["told"], space_facts(space)["given"]) == ([], None)
