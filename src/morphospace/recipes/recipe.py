"""What a recipe is: a complete, frozen configuration of model and training."""

from __future__ import annotations

import dataclasses
import json
import math
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, assert_never

from morphospace.errors import ArgumentError, did_you_mean
from morphospace.recipes.keys import check_keys, check_uses, parse_key, penalty_of, with_uses

__all__ = ["Recipe", "recipe_from_json", "setting_pairs", "with_settings"]

_BOOK_KL_WEIGHT = 5e-4
_FEW_STEPS = 50
_SMALL = 2000  # training images
_AUGMENT = 0.06


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A model and its training.

    Attributes:
        name: what users type.
        summary: a line for people.
        network: "mlp", "conv" or "book".
        encoder_widths, decoder_widths: the hidden layers of "mlp"; the channels of each level of "conv", from the
            finest.
        blocks: residual blocks a level of "conv".
        fourier, fourier_scale: the decoder's random projections of the latent, see ``nn.FourierFeatures``.
        log_var: where the posterior's log-variances start; below 0 the decoder hears the latents from the first step.
        posterior: "gaussian", "point", or "relu" (a point at zero or above in every latent).
        likelihood: "bernoulli", "continuous-bernoulli", "gaussian" (sigma fixed), "gaussian-learned".
        sigma: of the Gaussian likelihood, in units of the pixel range [0, 1].
        sampling: where samples come from: the "prior", or a "mixture" of Gaussians fitted to the test images' codes.
        latent_dim: 1 .. the number of values in an image.
        objective: "elbo", "book" (the mean over pixels plus 5e-4 times a mean over latents), "reconstruction".
        beta: the weight of the KL in nats; None is the objective's own: 1 of "elbo", that of "book".
        anneal: the share of all steps in which beta or l1 rises from 0, see ``vae.ELBO``.
        l1: the weight of "reconstruction"'s L1 penalty, nats a unit of code.
        augment: training images are shifted by up to this share of their sides, and scaled by as much, anew at each
            step; None is 0.06 for sets of fewer than 2,000 training images and 0 for others.
        flip: which ways training images are mirrored at random.
        rotate: training images are turned at random by up to so many degrees either way, 0 to 180.
        patience: training stops after so many epochs without a better validation score, and keeps the best; 0 never
            stops and keeps the last; None is a fifth of the epochs for sets of fewer than 2,000 and 0 for others.
        epochs: passes over the data.
        batch: images a step.
        least_batch: sets of fewer than 50 batches get smaller ones, down to this, at a rate lower by the square root.
        min_steps: small sets get more epochs until there are so many steps.
        optimiser, learning_rate, beta1, beta2, epsilon, clip, warm_up, decay: see ``vae.Optimiser``.
    """

    name: str
    summary: str
    network: Literal["mlp", "conv", "book"]
    encoder_widths: tuple[int, ...] = (256, 256, 256)
    decoder_widths: tuple[int, ...] = (256, 256, 256)
    blocks: int = 1
    fourier: int = 0
    fourier_scale: float = 1.0
    log_var: float = 0.0
    posterior: Literal["gaussian", "point", "relu"] = "gaussian"
    likelihood: Literal["bernoulli", "continuous-bernoulli", "gaussian", "gaussian-learned"] = "bernoulli"
    sigma: float = 0.1
    sampling: Literal["prior", "mixture"] = "prior"
    latent_dim: int = 2
    objective: Literal["elbo", "book", "reconstruction"] = "elbo"
    beta: float | None = None
    anneal: float = 0.0
    l1: float = 0.0
    augment: float | None = 0.0
    flip: Literal["none", "horizontal", "vertical", "both"] = "none"
    rotate: float = 0.0
    patience: int | None = 0
    epochs: int = 10
    batch: int = 256
    least_batch: int = 16
    min_steps: int = 0
    optimiser: Literal["adam", "rmsprop"] = "adam"
    learning_rate: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    clip: float = 0.0
    warm_up: float = 0.0
    decay: Literal["none", "cosine"] = "none"

    def __post_init__(self) -> None:
        values = vars(self)
        check_keys(values, _KINDS)
        pointlike = self.posterior in ("point", "relu")
        if pointlike and self.objective != "reconstruction":
            raise ArgumentError(
                f'--set posterior={self.posterior}: a point has no KL, so the objective must be "reconstruction", '
                f'got "{self.objective}". Add --set objective=reconstruction.'
            )
        if self.objective == "reconstruction" and not pointlike:
            raise ArgumentError(
                '--set objective=reconstruction: it has no KL, so the posterior must be "point" or "relu", got '
                f'"{self.posterior}". Add --set posterior=point, or keep objective=elbo and --set beta=0.'
            )
        check_uses(values, _DEFAULTS)

    def weight(self, shape: tuple[int, int, int]) -> float:
        """Beta in nats, for images of ``shape`` (H, W, C); 0 without a KL."""
        match self.objective:
            case "reconstruction":
                return 0.0
            case "elbo":
                own = 1.0
            case "book":
                own = _BOOK_KL_WEIGHT * math.prod(shape) * 2 / self.latent_dim
            case never:
                assert_never(never)
        return own if self.beta is None else self.beta

    @property
    def penalty(self) -> str | None:
        """What keeps codes near 0: "beta", the weight of the KL, or "l1"; None for nothing."""
        return penalty_of(vars(self))

    def epochs_of(self, images: int, batch: int) -> int:
        """So many epochs that ``images`` to learn from, in batches of ``batch``, make ``min_steps`` steps."""
        return max(self.epochs, math.ceil(self.min_steps / (images // batch)))

    def for_images(self, images: int) -> Recipe:
        """The recipe as a set of ``images`` training images gets it: batch, rate, epochs, augmentation, patience."""
        # About 50 steps an epoch at least, by a power of two; noisier gradients want shorter steps.
        few = 2 ** int(math.log2(max(1, images / _FEW_STEPS)))
        batch = min(self.batch, max(self.least_batch, few), images)
        rate = self.learning_rate * math.sqrt(batch / self.batch)
        epochs = self.epochs_of(images, batch)
        small = images < _SMALL
        return dataclasses.replace(
            self,
            batch=batch,
            least_batch=batch,
            epochs=epochs,
            min_steps=0,
            learning_rate=rate,
            augment=(_AUGMENT if small else 0.0) if self.augment is None else self.augment,
            patience=(-(-epochs // 5) if small else 0) if self.patience is None else self.patience,
        )

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        values: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(self)))
        return values


_KINDS: dict[str, Any] = typing.get_type_hints(Recipe)
_DEFAULTS = {f.name: f.default for f in dataclasses.fields(Recipe) if f.default is not dataclasses.MISSING}


def with_settings(recipe: Recipe, settings: Mapping[str, str] | Iterable[str]) -> Recipe:
    """The recipe with some keys changed, as ``--set key=value`` does.

    Args:
        recipe: where to start.
        settings: "key=value" texts, or a mapping of texts.

    Raises:
        ArgumentError: for an unknown key, one that the recipe's parts have no use for, or a value of the wrong type
            or range.

    Example:
        >>> from morphospace.recipes import find_recipe
        >>> with_settings(find_recipe("quick"), ["epochs=3", "encoder_widths=64,32"]).encoder_widths
        (64, 32)
    """
    changes: dict[str, Any] = {}
    for key, text in (settings if isinstance(settings, Mapping) else setting_pairs(settings)).items():
        if key not in _KINDS or key in ("name", "summary"):
            known = [k for k in _KINDS if k not in ("name", "summary")]
            raise ArgumentError(f'--set: recipe "{recipe.name}" has no key "{key}". {did_you_mean(key, known)}')
        changes[key] = parse_key(key, text, _KINDS[key])
    if "epochs" in changes:
        changes.setdefault("min_steps", 0)
    if "batch" in changes:
        changes.setdefault("least_batch", changes["batch"])
    return Recipe(**with_uses(vars(recipe) | changes, _DEFAULTS, said=changes))


def recipe_from_json(values: Mapping[str, Any]) -> Recipe:
    """The recipe that :meth:`Recipe.to_json` gave, of this version or an earlier one, checked as a user's keys are.

    A key that is not there takes its default: it came after what was written. Earlier versions let keys but l1 stand
    where the recipe's parts have no use for them; they change nothing and are let go.

    Raises:
        ArgumentError: for unknown keys, missing ones that have no default, wrong types or ranges.
    """
    unknown = sorted(set(values) - set(_KINDS))
    missing = sorted({"name", "summary", "network"} - set(values))
    if unknown or missing:
        raise ArgumentError(f"recipe: unknown keys {unknown}, missing keys {missing}.")
    known = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    never_idle = ["l1"] if known.get("l1") else []
    return Recipe(**with_uses(_DEFAULTS | known, _DEFAULTS, said=never_idle))


def setting_pairs(texts: Iterable[str]) -> dict[str, str]:
    """Texts like "epochs=20" as a mapping; of a key that comes again the last counts.

    Raises:
        ArgumentError: for a text without "=".
    """
    pairs = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise ArgumentError(f'--set: expected key=value, like epochs=20, got "{text}".')
        pairs[key.strip()] = value.strip()
    return pairs
