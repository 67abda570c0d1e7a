"""The interfaces' test: FactorVAE, VampPrior, a two-rung ladder and an encoder-free lattice.

All four are written here, in tests, and train without a change in ``morphospace.training``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from morphospace.data import Dataset
from morphospace.nn import MLPDecoder, MLPEncoder
from morphospace.training import EpochEnded, Machine, Stage, Trainer
from morphospace.vae import (
    ELBO,
    VAE,
    Batch,
    Bernoulli,
    Draw,
    GaussianPosterior,
    Group,
    Loss,
    Model,
    Noise,
    Objective,
    Optimiser,
    Player,
    Progress,
    StandardNormalPrior,
    Terms,
)
from morphospace.vae.posteriors import GaussianQ

SHAPE = (1, 8, 8)
ADAM = Optimiser(learning_rate=3e-3)


def losses(model: nn.Module, stages: list[Stage], data: Dataset, seed: int = 0) -> list[dict[str, float]]:
    trainer = Trainer(model, stages, data.train.images, data.train.labels, seed=seed, machine=Machine(threads=2))
    return [event.losses for event in trainer.run() if isinstance(event, EpochEnded)]


def vae(prior: nn.Module | None = None, d: int = 3) -> VAE:
    torch.manual_seed(0)
    return VAE(
        MLPEncoder(SHAPE, (64,)), GaussianPosterior(64, d), prior or StandardNormalPrior(d),
        MLPDecoder(d, SHAPE, (64,)), Bernoulli(),
    )  # fmt: skip


class FactorVAE(Objective):
    """Kim and Mnih, arXiv:1802.05983: a discriminator tells codes from codes with shuffled latents."""

    def __init__(self, gamma: float, latent_dim: int) -> None:
        super().__init__()
        self.gamma = gamma
        self.discriminator = nn.Sequential(nn.Linear(latent_dim, 64), nn.LeakyReLU(0.2), nn.Linear(64, 2))

    def players(self, model: nn.Module) -> tuple[Player, ...]:
        return (
            Player("vae", list(model.parameters()), ADAM),
            Player("discriminator", list(self.discriminator.parameters()), Optimiser(learning_rate=1e-3)),
        )

    def noise(self, model: Any, batch: int, generator: Generator) -> Noise:
        d = model.z_shapes[0][0]
        shuffles = torch.rand(d, batch, generator=generator).argsort(1)
        return (*model.noise(1, batch, generator), shuffles)

    def forward(self, player: str, model: Any, batch: Batch, noise: Noise, progress: Progress) -> Loss:
        *epsilon, shuffles = noise
        terms = model.terms(batch, tuple(epsilon))
        z = terms.draws[0].z[0]
        if player == "discriminator":
            z = z.detach()
            shuffled = torch.stack([z[order, j] for j, order in enumerate(shuffles)], 1)
            real, fake = (
                F.cross_entropy(self.discriminator(some), torch.full((len(z),), kind))
                for kind, some in enumerate((z, shuffled))
            )
            return Loss((real + fake) / 2, {"discriminator": (real + fake) / 2})
        scores = self.discriminator(z)
        tc = (scores[:, 0] - scores[:, 1]).mean()
        reconstruction, kl = -terms.log_px.mean(), terms.groups[0].kl.mean()
        return Loss(reconstruction + kl + self.gamma * tc, {"reconstruction": reconstruction, "kl": kl, "tc": tc})


class VampPrior(nn.Module):
    """Tomczak and Welling, arXiv:1705.07120: a mixture of the posteriors of learned pseudo-images."""

    class P:
        def __init__(self, q: GaussianQ) -> None:
            self.q = q

        def log_prob(self, z: Tensor) -> Tensor:
            each = GaussianQ(self.q.mean[:, None, None], self.q.log_var[:, None, None]).log_prob(z)  # (U, K, B)
            return each.logsumexp(0) - math.log(len(self.q.mean))

        def kl(self, q: Any) -> None:
            return None

    def __init__(self, count: int) -> None:
        super().__init__()
        self.pseudo = nn.Parameter(torch.rand(count, *SHAPE))

    def forward(self, infer: Any, condition: Tensor | None = None) -> P:
        return self.P(infer(self.pseudo.clamp(0, 1)))


class Ladder(nn.Module):
    """Two rungs: z2 from the image, z1 from image and z2; p(z1 | z2) is learned (arXiv:1602.02282)."""

    z_shapes: tuple[tuple[int, ...], ...] = ((3,), (2,))

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.encoder = MLPEncoder(SHAPE, (64,))
        self.top = GaussianPosterior(64, 2)
        self.rung = GaussianPosterior(64 + 2, 3)
        self.prior_of_rung = GaussianPosterior(2, 3)
        self.decoder = MLPDecoder(3, SHAPE, (64,))
        self.likelihood = Bernoulli()

    def noise(self, k: int, batch: int, generator: Generator) -> Noise:
        return (*self.rung.noise(k, batch, generator), *self.top.noise(k, batch, generator))

    def infer(self, x: Tensor, condition: Tensor | None = None) -> GaussianQ:
        h = self.encoder(x)
        top = self.top(h)
        rung = self.rung(torch.cat([h, top.mean], 1))
        return GaussianQ(self.flatten((rung.mean, top.mean)), self.flatten((rung.log_var, top.log_var)))

    def decode(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        z1, _ = self.unflatten(z)
        values: Tensor = self.decoder(z1.reshape(-1, 3))
        return values.reshape(*z.shape[:-1], *SHAPE)

    def terms(self, batch: Batch, noise: Noise) -> Terms:
        h = self.encoder(batch.input)
        q2 = self.top(h)
        draw2: Draw = q2.draw(noise[1:])
        z2 = draw2.z[0]
        q1, p1 = self.rung(torch.cat([h, z2], 1)), self.prior_of_rung(z2)
        draw1: Draw = q1.draw(noise[:1])
        zero = GaussianQ(torch.zeros_like(z2), torch.zeros_like(z2))
        groups = (
            Group(draw1.log_q, p1.log_prob(draw1.z), None),
            Group(draw2.log_q, zero.log_prob(draw2.z), None),
        )
        values = self.decode(self.flatten((draw1.z, draw2.z)))
        return Terms(self.likelihood.log_prob(values, batch.target), groups, (draw1, draw2), values)

    def flatten(self, zs: tuple[Tensor, ...]) -> Tensor:
        return torch.cat(zs, -1)

    def unflatten(self, z: Tensor) -> tuple[Tensor, ...]:
        return z[..., :3], z[..., 3:]


class Lattice(Objective):
    """No encoder: log p(x) as the mean over a jittered lattice of all the prior's mass, for every image."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side

    def players(self, model: nn.Module) -> tuple[Player, ...]:
        return (Player("decoder", [p for p in model.parameters() if p.requires_grad], ADAM),)

    def noise(self, model: Any, batch: int, generator: Generator) -> Noise:
        return (torch.rand(2, generator=generator),)

    def forward(self, player: str, model: Any, batch: Batch, noise: Noise, progress: Progress) -> Loss:
        steps = torch.arange(self.side) + 0.5
        u = torch.cartesian_prod(steps, steps) + noise[0] - 0.5
        z = math.sqrt(2) * torch.erfinv((2 * (u % self.side) / self.side - 1).clamp(-0.999, 0.999))
        log_px = model.likelihood.log_prob_pairs(model.decode(z), batch.target)  # (M, B)
        nll = -(log_px.logsumexp(0) - math.log(len(z))).mean()
        return Loss(nll, {"nll": nll})


