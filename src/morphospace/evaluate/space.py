"""All figures of a space on a set of images."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from morphospace.data import Dataset
from morphospace.evaluate.likelihood import importance_weighted_nll, score
from morphospace.evaluate.reconstruction import psnr
from morphospace.evaluate.structure import latent_use
from morphospace.space import Space

__all__ = ["evaluate_space"]


def evaluate_space(space: Space, dataset: Dataset, *, seed: int = 0, samples: int | None = None) -> dict[str, Any]:
    """The figures of ``morpho evaluate``: the test block, and what the latents are used for.

    Args:
        space: of images like the set's.
        dataset: whose test images are scored.
        seed: of the draws.
        samples: also :func:`importance_weighted_nll` with so many draws an image.

    Raises:
        ArgumentError: for ``samples`` where posteriors have no density.
        DataError: if the set's images do not fit the space.
    """
    images = dataset.test.images
    if dataset.shape != space.shape:
        space.prepare(images[:1])  # which says what does not fit
    test = score(
        space.model, images, beta=space.recipe.weight(space.shape),
        bernoulli=space.recipe.likelihood == "bernoulli", seed=seed,
    )  # fmt: skip
    codes = space.encode(images).mean
    test = replace(test, psnr=psnr(space, images, codes))
    if samples is not None:
        nll = importance_weighted_nll(space.model, images, samples=samples, seed=seed)
        test = replace(test, nll=nll, nll_samples=samples)
    use = latent_use(codes, prior=space.has_prior)
    warning = use.warning(space.recipe.penalty)
    return {
        "data": dataset.name,
        "images": len(images),
        "test": test.to_json(),
        "latents": {
            "count": space.latent_dim,
            "unused": [i + 1 for i in use.unused],
            "variances": [round(float(v), 6) for v in use.variances],
        },
        "warnings": [warning] if warning else [],
    }
