"""Laws of the quantised posterior: what is chosen, what its gradient is, how its codebook moves, that it is used."""

from __future__ import annotations

import math

import pytest
import torch

from morphospace.vae.posteriors.quantised import QuantisedPosterior


def plain(**changes: float) -> QuantisedPosterior:
    """Two vectors of two numbers, four entries at the corners of a square, and a head that changes nothing."""
    posterior = QuantisedPosterior(4, 4, positions=2, entries=4, **changes)
    with torch.no_grad():
        posterior.mean.weight.copy_(torch.eye(4))
        posterior.codebook.copy_(torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]]))
    return posterior


def test_each_vector_becomes_its_nearest_entry_and_the_codes_say_which() -> None:
    posterior = plain().eval()
    q = posterior(torch.tensor([[0.9, 2.0, -0.1, -3.0], [0.2, -0.3, -5.0, 0.1]]))
    assert q.codes.tolist() == [[0, 3], [1, 2]]
    assert q.mean.tolist() == [[1, 1, -1, -1], [1, -1, -1, 1]]  # to the last bit
    assert torch.equal(posterior.points(q.codes), q.mean)
    draw = q.draw(())
    assert torch.equal(draw.z[0], q.mean)
    assert draw.codes is not None
    assert torch.equal(draw.codes[0], q.codes)
    assert draw.log_q is not None
    assert draw.log_q.tolist() == [[0, 0]]
    assert q.log_prob(torch.stack([q.codes, q.codes.flip(0)])).tolist() == [[0, 0], [-math.inf, -math.inf]]


def test_the_gradient_goes_straight_through_and_the_penalty_pulls_towards_the_entries() -> None:
    posterior = plain(commitment=0.5)
    h = torch.tensor([[0.9, 2.0, -0.1, -3.0]], requires_grad=True)
    q = posterior(h)
    weights = torch.tensor([[1.0, -2.0, 3.0, 0.5]])
    (straight,) = torch.autograd.grad((q.mean * weights).sum(), h, retain_graph=True)
    assert torch.equal(straight, weights)
    assert q.penalty.item() == pytest.approx(0.5 * (0.1**2 + 1 + 0.9**2 + 2**2))
    (pull,) = torch.autograd.grad(q.penalty.sum(), h)
    torch.testing.assert_close(pull, h.detach() - q.mean.detach())  # 2 beta (z - e)


def test_the_codebook_moves_by_the_closed_form() -> None:
    posterior = plain(decay=0.9, revive=0.0)
    posterior.counts.copy_(torch.tensor([2.0, 1.0, 4.0, 3.0]))
    posterior.sums.copy_(posterior.codebook * posterior.counts[:, None])
    posterior(torch.tensor([[0.5, 2.0, 1.5, 1.0], [0.5, 0.5, 3.0, -2.0]]))
    assert torch.equal(posterior.codebook[0], torch.ones(2))  # the forward only counts
    posterior.after_step()
    counts = [0.9 * 2 + 0.1 * 3, 0.9 * 1 + 0.1 * 1, 0.9 * 4, 0.9 * 3]
    sums = [(0.9 * 2 + 0.1 * 2.5, 0.9 * 2 + 0.1 * 3.5), (0.9 + 0.1 * 3, -0.9 - 0.1 * 2), (-3.6, 3.6), (-2.7, -2.7)]
    total = sum(counts)
    smoothed = [(n + 1e-5) / (total + 4e-5) * total for n in counts]
    wanted = torch.tensor([[a / n, b / n] for (a, b), n in zip(sums, smoothed, strict=True)])
    torch.testing.assert_close(posterior.counts, torch.tensor(counts))
    torch.testing.assert_close(posterior.codebook, wanted)


def test_the_first_step_takes_all_entries_from_the_batch_and_idle_ones_start_anew_there() -> None:
    torch.manual_seed(0)
    posterior = QuantisedPosterior(6, 6, positions=3, entries=5)
    torch.nn.init.eye_(posterior.mean.weight)
    h = torch.randn(20, 6)
    vectors = h.reshape(-1, 2)
    posterior(h)
    posterior.after_step()
    found = torch.cdist(posterior.codebook, vectors).argmin(1)
    assert torch.equal(posterior.codebook, vectors[found])
    assert len(set(found.tolist())) == 5
    with torch.no_grad():
        posterior.codebook[2] = 1e3  # nothing is near
        posterior.counts[2] = 0.0
    posterior(h)
    posterior.after_step()
    assert (posterior.codebook[2] == vectors).all(1).any()
    assert posterior.counts[2] == pytest.approx(posterior.counts.sum().item() / 5, rel=0.3)


def test_only_a_training_step_of_an_unfrozen_head_moves_the_codebook() -> None:
    def moved(posterior: QuantisedPosterior) -> bool:
        before = posterior.codebook.clone()
        posterior(torch.randn(9, 4))
        posterior.after_step()
        return not torch.equal(posterior.codebook, before)

    assert moved(plain())
    assert not moved(plain().eval())
    assert not moved(plain().requires_grad_(False))


def test_half_precision_changes_no_distance() -> None:
    torch.manual_seed(0)
    posterior = QuantisedPosterior(8, 8, positions=2, entries=64)
    vectors = torch.randn(50, 2, 4)
    with torch.autocast("cpu", torch.bfloat16):
        codes = posterior.nearest(vectors)
        q = posterior(torch.randn(3, 8))
    assert torch.equal(codes, torch.cdist(vectors.reshape(-1, 4), posterior.codebook).argmin(1).reshape(50, 2))
    assert q.mean.dtype == q.penalty.dtype == torch.float32
