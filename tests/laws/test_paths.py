"""Paths: law 4 for every kind, equal shares of probability, equal steps, and the shortest way in pictures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from scipy.special import ndtr
from torch import Tensor, nn

from morphospace.data import Dataset
from morphospace.errors import ArgumentError
from morphospace.latent import KINDS, even_lines, gaussian, geodesic_through, geodesics, path_length, path_through
from morphospace.space import Space

relaxed = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
few = settings(relaxed, max_examples=12)
points = hnp.arrays(np.float32, (3,), elements=st.floats(-5, 5, width=32))
far = hnp.arrays(np.float32, (3,), elements=st.floats(-1000, 1000, width=32))
places = hnp.arrays(np.float32, (2,), elements=st.floats(-1, 1, width=32))  # longitude and latitude, radians

Points = NDArray[np.float32]


def codes(*values: object) -> Points:
    return np.array(values, np.float32)


def bumps(dim: int = 3, seed: int = 0) -> Callable[[Tensor], Tensor]:
    """A decoder to 12 pixels, curved at random."""
    generator = torch.Generator().manual_seed(seed)
    first, second = torch.randn(dim, 24, generator=generator), torch.randn(24, 12, generator=generator)
    return lambda z: torch.sigmoid(torch.sin(z @ first) @ second)


def sphere(z: Tensor) -> Tensor:
    """Longitude and latitude (M, 2) to the unit sphere (M, 3)."""
    longitude, latitude = z[:, 0], z[:, 1]
    return torch.stack([latitude.cos() * longitude.cos(), latitude.cos() * longitude.sin(), latitude.sin()], 1)


def measured(path: Points, decode: Callable[[Tensor], Tensor]) -> tuple[float, float]:
    found = path_length(decode(torch.from_numpy(path)).numpy())
    return found.length, found.evenness


def draw(kind: str, ways: list[Points], frames: int) -> Points:
    return geodesic_through(ways, frames, bumps()) if kind == "geodesic" else path_through(ways, frames, kind)


@pytest.mark.parametrize("kind", KINDS)
@few
@given(ways=st.lists(points, min_size=2, max_size=4), more=st.integers(0, 12))
def test_every_path_goes_through_its_points(kind: str, ways: list[Points], more: int) -> None:
    frames = len(ways) + more
    path = draw(kind, ways, frames)
    assert path.shape == (frames, 3)
    assert path.dtype == np.float32
    assert np.isfinite(path).all()
    for way, place in zip(ways, np.linspace(0, frames - 1, len(ways)).round().astype(int), strict=True):
        assert (path[place] == way).all()


@pytest.mark.parametrize("kind", KINDS)
def test_a_morphs_ends_are_its_images_codes(space: Space, digits: Dataset, kind: str) -> None:
    a, b, c = (digits.test.images[i] for i in (0, 1, 2))
    film = space.morph(a, b, c, frames=9, path=kind)
    assert len(film) == 9
    for frame, image in ((0, a), (4, b), (8, c)):
        assert (film.points[frame] == space.encode(image).mean[0]).all()
        assert (film.frames[frame] == space.reconstruct(image)[0]).all()
    assert (space.morph(a, b, c, frames=9, path=kind).points == film.points).all()


# -- equal shares of probability ------------------------------------------------------------------------


@relaxed
@given(a=far, b=far, frames=st.integers(2, 20))
def test_a_gaussian_path_is_monotone_and_finite_however_far_out(a: Points, b: Points, frames: int) -> None:
    path = gaussian(a, b, np.linspace(0, 1, frames))
    assert np.isfinite(path).all()
    assert (path[0] == a).all()
    assert (path[-1] == b).all()
    assert (np.diff(path.astype(float), axis=0) * np.sign(b - a) >= -1e-6 * np.abs(path[1:]) - 1e-12).all()
    np.testing.assert_allclose(gaussian(-a, -b, np.linspace(0, 1, frames)), -path, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(gaussian(b, a, np.linspace(0, 1, frames))[::-1], path, rtol=1e-5, atol=1e-5)


@relaxed
@given(a=points, b=points)
def test_a_gaussian_path_takes_equal_shares_of_the_prior(a: Points, b: Points) -> None:
    path = gaussian(a, b, np.linspace(0, 1, 9))
    np.testing.assert_allclose(ndtr(path.astype(float)), np.linspace(ndtr(a), ndtr(b), 9), atol=1e-6)


def test_a_gaussian_path_far_out_follows_the_tail() -> None:
    """From z = 40 to 41 the tail falls by e^-40.5: the middle has half of its mass, and lies at 40 + ln(2) / 40."""
    for sign in (-1, 1):
        path = gaussian(codes(sign * 40), codes(sign * 41), np.linspace(0, 1, 3))
        assert abs(path[1, 0]) == pytest.approx(40 + np.log(2) / 40, abs=1e-4)


# -- the shortest way in pictures -----------------------------------------------------------------------


@few
@given(a=places, b=places)
def test_on_a_sphere_the_geodesic_is_the_great_circle(a: Points, b: Points) -> None:
    ends = sphere(torch.from_numpy(np.stack([a, b]))).double().numpy()
    angle = 2 * np.arcsin(min(1.0, float(np.linalg.norm(ends[1] - ends[0])) / 2))
    (path,) = geodesics(a[None], b[None], 17, sphere)
    length, evenness = measured(path, sphere)
    assert length == pytest.approx(16 * 2 * np.sin(angle / 32), rel=2e-3, abs=1e-5)
    assert evenness < 0.01 or angle < 0.01
    if angle > 0.1:  # every point of it lies on the plane of the circle
        normal = np.cross(ends[0], ends[1]) / np.sin(angle)
        assert np.abs(sphere(torch.from_numpy(path)).double().numpy() @ normal).max() < 0.02


@few
@given(
    a=hnp.arrays(np.float32, (4, 3), elements=st.floats(-3, 3, width=32)),
    b=hnp.arrays(np.float32, (4, 3), elements=st.floats(-3, 3, width=32)),
    frames=st.integers(2, 20),
    seed=st.integers(0, 5),
)
def test_a_geodesic_is_never_longer_than_the_line(a: Points, b: Points, frames: int, seed: int) -> None:
    decode = bumps(seed=seed)
    lines, bent = even_lines(a, b, frames, decode), geodesics(a, b, frames, decode)
    for line, path in zip(lines, bent, strict=True):
        assert measured(path, decode)[0] <= measured(line, decode)[0] * (1 + 1e-5) + 1e-6


def test_steps_are_equal() -> None:
    """Of the line and of the geodesic, where lerp's are not."""
    a, b, decode = codes([-1, 0, 1]), codes([1, 0.5, -1]), bumps()
    assert measured(path_through([a[0], b[0]], 24), decode)[1] > 0.2
    for path in (even_lines(a, b, 24, decode)[0], geodesics(a, b, 24, decode)[0]):
        assert measured(path, decode)[1] < 1e-3


