"""The lower bound and how alike pictures look: what makes reconstructions sharp."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Generator, Tensor

from morphospace.features import Features, feature_network, looked_at, perceptual_distance
from morphospace.parts import Shape, option
from morphospace.vae.interfaces import Batch, Loss, Model, Noise, Objective, Progress
from morphospace.vae.slots import ObjectiveConfig
from morphospace.vae.terms import kl_of, penalties_of, risen

__all__ = ["Perceptual"]

_ZOOM = 1.6  # a look is enlarged by up to this much more than it takes to be filled by the picture


class Perceptual(Objective):
    r"""The negative ELBO and a perceptual distance,
    :math:`-E_q \log p(x|z) + \beta\, KL(q, p) + w\, n \sum_l |\hat f_l(x) - \hat f_l(y)|^2`.

    y is the expected image under z, n the number of values in an image, and :math:`\hat f_l` the features of a frozen
    network at depth l, each place of them brought to length one. A likelihood of pixels alone is best off with the
    mean of all that a code leaves open, which is blurred; features tell it from a sharp picture. A network whose first
    layer strides by two does not see a checkerboard of period two, and a decoder learns to hide one there: so both
    pictures are shifted and scaled, in the same way, at random before each look.

    Args:
        network: gives the features; it stays as it is.
        side: a look is a window of so many pixels a side, >= 16.
        distance: w, in nats a value of the image, >= 0.
        beta: the weight of the KL, >= 0.
        anneal: the share of all steps, 0..1, in which it rises from 0.

    Source: Johnson, Alahi and Fei-Fei, arXiv:1603.08155; Zhang et al., LPIPS, arXiv:1801.03924; checkerboards: Odena,
    Dumoulin and Olah, Deconvolution and checkerboard artifacts, Distill 2016.
    """

    class Config(ObjectiveConfig, kind="perceptual"):
        """The lower bound and the distance of pictures as a frozen network sees them: sharp pictures."""

        features: Literal["efficientnet-lite0", "vgg16", "random", "own"] = option(
            "whose features are compared: of networks that know photographs, of one with random weights, or of a judge "
            "of the set's own labels", default="efficientnet-lite0",
        )  # fmt: skip
        distance: float = option("the weight of the distance, nats a value of the image", default=3.0, low=0, high=1e9)
        look: int = option("the side in pixels of the window that the network is shown", default=80, low=16, high=512)
        beta: float = option("the weight of the KL in nats", default=8.0, low=0, high=1e9)
        anneal: float = option("the share of all steps in which beta rises from 0", default=0.0, low=0, high=1)

        def build(self, model: Model, shape: Shape) -> Perceptual:
            """See :class:`ObjectiveConfig`."""
            del model, shape
            return Perceptual(
                feature_network(self.features), side=self.look, distance=self.distance, beta=self.beta,
                anneal=self.anneal,
            )  # fmt: skip

        def kl_weight(self, latent_dim: int, shape: Shape) -> float:
            """See :class:`ObjectiveConfig`."""
            del latent_dim, shape
            return self.beta

        @property
        def penalty(self) -> str:
            """See :class:`ObjectiveConfig`."""
            return "beta"

    frozen = ("network",)

    def __init__(
        self, network: Features, *, side: int = 80, distance: float = 3.0, beta: float = 1.0, anneal: float = 0.0
    ) -> None:
        super().__init__()
        self.network = network
        self.side = side
        self.distance = distance
        self.beta = beta
        self.anneal = anneal

    def noise(self, model: Model, batch: int, generator: Generator) -> Noise:
        """The model's own, and the scale and the place of each look, (B, 3) in 0..1."""
        looks = torch.rand((batch, 3), generator=generator, device=generator.device)
        return (*super().noise(model, batch, generator), looks)

    def forward(self, player: str, model: Model, batch: Batch, noise: Noise, progress: Progress) -> Loss:
        """The loss of one batch; parts ``reconstruction``, ``kl`` where there is one, and ``distance``."""
        del player
        *of_model, looks = noise
        terms = model.terms(batch, tuple(of_model))
        distance = self._distance(batch.target, model.expected(terms.reconstruction[0]), looks)
        reconstruction = -terms.log_px.mean()
        parts = {"reconstruction": reconstruction, "distance": self.distance * batch.target[0].numel() * distance}
        total = reconstruction + parts["distance"] + penalties_of(terms)
        if model.has_bound:
            parts["kl"] = kl_of(terms).mean()
            total = total + self.beta * risen(self.anneal, progress) * parts["kl"]
        return Loss(total, parts)

    def distances(self, model: Model, batch: Batch) -> Tensor:
        """See :class:`Objective`: unweighted, seen whole, and enlarged where an image is smaller than a look."""
        made = model.image(model.encode(batch.input, batch.label).mean, batch.label)
        largest = max(made.shape[2:])
        looks = made.new_tensor([0.0, 0.5, 0.5]).expand(len(made), -1)
        side = max(self.side, largest)
        x, y = (looked_at(images, looks, side, side / largest, side / largest) for images in (batch.target, made))
        return perceptual_distance(self.network, x, y)

    def _distance(self, x: Tensor, y: Tensor, looks: Tensor) -> Tensor:
        """The mean distance of images (B, C, H, W) from others, as looked at."""
        low = max(1.0, self.side / max(x.shape[2:]))
        x, y = (looked_at(images, looks, self.side, low, _ZOOM * low) for images in (x, y))
        return perceptual_distance(self.network, x, y).mean()
