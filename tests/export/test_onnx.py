"""ONNX says what PyTorch says, for every network, any number of images, and half the bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from morphospace.errors import DataError
from morphospace.export import onnx as exported
from morphospace.export.onnx import PARTS, to_onnx
from morphospace.recipes import RECIPES, build_model
from morphospace.space import Space

SHAPES = {"quick": (28, 28, 1), "editing": (28, 28, 1), "book": (27, 30, 1), "conv": (20, 28, 3), "photo": (36, 44, 3)}


def untrained(recipe: str, shape: tuple[int, int, int]) -> Space:
    model = build_model(RECIPES[recipe], shape, seed=0)
    generator = torch.Generator().manual_seed(0)
    for values in model.parameters():  # what starts at zero says nothing
        values.data += 0.02 * torch.randn(values.shape, generator=generator)
    return Space(model, RECIPES[recipe], shape)


def run(data: bytes, inputs: np.ndarray) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    found: list[np.ndarray] = session.run(None, {session.get_inputs()[0].name: inputs})
    return found


@pytest.mark.parametrize("recipe", [*SHAPES, "autoencoder", "sparse-autoencoder"])
def test_both_parts_agree_with_pytorch(recipe: str) -> None:
    space = untrained(recipe, SHAPES.get(recipe, (12, 12, 1)))
    z = np.random.default_rng(0).normal(size=(5, space.latent_dim)).astype(np.float32)
    (images,) = run(to_onnx(space, "decoder"), z)
    assert np.abs(images - space.decode(z, dtype="float")).max() < 1e-4
    pixels = np.random.default_rng(1).integers(0, 256, (3, *space.shape), np.uint8)
    encoding = space.encode(pixels)
    outputs = run(to_onnx(space, "encoder"), (pixels / 255.0).astype(np.float32))
    assert np.abs(outputs[0] - encoding.mean).max() < 1e-4
    assert len(outputs) == 1 + (encoding.log_var is not None)
    if encoding.log_var is not None:
        assert np.abs(outputs[1] - encoding.log_var).max() < 1e-4


@pytest.mark.parametrize("part", PARTS)
def test_half_the_bytes_and_nearly_the_same_pictures(space: Space, part: Any) -> None:
    whole, half = to_onnx(space, part), to_onnx(space, part, half=True)
    assert len(half) < 0.6 * len(whole)
    if part == "decoder":
        z = space.sample_points(20, seed=0)
        assert np.abs(run(whole, z)[0] - run(half, z)[0]).max() < 2 / 255


def test_it_carries_where_it_is_from(space: Space) -> None:
    about = {entry.key: entry.value for entry in onnx.load_from_string(to_onnx(space, "decoder")).metadata_props}
    assert (about["data"], about["seed"], about["part"]) == ("digits", "3", "decoder")


def test_a_model_that_came_out_wrong_is_refused(space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exported, "largest_difference", lambda *_: 0.1)
    with pytest.raises(DataError, match=r"differs from PyTorch by 0\.1"):
        to_onnx(space, "decoder")


def test_the_verb_writes_a_folder(morpho: Callable[..., Any], space: Space, tmp_path: Path) -> None:
    space.save(tmp_path / "bundle")
    ran = morpho("export", "bundle", "--format", "onnx", "--out", "there", "--half", "--json")
    assert ran.code == 0, ran.err
    names = sorted(file.name for file in (tmp_path / "there").iterdir())
    assert names == [".morphospace", "decoder.onnx", "encoder.onnx"]
    assert ran.json["bytes"]["decoder"] == (tmp_path / "there" / "decoder.onnx").stat().st_size
    again = morpho("export", "bundle", "--out", "there")
    assert again.code == 1
    assert "exists" in again.err
    wrong = morpho("export", "bundle", "--format", "onxn")
    assert wrong.code == 2
    assert 'Did you mean "onnx"?' in wrong.err
