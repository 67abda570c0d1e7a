"""The codec: images to latent points and back, through a trained model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from morphospace.data import ImageArray
from morphospace.data.levels import as_levels
from morphospace.data.store import StoredImages
from morphospace.errors import ArgumentError, DataError
from morphospace.images import RESIZES, Images, Resize, as_images, fit_image, from_pil, read_image
from morphospace.interpretation import AS_BEFORE, Interpretation
from morphospace.recipes import Recipe
from morphospace.told import Told, known_labels, likeliest_labels
from morphospace.training.loop import to_input
from morphospace.training.machine import choose_device, choose_machine
from morphospace.vae import Generative

__all__ = ["Codec", "Encoding", "Points", "batch_for"]

Points = NDArray[np.float32]

_BATCH = 250  # larger ones outgrow the caches
_BATCH_PIXELS = 500 * 64 * 64


def batch_for(shape: Sequence[int]) -> int:
    """How many images of ``shape`` (N, H, W, C) or (H, W, C) to take at once: as many as fit easily.

    Example:
        >>> batch_for((1000, 28, 28, 1)), batch_for((256, 256, 3))
        (250, 31)
    """
    return max(1, min(_BATCH, _BATCH_PIXELS // (shape[-3] * shape[-2])))


class Encoding(NamedTuple):
    """Where images lie: ``mean`` (N, d), and ``scale`` (N, d), the posterior's deviations, or None for points."""

    mean: Points
    scale: Points | None
    labels: NDArray[np.int64] | None = None  # (N,) as which they were read, where the model is told them

    @property
    def log_var(self) -> Points | None:
        """(N, d), the logarithms of the posterior's variances."""
        return None if self.scale is None else 2 * np.log(self.scale)

    def sample(self, *, seed: int) -> Points:
        """One draw for each image, (N, d)."""
        if self.scale is None:
            return self.mean.copy()
        epsilon = np.random.default_rng(seed).standard_normal(self.mean.shape, np.float32)
        points: Points = self.mean + self.scale * epsilon
        return points


