"""Flows of codes: their draws are like the codes, the same for a seed, and come back from arrays."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from morphospace.latent import flows
from morphospace.latent.flows import Flow, Velocity, fit_flow, fit_pieces
from morphospace.latent.mixtures import draw_from

Points = NDArray[np.float32]


def ring(n: int) -> Points:
    """Codes on a circle of radius 2 around (5, 0), with a little noise."""
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, 2 * np.pi, n)
    z = np.array([5, 0]) + 2 * np.stack([np.cos(angle), np.sin(angle)], 1) + 0.05 * rng.normal(size=(n, 2))
    codes: Points = z.astype(np.float32)
    return codes


def islands() -> tuple[Points, NDArray[np.int64]]:
    """Three kinds of codes, a half, a third and a sixth of them, and which is which."""
    rng = np.random.default_rng(1)
    kind = rng.permutation(np.repeat([0, 1, 2], [1500, 1000, 500]))
    middles = np.array([[0, 0], [8, 0], [0, 8]])
    return (middles[kind] + rng.normal(size=(3000, 2)) * [1.0, 0.5]).astype(np.float32), kind


def radius(z: Points) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.linalg.norm(z.astype(np.float64) - [5, 0], axis=1)
    return found


@pytest.mark.parametrize("labelled", [False, True])
def test_draws_have_the_moments_and_the_kinds_of_the_codes(labelled: bool) -> None:
    codes, kind = islands()
    z = fit_flow(codes, kind if labelled else None, seed=0, steps=30).sample(4000, np.random.default_rng(0))
    assert np.allclose(z.mean(0), codes.mean(0), atol=0.15)
    assert np.allclose(np.cov(z.T), np.cov(codes.T), atol=0.6)
    far = np.linalg.norm(z[:, None] - np.array([[0, 0], [8, 0], [0, 8]]), axis=2)
    assert np.allclose(np.bincount(far.argmin(1)) / 4000, [1 / 2, 1 / 3, 1 / 6], atol=0.03)
    assert (far.min(1) < 4).all()  # and nothing lies between them


def test_the_velocity_bends_what_gaussians_give(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flows, "_MOST_PIECES", 1)  # one Gaussian over the whole ring
    flow = fit_flow(ring(4000), seed=0, steps=600)
    plain, bent = draw_from(flow.start, 2000, np.random.default_rng(0)), flow.sample(2000, np.random.default_rng(0))
    assert radius(plain).std() > 0.8
    assert radius(bent).std() < 0.3
    assert abs(radius(bent).mean() - 2) < 0.1
    assert np.allclose(bent.mean(0), [5, 0], atol=0.15)  # all around


def test_a_velocity_that_is_no_better_than_none_is_left_out() -> None:
    codes = np.random.default_rng(0).normal(size=(60, 8)).astype(np.float32)
    flow = fit_flow(codes, seed=0, steps=40)  # what there is to learn of so few is by heart
    assert np.allclose(
        flow.sample(50, np.random.default_rng(0)), draw_from(flow.start, 50, np.random.default_rng(0)), atol=1e-5
    )


def test_a_seed_decides_every_bit() -> None:
    codes = ring(600)
    first, again, other = (fit_flow(codes, seed=seed, steps=20) for seed in (0, 0, 1))
    for name, values in first.arrays().items():
        assert np.array_equal(values, again.arrays()[name])
    assert not np.array_equal(first.velocity.place.weight.detach(), other.velocity.place.weight.detach())
    draws = [first.sample(9, np.random.default_rng(seed)) for seed in (0, 0, 1)]
    assert np.array_equal(draws[0], draws[1])
    assert not np.array_equal(draws[0], draws[2])


def test_fitting_leaves_the_global_generator_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    fit_flow(ring(50), seed=0, steps=1)
    assert torch.equal(torch.rand(1), expected)


def test_a_flow_comes_back_from_its_arrays() -> None:
    flow = fit_flow(ring(600), seed=0, steps=20)
    again = Flow.from_arrays(flow.arrays(), 2)
    assert np.array_equal(again.sample(20, np.random.default_rng(0)), flow.sample(20, np.random.default_rng(0)))
    wider = Flow(flow.start, flow.unit, Velocity(2, width=24, blocks=1).eval())
    assert Flow.from_arrays(wider.arrays(), 2).velocity.place.weight.shape == (24, 2)


@pytest.mark.parametrize("missing", ["unit", "weights", "velocity.place.weight", "velocity.blocks.1.0.bias"])
def test_arrays_that_lack_something_are_no_flow(missing: str) -> None:
    arrays = fit_flow(ring(50), seed=0, steps=1).arrays()
    del arrays[missing]
    with pytest.raises(
        ValueError, match=r"(?s)(no flow of codes: |expected an array ).*" + missing.removeprefix("velocity.")
    ):
        Flow.from_arrays(arrays, 2)


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("unit", np.array(-1.0), "a unit above 0"),
        ("weights", np.full(1, 0.5), "weights: expected shares of 1"),
        ("means", np.zeros((1, 3)), r"means: expected shape \(1, 2\), got \(1, 3\)"),
        ("factors", np.full((1, 2, 2), np.nan), "factors: expected finite numbers"),
        ("velocity.place.weight", np.zeros((128, 3), np.float32), "size mismatch"),
        ("velocity.place.bias", np.full(128, np.inf, np.float32), "expected finite numbers"),
    ],
)
def test_arrays_that_fit_nothing_are_refused(name: str, values: NDArray[np.float64], words: str) -> None:
    arrays = fit_flow(ring(50), seed=0, steps=1).arrays() | {name: values}
    with pytest.raises(ValueError, match=words):
        Flow.from_arrays(arrays, 2)


def test_gradients_reach_every_parameter() -> None:
    torch.manual_seed(0)
    velocity = Velocity(3, width=16, blocks=2)
    z, angle = torch.randn(8, 3), torch.rand(8)
    assert not velocity(z, angle).any()  # it begins with what the Gaussians give
    for parameter in velocity.out[1].parameters():
        torch.nn.init.normal_(parameter)
    torch.autograd.backward(velocity(z, angle).square().sum())
    assert all(p.grad is not None and bool(p.grad.any()) for p in velocity.parameters())


def test_pieces_have_codes_of_one_label_and_fewer_of_them_share_a_shape() -> None:
    codes, kind = islands()
    start, piece = fit_pieces(codes, kind)
    assert all(len(np.unique(kind[piece == k])) == 1 for k in range(len(start.weights)))
    assert np.allclose(start.weights, np.bincount(piece) / 3000)
    assert len(start.weights) == 12  # of 250 codes on average
    assert len(fit_pieces(codes, None)[0].weights) == 12
    assert len(fit_pieces(codes, np.arange(3000) % 200)[0].weights) == 12  # of 15 codes, labels say nothing
    own = codes[piece == 3].astype(np.float64)
    assert np.allclose(start.means[3], own.mean(0))


@pytest.mark.parametrize("codes", [np.ones((40, 3)), np.arange(2)[:, None] * np.ones((1, 3)), np.zeros((2, 1))])
def test_few_codes_and_equal_ones_have_a_flow(codes: NDArray[np.float64]) -> None:
    z = fit_flow(codes.astype(np.float32), seed=0, steps=2).sample(5, np.random.default_rng(0))
    assert z.shape == (5, codes.shape[1])
    assert np.isfinite(z).all()
    assert abs(z - codes.mean()).max() < 4


def test_units_do_not_matter() -> None:
    codes = ring(600)
    plain, larger = (fit_flow(z, seed=0, steps=10).sample(50, np.random.default_rng(0)) for z in (codes, 64 * codes))
    assert np.allclose(larger, 64 * plain, rtol=1e-3, atol=1e-2)
