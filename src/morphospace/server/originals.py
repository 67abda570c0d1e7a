"""The test images that a space's reference points are the codes of, where they lie on this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

from morphospace.data import ImageArray, Preparation, open_dataset
from morphospace.data.named import SOURCES
from morphospace.data.sources import is_local
from morphospace.errors import MorphospaceError
from morphospace.space import Space
from morphospace.training.runs import run_data
from morphospace.workflow import own_preparation

__all__ = ["Originals", "find_originals"]


def find_originals(space: Space, folder: Path | None) -> ImageArray | None:
    """The test images of ``space``, whose bundle is ``folder``; None where this machine does not have them.

    Nothing is downloaded, and only the very set that the space was trained on will do, by its fingerprint.
    """
    expected = space.about.get("data", {}).get("fingerprint")
    if not expected or space.reference is None:
        return None
    for source, preparation in _places(space, folder):
        try:
            dataset = open_dataset(source, preparation) if is_local(source) else None
        except (MorphospaceError, OSError, MemoryError):
            continue
        if dataset and dataset.fingerprint == expected and len(dataset.test) == len(space.reference):
            return dataset.test.images
    return None


def _places(space: Space, folder: Path | None) -> Iterator[tuple[str, Preparation | None]]:
    """Where to look: a run knows where its images lie, a bundle alone what the set is called."""
    try:
        known = (run_data(folder) if folder else None) or {}
        asked = known.get("preparation")
        if known.get("source"):
            yield str(known["source"]), Preparation.from_json(asked or {})
    except (MorphospaceError, KeyError, TypeError, ValueError):
        pass  # a damaged run is no reason to show nothing
    name = str(space.about["data"].get("name", ""))
    if name in SOURCES or name == "sprites":
        yield name, own_preparation(space, None)


class Originals:
    """Opens them in the background: a large set takes seconds.

    Args:
        space: whose test images are wanted.
        folder: its bundle.
    """

    def __init__(self, space: Space, folder: Path | None) -> None:
        self.space, self.folder = space, folder
        self._found: Future[ImageArray | None] = Future()
        self._found.set_running_or_notify_cancel()  # many wait for it: none of them may cancel it
        self._lock = threading.Lock()
        self._started = False

    def found(self) -> Future[ImageArray | None]:
        """They, or None, as soon as that is known."""
        with self._lock:
            if not self._started:
                self._started = True
                threading.Thread(target=self._open, name="originals", daemon=True).start()
        return self._found

    def _open(self) -> None:
        try:
            self._found.set_result(find_originals(self.space, self.folder))
        except Exception:  # they are an extra: without them everything else goes on
            self._found.set_result(None)
            raise
