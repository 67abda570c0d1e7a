"""What a model is told beside an image or a code: its label, by name or number, or the one as which it is likeliest."""

from __future__ import annotations

import copy
import logging
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from morphospace.data import ImageArray
from morphospace.errors import ArgumentError, did_you_mean
from morphospace.training.loop import to_input
from morphospace.vae import Generative

__all__ = ["Told", "known_labels", "label_number", "likeliest_labels"]

Labels = NDArray[np.int64]

_LOG = logging.getLogger("morphospace")
_NAMED = 5


class Told:
    """What has a model, and tells it labels where it wants some.

    Attributes:
        model: what computes.
        about: of its data, what the labels are called.
        held: as which label everything is read and drawn, or (N,) for N images; None where nothing is held.
    """

    model: Generative
    about: dict[str, Any]
    held: int | Labels | None = None
    _said: set[str]

    @property
    def label_names(self) -> list[str]:
        """What the labels that the model is told are called; none where it is told none."""
        names = self.about.get("data", {}).get("label_names") or ()
        return [str(names[number]) if number < len(names) else str(number) for number in range(kinds_of(self.model))]

    def given(self, labels: str | int | NDArray[np.integer[Any]] | None) -> Self:
        """The same for one label: everything that it encodes is read as that, and everything drawn is that.

        Args:
            labels: its name, or its number; or numbers (N,), for N images or latents that belong together; None is the
                space itself.

        Raises:
            ArgumentError: for a label that the set did not have, or a model that is told none.

        Example:
            >>> import morphospace as ms
            >>> space = ms.train("digits", epochs=1, settings={"condition": "label"})
            >>> space.given("6").sample(3).shape
            (3, 8, 8, 1)
        """
        if labels is None:
            return self
        if self.model.condition is None:
            raise ArgumentError(
                "this space is told no label; one is that is trained with `condition=label`.", argument="given"
            )
        found = copy.copy(self)
        found.held = (
            labels.astype(np.int64) if isinstance(labels, np.ndarray) else label_number(labels, self.label_names)
        )
        return found

    def drawn_as(self, n: int, label: str | int | None = None) -> Self:
        """The same, given ``label``, or each label in turn for ``n`` images; what is told none, or holds one, stays."""
        if self.model.condition is None or (label is None and self.held is not None):
            return self
        return self.given(np.arange(n) % self.model.condition.kinds if label is None else label)

    def _labels(self, count: int, labels: NDArray[np.integer[Any]] | None) -> Labels | None:
        """The labels (N,) that are said or held; None where there are none."""
        said = self.held if labels is None else labels
        return None if said is None or self.model.condition is None else checked_labels(said, self.model, count)

    def _condition(self, labels: Labels | None, some: slice) -> Tensor | None:
        return None if labels is None else torch.from_numpy(labels[some].copy()).to(device_of(self.model))

    def _first(self, count: int) -> Tensor | None:
        """The condition of ``count`` images where no label is given: the first, which is said."""
        if self.model.condition is None:
            return None
        self._say(f'drawn as "{self.label_names[0]}", the first label; `given` says another')
        return torch.zeros(count, dtype=torch.int64, device=device_of(self.model))

    def _say_guessed(self, numbers: Labels) -> None:
        called = ", ".join(self.label_names[number] for number in numbers[:_NAMED])
        more = f" and {len(numbers) - _NAMED:,} more" if len(numbers) > _NAMED else ""
        be = "the labels" if len(numbers) > 1 else "the label"
        are = "they are" if len(numbers) > 1 else "it is"
        words = f"read as {called}{more}, {be} as which {are} likeliest; `given` says another"
        self._say(words, "images" if len(numbers) > 1 else words)  # of a folder that is read part by part: once

    def _say(self, words: str, once: str = "") -> None:
        """Say once what was decided about labels, and what decides otherwise."""
        if (once or words) not in self._said:
            self._said.add(once or words)
            _LOG.warning("%s", words)


def kinds_of(model: Generative) -> int:
    """How many labels a model tells apart; 0 where it is told none."""
    return 0 if model.condition is None else model.condition.kinds


def device_of(model: Generative) -> torch.device:
    """Where a model computes."""
    return next(model.parameters()).device


def label_number(label: str | int, names: Sequence[str]) -> int:
    """The number of a label, by its name or its number.

    Raises:
        ArgumentError: if there is no such label.

    Example:
        >>> label_number("Bag", ["Coat", "Bag"]), label_number(0, ["Coat", "Bag"]), label_number("1", ["Coat", "Bag"])
        (1, 0, 1)
    """
    if str(label) in names:
        return list(names).index(str(label))
    if str(label).isdecimal() and int(label) < len(names):
        return int(label)
    raise ArgumentError(f'there is no label "{label}". {did_you_mean(str(label), names)}', argument="given")


def checked_labels(labels: object, model: Generative, count: int) -> Labels:
    """Numbers of labels as (``count``,), one for all or one for each, as ``model`` takes them.

    Raises:
        ArgumentError: for another number of them, or one that there is not.
    """
    numbers, kinds = np.asarray(labels), kinds_of(model)
    if numbers.shape not in ((), (1,), (count,)) or numbers.dtype.kind not in "iu":
        raise ArgumentError(
            f"expected one number of a label, or {count}, got an array of {numbers.dtype} {numbers.shape}.",
            argument="labels",
        )
    wrong = numbers[(numbers < 0) | (numbers >= kinds)]
    if wrong.size:
        raise ArgumentError(f"expected numbers from 0 to {kinds - 1}, got {wrong.flat[0]}.", argument="labels")
    return np.broadcast_to(numbers.astype(np.int64), (count,))


def known_labels(labels: NDArray[np.integer[Any]], names: Sequence[str], own: Sequence[str]) -> Labels | None:
    """Labels (N,) of a set, called ``names`` there, by their numbers among ``own``; None where one is not among them.

    Example:
        >>> known_labels(np.array([0, 1, 1]), ["b", "a"], ["a", "b", "c"])
        array([1, 0, 0])
    """
    present = np.unique(labels)
    if len(present) and not (present[0] >= 0 and present[-1] < len(names)):
        return None
    places = {int(number): own.index(names[number]) for number in present if names[number] in own}
    if len(places) < len(present):
        return None
    return np.array([places[number] for number in np.asarray(labels).tolist()], np.int64)


@torch.inference_mode()
def likeliest_labels(model: Generative, pixels: ImageArray, *, batch: int) -> Labels:
    """As which label each image (N, H, W, C) is likeliest: by its bound, with codes for draws; ``batch`` at once."""
    found = []
    for start in range(0, len(pixels), batch):
        x = to_input(torch.from_numpy(np.asarray(pixels[start : start + batch])).to(device_of(model)))
        nats = []
        for kind in range(kinds_of(model)):
            told = torch.full((len(x),), kind, device=x.device)
            code = model.encode(x, told)
            nats.append(model.log_likelihood(code.mean[None], x, told)[0])
            if model.normal_prior and code.scale is not None:
                nats[-1] -= 0.5 * (code.mean.square() + code.scale.square() - 2 * code.scale.log()).sum(1)
        found.append(torch.stack(nats).argmax(0).cpu().numpy())
    return np.concatenate(found)
