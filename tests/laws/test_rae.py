"""The regularised autoencoder's loss is its formula, and its penalties do what they are for."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from morphospace.nn import MLPDecoder, MLPEncoder
from morphospace.vae import VAE, Batch, Bernoulli, PointPosterior, Progress, StandardNormalPrior
from morphospace.vae.objectives.rae import RAE

SHAPE = (1, 4, 4)
START = Progress(torch.tensor(0.0), 1, 1)


def autoencoder() -> VAE:
    torch.manual_seed(0)
    return VAE(
        MLPEncoder(SHAPE, (16,)), PointPosterior(16, 2), StandardNormalPrior(2), MLPDecoder(2, SHAPE, (16,)),
        Bernoulli(),
    )  # fmt: skip


def test_the_loss_is_the_sum_of_its_parts() -> None:
    model, x = autoencoder(), torch.rand(6, *SHAPE)
    loss = RAE(l2=0.3, decoder_l2=0.02)("", model, Batch(x, x, torch.arange(6)), (), START)
    z = model.infer(x).mean
    reconstruction = nn.functional.binary_cross_entropy_with_logits(model.decode(z), x, reduction="sum") / 6
    torch.testing.assert_close(loss.parts["reconstruction"], reconstruction)
    torch.testing.assert_close(loss.parts["l2"], 0.15 * z.square().sum() / 6)
    length = torch.cat([p.flatten() for p in model.decoder.parameters()]).square().sum()
    torch.testing.assert_close(loss.parts["decoder_l2"], 0.01 * length)
    torch.testing.assert_close(loss.total, sum(loss.parts.values(), torch.zeros(())))


def test_penalties_shorten_codes_and_smooth_the_decoder() -> None:
    def trained(l2: float, decoder_l2: float) -> tuple[float, float]:
        model, x = autoencoder(), torch.rand(32, *SHAPE, generator=torch.Generator().manual_seed(0))
        objective, optimiser = RAE(l2=l2, decoder_l2=decoder_l2), torch.optim.Adam(model.parameters(), 0.01)
        for _ in range(80):
            optimiser.zero_grad()
            objective("", model, Batch(x, x, torch.arange(32)), (), START).total.backward()
            optimiser.step()
        z = model.infer(x).mean.detach()
        jacobian: Tensor = torch.func.vmap(torch.func.jacrev(lambda point: model.decode(point[None])[0]))(z)
        return z.square().sum(1).mean().item(), jacobian.square().flatten(1).sum(1).mean().item()

    code, slope = trained(0, 0)
    assert trained(1, 0)[0] < 0.5 * code
    assert trained(0, 0.5)[1] < 0.5 * slope
