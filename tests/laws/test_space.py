"""Laws 3, 4, 5 (save and load), 7 and 8, over a trained space."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from morphospace.data import Dataset
from morphospace.images import read_image, read_text, to_pixels, write_png
from morphospace.latent import Concept, learn_concept, move, path_through, sides
from morphospace.space import Space, load

relaxed = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
points = hnp.arrays(np.float32, (3,), elements=st.floats(-5, 5, width=32))


def test_encode_and_reconstruct_are_deterministic_unless_asked(space: Space, digits: Dataset) -> None:
    images = digits.test.images[:20]
    one, two = space.encode(images), space.encode(images)
    assert (one.mean == two.mean).all()
    assert (space.reconstruct(images) == space.reconstruct(images)).all()
    assert (one.sample(seed=1) == one.sample(seed=1)).all()
    assert (one.sample(seed=1) != one.sample(seed=2)).any()
    assert (one.sample(seed=1) != one.mean).any()


def test_encode_ignores_global_randomness_and_training_mode(space: Space, digits: Dataset) -> None:
    before = space.encode(digits.test.images[:5]).mean
    torch.manual_seed(99)
    np.random.seed(99)  # noqa: NPY002
    assert (space.encode(digits.test.images[:5]).mean == before).all()
    assert not space.model.training


@pytest.mark.parametrize("path", ["lerp", "slerp"])
def test_a_morphs_ends_are_its_images_codes(space: Space, digits: Dataset, path: str) -> None:
    a, b, c = (digits.test.images[i] for i in (0, 1, 2))
    film = space.morph(a, b, c, frames=9, path=path)
    for frame, image in ((0, a), (4, b), (8, c)):
        assert (film.points[frame] == space.encode(image).mean[0]).all()
    assert (film.frames[0] == space.reconstruct(a)[0]).all()
    assert (film.frames[-1] == space.reconstruct(c)[0]).all()
    assert len(film) == 9


@relaxed
@given(a=points, b=points, frames=st.integers(2, 20), kind=st.sampled_from(["lerp", "slerp"]))
def test_paths_start_and_end_where_they_should_and_stay_finite(
    a: np.ndarray, b: np.ndarray, frames: int, kind: str
) -> None:
    way = path_through([a, b], frames, kind)
    assert way.shape == (frames, 3)
    assert (way[0] == a).all()
    assert (way[-1] == b).all()
    assert np.isfinite(way).all()
    longest = max(np.linalg.norm(a), np.linalg.norm(b))
    assert (np.linalg.norm(way, axis=1) <= longest * 1.0001 + 1e-5).all()


@relaxed
@given(z=points, direction=points, strength=st.floats(-4, 4))
def test_adding_and_subtracting_a_concept_is_the_identity(
    z: np.ndarray, direction: np.ndarray, strength: float
) -> None:
    concepts = {"c": Concept(name="c", direction=direction)}
    there = move(z[None], concepts, {"c": strength})
    back = move(there, concepts, {"c": -strength})
    np.testing.assert_allclose(back[0], z, atol=1e-5)


@relaxed
@given(codes=hnp.arrays(np.float32, (12, 3), elements=st.floats(-5, 5, width=32)))
def test_strength_one_moves_the_average_negative_to_the_average_positive(codes: np.ndarray) -> None:
    negative, positive = codes[:7], codes[7:] + np.float32(1)
    if np.linalg.norm(positive.mean(0) - negative.mean(0)) < 1e-3:
        return
    concept = learn_concept("c", *sides(positive, negative))
    moved = move(negative.mean(0)[None], {"c": concept}, {"c": 1.0})
    np.testing.assert_allclose(moved[0], positive.mean(0), atol=1e-5)


def test_save_and_load_give_equal_bits(space: Space, digits: Dataset, tmp_path: Path) -> None:
    space.learn_concept("dark", positive=digits.test.images[:5], negative=digits.test.images[5:])
    space.save(tmp_path / "s")
    again = load(tmp_path / "s")
    images = digits.test.images
    assert (again.encode(images).mean == space.encode(images).mean).all()
    z = space.encode(images).sample(seed=0)
    assert (again.decode(z, dtype="float") == space.decode(z, dtype="float")).all()
    assert (again.sample(9, seed=4) == space.sample(9, seed=4)).all()
    assert (again.atlas(5).pixels == space.atlas(5).pixels).all()
    assert (again.edit(images[:3], {"dark": 1.5}) == space.edit(images[:3], {"dark": 1.5})).all()
    assert again.concepts["dark"].positives == 5
    assert again.about == space.about
    assert again.recipe == space.recipe


def test_every_draw_takes_a_seed_and_every_picture_records_it(space: Space, tmp_path: Path) -> None:
    assert (space.sample(4, seed=1) == space.sample(4, seed=1)).all()
    assert (space.sample(4, seed=1) != space.sample(4, seed=2)).any()
    path = space.atlas(3).save(tmp_path / "atlas.png")
    assert read_text(path)["seed"] == "3"


@relaxed
@given(values=hnp.arrays(np.float64, (4, 5), elements=st.floats(-1e6, 1e6)))
def test_pixels_clip_and_never_wrap(values: np.ndarray) -> None:
    pixels = to_pixels(values)
    assert (pixels[values <= 0] == 0).all()
    assert (pixels[values >= 1] == 255).all()
    inside = (values > 0) & (values < 1)
    assert (np.abs(pixels[inside] / 255 - values[inside]) <= 0.5 / 255 + 1e-9).all()


@relaxed
@given(pixels=hnp.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 3]))))
def test_a_png_written_and_read_is_the_same_image(pixels: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    write_png(path, pixels, {"seed": "5", "command": "morpho é"})
    assert (read_image(path) == pixels).all()
    assert read_text(path) == {"seed": "5", "command": "morpho é"}
    with Image.open(path) as picture:
        assert picture.size == (pixels.shape[1], pixels.shape[0])


def test_keep_detail_changes_nothing_at_strength_zero(space: Space, digits: Dataset) -> None:
    images = digits.test.images[:6]
    space.learn_concept("c", positive=images[:3], negative=images[3:])
    assert (space.edit(images, {"c": 0.0}, keep_detail=True) == images).all()
    assert (space.edit(images, {"c": 0.0}) == space.reconstruct(images)).all()
    assert (space.edit(images, {"c": 9.0}, keep_detail=True) != images).any()
