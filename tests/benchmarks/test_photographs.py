"""The figures of benchmarks/photographs.py, against closed forms and pictures whose flaws are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from benchmarks.photographs import (
    MobileNetV2,
    Numbers,
    features_of,
    found,
    frechet_distance,
    grid,
    psnr,
    seams,
    sharpness,
)
from numpy.typing import NDArray

from morphospace.images import Images


def whitened(rng: np.random.Generator, n: int, d: int) -> Numbers:
    """Rows (n, d) whose mean is exactly 0 and whose covariance is exactly 1."""
    x = rng.normal(size=(n, d))
    x -= x.mean(0)
    u, _, v = np.linalg.svd(x, full_matrices=False)
    rows: Numbers = u @ v * np.sqrt(n - 1)
    return rows


def as_pixels(values: Numbers) -> Images:
    pixels: Images = values.clip(0, 255).astype(np.uint8)
    return pixels


@pytest.fixture(scope="module")
def textures() -> Images:
    """Pictures (200, 64, 64, 3) of noise that falls with frequency, as photographs do."""
    rng = np.random.default_rng(0)
    rate = np.hypot(np.fft.fftfreq(64)[:, None], np.fft.fftfreq(64)) + 1 / 64
    noise = np.fft.ifft2(np.fft.fft2(rng.normal(size=(200, 64, 64))) / rate).real
    noise *= 30 / noise.std()
    return as_pixels(128 + noise[..., None].repeat(3, -1))


def plus(images: Images, pattern: NDArray[Any]) -> Images:
    return as_pixels(images + pattern[..., None])


def test_frechet_distance_of_diagonal_gaussians() -> None:
    # Of variances s and t: the squared distance of the means, plus the sum of (sqrt(s) - sqrt(t)) squared.
    rng = np.random.default_rng(0)
    s, t, shift = np.array([4.0, 1.0, 9.0]), np.array([1.0, 1.0, 25.0]), np.array([1.0, 2.0, 0.0])
    a, b = whitened(rng, 40, 3) * np.sqrt(s), whitened(rng, 50, 3) * np.sqrt(t) + shift
    assert frechet_distance(a, b) == pytest.approx((1 + 4) + (1 + 0 + 4))


def test_frechet_distance_of_fewer_rows_than_features() -> None:
    a = np.random.default_rng(0).normal(size=(6, 20))
    assert frechet_distance(a, a + 3) == pytest.approx(9 * 20)
    assert frechet_distance(a, 2 * a) == pytest.approx(np.square(a.mean(0)).sum() + a.var(0, ddof=1).sum())


def test_found_counts_who_is_nearest_to_its_own() -> None:
    originals = np.random.default_rng(0).normal(size=(10, 5))
    own = np.arange(10)
    assert found(originals * 1.01, originals, own).all()
    assert found(originals[[1, 0, 2]], originals, own[:3]).tolist() == [False, False, True]


def test_sharpness_and_psnr() -> None:
    columns = np.zeros((1, 8, 8, 3), np.uint8)
    columns[:, :, ::2] = 255  # the Laplacian is -2 and 2 in turn
    assert sharpness(columns) == pytest.approx(4)
    assert psnr(np.full_like(columns, 10), np.zeros_like(columns)) == pytest.approx(20 * np.log10(25.5))


def test_grid_stands_out_at_its_own_period(textures: Images) -> None:
    plain = grid(textures)
    assert all(0.8 < value < 1.3 for value in plain.values()), plain
    y, x = np.indices((64, 64))
    checks = grid(plus(textures, 1.0 - 2 * ((y + x) % 2)))
    assert checks[2] > 10 * plain[2]
    assert (checks[4], checks[8]) == pytest.approx((plain[4], plain[8]), rel=0.1)
    lines = grid(plus(textures, 4 * np.cos(np.pi / 2 * x)))
    assert lines[4] > 3 * plain[4]
    assert lines[8] == pytest.approx(plain[8], rel=0.1)


def test_seams_of_blocks(textures: Images) -> None:
    plain = seams(textures)
    assert all(value < 1.1 for value in plain.values()), plain
    blocks = textures[:, ::4, ::4].repeat(4, 1).repeat(4, 2)
    assert seams(blocks)[4] > 1.5
    assert seams(blocks)[2] == pytest.approx(1, abs=0.1)


def test_the_judge_has_the_shape_of_its_weights() -> None:
    judge = MobileNetV2().eval()
    assert sum(p.numel() for p in judge.parameters()) == 3_504_872 - 1_281_000  # torchvision's, without its classifier
    assert features_of(judge, np.zeros((2, 16, 16, 1), np.uint8)).shape == (2, 1280)
