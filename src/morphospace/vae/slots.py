"""The places of a model's parts in a recipe, and what may be asked of what stands there."""

from __future__ import annotations

from typing import ClassVar, Self

from morphospace.errors import ArgumentError
from morphospace.parts import Part, Shape, fields_of, kinds_of
from morphospace.vae.interfaces import Book, Draws, Generative, Model, Objective
from morphospace.vae.likelihoods.interfaces import Likelihood
from morphospace.vae.posteriors.interfaces import Posterior
from morphospace.vae.priors.interfaces import Prior

__all__ = ["LikelihoodConfig", "ModelConfig", "ObjectiveConfig", "PosteriorConfig", "PriorConfig"]


class PosteriorConfig(Part, slot="posterior"):
    """From features (B, features) to q(z | x)."""

    draws: ClassVar[Draws]

    @property
    def latent_dim(self) -> int:
        """d, the number of latents."""
        raise NotImplementedError

    @property
    def book(self) -> Book | None:
        """What codes are drawn from; None where none are."""
        return None

    def build(self, features: int) -> Posterior:
        """The posterior over what an encoder with so many ``features`` gives."""
        raise NotImplementedError


class PriorConfig(Part, slot="prior"):
    """p(z), what latents are expected to be before any image is seen.

    Attributes:
        of_codes: whether it is one of codes of a book, instead of latents.
        of_posteriors: whether it is made of what the encoder says of images that nobody has labelled.
    """

    of_codes: ClassVar[bool] = False
    of_posteriors: ClassVar[bool] = False

    def build(self, latent_dim: int, shape: Shape) -> Prior:
        """The prior over ``latent_dim`` latents of images of ``shape``."""
        raise NotImplementedError

    def build_over(self, book: Book, shape: Shape) -> Prior:
        """The prior over codes of a book, of one that is ``of_codes``."""
        raise NotImplementedError

    def check(self, posterior: PosteriorConfig) -> None:
        """Refuse a posterior that this prior cannot be one of.

        Raises:
            ArgumentError: with what would do.
        """
        codes = posterior.book is not None
        if self.of_codes != codes:
            kinds = kinds_of("prior").items()
            fitting = [kind for kind, part in kinds if issubclass(part, PriorConfig) and part.of_codes == codes]
            raise ArgumentError(
                f'"{self.kind}" is a prior of {"latents" if codes else "codes"}, and the posterior "{posterior.kind}" '
                f"draws {'codes' if codes else 'latents'}. Take one of: {', '.join(fitting)}.",
                argument="prior",
            )


class LikelihoodConfig(Part, slot="likelihood"):
    """p(x | z), how the decoder's values score an image."""

    def build(self) -> Likelihood:
        """The likelihood."""
        raise NotImplementedError


class ModelConfig(Part, slot="model"):
    """Everything that turns images into latents and latents into images."""

    @property
    def latent_dim(self) -> int:
        """d, of all levels together."""
        raise NotImplementedError

    @property
    def draws(self) -> Draws:
        """What its posterior draws."""
        raise NotImplementedError

    @property
    def conditional(self) -> bool:
        """Whether it is told the label of each image."""
        return False

    def check(self) -> None:
        """Refuse parts that do not fit each other.

        Raises:
            ArgumentError: with what would do.
        """

    def build(self, shape: Shape, labels: int) -> Generative:
        """The model for images of ``shape``, of sets with so many kinds of labels; 0 for sets without."""
        raise NotImplementedError


class ObjectiveConfig(Part, slot="objective"):
    """What a stage of training descends."""

    def build(self, model: Model, shape: Shape) -> Objective:
        """The objective for ``model`` and images of ``shape``."""
        raise NotImplementedError

    def check(self, model: ModelConfig) -> None:
        """Refuse a model that this cannot train.

        Raises:
            ArgumentError: with what would do.
        """

    def check_here(self) -> None:
        """Refuse to train on a machine that lacks something that this needs, such as weights that others have trained.

        Raises:
            FileError: with how to get it.
        """

    def kl_weight(self, latent_dim: int, shape: Shape) -> float:
        """The weight of the KL in nats, which is shown beside it where it is not 1; 0 without a KL."""
        del latent_dim, shape
        return 1.0

    @property
    def penalty(self) -> str | None:
        """The key of what keeps codes near 0; None where nothing does."""
        return None

    def risen(self) -> Self:
        """The same for weights that it has trained already, where what rises from 0 has risen."""
        return self.replace(anneal=0.0) if any(field.name == "anneal" for field in fields_of(type(self))) else self