@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_a_geodesic_does_not_depend_on_the_scale_of_latents_or_pictures(scale: float) -> None:
    a, b = codes([-1, 0.7]), codes([1, 0.7])
    path = geodesics(a, b, 9, sphere)
    for other in (
        geodesics(codes(*a * scale), codes(*b * scale), 9, lambda z: sphere(z / scale)) / scale,
        geodesics(a, b, 9, lambda z: scale * sphere(z)),
    ):
        np.testing.assert_allclose(other, path, atol=2e-3)


def test_a_geodesic_is_deterministic_and_needs_no_gradients_from_its_caller() -> None:
    model = nn.Sequential(nn.Linear(3, 16), nn.GELU(), nn.Linear(16, 12))
    a, b = codes([-2, 0, 1]), codes([2, 1, -1])
    path = geodesics(a, b, 8, model)
    assert (geodesics(a, b, 8, model) == path).all()
    for context in (torch.no_grad(), torch.inference_mode()):
        with context:
            assert (geodesics(a, b, 8, model) == path).all()
    assert all(parameter.grad is None for parameter in model.parameters())


def test_batches_change_a_geodesic_little_and_its_pieces_are_paths_of_their_own() -> None:
    ways = [codes(*way) for way in ([-1, 0.5], [0.2, 0.9], [1, -0.5], [-1, -0.9])]
    whole = geodesic_through(ways, 20, sphere)
    np.testing.assert_allclose(geodesic_through(ways, 20, sphere, batch=7), whole, atol=5e-3)
    np.testing.assert_allclose(whole[:7], geodesic_through(ways[:2], 7, sphere), atol=5e-3)


@few
@given(a=places)
def test_where_nothing_changes_the_path_stands(a: Points) -> None:
    assert (geodesic_through([a, a], 5, sphere) == a).all()
    flat = geodesic_through([a, a + 1], 5, lambda z: 0 * z)
    np.testing.assert_allclose(flat, path_through([a, a + 1], 5), atol=1e-5)


def test_a_geodesic_of_a_space_is_no_longer_than_the_line(space: Space, digits: Dataset) -> None:
    for i in range(4):
        films = {kind: space.morph(*digits.test.images[i : i + 2], frames=16, path=kind) for kind in KINDS}
        found = {kind: path_length(space.decode(film.points, dtype="float")) for kind, film in films.items()}
        assert found["geodesic"].length <= found["lerp"].length * 1.001
        assert found["geodesic"].evenness < 0.02 < found["lerp"].evenness


# -- the measure, and what is wrong ---------------------------------------------------------------------


@relaxed
@given(frames=hnp.arrays(np.float64, (5, 2, 3, 1), elements=st.floats(0, 1)))
def test_the_length_of_a_path_is_at_least_the_distance_of_its_ends(frames: NDArray[np.float64]) -> None:
    found = path_length(frames)
    assert found.length == pytest.approx(found.steps.sum())
    assert found.length >= np.linalg.norm(frames[-1] - frames[0]) - 1e-9
    assert path_length(frames[::-1]).length == pytest.approx(found.length)
    assert path_length(iter(frames)).evenness == found.evenness >= 0


def test_the_length_of_uint8_frames_does_not_wrap() -> None:
    assert path_length(np.array([[255], [0], [255]], np.uint8)).length == 510


def test_wrong_paths_say_what_is_wrong(space: Space, digits: Dataset) -> None:
    a, b = digits.test.images[:2]
    with pytest.raises(ArgumentError, match=r'Did you mean "geodesic"\? Known: lerp, slerp, gaussian, geodesic'):
        space.morph(a, b, path="geodesics")
    with pytest.raises(ArgumentError, match="needs a decoder"):
        path_through([np.zeros(2, np.float32)] * 2, 5, "geodesic")
    with pytest.raises(ArgumentError, match="expected at least 2, one for each image, got 1"):
        space.morph(a, b, frames=1, path="geodesic")
    with pytest.raises(ArgumentError, match="at least two images, got 1"):
        geodesic_through([np.zeros(2, np.float32)], 5, sphere)
    with pytest.raises(ArgumentError, match="at least two pictures"):
        path_length(np.zeros((1, 2, 2, 1)))
