"""Codes of any scale: what is done with them does not depend on the unit that they happen to come in."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tests.models import as_vae

from morphospace.data import Dataset
from morphospace.evaluate import latent_use
from morphospace.evaluate.comparison import code_bits
from morphospace.latent import Classes, change_class, class_scores, discover, learn_classes, learn_concept
from morphospace.latent.grids import plane_of
from morphospace.latent.mixtures import draw_from, fit_mixture, fit_population, log_density, typicality
from morphospace.latent.moves import move
from morphospace.latent.paths import slerp
from morphospace.space import Space

Points = NDArray[np.float32]

DIMENSIONS = 4
scaled = pytest.mark.parametrize("scale", [1e-6, 1e-3, 1e3, 1e6])


def codes_of(seed: int, count: int = 400) -> tuple[Points, NDArray[np.int64]]:
    """Codes of three classes, Gaussians of any shape, spread by about 1."""
    rng = np.random.default_rng(seed)
    shapes, middles = rng.normal(size=(3, DIMENSIONS, DIMENSIONS)) / 3, rng.normal(size=(3, DIMENSIONS))
    labels = np.arange(count) % 3
    codes = middles[labels] + np.einsum("nij,nj->ni", shapes[labels], rng.normal(size=(count, DIMENSIONS)))
    return codes.astype(np.float32), labels


def same(found: NDArray[np.floating], expected: NDArray[np.floating], scale: float, tolerance: float = 1e-3) -> bool:
    """Whether what was found is ``scale`` times as large as expected, in units of the latter's spread."""
    return bool(np.abs(found / scale - expected).max() < tolerance * expected.std())


@scaled
def test_edits_from_class_to_class_are_as_large_as_the_codes(scale: float) -> None:
    codes, labels = codes_of(0)
    own = codes[labels == 0]
    classes = learn_classes(["a", "b", "c"], codes, labels)
    larger = learn_classes(["a", "b", "c"], (scale * codes).astype(np.float32), labels)
    assert np.allclose(larger.covariances / scale**2, classes.covariances, rtol=1e-4)
    given = replace(classes, means=scale * classes.means, covariances=scale**2 * classes.covariances)
    for target in ("b", "c"):
        moved = change_class(classes, own, "a", target)
        assert (class_scores(classes, moved).argmax(1) == classes.number(target)).mean() > 0.95
        for other in (given, larger):
            found = change_class(other, (scale * own).astype(np.float32), "a", target)
            assert same(found, moved, scale, 0.02)


def test_codes_that_spread_by_one_move_as_they_always_did() -> None:
    """Where each latent's variance is 1 the spread is no factor: the place that earlier versions found."""
    means, covariance = np.array([[-0.8, 0.0], [0.8, 0.0]]), np.diag([0.36, 1.0])
    classes = Classes(names=("left", "right"), means=means, covariances=np.stack([covariance, covariance]))
    assert np.allclose(classes.spreads, 1)
    moved = change_class(classes, np.array([[-1.0, 0.5], [-0.2, -2.0]], np.float32), "left", "right")
    assert np.allclose(moved, [[1.7392105, 0.12114392], [1.7865193, -0.40070918]], atol=1e-5)  # as 0.1.0 moved them


@scaled
def test_mixtures_typicality_and_draws_are_those_of_the_codes(scale: float) -> None:
    codes, places = codes_of(1)[0], codes_of(2, 50)[0]
    larger, far = (scale * codes).astype(np.float32), (scale * places).astype(np.float32)
    plain, other = fit_mixture(codes), fit_mixture(larger)
    assert np.allclose(log_density(other, far) + DIMENSIONS * np.log(scale), log_density(plain, places), atol=1e-3)
    drawn, expected = (draw_from(mixture, 100, np.random.default_rng(3)) for mixture in (other, plain))
    assert same(drawn, expected, scale)
    assert np.allclose(
        typicality(fit_population(larger), far), typicality(fit_population(codes), places), atol=1 / len(codes)
    )


@scaled
@pytest.mark.parametrize("method", ["mean-difference", "local", "ridge", "lda", "logistic"])
def test_concepts_are_learned_from_codes_of_any_scale(scale: float, method: str) -> None:
    codes, labels = codes_of(4)
    values = labels == 1 if method in ("lda", "logistic") else codes[:, 1].astype(np.float64) + labels
    plain, other = (learn_concept("c", z.astype(np.float32), values, method=method) for z in (codes, scale * codes))
    assert same(other.direction, plain.direction, scale)
    assert other.auc == pytest.approx(plain.auc, abs=1e-3)
    assert other.stability == pytest.approx(plain.stability, abs=1e-3)
    some, strengths = codes[:9], {"c": 0.7}
    moved = move((scale * some).astype(np.float32), {"c": other}, strengths)
    assert same(moved, move(some, {"c": plain}, strengths), scale, 0.01)


