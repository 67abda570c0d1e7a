"""Files that are no sets of images here: what they are, and how they become one."""

from __future__ import annotations

from pathlib import Path

from morphospace.data.content import known_kind
from morphospace.decoding import Source, UnreadablePictureError, foreign_kind, page_count, read_samples
from morphospace.files import read_bytes
from morphospace.interpretation import Interpretation
from morphospace.quiet import quiet

__all__ = ["conversion"]

_HEAD = 2048  # bytes that say what a file is
_TABLES = (".csv", ".tsv")


def conversion(path: Path) -> str:
    """What a file that was named as a set is, and what to do with it; "" where that is unknown."""
    data = read_bytes(path, "file")
    if words := foreign_kind(data[:_HEAD]):
        return words
    if path.name.lower().endswith(_TABLES):
        return (
            "a table. If each row is the pixels of an image behind its label, NumPy makes a set of it: "
            'x = np.loadtxt("x.csv", delimiter=",", skiprows=1); '
            'np.savez("x.npz", images=x[:, 1:].reshape(-1, 28, 28), labels=x[:, 0])'
        )
    try:
        with quiet():
            read_samples(Source(data, Interpretation(channels=(0,), truncated=True)))
    except UnreadablePictureError:
        return known_kind(data[:_HEAD])
    pages = page_count(data)
    if pages > 1:
        return f'one file of {pages:,} pages. Put it into a folder and name that, with `frames="all"`'
    return "one picture. Name the folder of all"
