"""The space: a trained model with its preprocessing, its concepts and its reference points."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from morphospace.builtin import space_path
from morphospace.bundle import FORMAT, Bundle, read_bundle, write_bundle
from morphospace.bundle_checks import about_of, check_about, check_bundle
from morphospace.card import model_card
from morphospace.data import ImageArray
from morphospace.data.attributes import Attributes
from morphospace.data.levels import as_levels
from morphospace.data.store import StoredImages
from morphospace.errors import ArgumentError, DataError, FileError
from morphospace.images import (
    RESIZES,
    Images,
    Resize,
    as_images,
    fit_image,
    from_pil,
    read_image,
    to_pixels,
)
from morphospace.interpretation import AS_BEFORE, Interpretation
from morphospace.latent.class_draws import LabelledCodes, draw_label
from morphospace.latent.classes import Classes, change_class, class_scores
from morphospace.latent.concepts import AGAINST_TEST_IMAGES, Concept, learn_concept, sides
from morphospace.latent.discovery import Discovery, discover
from morphospace.latent.geodesics import geodesic_through
from morphospace.latent.grids import Plane, plane_grid, plane_of
from morphospace.latent.mixtures import FEWEST_CODES, draw_from, fit_mixture, fit_population, typicality
from morphospace.latent.moves import Strength, move
from morphospace.latent.nearest import nearest
from morphospace.latent.paths import path_through
from morphospace.pictures import Film, Picture, enlarge, tile
from morphospace.recipes import Recipe, build_model
from morphospace.training.loop import to_input
from morphospace.training.machine import choose_device, choose_machine
from morphospace.vae import VAE

__all__ = ["Encoding", "Space", "batch_for", "load"]

Points = NDArray[np.float32]

_BATCH = 250  # larger ones outgrow the caches
_BATCH_PIXELS = 500 * 64 * 64
_FLAT_BORDER = 8.0  # grey levels
_BACK = 0.5  # strengths by which a second look may correct a concept that was to stay
_FARTHEST, _STRIDE = 4.0, 0.125  # strengths that are tried until a concept is reached


def batch_for(shape: Sequence[int]) -> int:
    """How many images of ``shape`` (N, H, W, C) or (H, W, C) to take at once: as many as fit easily.

    Example:
        >>> batch_for((1000, 28, 28, 1)), batch_for((256, 256, 3))
        (250, 31)
    """
    return max(1, min(_BATCH, _BATCH_PIXELS // (shape[-3] * shape[-2])))


def _pixels(values: torch.Tensor) -> torch.Tensor:
    """What :func:`morphospace.images.to_pixels` does, on the device and in fewer passes."""
    if bool(torch.isnan(values).any()):
        raise DataError("cannot turn NaN into a pixel: the model or the latents are not finite.")
    return values.clamp(0, 1).mul_(255).add_(0.5).to(torch.uint8)  # which cuts off, as floor does


class Encoding(NamedTuple):
    """The posterior of some images: ``mean`` (N, d), and ``log_var`` (N, d) or None for a point."""

    mean: Points
    log_var: Points | None

    def sample(self, *, seed: int) -> Points:
        """One draw for each image, (N, d)."""
        if self.log_var is None:
            return self.mean.copy()
        epsilon = np.random.default_rng(seed).standard_normal(self.mean.shape, np.float32)
        points: Points = self.mean + np.exp(0.5 * self.log_var) * epsilon
        return points


class Space:
    """A space of images: encode, decode, sample, draw its atlas, morph, edit, save.

    Made by :func:`morphospace.train` and :func:`morphospace.load`. Images are uint8 (N, H, W, C) arrays;
    PIL images and paths are accepted and brought to size. Everything is deterministic; what is drawn
    takes a seed.

    Attributes:
        recipe: what it was trained with.
        shape: (H, W, C) of its images.
        concepts: by name.
        classes: where the codes of each class lie, for edits from class to class; None until learned.
        reference: (N, d) codes of the test images, and ``reference_labels`` (N,) where there are any.
        reference_attributes: what the set's table says of each of them, (N,) by name: numbers, NaN where unknown, or
            words, "" where unknown.
        errors: (N,) how badly each of them is reconstructed, in nats; None in spaces of older versions.
        about: seed, data, figures: plain JSON values.
    """

    def __init__(
        self,
        model: VAE,
        recipe: Recipe,
        shape: tuple[int, int, int],
        *,
        concepts: Mapping[str, Concept] | None = None,
        classes: Classes | None = None,
        reference: Points | None = None,
        reference_labels: NDArray[np.int64] | None = None,
        reference_attributes: Attributes | None = None,
        errors: NDArray[np.float32] | None = None,
        about: Mapping[str, Any] | None = None,
    ) -> None:
        self.model = model.eval()
        self.recipe = recipe
        self.shape = shape
        self.concepts: dict[str, Concept] = dict(concepts or {})
        self.classes = classes
        self.reference = reference
        self.reference_labels = reference_labels
        self.reference_attributes: Attributes = dict(reference_attributes or {})
        self.errors = errors
        self.about: dict[str, Any] = dict(about or {})
        self._fits: dict[Callable[[Points], Any], tuple[Points, Any]] = {}

    # -- what it is ----------------------------------------------------------------------------------

    @property
    def latent_dim(self) -> int:
        """d, the number of latents."""
        return self.recipe.latent_dim

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
        """Whether it was trained towards N(0, I); an autoencoder was not."""
        return self.recipe.posterior == "gaussian"

    def to(self, device: str) -> Space:
        """Move the model to ``device``, as :func:`load` takes it; returns the space itself.

        Raises:
            ArgumentError: for a device that is not here.
        """
        self.model.to(choose_device(device))
        return self

    def __repr__(self) -> str:
        height, width, channels = self.shape
        data = self.about.get("data", {}).get("name", "?")
        concepts = f", concepts: {', '.join(self.concepts)}" if self.concepts else ""
        return (
            f"<Space of {data}: {height}x{width}x{channels} images, {self.latent_dim} latents, "
            f'recipe "{self.recipe.name}", {self.parameters:,} parameters{concepts}>'
        )

    def _repr_png_(self) -> bytes:
        return self.atlas()._repr_png_()

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
                f"images: this space takes images of shape {self.shape} (height, width, channels), "
                f"got {array.shape[1:]}. Resize them, or pass PIL images or paths, which are fitted."
            )
        return array

    @torch.inference_mode()
    def encode(self, images: object) -> Encoding:
        """The posterior of images, deterministic (law 3).

        Args:
            images: see :meth:`prepare`.
        """
        if isinstance(images, StoredImages):
            self.prepare(images[:1])  # says what does not fit, before more is read
        pixels: ImageArray = images if isinstance(images, StoredImages) else self.prepare(images)
        means, log_vars = [], []
        step = batch_for(self.shape)
        for start in range(0, len(pixels), step):
            q = self.model.infer(to_input(torch.from_numpy(pixels[start : start + step]).to(self.device)))
            means.append(q.mean.float().cpu().numpy())
            if hasattr(q, "log_var"):
                log_vars.append(q.log_var.float().cpu().numpy())
        return Encoding(np.concatenate(means), np.concatenate(log_vars) if log_vars else None)

    def decode(self, z: object, *, dtype: Literal["uint8", "float"] = "uint8") -> NDArray[Any]:
        """The images at latent points.

        Args:
            z: (N, d), or one point (d,).
            dtype: "uint8" for pixels, of products in bfloat16 where the hardware has them, which moves one pixel in
                twenty by one of 256 levels; "float" for float32 in [0, 1], before rounding and of exact products.

        Returns:
            (N, H, W, C).

        Raises:
            DataError: for another shape, NaN or infinity.
        """
        return np.concatenate(list(self.decode_batches([self._points(z)], dtype=dtype)))

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
        if dtype not in ("uint8", "float"):
            raise ArgumentError(f'dtype: expected "uint8" or "float", got "{dtype}".')
        batch = batch or batch_for(self.shape)
        # What is rounded to 256 levels may be computed as coarsely as training computes it, in half the time.
        machine = choose_machine(device=self.device.type, precision="auto" if dtype == "uint8" else "fp32")
        for some in points:
            array = self._points(some)
            for start in range(0, len(array), batch):
                with torch.inference_mode(), machine.autocast():
                    z = torch.from_numpy(array[start : start + batch]).to(self.device)
                    values = self.model.likelihood.mean(self.model.decode(z)).permute(0, 2, 3, 1).float()
                    if dtype == "uint8":
                        values = _pixels(values)
                yield np.ascontiguousarray(values.cpu().numpy())

    def _pictures(self, z: torch.Tensor) -> torch.Tensor:
        """Latents (N, d) to pictures (N, C, H, W) in [0, 1], differentiable."""
        return self.model.likelihood.mean(self.model.decode(z.to(self.device)))

    def _points(self, z: Any) -> Points:
        try:
            array = np.asarray(z, np.float32)
        except (TypeError, ValueError) as error:
            raise DataError(f"latents: expected numbers of shape (N, {self.latent_dim}), got {z!r:.80}.") from error
        if array.ndim == 1:
            array = array[None]
        if array.ndim != 2 or array.shape[1] != self.latent_dim or not len(array):
            raise DataError(
                f"latents: this space has {self.latent_dim}, expected shape (N, {self.latent_dim}), got {np.shape(z)}."
            )
        if not np.isfinite(array).all():
            raise DataError("latents: expected finite numbers, got NaN or infinity.")
        return np.ascontiguousarray(array)

    def reconstruct(self, images: object) -> Images:
        """What the space makes of images: decoded posterior means, uint8 (N, H, W, C)."""
        return self.decode(self.encode(images).mean)

    # -- points to look at -------------------------------------------------------------------------------

    def sample_points(self, n: int, *, seed: int, label: str | int | None = None) -> Points:
        """``n`` draws (n, d) from the prior, or from a mixture fitted to the test codes where the recipe says so.

        Where the likelihood is sharp, the prior weighs little, and codes leave most of it empty: what is drawn
        there is like no image of the set. Source: Ghosh et al., From variational to deterministic autoencoders,
        arXiv:1903.12436. With ``label``, draws are of its Gaussian: :func:`morphospace.latent.class_draws.gaussian_of`.
        """
        if n < 1:
            raise ArgumentError(f"-n: expected at least 1 image, got {n}.")
        rng = np.random.default_rng(seed)
        if label is not None:
            known = self.reference, self.reference_labels, self.about.get("data", {}).get("label_names", ())
            points = draw_label(str(label), n, rng, classes=self.classes, reference=LabelledCodes(*known))
        elif self.samples_prior or self.reference is None or len(self.reference) < 2:
            return rng.standard_normal((n, self.latent_dim)).astype(np.float32)
        else:
            points = draw_from(self._fitted(fit_mixture, self.reference), n, rng)
        return points.clip(0) if self.recipe.posterior == "relu" else points

    @property
    def samples_prior(self) -> bool:
        """Whether samples are drawn from the prior itself."""
        return self.has_prior and self.recipe.sampling == "prior"

    def typicality(self, z: object) -> NDArray[np.float64]:
        """The share of the test images' codes that are no more likely than ``z``.

        0: none lies so far out; 1: the most typical place. Below ``ATYPICAL`` (0.01) a place counts as outside the
        populated part: what is decoded there may be like no image of the set. The first call fits mixtures to the
        codes, a second or two; the next ones are quick. How honest it is says
        :func:`morphospace.latent.mixtures.typicality`.

        Args:
            z: (N, d), or one point (d,).

        Returns:
            (N,); NaN, which is below nothing, where the space keeps fewer than 4 reference points.

        Raises:
            DataError: for another shape, NaN or infinity.
        """
        points = self._points(z)
        if self.reference is None or len(self.reference) < FEWEST_CODES:
            return np.full(len(points), np.nan)
        return typicality(self._fitted(fit_population, self.reference), points)

    def _fitted(self, fit: Callable[[Points], Any], codes: Points) -> Any:
        """What ``fit`` makes of the reference points: found once, and again where there are others."""
        known = self._fits.get(fit)
        if known is None or known[0] is not codes:
            known = self._fits[fit] = codes, fit(codes)
        return known[1]

    def sample(self, n: int, *, seed: int = 0, label: str | int | None = None) -> Images:
        """``n`` new images, uint8 (n, H, W, C); with ``label`` (its name) images like those of it."""
        return self.decode(self.sample_points(n, seed=seed, label=label))

    def plane(self) -> Plane:
        """The plane that the atlas shows: the space itself in 2-D, else its two principal axes."""
        return plane_of(self.latent_dim, self.reference, prior=self.has_prior)

    def atlas(self, n: int = 15, *, side: int = 56) -> Picture:
        """The picture of the space's plane, decoded on an n x n grid of Gaussian quantiles.

        Args:
            n: pictures a side, >= 1; 15 in the book.
            side: enlarge each to about so many pixels.
        """
        images = self.decode(plane_grid(self.plane(), n))
        # Pictures that end in one colour flow into each other; others need a line between them.
        borders = np.concatenate([images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]], 1)
        gap = 0 if borders.std() < _FLAT_BORDER else max(1, side // 14)
        return Picture(tile(enlarge(images, side), n, gap=gap), self.text())

    def morph(self, a: object, b: object, *more: object, frames: int = 32, path: str = "lerp") -> Film:
        """The way from image ``a`` to image ``b`` (and on), decoded frame by frame.

        Args:
            a: the first image, see :meth:`prepare`.
            b: the next one.
            *more: those after it.
            frames: how many, at least one for each image.
            path: "lerp", a straight line; "slerp", a great circle; "gaussian", in equal shares of the prior's
                probability; or "geodesic", the way along which the picture changes least, in equal steps.

        Returns:
            frames and points; the first and last point are the codes of the first and last image (law 4).

        Raises:
            ArgumentError: for an unknown path, or fewer frames than images.
        """
        ends = [self.encode(self.prepare(image)[:1]).mean[0] for image in (a, b, *more)]
        if path == "geodesic":
            points = geodesic_through(ends, frames, self._pictures, batch=batch_for(self.shape))
        else:
            points = path_through(ends, frames, path)
        return Film(self.decode(points), points, self.text())

    def analogy_points(self, a: object, b: object, c: object) -> Points:
        """Where the answers of :meth:`analogy` lie, (N, d): :math:`z_C + (z_B - z_A)`."""
        first, second, third = (self.encode(image).mean for image in (a, b, c))
        if len({len(first), len(second), len(third)} - {1}) > 1:
            raise ArgumentError(f"analogy: got {len(first)}, {len(second)} and {len(third)} images, expected as many.")
        points: Points = third + (second - first)
        return points

    def analogy(self, a: object, b: object, c: object) -> Images:
        """A is to B as C is to what? The images at :math:`z_C + (z_B - z_A)`, uint8 (N, H, W, C).

        The answer is worth as much as its place: ask :meth:`typicality` of :meth:`analogy_points`. Two images differ
        in more than what is meant: with A and C of one digit and B of another, 77 % of the answers are atypical in
        a space of MNIST with 16 latents, and 7 % where the digits' mean codes stand for A and B.
        Source: Mikolov, Yih and Zweig, Linguistic regularities in continuous space word representations, 2013; of
        images, White, Sampling generative networks, arXiv:1609.04468.

        Args:
            a: what is to be changed, see :meth:`prepare`; one image, or one for each answer.
            b: what it becomes.
            c: what is to be changed in the same way.

        Raises:
            ArgumentError: for different numbers of images.
        """
        return self.decode(self.analogy_points(a, b, c))

    def neighbors(self, image: object, images: object, n: int = 12) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Which of ``images`` lie nearest to ``image``: their places (n,) and distances (n,), nearest first.

        Args:
            image: see :meth:`prepare`; the first, if it is several.
            images: among which to look; all are encoded.
            n: how many, >= 1.
        """
        if n < 1:
            raise ArgumentError(f"n: expected at least 1 neighbour, got {n}.")
        return nearest(self.encode(self.prepare(image)[:1]).mean[0], self.encode(images).mean, n)

    # -- concepts ------------------------------------------------------------------------------------------

    def learn_concept(
        self,
        name: str,
        *,
        positive: object = None,
        negative: object = None,
        images: object = None,
        values: NDArray[np.bool_] | NDArray[np.float64] | None = None,
        strata: NDArray[np.int64] | None = None,
        method: str | None = None,
        held_out: tuple[Any, Any] | None = None,
        source: str = "images in memory",
        origin: Mapping[str, str] | None = None,
        seed: int | None = None,
    ) -> Concept:
        """Learn a direction and keep it under ``name``; see :func:`morphospace.latent.learn_concept`.

        From images that show it and images that do not, or from images with a value for each.

        Args:
            name: what to call it.
            positive: images that show it.
            negative: images that do not; if left out, the space's own test images: no evidence is held out then.
            images: all images, where ``values`` are given.
            values: (N,) whether each of ``images`` shows it, or how much.
            strata: (N,) groups of ``images`` within which to compare.
            method: "mean-difference", "local", "ridge", "lda", "logistic" or "auto"; None is "local" for numbers
                and "mean-difference" for yes and no.
            held_out: others, for the evidence: (positive, negative) or (images, values), as above.
            source: where the images are from, in words.
            origin: what it is the concept of, see :class:`morphospace.latent.Concept`.
            seed: of what is drawn for the evidence; that of the space if left out.

        Raises:
            ArgumentError: for both or neither of the two forms, or a space without reference points.
            DataError: for images from which it cannot be learned.
        """
        judged: tuple[Points, Any] | None = None
        if (positive is None) == (values is None) or (values is None) != (images is None):
            raise ArgumentError("learn_concept: expected positive=, or images= with values=; got both or neither.")
        if values is not None:
            codes, known = self.encode(images).mean, values
            judged = None if held_out is None else (self.encode(held_out[0]).mean, np.asarray(held_out[1]))
        else:
            away = self.reference if negative is None else self.encode(negative).mean
            if away is None:
                raise ArgumentError("negative: this space keeps no reference points; give images that lack it.")
            codes, known = sides(self.encode(positive).mean, away)
            if negative is None:  # the judges may be among them
                source, held_out = f"{source} {AGAINST_TEST_IMAGES}", None
            if held_out is not None:
                judged = sides(*(self.encode(side).mean for side in held_out))
        concept = learn_concept(
            name, codes, known, strata=strata, method=method, held_out=judged, source=source,
            seed=int(self.about.get("seed", 0)) if seed is None else seed, origin=origin,
        )  # fmt: skip
        self.concepts[name] = concept
        return concept

    def discover(self, k: int = 8) -> list[Discovery]:
        """The ``k`` directions that change pictures most, found without labels: :func:`morphospace.latent.discover`.

        One that is worth a name becomes a concept: ``space.concepts["smile"] = found[2].concept.named("smile")``.

        Raises:
            ArgumentError: for k < 1, or a space that keeps no reference points.
        """
        if self.reference is None or len(self.reference) < 2:
            raise ArgumentError("SPACE: it keeps no reference points, along which directions could be found.")
        return discover(self._pictures, self.reference, k)

    def fingerprint(self) -> str:
        """SHA-256 of the weights: two spaces with one fingerprint are the same.

        Weights that were saved as 16-bit floats have that of the weights they were rounded from: directions mean in
        them what they meant.
        """
        own = _digest(self.model.state_dict())
        return str(self.about.get("fingerprints", {}).get(own, own))

    def change_class(
        self,
        z: Points,
        target: str,
        *,
        source: str | None = None,
        strength: float = 1.0,
        chance: float | None = None,
    ) -> Points:
        """Latents (N, d) moved to the class ``target``; see :func:`morphospace.latent.change_class`.

        Args:
            z: latents.
            target: the class to reach.
            source: the class that all are of; None finds it for each, and leaves those that are of ``target``.
            strength: the share of the way; 1 is the whole.
            chance: stop as soon as the target class has it, 0 < chance < 1.

        Raises:
            ArgumentError: for an unknown class, or a space whose classes have not been learned.
        """
        if self.classes is None:
            raise ArgumentError(
                "--to: this space does not know any classes. Learn them: morpho concept classes SPACE --data DATA"
            )
        if not np.isfinite(strength):  # before images that are of the class already are left alone
            raise ArgumentError(f"--strength: expected a finite number, got {strength}.")
        if source is not None:
            return change_class(self.classes, z, source, target, strength=strength, chance=chance)
        self.classes.number(target)
        moved = z.copy()
        sources = class_scores(self.classes, z).argmax(1)
        for number in np.unique(sources):
            if (name := self.classes.names[number]) != target:
                own = sources == number
                moved[own] = change_class(self.classes, z[own], name, target, strength=strength, chance=chance)
        return moved

    def move(
        self,
        z: object,
        strengths: Mapping[str, Strength] | None = None,
        *,
        keep: Sequence[str] = (),
        until: Mapping[str, float] | None = None,
        target: str | None = None,
        source: str | None = None,
        strength: float = 1.0,
        chance: float | None = None,
    ) -> Points:
        """Latents (N, d) moved to another class, along concepts, or both; the arguments are those of :meth:`edit`.

        A move along fields is looked at once: what the decoded picture, encoded again, is short of is added.
        """
        start = points = self._points(z)
        if target is not None:
            points = self.change_class(points, target, source=source, strength=strength, chance=chance)
        # Refuses what is wrong by name, before anything is read by it.
        asked = dict.fromkeys((*(strengths or {}), *(until or {})), 0.0)
        move(points[:1], self.concepts, asked, keep)
        held: dict[str, Strength] = dict.fromkeys(keep, 0.0)
        if target is not None:  # what the change of class has done to it is undone
            for name in held:
                concept = self.concepts[name]
                held[name] = concept.at(start.astype(np.float64))[2] - concept.at(points.astype(np.float64))[2]
        wanted = dict(strengths or {})
        for name, value in (until or {}).items():
            if name in wanted:
                raise ArgumentError(f'--until: "{name}" has a strength already; give one of the two.')
            wanted[name] = self._strength_until(points, wanted, name, value, held)
        return self._moved(points, wanted, held)

    def _moved(self, z: Points, strengths: Mapping[str, Strength], held: Mapping[str, Strength]) -> Points:
        """Latents moved along concepts, others held (or brought back by so much); along fields with a second look."""
        moved = move(z, self.concepts, strengths, held)
        fields = [name for name, strength in strengths.items() if self.concepts[name].follows and np.any(strength)]
        if not fields:
            return moved
        seen = self.encode(self.decode(moved)).mean

        def missing(name: str, asked: Strength) -> Strength:
            concept = self.concepts[name]
            got = (concept.read(seen) - concept.read(z)) / concept.distance
            return np.clip(asked - got, -np.maximum(np.abs(asked), _BACK), np.maximum(np.abs(asked), _BACK))

        more = {name: missing(name, strengths[name]) for name in fields}
        if not held:
            return move(moved, self.concepts, more)
        # What is held is brought back as far as it went astray; what has arrived is held from now on, too.
        back = {name: missing(name, asked) if self.concepts[name].follows else 0.0 for name, asked in held.items()}
        arrived = {name: 0.0 for name in strengths if name not in more}
        return move(moved, self.concepts, more, back | arrived)

    def _strength_until(
        self, z: Points, fixed: Mapping[str, Strength], name: str, target: float, held: Mapping[str, Strength]
    ) -> NDArray[np.float64]:
        """The least strengths (N,) at which what is decoded, and encoded again, reads ``target``; else the nearest.

        The strengths ``fixed`` of other concepts go along.
        """
        concept = self.concepts[name]
        if concept.field is None:
            raise ArgumentError(f"--until {name}: it cannot be read; learn it again, from examples.")
        if not np.isfinite(target) or not (concept.of_number or 0 < target < 1):
            expected = "a finite value" if concept.of_number else "a chance between 0 % and 100 %, like 90%"
            raise ArgumentError(f"--until {name}: expected {expected}, got {target:g}.")

        def read(strengths: NDArray[np.float64]) -> NDArray[np.float64]:
            return concept.read(self.encode(self.decode(self._moved(z, {**fixed, name: strengths}, held))).mean)

        before = read(np.zeros(len(z)))
        sign = np.where(before <= target, 1.0, -1.0)
        found, missed = np.zeros(len(z)), np.abs(before - target)
        going = missed > 0
        for k in range(1, round(_FARTHEST / _STRIDE) + 1):
            if not going.any():
                break
            reading = read(sign * k * _STRIDE)
            nearer = going & (np.abs(reading - target) < missed)
            found[nearer], missed[nearer] = (sign * k * _STRIDE)[nearer], np.abs(reading - target)[nearer]
            crossed = going & (sign * (reading - target) >= 0)
            share = (target - before) / np.where(reading == before, 1.0, reading - before)
            found[crossed] = (sign * (k - 1 + share.clip(0, 1)) * _STRIDE)[crossed]
            going &= ~crossed
            before = reading
        return found

    def edit(
        self,
        images: object,
        strengths: Mapping[str, Strength] | None = None,
        *,
        keep: Sequence[str] = (),
        until: Mapping[str, float] | None = None,
        target: str | None = None,
        source: str | None = None,
        strength: float = 1.0,
        chance: float | None = None,
        keep_detail: bool = False,
    ) -> Images:
        """Move images to another class, along concepts, or both, and decode, uint8 (N, H, W, C).

        Args:
            images: see :meth:`prepare`.
            strengths: concept -> strength; 1.0 moves the average negative to the average positive.
            keep: concepts that are to stay as they are while others, or the class, change.
            until: concept -> how far, instead of a strength: of a number the value to reach, of yes and no the chance,
                as the decoded picture is read when it is encoded again; up to strength 4.
            target: the class they are to be of.
            source: the class they are of; found for each image if left out.
            strength: how far towards ``target``: 1.0 is the whole way.
            chance: stop as soon as ``target`` has it, 0 < chance < 1.
            keep_detail: add what the edit changes to the original picture instead of replacing it:
                the cure for blur.

        Raises:
            ArgumentError: for an unknown concept or class, a strength that is not finite, a chance outside 0..1, or
                concepts too much alike to keep one while another moves.
        """
        pixels = self.prepare(images)
        z = self.encode(pixels).mean
        moved = self.move(
            z, strengths, keep=keep, until=until, target=target, source=source, strength=strength, chance=chance
        )
        return self.change(pixels, z, moved) if keep_detail else self.decode(moved)

    def change(self, images: Images, z: Points, moved: Points) -> Images:
        """``images`` (N, H, W, C) of codes ``z`` (N, d), changed as what is decoded changes from z to ``moved``."""
        change = self.decode(moved, dtype="float") - self.decode(z, dtype="float")
        return to_pixels(images / 255.0 + change)

    # -- disk ----------------------------------------------------------------------------------------------

    def text(self, **more: object) -> dict[str, str]:
        """What every picture of this space carries: where it is from."""
        data, seed = self.about.get("data", {}).get("name", ""), self.about.get("seed", 0)
        facts = {"software": "morphospace", "recipe": self.recipe.name, "data": data, "seed": seed}
        return {key: str(value) for key, value in (facts | more).items()}

    def save(self, path: str | Path, *, force: bool = False, half: bool = False) -> Path:
        """Write the bundle folder ``path``.

        Args:
            path: the folder.
            force: replace what is there.
            half: write weights as 16-bit floats, half as large; pictures may then differ by one grey level.

        Raises:
            DataError: if ``about`` holds what no other program could read, like a seed that is no whole number.
            FileError: if it exists and ``force`` is not set, or cannot be written.
        """
        path = Path(path)
        if path.exists() and not force:
            raise FileError(f"{path} exists. Choose another name, or pass force=True to replace it.")
        try:
            check_about(self.about)
        except ValueError as error:
            raise DataError(f"about: {error}.") from error
        height, width, channels = self.shape
        preprocessing = {
            "height": height,
            "width": width,
            "channels": channels,
            "pixels": "uint8 / 255",
            "other_sizes": self.resize,
            "interpretation": self.interpretation.to_json(),
        }
        reference: dict[str, NDArray[Any]] = {} if self.reference is None else {"codes": self.reference}
        if self.reference_labels is not None:
            reference["labels"] = self.reference_labels
        if self.errors is not None:
            reference["errors"] = self.errors
        weights = {name: value.cpu() for name, value in self.model.state_dict().items()}
        if half:
            weights = {k: value.half() if value.is_floating_point() else value for k, value in weights.items()}
        config, attributes = self._config(), {} if self.reference is None else self.reference_attributes
        if half:
            rounded = {k: value.float() if value.is_floating_point() else value for k, value in weights.items()}
            config["fingerprints"] = {_digest(rounded): self.fingerprint()}
        bundle = Bundle(config, preprocessing, weights, self.concepts, reference, self.classes, attributes)
        write_bundle(path, bundle, self.card())
        return path

    def card(self) -> str:
        """The model card, in Markdown."""
        return model_card(
            self._config(), labels=self.reference_labels is not None, attributes=list(self.reference_attributes),
            errors=self.errors is not None,
        )  # fmt: skip

    def _config(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "recipe": self.recipe.to_json(),
            "shape": list(self.shape),
            "parameters": self.parameters,
            **self.about,
        }


