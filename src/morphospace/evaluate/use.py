"""What a space's latents, or the codes of its book, are used for."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from morphospace.evaluate.structure import latent_use
from morphospace.space import Space

__all__ = ["CodeUse", "code_use", "use_warning"]

_IDLE = 0.5  # of the book
_FEWEST = 10  # codes for each entry, below which many would be idle by chance


class CodeUse(NamedTuple):
    """How evenly the entries of a book are used.

    Attributes:
        perplexity: so many entries, used evenly, would be as hard to guess: exp of the entropy of their shares.
        entries: the size of the book.
        codes: how many say so.
    """

    perplexity: float
    entries: int
    codes: int

    def warning(self) -> str | None:
        """In plain words, that much of the book is idle and what to try; None if not, or codes are too few to tell."""
        if self.perplexity >= _IDLE * self.entries or self.codes < _FEWEST * self.entries:
            return None
        return (
            f"the book of {self.entries} codes is used as if it had {self.perplexity:.1f}. A smaller one (`entries`) "
            "gives the same space; a lower pull towards codes (`commitment=0.1`) or more latents (`latent_dim`) may "
            "use more of it."
        )


def code_use(space: Space, points: NDArray[np.float32]) -> CodeUse | None:
    """How evenly the codes of images are used, over all positions; None of a space whose latents are no codes.

    Args:
        space: whose book it is.
        points: (N, d), where images lie.
    """
    book = space.model.book
    if book is None:
        return None
    with torch.no_grad():
        codes = space.model.codes(torch.from_numpy(points).to(space.device)).cpu().numpy()
    shares = np.bincount(codes.ravel(), minlength=book.entries) / max(1, codes.size)
    some = shares[shares > 0]
    return CodeUse(float(np.exp(-(some * np.log(some)).sum())), book.entries, codes.size)


def use_warning(space: Space, points: NDArray[np.float32]) -> str | None:
    """In plain words, what of the latents, or the codes, of images at ``points`` (N, d) is idle; None for nothing."""
    codes = code_use(space, points)
    if codes is not None:
        return codes.warning()
    return latent_use(points, prior=space.has_prior).warning(space.recipe.penalty)