class Codec(Told):
    """A trained model with the way its images are prepared: from images to latent points, and back.

    Attributes:
        model: what computes, in evaluation.
        recipe: what it was trained with.
        shape: (H, W, C) of its images.
        about: seed, data (and how its pictures became pixels), figures: plain JSON values.
    """

    def __init__(
        self, model: Generative, recipe: Recipe, shape: tuple[int, int, int], *, about: Mapping[str, Any] | None = None
    ) -> None:
        self.model = model.eval()
        self.recipe = recipe
        self.shape = shape
        self.about: dict[str, Any] = dict(about or {})
        self._said = set()

    # -- what it is ------------------------------------------------------------------------------------

    @property
    def latent_dim(self) -> int:
        """d, the number of latents."""
        return self.model.latent_dim

    @property
    def device(self) -> torch.device:
        """Where the model computes."""
        return next(self.model.parameters()).device

    @property
    def parameters(self) -> int:
        """The number of trained numbers."""
        return sum(p.numel() for p in self.model.parameters())

    @property
    def resize(self) -> Resize:
        """How pictures of another form are brought to its size: as its own set was."""
        found = self.about.get("data", {}).get("resize")
        return found if found in RESIZES else "pad"

    @property
    def interpretation(self) -> Interpretation:
        """How the samples of pictures become pixels: as those of its own set did."""
        found = self.about.get("data", {}).get("interpretation")
        return AS_BEFORE if found is None else Interpretation.from_json(found)

    @property
    def has_prior(self) -> bool:
        """Whether it was trained towards N(0, I); an autoencoder was not, nor is another prior that."""
        return self.model.normal_prior

    @property
    def samples_prior(self) -> bool:
        """Whether samples are drawn from the prior itself."""
        return self.model.has_bound and self.recipe.sampler.from_prior

    def to(self, device: str) -> Self:
        """Move the model to ``device``, as :func:`morphospace.load` takes it; returns itself.

        Raises:
            ArgumentError: for a device that is not here.
        """
        self.model.to(choose_device(device))
        return self

    def text(self, **more: object) -> dict[str, str]:
        """What every picture of this space carries: where it is from."""
        data, seed = self.about.get("data", {}).get("name", ""), self.about.get("seed", 0)
        facts = {"software": "morphospace", "recipe": self.recipe.name, "data": data, "seed": seed}
        return {key: str(value) for key, value in (facts | more).items()}

    # -- images to points and back ---------------------------------------------------------------------

    def prepare(self, images: object) -> Images:
        """Images as this space takes them: arrays must have its size, pictures and files are brought to it.

        Arrays of the kind that the space was trained on, of more bits, of floats, or of marks like 0 and 1, become
        pixels as those did; all others must be pixels.

        Raises:
            DataError: for arrays of another size, NaN, or values outside 0..255.
        """
        if isinstance(images, (str, Path, Image.Image)):
            if isinstance(images, (str, Path)):
                picture = read_image(images, self.interpretation, near=max(self.shape[:2]))
            else:
                picture = from_pil(images, self.interpretation)
            return fit_image(picture, self.shape, self.resize)[None]
        if isinstance(images, Sequence) and images and isinstance(images[0], (str, Path, Image.Image, np.ndarray)):
            return np.concatenate([self.prepare(image) for image in images])
        if isinstance(images, np.ndarray) and images.shape == self.shape and images.ndim == 3:
            images = images[None]
        array = as_images(as_levels(images, self.interpretation))
        if array.shape[1:] != self.shape:
            raise DataError(
                f"this space takes images of shape {self.shape} (height, width, channels), "
                f"got {array.shape[1:]}. Resize them, or pass PIL images or paths, which are fitted.",
                argument="images",
            )
        return array

    def labels_for(
        self, images: object, labels: NDArray[np.integer[Any]] | None = None, names: Sequence[str] = ()
    ) -> NDArray[np.int64] | None:
        """As which labels images are read, (N,): that of :meth:`given`, their own, or the likeliest of each.

        Args:
            images: see :meth:`prepare`.
            labels: (N,) the labels that their set knows them by.
            names: what these are called there.

        Returns:
            None where the model is told none.
        """
        if self.model.condition is None:
            return None
        pixels: ImageArray = images if isinstance(images, StoredImages) else self.prepare(images)
        if self.held is not None:
            return self._labels(len(pixels), None)
        own = None if labels is None else known_labels(labels, names, self.label_names)
        if own is None:
            own = likeliest_labels(self.model, pixels, batch=batch_for(self.shape))
            self._say_guessed(own)
        return own

    @torch.inference_mode()
    def encode(self, images: object, labels: NDArray[np.integer[Any]] | None = None) -> Encoding:
        """The posterior of images, deterministic (law 3).

        Args:
            images: see :meth:`prepare`.
            labels: (N,) numbers of their labels, for a model that is told them; without, that of :meth:`given`, or for
                each image the one as which it is likeliest.
        """
        if isinstance(images, StoredImages):
            self.prepare(images[:1])  # says what does not fit, before more is read
        pixels: ImageArray = images if isinstance(images, StoredImages) else self.prepare(images)
        told = self.labels_for(pixels) if labels is None else self._labels(len(pixels), labels)
        means, scales, step = [], [], batch_for(self.shape)
        for start in range(0, len(pixels), step):
            x = to_input(torch.from_numpy(pixels[start : start + step]).to(self.device))
            code = self.model.encode(x, self._condition(told, slice(start, start + step)))
            means.append(code.mean.float().cpu().numpy())
            if code.scale is not None:
                scales.append(code.scale.float().cpu().numpy())
        return Encoding(np.concatenate(means), np.concatenate(scales) if scales else None, told)

    def decode(
        self,
        z: object,
        *,
        dtype: Literal["uint8", "float"] = "uint8",
        labels: NDArray[np.integer[Any]] | None = None,
    ) -> NDArray[Any]:
        """The images at latent points.

        Args:
            z: (N, d), or one point (d,).
            labels: (N,) numbers of labels, for a model that is told them; without, that of :meth:`given`, or the first.
            dtype: "uint8" for pixels, of products in bfloat16 where the hardware has them, which moves one pixel in
                twenty by one of 256 levels; "float" for float32 in [0, 1], before rounding and of exact products.

        Returns:
            (N, H, W, C).

        Raises:
            DataError: for another shape, NaN or infinity.
        """
        points = self.points(z)
        told = self._labels(len(points), labels)
        return np.concatenate([*self._decoded(points, batch_for(self.shape), dtype, told)])

    def decode_batches(
        self, points: Iterable[object], *, batch: int | None = None, dtype: Literal["uint8", "float"] = "uint8"
    ) -> Iterator[NDArray[Any]]:
        """Decode any number of latents in flat memory.

        Args:
            points: arrays (n, d), taken one after the other; a generator will do.
            batch: the most images decoded at once; what fits easily by default.
            dtype: as in :meth:`decode`.

        Yields:
            (n, H, W, C) with n <= batch, in order.
        """
        for some in points:
            array = self.points(some)
            yield from self._decoded(array, batch or batch_for(self.shape), dtype, self._labels(len(array), None))

    def _decoded(
        self, points: Points, batch: int, dtype: str, labels: NDArray[np.int64] | None
    ) -> Iterator[NDArray[Any]]:
        if dtype not in ("uint8", "float"):
            raise ArgumentError(f'expected "uint8" or "float", got "{dtype}".', argument="dtype")
        # What is rounded to 256 levels may be computed as coarsely as training computes it, in half the time.
        machine = choose_machine(device=self.device.type, precision="auto" if dtype == "uint8" else "fp32")
        for start in range(0, len(points), batch):
            some = slice(start, start + batch)
            with torch.inference_mode(), machine.autocast():
                values = self._images(torch.from_numpy(points[some]), self._condition(labels, some)).permute(0, 2, 3, 1)
                values = _pixels(values.float()) if dtype == "uint8" else values.float()
            yield np.ascontiguousarray(values.cpu().numpy())

    def pictures(self, z: torch.Tensor) -> torch.Tensor:
        """Latents (N, d) to pictures (N, C, H, W) in [0, 1], differentiable."""
        return self._images(z, self._condition(self._labels(len(z), None), slice(None)))

    def _images(self, z: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        return self.model.image(z.to(self.device), self._first(len(z)) if condition is None else condition)

    def points(self, z: Any) -> Points:
        """Latents as float32 (N, d), checked: (N, d), or one point (d,).

        Raises:
            DataError: for another shape, NaN or infinity.
        """
        try:
            array = np.asarray(z, np.float32)
        except (TypeError, ValueError) as error:
            raise DataError(
                f"expected numbers of shape (N, {self.latent_dim}), got {z!r:.80}.", argument="latents"
            ) from error
        if array.ndim == 1:
            array = array[None]
        if array.ndim != 2 or array.shape[1] != self.latent_dim or not len(array):
            raise DataError(
                f"this space has {self.latent_dim}, expected shape (N, {self.latent_dim}), got {np.shape(z)}.",
                argument="latents",
            )
        if not np.isfinite(array).all():
            raise DataError("expected finite numbers, got NaN or infinity.", argument="latents")
        return np.ascontiguousarray(array)

    def reconstruct(self, images: object) -> Images:
        """What the space makes of images: decoded posterior means, uint8 (N, H, W, C)."""
        encoding = self.encode(images)
        return self.decode(encoding.mean, labels=encoding.labels)


def _pixels(values: torch.Tensor) -> torch.Tensor:
    """What :func:`morphospace.images.to_pixels` does, on the device and in fewer passes."""
    if bool(torch.isnan(values).any()):
        raise DataError("cannot turn NaN into a pixel: the model or the latents are not finite.")
    return values.clamp(0, 1).mul_(255).add_(0.5).to(torch.uint8)  # which cuts off, as floor does