def _digest(weights: Mapping[str, torch.Tensor]) -> str:
    whole = hashlib.sha256()
    for name, values in sorted(weights.items()):
        whole.update(name.encode())
        whole.update(np.ascontiguousarray(values.cpu().numpy()).tobytes())
    return whole.hexdigest()


def load(path: str | Path, *, device: str = "cpu") -> Space:
    """Load a space from a run folder or a bundle folder; "builtin" is the one that comes with the package.

    Args:
        path: the folder.
        device: "cpu", "cuda", "cuda:1", "mps", or "auto" for the fastest kind that is here.

    Raises:
        ArgumentError: for a device that is not here.
        FileError: if it is missing, foreign or damaged; it names the file.

    Example:
        >>> load("builtin").latent_dim
        2
    """
    chosen = choose_device(device)
    path = space_path(path)
    if (path / "space" / "config.json").is_file():
        path = path / "space"
    elif (path / "recipe.json").is_file():
        raise FileError(f"SPACE: the run {path} has not finished. Finish it: morpho resume {path}")
    bundle = read_bundle(path)
    recipe, shape, reference = check_bundle(bundle, path)
    model = build_model(recipe, shape, seed=0)
    model.load_state_dict(bundle.weights)
    space = Space(
        model,
        recipe,
        shape,
        concepts=bundle.concepts,
        classes=bundle.classes,
        reference=reference.codes,
        reference_labels=reference.labels,
        reference_attributes=bundle.attributes,
        errors=reference.errors,
        about=about_of(bundle.config),
    )
    return space.to(chosen)
