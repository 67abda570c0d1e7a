"""All figures of a space on a set of images."""

from __future__ import annotations

from typing import Any

from morphospace.data import Dataset
from morphospace.evaluate.likelihood import score
from morphospace.evaluate.structure import latent_use
from morphospace.space import Space

__all__ = ["evaluate_space"]


def evaluate_space(space: Space, dataset: Dataset, *, seed: int = 0) -> dict[str, Any]:
    """The figures of ``morpho evaluate``: the test block, and what the latents are used for.

    Raises:
        DataError: if the set's images do not fit the space.
    """
    images = space.prepare(dataset.test.images)
    test = score(
        space.model, images, beta=space.recipe.weight(space.shape),
        bernoulli=space.recipe.likelihood == "bernoulli", seed=seed,
    )  # fmt: skip
    use = latent_use(space.encode(images).mean)
    warning = use.warning()
    return {
        "data": dataset.name,
        "images": len(images),
        "test": {k: v for k, v in test.to_json().items() if k != "book_loss" or v is not None},
        "latents": {
            "count": space.latent_dim,
            "unused": [i + 1 for i in use.unused],
            "variances": [round(float(v), 6) for v in use.variances],
        },
        "warnings": [warning] if warning else [],
    }
