"""What a server holds: one space, the thread that computes with it, and what is kept for later."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from morphospace.bundle import change_concepts
from morphospace.codec import batch_for
from morphospace.errors import ArgumentError, DataError, FileError, did_you_mean
from morphospace.export.onnx import Part, to_onnx
from morphospace.export.page import LARGEST_MODEL, concept_facts, space_facts
from morphospace.latent import Concept, geodesic_through, learn_concept, path_through
from morphospace.latent.evidence import hold_out
from morphospace.latent.grids import Plane
from morphospace.server.batches import MOST_WAITING, Worker
from morphospace.server.failures import Failure, not_found
from morphospace.server.originals import Originals
from morphospace.space import Space
from morphospace.training.runs import bundle_folder

__all__ = ["FARTHEST", "Session"]

Points = NDArray[np.float32]

FARTHEST = 1e6
"""No coordinate lies farther out: the code of no image does, and the model stays finite."""

_MOST_CONCEPTS = 200
_MANY = 50  # images a side, of which some are held back for the evidence


class Session:
    """One space that is being explored.

    Everything below that computes is meant for the worker's thread: ``session.worker.do(...)``.

    Args:
        space: the space.
        folder: the run or bundle folder that it came from.
        writable: whether concepts may be kept there; by default where the folder can be written.
        most: how many jobs may wait.
        patience: seconds that a job may compute before it is given up; for its turn it may wait twice as long.
    """

    def __init__(
        self,
        space: Space,
        folder: Path | None = None,
        *,
        writable: bool | None = None,
        most: int = MOST_WAITING,
        patience: float = 30.0,
    ) -> None:
        self.space, self.patience = space, patience
        self.folder = None if folder is None else bundle_folder(folder)
        can_write = self.folder is not None and os.access(self.folder, os.W_OK)
        self.writable = can_write if writable is None else writable and can_write
        self.worker = Worker(space, most=most)
        self.pictures = ThreadPoolExecutor(1, "pictures")  # one at a time: a large one takes hundreds of megabytes
        self.originals = Originals(space, self.folder)
        self.plane: Plane | None = None
        self._facts: dict[str, Any] | None = None
        self._models: dict[Part, bytes] = {}

    def start(self) -> None:
        """Do what takes a second or two before anybody asks for it."""
        self.originals.found()
        self.worker.do(self.find_plane)
        self.worker.do(lambda: self.space.typicality(np.zeros(self.space.latent_dim)))

    def close(self) -> None:
        """End its threads."""
        self.worker.close()
        self.pictures.shutdown(wait=False, cancel_futures=True)

    # -- looking -----------------------------------------------------------------------------------------

    def facts(self) -> dict[str, Any]:
        """What a page needs to know of the space."""
        if self._facts is None:
            self._facts = space_facts(self.space)
        more = {"writable": self.writable, "model": self.space.parameters <= LARGEST_MODEL}
        return self._facts | more

    def find_plane(self) -> Plane:
        """The plane of the map; it stays at ``plane``, since all codes are looked at for it, which takes a while."""
        if self.plane is None:
            self.plane = self.space.plane()
        return self.plane

    def points(self, values: Sequence[Sequence[float]] | NDArray[np.float64], argument: str = "points") -> Points:
        """Latents (N, d) of a request, checked before they wait.

        Raises:
            Failure: for another number of latents, or numbers that are not finite or absurdly large.
        """
        wanted = self.space.latent_dim
        wrong = next((len(point) for point in values if len(point) != wanted), None)
        if wrong is not None:
            words = f"{argument}: this space has {wanted} latents, expected as many numbers a point, got {wrong}."
            raise Failure(422, "invalid", words, argument)
        array = np.asarray(values, np.float64).reshape(-1, wanted)
        if not (np.abs(array) <= FARTHEST).all():  # which NaN is not, either
            words = f"{argument}: expected finite numbers from -{FARTHEST:.0f} to {FARTHEST:.0f}, got others."
            raise Failure(422, "invalid", words, argument)
        return array.astype(np.float32)

    def reference(self) -> Points:
        """The codes of the test images.

        Raises:
            Failure: where the space keeps none.
        """
        if self.space.reference is None:
            raise not_found("this space keeps no reference points.")
        return self.space.reference

    def given(self, label: str | None) -> Space:
        """The space, given ``label``; one that is told labels, where none is named, the first.

        Raises:
            ArgumentError: for a label that there is not, or a space that is told none.
        """
        untold = label is None and self.space.held is None and self.space.model.condition is not None
        return self.space.given(0 if untold else label)

    def label(self, given: str | None) -> int | None:
        """The number of the label that :meth:`given` holds."""
        held = self.given(given).held
        return held if isinstance(held, int) else None

    def typicality(self, points: Points) -> list[float | None]:
        """How typical the places are; None where that is not known."""
        return [None if np.isnan(share) else float(share) for share in self.space.typicality(points)]

    def morph(self, points: Points, frames: int, path: str, given: str | None = None) -> Points:
        """The way through points (N, d), as (frames, d)."""
        if path != "geodesic":
            return path_through(list(points), frames, path)
        return geodesic_through(list(points), frames, self.given(given).pictures, batch=batch_for(self.space.shape))

    def model(self, part: Part) -> bytes:
        """One part of the model as ONNX.

        Raises:
            Failure: where it is too large for a page.
        """
        if self.space.parameters > LARGEST_MODEL:
            raise not_found(
                f"the model has {self.space.parameters:,} parameters, too many for a page, which takes up to "
                f"{LARGEST_MODEL:,}. Have the server decode."
            )
        if part not in self._models:
            self._models[part] = to_onnx(self.space, part, half=True)
        return self._models[part]

    # -- editing -----------------------------------------------------------------------------------------

    def edit(self, points: Points, given: str | None = None, **how: Any) -> Points:
        """Latents (N, d) moved as :meth:`morphospace.Space.move` does, a batch at a time."""
        space, step = self.given(given), batch_for(self.space.shape)
        return np.concatenate([space.move(points[i : i + step], **how) for i in range(0, len(points), step)])

    def concepts(self) -> list[dict[str, Any]]:
        """Facts of all concepts."""
        return [concept_facts(concept, self.space.concepts) for concept in self.space.concepts.values()]

    def learn_from_label(self, name: str, label: str) -> dict[str, Any]:
        """Learn the concept of a label from the reference points; returns its facts.

        Raises:
            ArgumentError: if there is no such label.
        """
        names = [str(known) for known in self.space.about.get("data", {}).get("label_names") or ()]
        if self.space.reference_labels is None or not names:
            raise ArgumentError(
                "the reference points of this space have no labels. Give examples by index.", argument="label"
            )
        if label not in names:
            raise ArgumentError(f'this space has no label "{label}". {did_you_mean(label, names)}', argument="label")
        shows = self.space.reference_labels == names.index(label)
        return self._learn(name, self.reference(), shows, f"test images, label {label}", {"label": label})

    def learn_from_examples(self, name: str, positive: Sequence[int], negative: Sequence[int] | None) -> dict[str, Any]:
        """Learn a concept from reference points that show it, against others or all others; returns its facts.

        Raises:
            DataError: for a point that there is not, or one on both sides.
        """
        codes = self.reference()
        for side, rows in (("positive", positive), ("negative", negative or ())):
            wrong = next((row for row in rows if not 0 <= row < len(codes)), None)
            if wrong is not None:
                words = f"expected indices of reference points, 0 to {len(codes) - 1}, got {wrong}."
                raise DataError(words, argument=side)
        shows = np.zeros(len(codes), bool)
        shows[list(positive)] = True
        used = ~shows if negative is None else np.zeros(len(codes), bool)
        if negative is not None:
            used[list(negative)] = True
            if (used & shows).any():
                raise DataError("expected other indices than those in positive, got some of them.", argument="negative")
        used |= shows
        source = f"{int(shows.sum())} test images against {'all others' if negative is None else 'others'}"
        return self._learn(name, codes[used], shows[used], source, {})

    def _learn(
        self, name: str, codes: Points, shows: NDArray[np.bool_], source: str, origin: Mapping[str, str]
    ) -> dict[str, Any]:
        if name in self.space.concepts:
            words = f'name: there is a concept "{name}" already. Choose another name, or delete that one.'
            raise Failure(409, "conflict", words, "name")
        if len(self.space.concepts) >= _MOST_CONCEPTS:
            raise Failure(409, "conflict", f"there are {_MOST_CONCEPTS} concepts already. Delete one.")
        many = _MANY <= shows.sum() <= len(codes) - _MANY
        held = hold_out(shows) if many else np.zeros(len(codes), bool)
        concept = learn_concept(
            name, codes[~held], shows[~held], held_out=(codes[held], shows[held]) if many else None,
            source=source, origin=origin, seed=int(self.space.about.get("seed", 0)),
        )  # fmt: skip
        self._change(self.space.concepts | {name: concept})
        return concept_facts(concept, self.space.concepts)

    def forget(self, name: str) -> None:
        """Take a concept out of the session; a folder that has it keeps it."""
        self._known(name)
        self._change({other: concept for other, concept in self.space.concepts.items() if other != name})

    def keep(self, name: str) -> None:
        """Write a concept into the folder of the space, beside those that it has.

        Raises:
            Failure: "conflict", where the folder cannot be written.
        """
        concept = self._known(name)
        if self.folder is None or not self.writable:
            words = "this space cannot be written. Train one of your own, or copy its folder, to keep concepts."
            raise Failure(409, "conflict", words)
        try:
            change_concepts(self.folder, lambda there: there | {name: concept})
        except FileError as error:
            words = "the folder of this space cannot be written any more. Look whether it is there, and has room."
            raise Failure(409, "conflict", words) from error

    def _known(self, name: str) -> Concept:
        if name not in self.space.concepts:
            hint = did_you_mean(name, self.space.concepts)
            raise not_found(f'name: this space has no concept "{name}". {hint}', "name")
        return self.space.concepts[name]

    def _change(self, concepts: dict[str, Concept]) -> None:
        self.space.concepts, self._facts = concepts, None
