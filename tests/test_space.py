"""A space through its public face: what it takes, what it refuses, how it shows itself."""

from __future__ import annotations

import copy
import json
import re
import resource
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import morphospace as ms
from morphospace.data import Dataset
from morphospace.errors import ArgumentError, DataError, FileError
from morphospace.evaluate import latent_use
from morphospace.latent import learn_concept, normal_quantiles, plane_grid, plane_of
from morphospace.recipes import build_model, find_recipe
from morphospace.space import Space, load


def test_the_book_in_a_few_lines(digits: Dataset, tmp_path: Path) -> None:
    space = ms.train("digits", epochs=2, out=tmp_path / "runs")
    again = ms.load(tmp_path / "runs" / "0001-digits-quick")
    a, b = digits.test.images[:2]
    assert again.atlas(n=4).pixels.shape[0] >= 4 * 56
    assert len(again.morph(a, b, frames=8)) == 8
    labels = digits.train.labels
    assert labels is not None
    again.learn_concept("6", positive=digits.train.images[labels == 6])
    assert again.edit(a, {"6": 2.0}).shape == (1, 8, 8, 1)
    assert space.about["test"] == again.about["test"]


def test_train_writes_nothing_unless_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blobs: Dataset) -> None:
    monkeypatch.chdir(tmp_path)
    space = ms.train(blobs, settings={"encoder_widths": (16,), "decoder_widths": (16,)}, epochs=1)
    assert space.shape == (8, 6, 3)
    assert space.sample(3).shape == (3, 8, 6, 3)
    assert not list(tmp_path.iterdir())


def test_train_takes_arrays_with_labels() -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (60, 9, 7), np.uint8)
    space = ms.train(images, labels=rng.integers(0, 3, 60), epochs=1)
    assert space.shape == (9, 7, 1)
    assert space.reference_labels is not None
    odd = ms.train(images, "book", epochs=1)  # odd sides, and the book's convolutions
    assert odd.reconstruct(images[:2]).shape == (2, 9, 7, 1)


def test_images_of_any_kind_are_taken(space: Space, digits: Dataset, tmp_path: Path) -> None:
    image = digits.test.images[0]
    expected = space.encode(image[None]).mean
    path = tmp_path / "x.png"
    Image.fromarray(image[..., 0]).save(path)
    for some in (
        image,
        image[..., 0],
        path,
        str(path),
        Image.open(path),
        [path],
        [image],
        [Image.fromarray(image[..., 0])],
    ):
        assert (space.encode(some).mean == expected).all()
    assert space.encode(Image.new("RGB", (300, 200), "red")).mean.shape == (1, 2)
    with pytest.raises(DataError, match=r"takes images of shape \(8, 8, 1\)"):
        space.encode(np.zeros((1, 28, 28), np.uint8))
    with pytest.raises(DataError, match="NaN"):
        space.encode(np.full((1, 8, 8), np.nan))


@pytest.mark.parametrize("z", [np.zeros((3, 5)), np.zeros((0, 2)), [[np.nan, 0]], [[np.inf, 0]], "text", None, 3.0])
def test_latents_that_are_none_are_refused(space: Space, z: object) -> None:
    with pytest.raises(DataError, match="latents"):
        space.decode(z)


