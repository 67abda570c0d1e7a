"""Stand-in for the perceptual objective until it is merged."""

from __future__ import annotations

from torch import Tensor

from morphospace.features import Features, feature_network
from morphospace.features.distance import perceptual_distance
from morphospace.parts import Shape, option
from morphospace.vae.interfaces import Batch, Loss, Model, Noise, Objective, Progress
from morphospace.vae.slots import ObjectiveConfig

__all__ = ["Perceptual"]


class Perceptual(Objective):
    """A perceptual distance."""

    class Config(ObjectiveConfig, kind="perceptual"):
        """A perceptual distance."""

        network: str = option("the feature network", default="efficientnet-lite0")
        pixels: float = option("the weight of squared differences", default=20.0, low=0)

        def build(self, model: Model, shape: Shape) -> Perceptual:
            """See :class:`ObjectiveConfig`."""
            return Perceptual(feature_network(self.network), self.pixels)

    frozen = ("network",)

    def __init__(self, network: Features, pixels: float) -> None:
        super().__init__()
        self.network = network
        self.pixels = pixels

    def forward(self, player: str, model: Model, batch: Batch, noise: Noise, progress: Progress) -> Loss:
        """See :class:`Objective`."""
        terms = model.terms(batch, noise)
        made = model.image(terms.draws[0].z[0], batch.label)
        pixels = (made - batch.target).square().mean()
        distance = perceptual_distance(self.network, made, batch.target).mean()
        parts = {"reconstruction": -terms.log_px.mean(), "perceptual": distance}
        return Loss(self.pixels * pixels + distance, parts)

    def distance(self, model: Model, batch: Batch) -> Tensor:
        """See :class:`Objective`."""
        made = model.image(model.encode(batch.input, batch.label).mean, batch.label)
        return perceptual_distance(self.network, made, batch.target)
