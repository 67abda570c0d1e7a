"""Concepts from one space to another."""

from __future__ import annotations

import numpy as np

from morphospace.concept_files import Examples, SharedConcept
from morphospace.data import Dataset
from morphospace.errors import ArgumentError, DataError
from morphospace.evaluate.origins import origin_in
from morphospace.images import fit_image
from morphospace.latent import Concept, upper_half
from morphospace.latent.evidence import hold_out
from morphospace.space import Space
from morphospace.workflow.concepts import known_examples

__all__ = ["adopt_concept", "shared_examples"]

_FEW = 10


def shared_examples(concept: Concept, dataset: Dataset, count: int, *, seed: int) -> Examples:
    """Training images from which ``concept`` can be learned again: ``count`` that show it, ``count`` that do not.

    Args:
        concept: of a label, an attribute or a measure, by its origin or its name.
        dataset: has the images.
        count: of each side, at most; of a number those above and below its median are the sides.
        seed: of the choice.

    Raises:
        ArgumentError: if the set cannot tell which images show it.
    """
    learned, values, _ = known_examples(dataset.train, dataset, origin_in(concept, dataset), ())
    shows = upper_half(values)
    rng = np.random.default_rng(seed)
    sides = [rng.permutation(np.flatnonzero(side))[:count] for side in (shows, np.logical_not(shows))]
    chosen = np.sort(np.concatenate(sides))
    return Examples(np.asarray(learned.images[chosen]), values[chosen])


def adopt_concept(space: Space, shared: SharedConcept, name: str) -> tuple[Concept, bool]:
    """Keep a shared concept in ``space`` as ``name``; returns it, and whether it was learned again.

    Raises:
        ArgumentError: if it is of another space and carries no examples.
        DataError: if it cannot be learned from its examples here.
    """
    if shared.space == space.fingerprint():
        concept = shared.concept.named(name)
        if concept.direction.shape != (space.latent_dim,):
            raise DataError(
                f"its direction has {len(concept.direction)} latents, this space {space.latent_dim}.", argument="file"
            )
        space.concepts[name] = concept
        return concept, False
    if shared.examples is None:
        raise ArgumentError(
            f'"{shared.concept.name}" is a direction of another space ({shared.about}) and means nothing in this '
            "one. Ask for a file with examples, to learn it from here: morpho concept export SPACE NAME --examples 100",
            argument="file",
        )
    images = np.stack([fit_image(image, space.shape, space.resize) for image in shared.examples.images])
    values = shared.examples.values
    many = len(values) >= _FEW
    held = hold_out(values) if many else np.zeros(len(values), bool)
    concept = space.learn_concept(
        name, images=images[~held], values=values[~held], origin=shared.concept.origin,
        method=None if shared.concept.method.startswith(("principal", "decoder"))
        else shared.concept.method.split(",")[0],
        held_out=(images[held], values[held]) if many else None,
        source=f"{len(values)} examples that came with it from {shared.about}",
    )  # fmt: skip
    return concept, True