@pytest.mark.parametrize("native", [False, True])
def test_decode_gives_floats_before_rounding(space: Space, native: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("morphospace.training.machine._multiplies_bf16", lambda _: native)
    z = space.sample_points(50, seed=0)
    floats = space.decode(z, dtype="float")
    assert floats.dtype == np.float32
    away = np.abs(np.floor(floats * 255 + 0.5) - space.decode(z))
    if native:  # pixels of products in bfloat16: less than their rounding has done to them
        assert 0 < np.sqrt(np.square(away).mean()) < 0.5
        assert away.max() <= 3
    else:
        assert not away.any()
    with pytest.raises(ArgumentError, match="dtype"):
        space.decode(z, dtype="int")  # type: ignore[arg-type]


def test_decoding_many_latents_takes_flat_memory(space: Space) -> None:
    def points(count: int) -> Iterator[np.ndarray]:
        for _ in range(count):
            yield np.zeros((1000, 2), np.float32)

    def peak(count: int) -> int:
        tracemalloc.start()
        total = sum(len(images) for images in space.decode_batches(points(count)))
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert total == count * 1000
        return highest

    peak(2)
    assert peak(40) < 1.2 * peak(4) + 100_000


def test_concepts_have_evidence_and_warn(space: Space, digits: Dataset) -> None:
    labels = digits.train.labels
    assert labels is not None
    sixes, others = digits.train.images[labels == 6], digits.train.images[labels != 6]
    concept = space.learn_concept("6", positive=sixes, negative=others, held_out=(sixes[:40], others[:40]))
    assert concept.held_out
    assert concept.auc is not None
    assert concept.auc > 0.8
    assert (concept.positives, concept.negatives) == (len(sixes), len(others))
    few = space.learn_concept("few", positive=sixes[:2], negative=others[:2])
    assert "few images (2 against 2)" in few.warnings()[0]
    with pytest.raises(DataError, match="same mean"):
        learn_concept("x", np.ones((8, 2), np.float32), np.arange(8) < 3)
    with pytest.raises(DataError, match="N >= 1"):
        learn_concept("x", np.ones((5, 2), np.float32), np.zeros(5, bool))
    with pytest.raises(ArgumentError, match="no concept"):
        space.edit(sixes[:1], {"7": 1.0})


def test_saving_over_something_needs_force(space: Space, tmp_path: Path) -> None:
    space.save(tmp_path / "s")
    with pytest.raises(FileError, match="exists"):
        space.save(tmp_path / "s")
    space.save(tmp_path / "s", force=True)
    card = (tmp_path / "s" / "README.md").read_text()
    assert "What it reveals" in card
    assert "digits" in card
    assert re.search(r"\| psnr \| \d+\.\d{4} \| dB \|", card)


def test_concepts_are_saved_under_the_names_that_the_space_calls_them(space: Space, tmp_path: Path) -> None:
    assert space.reference is not None
    six = learn_concept("6", space.reference, np.asarray(space.reference_labels) == 6)
    mine = copy.copy(space)
    mine.concepts = {"one": six, "two": six.named("two")}  # of one array
    mine.save(tmp_path / "s")
    found = ms.load(tmp_path / "s").concepts
    assert {name: concept.name for name, concept in found.items()} == {"one": "one", "two": "two"}
    assert (found["one"].direction == six.direction).all()


def test_a_space_shows_itself(space: Space) -> None:
    assert "Space of digits: 8x8x1 images, 2 latents" in repr(space)
    assert space._repr_png_().startswith(b"\x89PNG")


def test_atlases_of_one_two_and_many_dimensions(digits: Dataset) -> None:
    assert normal_quantiles(15)[0] == pytest.approx(-1.6448536)
    assert normal_quantiles(1).tolist() == [0]
    codes = np.random.default_rng(0).standard_normal((500, 6)).astype(np.float32) * np.array(
        [1, 5, 1, 1, 9, 1], np.float32
    )
    plane = plane_of(6, codes)
    assert abs(plane.axes[0]).argmax() == 4
    assert abs(plane.axes[1]).argmax() == 1
    assert plane_grid(plane, 3).shape == (9, 6)
    for d in (1, 3):
        space = ms.train(digits, latent_dim=d, epochs=1)
        assert space.atlas(3).pixels.shape[1] >= 3 * 56


def test_sampling_an_autoencoder_follows_its_codes(digits: Dataset) -> None:
    space = ms.train(digits, "autoencoder", epochs=3)
    assert space.reference is not None
    points = space.sample_points(4000, seed=0)
    np.testing.assert_allclose(points.mean(0), space.reference.mean(0), atol=0.15 * space.reference.std())
    np.testing.assert_allclose(points.std(0), space.reference.std(0), rtol=0.1)


def test_a_concept_against_test_images_has_no_evidence_that_is_held_out(space: Space, digits: Dataset) -> None:
    labels = np.asarray(digits.train.labels)
    sixes, others = digits.train.images[labels == 6], digits.train.images[labels != 6]
    for held_out in (None, (sixes[:40], digits.test.images)):
        concept = space.learn_concept("6", positive=sixes, held_out=held_out, source="sixes")
        assert not concept.held_out
        assert concept.auc_interval is None
        assert concept.source == (
            "sixes against test images of the space, so that no figure on those is a held-out one"
        )
        assert concept.saw_test_images
    honest = space.learn_concept("6", positive=sixes, negative=others, held_out=(sixes, others), source="sixes")
    assert honest.held_out
    assert not honest.saw_test_images


def test_unused_latents_and_collapse_are_said_in_words() -> None:
    codes = np.random.default_rng(0).standard_normal((100, 3)).astype(np.float32)
    assert latent_use(codes).warning("beta") is None
    codes[:, 1] *= 0.01
    assert "1 of 3 latents are unused (z2)" in (latent_use(codes).warning("beta") or "")
    flat = latent_use(codes * np.float32(0.001))
    assert "posterior collapse" in (flat.warning("beta") or "")
    assert "Lower l1" in (flat.warning("l1") or "")
    assert "beta" not in (flat.warning(None) or "")
    assert latent_use(codes[:1]).warning("beta") is None  # one code never varies


def test_wrong_arguments_in_python() -> None:
    with pytest.raises(ArgumentError, match='Did you mean "digits"'):
        ms.train("digit")
    with pytest.raises(ArgumentError, match="no key"):
        ms.train("digits", settings={"epoch": 1})
    with pytest.raises(DataError, match="at least two images"):
        ms.train(np.zeros((1, 4, 4), np.uint8))
    with pytest.raises(DataError, match="copies of one"):
        ms.train(np.zeros((9, 4, 4), np.uint8))
    with pytest.raises(ArgumentError, match=r"^n: expected at least 1 image, got"):
        ms.train("digits", epochs=1).sample(0)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("encoder_widths", [10**9]),
        ("decoder_widths", [2**40, 2**40]),
        ("encoder_widths", [1] * 100_000),
        ("latent_dim", 64),
        ("fourier", 65536),
        ("network", "conv"),
        ("network", "book"),
    ],
)
def test_a_strangers_bundle_takes_no_memory_for_what_it_only_claims(
    space: Space, tmp_path: Path, key: str, value: Any
) -> None:
    folder = space.save(tmp_path / "space")
    config = json.loads((folder / "config.json").read_text())
    config["recipe"][key] = value
    (folder / "config.json").write_text(json.dumps(config))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(FileError, match="is damaged"):
        load(folder)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500_000  # kilobytes


def test_a_space_without_reference_points_comes_back(tmp_path: Path) -> None:
    recipe = find_recipe("quick")
    bare = Space(build_model(recipe, (8, 8, 1), seed=0), recipe, (8, 8, 1))
    again = ms.load(bare.save(tmp_path / "space"))
    assert again.reference is None
    assert again.fingerprint() == bare.fingerprint()
