"""The space: a codec with its data, which are its concepts, its classes and its reference points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from morphospace import editing, sampling, saving, views
from morphospace.bundle_checks import Reference
from morphospace.codec import Points
from morphospace.data.attributes import Attributes
from morphospace.data.dataset import Labels
from morphospace.errors import ArgumentError
from morphospace.examples import encode_examples
from morphospace.images import Images
from morphospace.latent import Classes, Concept, Discovery, Plane, Strength, discover, learn_concept, plane_of
from morphospace.latent.class_draws import LabelledCodes, draw_label
from morphospace.parts import GivenParts, foreign_parts
from morphospace.pictures import Film, Picture
from morphospace.recipes import Recipe
from morphospace.samplers.interfaces import Sampler
from morphospace.vae import Generative

__all__ = ["Space", "load"]


class Space(editing.Movable):
    """A space of images: encode, decode, sample, draw its atlas, morph, edit, save.

    Made by :func:`morphospace.train` and :func:`morphospace.load`. Images are uint8 (N, H, W, C) arrays; PIL images and
    paths are accepted and brought to size. Everything is deterministic; what is drawn takes a seed.

    Attributes:
        recipe: what it was trained with.
        shape: (H, W, C) of its images.
        concepts: by name.
        classes: where the codes of each class lie, for edits from class to class; None until learned.
        reference: (N, d) codes of the test images, and ``reference_labels`` (N,) where there are any.
        reference_attributes: what the set's table says of each of them, (N,) by name: numbers, NaN where unknown, or
            words, "" where unknown.
        errors: (N,) how badly each of them is reconstructed, in nats; None in spaces of older versions.
        sampler: what samples are drawn of, fitted to codes of training images; None for the prior, and in version 0.1.
        about: seed, data, figures: plain JSON values.
    """

    def __init__(
        self,
        model: Generative,
        recipe: Recipe,
        shape: tuple[int, int, int],
        *,
        concepts: Mapping[str, Concept] | None = None,
        classes: Classes | None = None,
        reference: Points | None = None,
        reference_labels: Labels | None = None,
        reference_attributes: Attributes | None = None,
        errors: NDArray[np.float32] | None = None,
        sampler: Sampler | None = None,
        about: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(model, recipe, shape, about=about)
        self.concepts: dict[str, Concept] = dict(concepts or {})
        self.classes = classes
        self.reference = reference
        self.reference_labels = reference_labels
        self.reference_attributes: Attributes = dict(reference_attributes or {})
        self.errors = errors
        self.sampler = sampler
        self._fits = sampling.Fits()

    def __repr__(self) -> str:
        height, width, channels = self.shape
        concepts = f", concepts: {', '.join(self.concepts)}" if self.concepts else ""
        return (
            f"<Space of {self.about.get('data', {}).get('name', '?')}: {height}x{width}x{channels} images, "
            f'{self.latent_dim} latents, recipe "{self.recipe.name}", {self.parameters:,} parameters{concepts}>'
        )

    def _repr_png_(self) -> bytes:
        return self.atlas()._repr_png_()

    # -- sampling and typicality -----------------------------------------------------------------------

    def sample_points(self, n: int, *, seed: int, label: str | int | None = None) -> Points:
        """``n`` draws (n, d) of the prior, or of what was fitted to codes of training images: see :meth:`refit`.

        With ``label``, draws are of its Gaussian: :func:`morphospace.latent.class_draws.gaussian_of`; a space that is
        told labels draws the codes of all alike.
        """
        if n < 1:
            raise ArgumentError(f"expected at least 1 image, got {n}.", argument="n")
        rng = np.random.default_rng(seed)
        if label is not None and self.model.condition is None:
            known = self.reference, self.reference_labels, self.about.get("data", {}).get("label_names", ())
            points = draw_label(str(label), n, rng, classes=self.classes, reference=LabelledCodes(*known))
        else:
            points = sampling.draw_points(self, n, rng, self.sampler, self.reference, self._fits)
        return points.clip(0) if self.model.nonnegative else points

    def refit(
        self, sampler: object, images: object = None, labels: Labels | None = None, *, seed: int | None = None
    ) -> None:
        """Draw samples from elsewhere from now on: fit a sampler to the codes of training images.

        Args:
            sampler: "prior", "gaussian", "mixture" or "flow", or a part like ``MixtureConfig(components=30)``.
            images: to fit it to, those that the space was trained on; see :meth:`prepare`. The prior needs none.
            labels: (N,) of them, or None: a flow keeps those of different labels apart.
            seed: of the fit; that of the space if left out.

        Raises:
            MorphospaceError: for an unknown sampler, one that the space cannot have, or images that do not fit it.
        """
        seed = int(self.about.get("seed", 0)) if seed is None else seed
        self.recipe, self.sampler = sampling.refit(self, sampler, images, labels, seed=seed)

    def typicality(self, z: object) -> NDArray[np.float64]:
        """The share of the test images' codes that are no more likely than ``z``.

        0: none lies so far out; 1: the most typical place. Below ``ATYPICAL`` (0.01) a place counts as outside the
        populated part: what is decoded there may be like no image of the set. The first call fits mixtures to the
        codes, in a second or two. How honest it is says :func:`morphospace.latent.mixtures.typicality`.

        Args:
            z: (N, d), or one point (d,).

        Returns:
            (N,); NaN, which is below nothing, where the space keeps fewer than 4 reference points.

        Raises:
            DataError: for another shape, NaN or infinity.
        """
        return sampling.typical_shares(self, z, self.reference, self._fits)

    def sample(self, n: int, *, seed: int = 0, label: str | int | None = None) -> Images:
        """``n`` new images, uint8 (n, H, W, C); with ``label`` (its name) images like those of it.

        One that is told labels draws each in turn, or that of :meth:`given`, which is the same as ``label``.
        """
        return self.drawn_as(n, label).decode(self.sample_points(n, seed=seed, label=label))

    # -- what is looked at -----------------------------------------------------------------------------

    def plane(self) -> Plane:
        """The plane that the atlas shows: the space itself in 2-D, else its two principal axes."""
        return plane_of(self.latent_dim, self.reference, prior=self.has_prior)

    def atlas(self, n: int = 15, *, side: int = 56) -> Picture:
        """The picture of the space's plane, decoded on an n x n grid of Gaussian quantiles.

        Args:
            n: pictures a side, >= 1; 15 in the book.
            side: enlarge each to about so many pixels.
        """
        return views.atlas(self, self.plane(), n, side=side)

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
        return views.morph(self, (a, b, *more), frames=frames, path=path)

    def analogy_points(self, a: object, b: object, c: object) -> Points:
        """Where the answers of :meth:`analogy` lie, (N, d): :math:`z_C + (z_B - z_A)`."""
        return views.analogy(self, a, b, c).points

    def analogy(self, a: object, b: object, c: object) -> Images:
        """A is to B as C is to what? The images at :math:`z_C + (z_B - z_A)`, uint8 (N, H, W, C).

        The answer is worth as much as its place: ask :meth:`typicality` of :meth:`analogy_points`. Two images differ
        in more than what is meant: with A and C of one digit and B of another, 77 % of the answers are atypical in
        a space of MNIST with 16 latents, and 7 % where the digits' mean codes stand for A and B.

        Args:
            a: what is to be changed, see :meth:`prepare`; one image, or one for each answer.
            b: what it becomes.
            c: what is to be changed in the same way; it keeps its label, if a space is told any, unless that is A's.

        Raises:
            ArgumentError: for different numbers of images.
        """
        points, labels = views.analogy(self, a, b, c)
        return self.decode(points, labels=labels)

    def neighbors(self, image: object, images: object, n: int = 12) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Which of ``images`` lie nearest to ``image``: their places (n,) and distances (n,), nearest first.

        Args:
            image: see :meth:`prepare`; the first, if it is several.
            images: among which to look; all are encoded.
            n: how many, >= 1.
        """
        return views.neighbors(self, image, images, n)

    # -- concepts and editing --------------------------------------------------------------------------

    def learn_concept(
        self,
        name: str,
        *,
        positive: object = None,
        negative: object = None,
        images: object = None,
        values: NDArray[np.bool_] | NDArray[np.float64] | None = None,
        labels: Labels | None = None,
        strata: Labels | None = None,
        method: str | None = None,
        held_out: tuple[Any, ...] | None = None,
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
            labels: (N,) as which to read ``images``, for a space that is told labels; see :meth:`labels_for`.
            strata: (N,) groups of ``images`` within which to compare.
            method: "mean-difference", "local", "ridge", "lda", "logistic" or "auto"; None is "local" for numbers
                and "mean-difference" for yes and no.
            held_out: others, for the evidence: (positive, negative) or (images, values, labels), as above.
            source: where the images are from, in words.
            origin: what it is the concept of, see :class:`morphospace.latent.Concept`.
            seed: of what is drawn for the evidence; that of the space if left out.

        Raises:
            ArgumentError: for both or neither of the two forms, or a space without reference points.
            DataError: for images from which it cannot be learned.
        """
        examples = encode_examples(
            self, self.reference, positive=positive, negative=negative, images=images, values=values, labels=labels,
            held_out=held_out, source=source,
        )  # fmt: skip
        self.concepts[name] = learn_concept(
            name, examples.codes, examples.values, strata=strata, method=method, held_out=examples.held_out,
            source=examples.source, seed=int(self.about.get("seed", 0)) if seed is None else seed, origin=origin,
        )  # fmt: skip
        return self.concepts[name]

    def discover(self, k: int = 8) -> list[Discovery]:
        """The ``k`` directions that change pictures most, found without labels: :func:`morphospace.latent.discover`.

        One that is worth a name becomes a concept: ``space.concepts["smile"] = found[2].concept.named("smile")``.

        Raises:
            ArgumentError: for k < 1, or a space that keeps no reference points.
        """
        if self.reference is None or len(self.reference) < 2:
            raise ArgumentError(
                "it keeps no reference points, along which directions could be found.", argument="space"
            )
        return discover(self.pictures, self.reference, k)

    def change_class(
        self, z: Points, target: str, *, source: str | None = None, strength: float = 1.0, chance: float | None = None
    ) -> Points:
        """Latents (N, d) moved to the class ``target``; see :func:`morphospace.latent.change_class`.

        The arguments are those of :meth:`edit`; without ``source``, latents that are of ``target`` already stay.

        Raises:
            ArgumentError: for an unknown class, or a space whose classes have not been learned.
        """
        return editing.move_to_class(self, z, target, source=source, strength=strength, chance=chance)

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
        start = points = self.points(z)
        if target is not None:
            points = self.change_class(points, target, source=source, strength=strength, chance=chance)
        return editing.move_along(self, self.concepts, points, strengths or {}, keep=keep, until=until, start=start)

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
            keep_detail: add what the edit changes to the original picture instead of replacing it: the cure for blur.

        Raises:
            ArgumentError: for an unknown concept or class, a strength that is not finite, a chance outside 0..1, or
                concepts too much alike to keep one while another moves.
        """
        return editing.edited(
            self, images, keep_detail=keep_detail, strengths=strengths, keep=keep, until=until, target=target,
            source=source, strength=strength, chance=chance,
        ).images  # fmt: skip

    # -- disk ------------------------------------------------------------------------------------------

    def fingerprint(self) -> str:
        """SHA-256 of the weights: two spaces with one fingerprint are the same.

        Weights saved as 16-bit floats, or polished, have that of those before: directions mean the same in them.
        """
        return saving.fingerprint(self)

    def card(self) -> str:
        """The model card, in Markdown."""
        return saving.card(self, self._known(), self.reference_attributes)

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
        data = self.concepts, self.classes, self._known(), self.reference_attributes, self.sampler
        return saving.save(self, Path(path), *data, force=force, half=half)

    def _known(self) -> Reference:
        return Reference(self.reference, self.reference_labels, self.errors)


def load(path: str | Path, *, device: str = "cpu", parts: GivenParts = ()) -> Space:
    """Load a space from a run folder or a bundle folder; "builtin" is the one that comes with the package.

    Args:
        path: the folder.
        device: "cpu", "cuda", "cuda:1", "mps", or "auto" for the fastest kind that is here.
        parts: of other packages that it was made of: their classes, or objects made as for training (two of one class
            by their places, ``{"encoder": one, "decoder": other}``). What a bundle names is never imported by itself.

    Raises:
        ArgumentError: for a device that is not here.
        FileError: if it is missing, foreign or damaged; it names the file.

    Example:
        >>> load("builtin").latent_dim
        2
    """
    codec, bundle, reference, sampler = saving.load(path, device, foreign_parts(parts))
    return Space(
        codec.model, codec.recipe, codec.shape, concepts=bundle.concepts, classes=bundle.classes,
        reference=reference.codes, reference_labels=reference.labels, reference_attributes=bundle.attributes,
        errors=reference.errors, sampler=sampler, about=codec.about,
    )  # fmt: skip
