"""What a space keeps whose decoder went on alone: all that is made of codes, which are the same to the last bit."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from morphospace.codec import Codec
from morphospace.data import Split
from morphospace.errors import DataError
from morphospace.evaluate.distance import has_distance, mean_distance
from morphospace.evenly import evenly_spaced
from morphospace.space import Space
from morphospace.vae import Objective

__all__ = ["keep_codes"]

_COMPARED = 256  # images that are looked at by both
_ROUNDING = 1e-3  # of a code: another processor's kernels differ by less


def keep_codes(space: Space, kept: Space, test: Split, objective: Objective) -> list[str]:
    """Give ``space`` what ``kept`` knows of codes, and remember what was done and how it was before.

    Args:
        space: with the decoder that went on, and fresh codes and errors of the test images.
        kept: what it went on from; it stays as it is.
        test: the test images.
        objective: what was descended, on the device of ``space``.

    Returns:
        What a person should know.

    Raises:
        DataError: if a code is not what it was.
    """
    before = Codec(copy.deepcopy(space.model), space.recipe, space.shape, about=space.about)
    before.model.load_state_dict(kept.model.state_dict())
    some = test.take(evenly_spaced(len(test), _COMPARED))
    _check_codes(space, before, some)
    notes = []
    if kept.reference is not None:
        if space.reference is None or not _alike(space.reference, kept.reference):
            space.errors = None
            notes.append(
                "The reference points are not the codes of this set's test images, so how badly each is reconstructed "
                "is not known any more; outliers are judged among themselves."
            )
        space.reference, space.reference_labels = kept.reference, kept.reference_labels
        space.reference_attributes = kept.reference_attributes
    space.concepts, space.classes, space.sampler = dict(kept.concepts), kept.classes, kept.sampler
    both = (before.model, space.model) if has_distance(objective) else ()
    distances = [mean_distance(objective, model, some.images, some.labels) for model in both]
    if distances and distances[1] >= distances[0]:
        notes.append(
            f"The polish did not help: test images lie {distances[1]:.4f} from their reconstructions, "
            f"{distances[0]:.4f} before. The space from before stays as it is."
        )
    if space.concepts or space.classes is not None:
        notes.append(
            "Concepts and classes are those of before, but what their edits look like has changed: trials from before "
            "tell of the old decoder. Try them again: morpho concept test SPACE"
        )
    if space.classes is not None:
        notes.append(
            "How far edits go into a class was chosen by what the old decoder drew; to choose it anew: "
            "morpho concept classes SPACE --data DATA"
        )
    # Directions and latents mean the same in both.
    space.about["fingerprints"] = {space.fingerprint(): kept.fingerprint()}
    space.about["polish"] = [*kept.about.get("polish", ()), _entry(space, kept, distances)]
    return notes


def _check_codes(space: Space, before: Codec, some: Split) -> None:
    was, now = (codec.encode(some.images, some.labels) for codec in (before, space))
    moved = (was.mean != now.mean).any(1)
    if was.scale is not None and now.scale is not None:
        moved |= (was.scale != now.scale).any(1)
    if moved.any():
        raise DataError(
            f"{moved.sum()} of {len(moved)} images have other codes than before, and were to keep them to "
            f"the last bit; no space was written. Its model says that {', '.join(space.model.decoding)} only decode: "
            "correct `decoding` of its class.",
            argument="space",
        )


def _alike(found: Any, known: Any) -> bool:
    """Whether codes are those of the same images, maybe by another machine."""
    return found.shape == known.shape and bool(np.allclose(found, known, rtol=_ROUNDING, atol=_ROUNDING))


def _entry(space: Space, kept: Space, distances: list[float]) -> dict[str, Any]:
    """What is remembered of a polish."""
    own, former = space.about["train"], kept.about.get("train", {})
    *earlier, last = space.recipe.stages
    entry = {
        "objective": last.objective.to_json(),
        "epochs": own["epochs"] - former.get("epochs", sum(stage.epochs for stage in earlier)),
        "seconds": round(own["seconds"] - former.get("seconds", 0.0), 3),
        "before": dict(kept.about.get("test", {})),
    }
    return entry | ({"distance": dict(zip(("before", "after"), distances, strict=True))} if distances else {})
