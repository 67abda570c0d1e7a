"""Laws of a space of codes, trained in two stages: its book is used, its prior draws codes like those of the data."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tests.models import as_vae

from morphospace.data import Dataset
from morphospace.errors import ArgumentError
from morphospace.evaluate import code_use, importance_weighted_nll, use_warning
from morphospace.evaluate.likelihood import score_each
from morphospace.recipes import changed, find_recipe
from morphospace.space import Space, load
from morphospace.workflow import train

POSITIONS, ENTRIES = 6, 16


@pytest.fixture(scope="module")
def space(digits: Dataset) -> Space:
    settings = {
        "encoder.widths": "128", "decoder.widths": "128", "latent_dim": 24, "positions": POSITIONS, "entries": ENTRIES,
        "width": 24, "epochs": 10, "stage2.epochs": 10, "batch": 32, "stage2.batch": 32,
        "stage2.optimiser.learning_rate": 5e-3,
    }  # fmt: skip
    return train(digits, "vq", seed=0, settings=settings, precision="fp32")


def codes_of(space: Space, points: NDArray[np.float32]) -> NDArray[np.int64]:
    found: NDArray[np.int64] = space.model.codes(torch.from_numpy(points)).numpy()
    return found


def test_more_than_half_of_the_book_is_used(space: Space, digits: Dataset) -> None:
    points = space.encode(digits.test.images).mean
    use = code_use(space, points)
    assert use is not None
    assert ENTRIES / 2 < use.perplexity <= ENTRIES
    assert use_warning(space, points) is None
    # One image's codes again and again, which are at most six.
    few = code_use(space, points[:1].repeat(300, 0))
    assert few is not None
    assert few.perplexity <= POSITIONS + 1e-6
    assert str(few.warning()).startswith(f"the book of 16 codes is used as if it had {few.perplexity:.1f}.")


def test_the_prior_draws_codes_like_those_of_the_data(space: Space, digits: Dataset) -> None:
    """Single codes and pairs of them; pairs of columns that are shuffled one by one are far off."""
    rng = np.random.default_rng(0)
    data = codes_of(space, space.encode(digits.train.images).mean)
    drawn = codes_of(space, space.sample_points(5000, seed=1))
    shuffled = np.stack([rng.permutation(column) for column in data.T], 1)

    def apart(some: NDArray[np.int64], width: int) -> float:
        """The mean total variation between rows' columns, or pairs of columns, of the data and of ``some``."""
        found = []
        for i in range(POSITIONS):
            for j in range(i) if width == 2 else [i]:
                one, other = (
                    np.bincount(x[:, i] * ENTRIES + x[:, j], minlength=ENTRIES**2) / len(x) for x in (data, some)
                )
                found.append(np.abs(one - other).sum() / 2)
        return float(np.mean(found))

    halves = rng.permutation(len(data))
    chance = apart(data[halves[: len(data) // 2]], 2)
    assert apart(drawn, 1) < 0.07
    assert apart(drawn, 2) < 1.5 * chance
    assert apart(shuffled, 2) > 2 * apart(drawn, 2)


def test_the_rate_is_minus_log_p_of_the_codes_and_the_bound_adds_up(space: Space, digits: Dataset) -> None:
    images = digits.test.images
    model = as_vae(space.model)
    scores = score_each(model, images, seed=0)
    points = torch.from_numpy(space.encode(images).mean)
    with torch.no_grad():
        rate = -model.prior(model.infer).log_prob(model.codes(points)[None])[0]
        pixels = torch.from_numpy(images).permute(0, 3, 1, 2) / 255
        reconstruction = -model.log_likelihood(points[None], pixels)[0]
    np.testing.assert_allclose(scores["kl"], rate, rtol=1e-4)
    np.testing.assert_allclose(scores["reconstruction"], reconstruction, rtol=1e-4)
    assert scores["kl"].mean() < 0.75 * POSITIONS * math.log(ENTRIES)  # what it is before the second stage
    assert space.about["test"]["neg_elbo"] == pytest.approx(float((rate + reconstruction).mean()), rel=1e-4)
    with pytest.raises(ArgumentError, match="have no density"):
        importance_weighted_nll(model, images[:2], samples=2)


def test_images_lie_on_entries_and_what_lies_between_decodes_as_it_is(space: Space, digits: Dataset) -> None:
    model = as_vae(space.model)
    a, b = space.encode(digits.test.images[:2]).mean
    assert torch.equal(model.posterior.points(model.codes(torch.from_numpy(a))), torch.from_numpy(a))
    between = np.stack([(1 - t) * a + t * b for t in np.linspace(0, 1, 9, dtype=np.float32)])
    frames = space.decode(between, dtype="float")
    steps = np.abs(np.diff(frames, axis=0)).sum((1, 2, 3))
    assert (steps > 0).all()  # snapped, a step within a cell would show nothing
    assert steps.max() < 3 * steps.mean()


def test_a_saved_space_of_codes_gives_equal_bits(space: Space, digits: Dataset, tmp_path: Path) -> None:
    again = load(space.save(tmp_path / "space"))
    images = digits.test.images[:20]
    assert np.array_equal(again.encode(images).mean, space.encode(images).mean)
    assert np.array_equal(again.sample(12, seed=3), space.sample(12, seed=3))
    assert np.array_equal(again.sample(12, seed=3), again.sample(12, seed=3))
    assert not np.array_equal(again.sample(12, seed=3), again.sample(12, seed=4))


@pytest.mark.parametrize(
    ("recipe", "changes", "words"),
    [
        ("vq", {"prior": "normal"}, 'prior: "normal" is a prior of latents, and the posterior "quantised" draws codes'),
        ("quick", {"prior": "autoregressive"}, 'prior: "autoregressive" is a prior of codes, and the posterior'),
        ("vq", {"beta": 2}, "beta: the KL of codes gives no gradient, so its weight changes nothing"),
        ("vq", {"latent_dim": 20}, "latent_dim: expected latents that 16 codes can share evenly, like 32, got 20"),
        ("vq", {"objective": "iwae"}, "only where the posterior has a density"),
        ("vq", {"objective": "book"}, "objective: "),
        ("vq", {"objective": "factor"}, "objective: "),
    ],
)
def test_what_does_not_fit_codes_is_refused(recipe: str, changes: dict[str, object], words: str) -> None:
    with pytest.raises(ArgumentError) as refused:
        changed(find_recipe(recipe), changes)
    assert words in str(refused.value)
