"""The lower bound and how alike pictures look: what makes reconstructions sharp."""

from __future__ import annotations

from typing import Literal, Self

import torch
from torch import Generator, Tensor, nn

from morphospace.features import Features, Pictures, check_weights, feature_network, features_distance, looked_at
from morphospace.parts import Shape, option
from morphospace.vae.critics import Critic
from morphospace.vae.interfaces import Batch, Loss, Model, Noise, Objective, Player, Progress
from morphospace.vae.optimisers import Adam, OptimiserConfig
from morphospace.vae.slots import ObjectiveConfig
from morphospace.vae.terms import kl_of, penalties_of, risen

__all__ = ["Perceptual"]

_ZOOM = 1.6  # a look is enlarged by up to this much more than it takes to be filled by the picture
_RISES = 0.1  # of all steps, in which the critic comes to be heard
_CRITIC = Adam(learning_rate=3e-4, beta1=0.0, beta2=0.98, decay="cosine")


class Perceptual(Objective):
    r"""The negative ELBO, a perceptual distance, and what a critic finds unreal.

    .. math:: -E_q \log p(x|z) + \beta\, KL(q, p) + n\,(w \sum_l |\hat f_l(x) - \hat f_l(y)|^2 - a\, C(f(y)))

    y is the expected image under z, n the number of values in an image, and :math:`\hat f_l` the features of a frozen
    network at depth l, each place of them brought to length one. A likelihood of pixels alone is best off with the
    mean of all that a code leaves open, which is blurred; features tell it from a sharp picture. A network whose first
    layer strides by two does not see a checkerboard of period two, and a decoder learns to hide one there: so both
    pictures are shifted and scaled, in the same way, at random before each look. The critic C, a player of its own,
    learns from the same features to tell made pictures from real ones, and what it finds unreal is descended, too.

    Args:
        network: gives the features; it stays as it is.
        side: a look is a window of so many pixels a side, >= 16.
        distance: w, in nats a value of the image, >= 0.
        adversary: a, in nats a value of the image, >= 0; 0 has no critic.
        adversary_from: the share of all steps, 0..1, after which the critic begins to be heard.
        beta: the weight of the KL, >= 0.
        anneal: the share of all steps, 0..1, in which it rises from 0.

    Source: Johnson, Alahi and Fei-Fei, arXiv:1603.08155; Zhang et al., LPIPS, arXiv:1801.03924; checkerboards: Odena,
    Dumoulin and Olah, Deconvolution and checkerboard artifacts, Distill 2016; a critic of a VAE: Larsen et al.,
    arXiv:1512.09300.
    """

    class Config(ObjectiveConfig, kind="perceptual"):
        """The lower bound, how alike pictures look to a frozen network, and a critic: sharp pictures."""

        features: Literal["efficientnet-lite0", "vgg16", "alexnet", "random", "own"] = option(
            "whose features are compared: of networks that know photographs, of one with random weights, or of a judge "
            "of the set's own labels", default="efficientnet-lite0",
        )  # fmt: skip
        distance: float = option(
            "the weight of the distance of features, nats a value of the image", default=2.5, low=0, high=1e9
        )
        look: int = option("the side in pixels of the window that the network is shown", default=80, low=16, high=512)
        adversary: float = option(
            "the weight of how unreal a critic finds what is made, nats a value of the image; 0 has no critic",
            default=0.25, low=0, high=1e9,
        )  # fmt: skip
        adversary_from: float = option(
            "the share of all steps after which the critic begins to be heard", default=0.25, low=0, high=1,
            needs="adversary",
        )  # fmt: skip
        beta: float = option("the weight of the KL in nats", default=3.0, low=0, high=1e9)
        anneal: float = option("the share of all steps in which beta rises from 0", default=0.0, low=0, high=1)

        def build(self, model: Model, shape: Shape) -> Perceptual:
            """See :class:`ObjectiveConfig`."""
            del model, shape
            return Perceptual(
                feature_network(self.features), side=self.look, distance=self.distance, adversary=self.adversary,
                adversary_from=self.adversary_from, beta=self.beta, anneal=self.anneal,
            )  # fmt: skip

        def check_here(self) -> None:
            """See :class:`ObjectiveConfig`."""
            check_weights(self.features)

        def kl_weight(self, latent_dim: int, shape: Shape) -> float:
            """See :class:`ObjectiveConfig`."""
            del latent_dim, shape
            return self.beta

        @property
        def penalty(self) -> str:
            """See :class:`ObjectiveConfig`."""
            return "beta"

        def risen(self) -> Self:
            """See :class:`ObjectiveConfig`."""
            return self.replace(anneal=0.0, adversary_from=0.0)

    frozen = ("network",)

    def __init__(
        self,
        network: Features,
        *,
        side: int = 80,
        distance: float = 3.0,
        adversary: float = 0.0,
        adversary_from: float = 0.0,
        beta: float = 1.0,
        anneal: float = 0.0,
    ) -> None:
        super().__init__()
        self.network = network
        self.side = side
        self.distance = distance
        self.adversary = adversary
        self.adversary_from = adversary_from
        self.beta = beta
        self.anneal = anneal
        # The finest features have the most places and the least to say of a picture.
        self.fine = len(network.channels) // 3
        self.critic = Critic(network.channels[self.fine :]) if adversary else None

    def look_at(self, pictures: Pictures, labels: Tensor | None, *, seed: int) -> None:
        """The network may learn of the set."""
        self.network.look_at(pictures, labels, seed=seed)

    def players(self, model: nn.Module, optimiser: OptimiserConfig) -> tuple[Player, ...]:
        """The model, and the critic, who looks at the same features."""
        players = super().players(model, optimiser)
        if self.critic is None:
            return players
        return (*players, Player("critic", list(self.critic.parameters()), _CRITIC, joins=True))

    def noise(self, model: Model, batch: int, generator: Generator) -> Noise:
        """The model's own, and the scale and the place of each look, (B, 3) in 0..1."""
        looks = torch.rand((batch, 3), generator=generator, device=generator.device)
        return (*super().noise(model, batch, generator), looks)

    def forward(self, player: str, model: Model, batch: Batch, noise: Noise, progress: Progress) -> Loss:
        """The loss of one batch: ``reconstruction``, ``kl`` where there is one, ``distance``; of a critic ``unreal``.

        ``critic`` is what the critic descends, 2 where it cannot tell real from made.
        """
        del player
        *of_model, looks = noise
        terms = model.terms(batch, tuple(of_model))
        real, made = self._seen(batch.target, model.expected(terms.reconstruction[0]), looks)
        values = batch.target[0].numel()
        parts = {
            "reconstruction": -terms.log_px.mean(),
            "distance": self.distance * values * features_distance(real, made).mean(),
        }
        total = parts["reconstruction"] + parts["distance"] + penalties_of(terms)
        if model.has_bound:
            parts["kl"] = kl_of(terms).mean()
            total = total + self.beta * risen(self.anneal, progress) * parts["kl"]
        if self.critic is not None:
            real, made = real[self.fine :], made[self.fine :]
            heard = ((progress.step / progress.total - self.adversary_from) / _RISES).clamp(0, 1)
            parts["unreal"] = -self.adversary * values * self.critic.realness(made)
            parts["critic"] = self.critic.error(real, made)
            total = total + heard * parts["unreal"] + parts["critic"]
        return Loss(total, parts)

    def distances(self, model: Model, batch: Batch) -> Tensor:
        """See :class:`Objective`: of features, unweighted, of whole images, enlarged if they are less than a look."""
        made = model.image(model.encode(batch.input, batch.label).mean, batch.label)
        largest = max(made.shape[2:])
        looks, side = made.new_tensor([0.0, 0.5, 0.5]).expand(len(made), -1), max(self.side, largest)
        x, y = (looked_at(images, looks, side, side / largest, side / largest) for images in (batch.target, made))
        return features_distance(self.network(x), self.network(y))

    def after_step(self, model: nn.Module) -> None:
        """See :class:`Objective`."""
        super().after_step(model)
        if self.critic is not None:
            self.critic.after_step()

    def _seen(self, x: Tensor, y: Tensor, looks: Tensor) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """What the network sees of images (B, C, H, W) and of what stands for them, looked at alike."""
        low = max(1.0, self.side / max(x.shape[2:]))
        with torch.no_grad():
            real = self.network(looked_at(x, looks, self.side, low, _ZOOM * low))
        return real, self.network(looked_at(y, looks, self.side, low, _ZOOM * low))
