"""The test figures: nats an image over a whole set, in eval mode, in float32, with one fixed-seed draw."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch

from morphospace.data import ImageArray
from morphospace.errors import DataError
from morphospace.space import batch_for
from morphospace.training.loop import generator_seed, to_input
from morphospace.vae.interfaces import Batch
from morphospace.vae.objectives import kl_of

__all__ = ["BATCH", "TestFigures", "score"]

BATCH = 500
_NOISE_STREAM = -1  # a "stage" that no training has: evaluation shares no noise with it


@dataclass(frozen=True)
class TestFigures:
    """Nats an image; None where a figure does not apply (an autoencoder has no KL and no bound).

    Attributes:
        neg_elbo: reconstruction + kl, an upper bound of -log p(x).
        reconstruction: -log p(x | z).
        kl: KL(q(z | x), p(z)).
        beta: the weight that training gave the KL; when it is not 1, neg_elbo is not what was trained.
        psnr: of the reconstructions from posterior means, in dB: -10 log10 of the mean squared error over all pixels
            of all images, for pixels in [0, 1].
        book_loss: mean over pixels + 5e-4 x mean over latents, for Bernoulli models.
    """

    __test__ = False  # not a pytest class

    neg_elbo: float | None
    reconstruction: float
    kl: float | None
    beta: float | None
    psnr: float | None = None
    book_loss: float | None = None

    def to_json(self) -> dict[str, float | None]:
        """As plain JSON values; without what was not measured."""
        optional = ("psnr", "book_loss")
        return {name: value for name, value in asdict(self).items() if value is not None or name not in optional}


@torch.no_grad()
def score(model: Any, images: ImageArray, *, beta: float, bernoulli: bool, seed: int = 0) -> TestFigures:
    """Score every image of a set (laws 2, 7 and 10).

    Args:
        model: satisfies :class:`morphospace.vae.Model`.
        images: uint8 (N, H, W, C), N >= 1.
        beta: what training weighted the KL with; 0 for models without one.
        bernoulli: whether the book's loss has a meaning here.
        seed: of the one draw for each image; batch size does not change it.

    Raises:
        DataError: if the model gives NaN.
    """
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    # One stream of noise on the CPU for all images, so that devices and batches agree.
    generator = torch.Generator().manual_seed(generator_seed(seed, _NOISE_STREAM, 0))
    reconstruction = kl = 0.0
    has_kl = False
    step = batch_for(images.shape)
    for start in range(0, len(images), BATCH):
        count = min(BATCH, len(images) - start)
        drawn = model.noise(1, count, generator)
        for first in range(0, count, step):
            some = slice(first, min(first + step, count))
            x = to_input(torch.from_numpy(images[start + some.start : start + some.stop]).to(device))
            noise = tuple(n[:, some].to(device) for n in drawn)
            terms = model.terms(Batch(x, x, torch.arange(start + some.start, start + some.stop, device=device)), noise)
            reconstruction -= terms.log_px.double().sum().item()
            if any(group.log_q is not None or group.kl is not None for group in terms.groups):
                has_kl = True
                kl += kl_of(terms).double().sum().item()
    model.train(was_training)
    reconstruction, kl = reconstruction / len(images), kl / len(images)
    if reconstruction != reconstruction or kl != kl:
        raise DataError("the model gives NaN for these images: its weights are damaged or training diverged.")
    if not has_kl:
        return TestFigures(None, reconstruction, None, None)
    book = None
    if bernoulli:
        pixels = int(torch.Size(images.shape[1:]).numel())
        latents = sum(int(torch.Size(shape).numel()) for shape in model.z_shapes)
        book = reconstruction / pixels + 5e-4 * 2 * kl / latents
    return TestFigures(reconstruction + kl, reconstruction, kl, beta, book_loss=book)