def test_values_of_any_unit_teach_one_concept() -> None:
    """Metres or nanometres: the spread of the values is no reason to refuse them."""
    codes, _ = codes_of(5)
    lengths = codes[:, 0].astype(np.float64)
    plain, tiny = (learn_concept("c", codes, unit * lengths, method="ridge") for unit in (1.0, 1e-9))
    assert np.allclose(tiny.direction, plain.direction, rtol=1e-4)


@scaled
def test_an_autoencoders_unused_latents_are_those_that_hardly_vary(scale: float) -> None:
    codes = np.random.default_rng(0).normal(size=(300, 4)).astype(np.float32) * [1, 0.03, 0.5, 0]
    found = latent_use((scale * codes).astype(np.float32), prior=False)
    assert found.unused == (1, 3)
    assert found.variances[0] == pytest.approx(scale**2, rel=0.2)
    assert latent_use((scale * codes[:, :1]).astype(np.float32), prior=False).unused == ()


def test_collapse_is_told_by_the_prior_where_there_is_one() -> None:
    codes = 0.01 * np.random.default_rng(0).normal(size=(300, 2)).astype(np.float32)
    assert latent_use(codes).unused == (0, 1), "N(0, I) is a hundred times as wide"
    assert latent_use(100 * codes).unused == ()
    assert latent_use(codes, prior=False).unused == ()


@pytest.mark.parametrize("constant", [0.0, 0.1, 5.0])
def test_codes_that_are_all_one_are_collapsed_whatever_they_are(constant: float) -> None:
    rounding = 1 + 1e-7 * np.random.default_rng(0).normal(size=(300, 2))
    assert latent_use((constant * rounding).astype(np.float32), prior=False).unused == (0, 1)


@scaled
def test_the_atlas_is_laid_over_codes_of_any_scale(scale: float) -> None:
    codes, _ = codes_of(6)
    plain, other = (plane_of(DIMENSIONS, z.astype(np.float32), prior=False) for z in (codes, scale * codes))
    assert same(other.axes, plain.axes, scale)


@scaled
def test_directions_are_found_in_codes_of_any_scale(scale: float) -> None:
    codes, _ = codes_of(7)
    weights = torch.randn(DIMENSIONS, 9, generator=torch.Generator().manual_seed(0))

    def decode(z: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(z / scale @ weights)

    larger = discover(decode, (scale * codes).astype(np.float32), 3)
    plain = discover(lambda z: decode(scale * z), codes, 3)
    assert [one.concept.name for one in larger] == [one.concept.name for one in plain]
    for found, expected in zip(larger, plain, strict=True):
        assert same(found.concept.direction, expected.concept.direction, scale, 0.01)
        assert found.effect == pytest.approx(expected.effect, rel=0.01)


@scaled
def test_a_path_turns_between_codes_of_any_scale(scale: float) -> None:
    a, b = np.array([[1, 0, 0], [0, 2, 0]], np.float32)
    shares = np.linspace(0, 1, 5)
    path = slerp((scale * a).astype(np.float32), (scale * b).astype(np.float32), shares)
    assert same(path, slerp(a, b, shares), scale)
    assert np.allclose(np.linalg.norm(path, axis=1) / scale, [1, 1.25, 1.5, 1.75, 2])


class Rescaled(torch.nn.Module):
    """A decoder whose latents are in another unit."""

    def __init__(self, decoder: torch.nn.Module, scale: float) -> None:
        super().__init__()
        self.decoder, self.scale = decoder, scale

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        values: torch.Tensor = self.decoder(z / self.scale)
        return values


def rescaled(space: Space, scale: float) -> Space:
    """The same space with latents in another unit."""
    model = copy.copy(space.model)
    model._modules = dict(model._modules) | {"decoder": Rescaled(as_vae(model).decoder, scale)}
    return Space(model, space.recipe, space.shape)


@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1e3, 1e9])
def test_codes_cost_as_many_bits_in_any_unit(space: Space, digits: Dataset, scale: float) -> None:
    images = digits.test.images[:60]
    codes = space.encode(images).mean
    found = code_bits(rescaled(space, scale), images, (scale * codes).astype(np.float32))
    assert found == pytest.approx(code_bits(space, images, codes), abs=0.05)
