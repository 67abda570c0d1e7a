"""What earlier versions wrote as a recipe, brought to today's form, one format after the other.

A key that comes to be is no new format: what is missing takes its default. One that goes, or means something else, is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from morphospace.errors import ArgumentError

__all__ = ["FORMAT", "migrated"]

FORMAT = 2

# Where the flat keys of format 1 stand in the tree of format 2.
_STAGE = ("epochs", "batch", "least_batch", "min_steps")
_IMAGES = ("augment", "flip", "rotate")
_FLAT = {
    "name", "summary", "network", "encoder_widths", "decoder_widths", "blocks", "fourier", "fourier_scale", "log_var",
    "posterior", "likelihood", "sigma", "sampling", "latent_dim", "objective", "beta", "anneal", "l1", "patience",
    "optimiser", "learning_rate", "beta1", "beta2", "epsilon", "clip", "warm_up", "decay", *_STAGE, *_IMAGES,
}  # fmt: skip


def migrated(values: Any) -> Mapping[str, Any]:
    """A recipe as today's version writes it.

    Raises:
        ArgumentError: for what is no object, a later format, or keys that the format does not have.
    """
    if not isinstance(values, Mapping):
        raise ArgumentError(f"expected an object, got {values!r:.60}.", argument="recipe")
    number = values.get("format", 1)
    if number == 1:
        return _from_1(values)
    if number != FORMAT:
        raise ArgumentError(
            f"its format is {number!r}, and this version reads 1 to {FORMAT}. Install a newer one.", argument="recipe"
        )
    return values


def _from_1(values: Mapping[str, Any]) -> dict[str, Any]:
    """Version 0.1 had flat keys, and let those but l1 stand where the recipe's parts had no use for them."""
    unknown = sorted(set(values) - _FLAT)
    missing = sorted({"name", "summary", "network"} - set(values))
    if unknown or missing:
        raise ArgumentError(f"unknown keys {unknown}, missing keys {missing}.", argument="recipe")

    def take(**names: str) -> dict[str, Any]:
        return {new: values[old] for new, old in names.items() if old in values}

    network, posterior = values["network"], values.get("posterior", "gaussian")
    likelihood, objective = values.get("likelihood", "bernoulli"), values.get("objective", "elbo")
    optimiser, l1 = values.get("optimiser", "adam"), values.get("l1", 0.0)
    encoder, decoder = {"kind": network}, {"kind": network}
    if network != "book":
        encoder |= take(widths="encoder_widths")
        decoder |= take(widths="decoder_widths")
    if network == "conv":
        encoder |= take(blocks="blocks")
        decoder |= take(blocks="blocks")
    if network == "mlp":
        decoder |= take(fourier="fourier") | (take(fourier_scale="fourier_scale") if values.get("fourier") else {})
    descended = {"kind": objective}
    if objective != "reconstruction":
        descended |= take(beta="beta", anneal="anneal")
    if objective == "reconstruction" or l1:
        descended |= take(l1="l1") | (take(anneal="anneal") if l1 else {})
    scored: dict[str, Any] = {"kind": likelihood}
    if str(likelihood).startswith("gaussian"):
        scored = {"kind": "gaussian", "learned": likelihood == "gaussian-learned"} | take(sigma="sigma")
        if likelihood not in ("gaussian", "gaussian-learned"):
            scored["kind"] = likelihood
    steps = take(**{key: key for key in ("learning_rate", "beta2", "epsilon", "clip", "warm_up", "decay")})
    if optimiser == "adam":
        steps |= take(beta1="beta1")
    points = posterior != "gaussian"
    return {
        "format": 2,
        **take(name="name", summary="summary", patience="patience"),
        "model": {
            "kind": "vae",
            "encoder": encoder,
            "decoder": decoder,
            "posterior": {
                "kind": posterior,
                **take(latent_dim="latent_dim"),
                **({} if points else take(log_var="log_var")),
            },
            "prior": {"kind": "normal"},
            "likelihood": scored,
        },
        "stages": [
            {
                "kind": "stage",
                "objective": descended,
                "optimiser": {"kind": optimiser, **steps},
                **take(**{key: key for key in _STAGE}),
            }
        ],
        "images": {"kind": "images", **take(**{key: key for key in _IMAGES})},
        "sampler": {"kind": "mixture" if points else values.get("sampling", "prior")},
    }
