"""All figures of a space on a set of images."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from morphospace.data import Dataset
from morphospace.evaluate.lattice import COARSE, lattice_nll
from morphospace.evaluate.likelihood import importance_weighted_nll, kl_scores, mean_figures, score_each
from morphospace.evaluate.reconstruction import psnr
from morphospace.evaluate.structure import latent_use
from morphospace.evaluate.use import code_use, use_warning
from morphospace.examples import labels_of
from morphospace.space import Space

__all__ = ["evaluate_space", "figures_by_label"]

Numbers = NDArray[np.float64]

_BINARIZED = (
    "nats are of the test images with each pixel black or white, drawn with the chance that its grey says (another "
    "seed draws others): the recipe trains on such images (binarize)."
)
_COARSE = (
    "exact_nll: the lattice is coarse for this space: {:.1f} points share an image's weight, where {} or more should. "
    "The true figure may be some nats lower; take more points."
)


def evaluate_space(
    space: Space, dataset: Dataset, *, seed: int = 0, samples: int | None = None, points: int | None = None
) -> dict[str, Any]:
    """The figures of ``morpho evaluate``: the test block, the same by label, and what latents or codes are used for.

    Args:
        space: of images like the set's.
        dataset: whose test images are scored.
        seed: of the draws.
        samples: also :func:`importance_weighted_nll` with so many draws an image.
        points: also :func:`lattice_nll` with so many points.

    Raises:
        ArgumentError: for ``samples`` where posteriors have no density; for ``points`` with more than 3 latents, a
            prior other than N(0, I), or a model that is told labels.
        DataError: if the set's images do not fit the space.
    """
    images = dataset.test.images
    if dataset.shape != space.shape:
        space.prepare(images[:1])  # which says what does not fit
    scored = space.recipe.images.scored(images, seed=seed)
    labels = labels_of(space, dataset.test, dataset)
    scores = score_each(space.model, scored, labels, seed=seed)
    test = mean_figures(space.model, scores, images.shape[1:], beta=space.recipe.weight(space.shape))
    codes = space.encode(images, labels).mean
    test = replace(test, psnr=psnr(space, images, codes, labels))
    if samples is not None:
        nll = importance_weighted_nll(space.model, scored, labels, samples=samples, seed=seed)
        test = replace(test, nll=nll, nll_samples=samples)
    warnings = [] if scored is images else [_BINARIZED]
    if points is not None:
        figure = lattice_nll(space.model, scored, points=points)
        test = replace(test, exact_nll=figure.nll, exact_points=points)
        if figure.sharing < COARSE:
            warnings.append(_COARSE.format(figure.sharing, COARSE))
    use = latent_use(codes, prior=space.has_prior)
    book = code_use(space, codes)
    warnings += [words] if (words := use_warning(space, codes)) else []
    return {
        "data": dataset.name,
        "images": len(images),
        "test": test.to_json(),
        "by_label": figures_by_label(scores["reconstruction"], kl_scores(space.model, scores), dataset),
        "latents": {
            "count": space.latent_dim,
            "unused": [i + 1 for i in use.unused],
            "variances": [round(float(v), 6) for v in use.variances],
        },
        **({} if book is None else {"codes": {"perplexity": round(book.perplexity, 3), "entries": book.entries}}),
        "warnings": warnings,
    }


def figures_by_label(reconstruction: Numbers, kl: Numbers | None, dataset: Dataset) -> dict[str, dict[str, Any]]:
    """How many test images each label has, and their mean reconstruction and KL in nats; empty without labels.

    The means, weighted by how many images there are of each, give those of all test images.

    Args:
        reconstruction: nats of each test image, (N,).
        kl: the same; None where there is none.
        dataset: knows its label.
    """
    labels = dataset.test.labels
    found = {}
    for number in np.unique(labels).tolist() if labels is not None else ():
        own = labels == number
        found[dataset.label_names[number]] = {
            "images": int(own.sum()),
            "reconstruction": float(reconstruction[own].mean()),
            "kl": None if kl is None else float(kl[own].mean()),
        }
    return found