def test_factor_vae_trains_with_two_players(digits: Dataset) -> None:
    found = losses(vae(), [Stage(objective=FactorVAE(2.0, 3), epochs=4, batch=64)], digits)
    assert set(found[0]) == {"reconstruction", "kl", "tc", "discriminator"}
    assert found[-1]["reconstruction"] < found[0]["reconstruction"] - 2
    assert all(np.isfinite(list(line.values())).all() for line in found)
    assert found[-1]["discriminator"] != found[0]["discriminator"]


def test_vamp_prior_trains_its_pseudo_images_through_the_encoder(digits: Dataset) -> None:
    prior = VampPrior(12)
    before = prior.pseudo.detach().clone()
    found = losses(vae(prior), [Stage(objective=ELBO(ADAM), epochs=4, batch=64)], digits)
    assert found[-1]["reconstruction"] < found[0]["reconstruction"] - 2
    assert (prior.pseudo != before).any()


def test_a_ladder_trains_and_is_a_model(digits: Dataset) -> None:
    ladder = Ladder()
    models: list[Model] = [ladder, vae()]
    assert all(isinstance(model, Model) for model in models)
    found = losses(ladder, [Stage(objective=ELBO(ADAM), epochs=4, batch=64)], digits)
    assert found[-1]["reconstruction"] < found[0]["reconstruction"] - 2
    z = torch.randn(4, 5)
    torch.testing.assert_close(ladder.flatten(ladder.unflatten(z)), z)
    assert ladder.decode(z).shape == (4, 1, 8, 8)


def test_a_lattice_trains_a_decoder_first_and_an_encoder_afterwards(digits: Dataset) -> None:
    model = vae(d=2)
    encoder_before = [p.detach().clone() for p in model.encoder.parameters()]
    seen: list[list[Tensor]] = []

    class Watch(ELBO):
        def players(self, model: nn.Module) -> tuple[Player, ...]:
            seen.append([p.detach().clone() for p in model.parameters()])
            return super().players(model)

    stages = [
        Stage(objective=Lattice(10), epochs=3, batch=64, trains=("decoder",)),
        Stage(objective=Watch(ADAM), epochs=2, batch=64, trains=("encoder", "posterior")),
    ]
    found = losses(model, stages, digits)
    assert found[2]["nll"] < found[0]["nll"] - 2
    assert found[4]["reconstruction"] < found[3]["reconstruction"]
    between = dict(zip([n for n, _ in model.named_parameters()], seen[0], strict=True))
    for name, parameter in model.named_parameters():
        trained_last = name.startswith(("encoder", "posterior"))
        assert (parameter != between[name]).any().item() is trained_last, name
    for before, name in zip(encoder_before, [n for n, _ in model.encoder.named_parameters()], strict=True):
        assert (between[f"encoder.{name}"] == before).all()
