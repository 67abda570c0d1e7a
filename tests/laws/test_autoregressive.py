"""Laws of the autoregressive prior: it is a distribution, each code sees those before it, samples follow it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from morphospace.vae.priors.autoregressive import AutoregressivePrior


def stirred(positions: int, entries: int, **changes: int) -> AutoregressivePrior:
    """A prior far from uniform."""
    torch.manual_seed(0)
    prior = AutoregressivePrior(positions, entries, width=8, **changes)
    with torch.no_grad():
        prior.last.weight.normal_()
        prior.last.bias.normal_()
    return prior.eval()


def everything(positions: int, entries: int) -> Tensor:
    return torch.cartesian_prod(*[torch.arange(entries)] * positions)


def test_its_probabilities_sum_to_one_over_all_codes() -> None:
    prior = stirred(4, 5)
    log_p = prior.log_prob(everything(4, 5)[None])
    assert log_p.shape == (1, 625)
    assert log_p.logsumexp(1).item() == pytest.approx(0, abs=1e-5)
    assert log_p.std() > 1  # some codes are far likelier than others


def test_untrained_it_is_uniform() -> None:
    log_p = AutoregressivePrior(3, 7).log_prob(torch.randint(7, (2, 5, 3)))
    torch.testing.assert_close(log_p, torch.full((2, 5), -3 * math.log(7)))


@pytest.mark.parametrize("layers", [0, 2])
def test_each_code_is_expected_from_those_before_it_and_no_others(layers: int) -> None:
    prior = stirred(5, 3, layers=layers)
    codes = torch.zeros(1, 5, dtype=torch.long)
    for position in range(5):
        changed = codes.clone()
        changed[0, position] = 2
        differs = (prior.scores(codes) != prior.scores(changed)).any(-1)[0].tolist()
        assert differs == [later > position for later in range(5)]


def test_samples_follow_its_probabilities() -> None:
    prior = stirred(2, 3)
    with torch.no_grad():
        for layer in prior.layers:
            layer.weight.mul_(4)  # type: ignore[operator]  # so that all of them matter
    drawn = prior.sample(20_000, np.random.default_rng(1))
    shares = torch.bincount(3 * drawn[:, 0] + drawn[:, 1], minlength=9) / len(drawn)
    wanted = prior.log_prob(everything(2, 3)[None])[0].exp()
    assert (shares - wanted).abs().sum() / 2 < 0.015
    assert torch.equal(drawn, prior.sample(20_000, np.random.default_rng(1)))


def total_variation(a: Tensor, b: Tensor, cells: int) -> float:
    one, other = (torch.bincount(x, minlength=cells) / len(x) for x in (a, b))
    return (one - other).abs().sum().item() / 2


def test_fitted_its_samples_have_the_pairs_of_the_data() -> None:
    """Codes of which each mostly repeats the one two places before: single codes alone say nothing of that."""
    generator = torch.Generator().manual_seed(0)
    data = torch.randint(4, (4000, 6), generator=generator)
    for position in range(2, 6):
        kept = torch.rand(4000, generator=generator) < 0.9
        data[:, position] = torch.where(kept, data[:, position - 2], data[:, position])
    torch.manual_seed(0)
    prior = AutoregressivePrior(6, 4, width=8)
    optimiser = torch.optim.Adam(prior.parameters(), 1e-2)
    for step in range(150):
        batch = data[step * 200 % 4000 :][:200]
        optimiser.zero_grad()
        (-prior.log_prob(batch[None]).mean()).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    drawn = prior.sample(4000, np.random.default_rng(2))
    shuffled = torch.stack([column[torch.randperm(4000, generator=generator)] for column in data.t()], 1)
    pairs = [(4 * x[:, 1] + x[:, 3]) for x in (data, drawn, shuffled)]
    assert total_variation(pairs[0], pairs[1], 16) < 0.06
    assert total_variation(pairs[0], pairs[2], 16) > 0.5
    # Its own rate is the entropy of what made the data.
    repeated, other = 0.9 + 0.1 / 4, 0.1 / 4
    entropy = 2 * math.log(4) - 4 * (repeated * math.log(repeated) + 3 * other * math.log(other))
    assert -prior.log_prob(data[None]).mean().item() == pytest.approx(entropy, abs=0.1)
