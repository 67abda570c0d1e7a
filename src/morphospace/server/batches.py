"""The one thread that owns the model: jobs wait their turn, and those that decode are decoded together.

A job that nobody waits for any more ends at its next use of the model, whatever it is that uses it: decoding a film, a
geodesic, a search for how far to go.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch.utils.hooks import RemovableHandle

from morphospace.codec import batch_for
from morphospace.errors import MorphospaceError
from morphospace.images import Images
from morphospace.server.failures import Failure, busy
from morphospace.space import Space
from morphospace.vae import Generative

__all__ = ["Job", "Unwanted", "Worker"]

T = TypeVar("T")
Points = NDArray[np.float32]

MOST_WAITING = 64


class Unwanted(Exception):  # noqa: N818
    """Nobody waits for this any more."""


class Job(Future[T], Generic[T]):
    """Something to compute; who gives up waiting for it cancels it, before it begins or in its midst.

    Attributes:
        work: what to do.
        points: instead of ``work``, (N, d) to decode.
        label: as whose number they are decoded, where the space is told labels.
        latest: of the jobs that carry the same word, only the newest is computed.
        began: when its turn came, by the clock ``time.monotonic``; None while it waits for it.
    """

    def __init__(
        self,
        work: Callable[[], T] | None = None,
        points: Points | None = None,
        latest: str | None = None,
        label: int | None = None,
    ) -> None:
        super().__init__()
        self.work, self.points, self.latest, self.label = work, points, latest, label
        self.wanted = True
        self.began: float | None = None

    def set_running_or_notify_cancel(self) -> bool:
        """Its turn has come."""
        self.began = time.monotonic()
        return super().set_running_or_notify_cancel()

    def cancel(self) -> bool:
        """Nobody waits for it any more."""
        self.wanted = False
        return super().cancel()

    def check(self) -> None:
        """Stop a job that nobody waits for.

        Raises:
            Unwanted: if so.
        """
        if not self.wanted:
            raise Unwanted


class Worker:
    """Computes jobs one after the other, in a thread of its own.

    Of the jobs that wait to decode, as many as make a batch are decoded at once. What is put in returns at once; the
    job is a :class:`concurrent.futures.Future`.

    Args:
        space: whose model it owns.
        most: how many jobs may wait.
    """

    def __init__(self, space: Space, *, most: int = MOST_WAITING) -> None:
        self.space, self.most, self.batch = space, most, batch_for(space.shape)
        self._waiting: deque[Job[Any]] = deque()
        self._turn = threading.Condition()
        self._closed = False
        self._doing: Job[Any] | None = None
        self._looks = self._look_before_each_use(space.model)
        self._thread = threading.Thread(target=self._work, name="model", daemon=True)
        self._thread.start()

    def do(self, work: Callable[[], T]) -> Job[T]:
        """Have ``work`` done.

        Raises:
            Failure: "busy", if too many jobs wait.
        """
        job: Job[T] = Job(work)
        self._put(job)
        return job

    def decode(self, points: Points, *, latest: str | None = None, label: int | None = None) -> Job[Images]:
        """Have latents (N, d) decoded, uint8 (N, H, W, C).

        Args:
            points: latents.
            latest: a word: jobs that wait and carry the same one are given up, as "superseded".
            label: the number of the one that is told, where the space is told labels.

        Raises:
            Failure: "busy", if too many jobs wait.
        """
        job: Job[Images] = Job(points=points, latest=latest, label=label)
        self._put(job)
        return job

    def close(self) -> None:
        """End the thread; what waits, or is being done, is given up."""
        with self._turn:
            self._closed = True
            for job in self._waiting:
                job.cancel()
            self._waiting.clear()
            if self._doing is not None:
                self._doing.cancel()
            self._turn.notify()
        self._thread.join(timeout=2)
        for look in self._looks:
            look.remove()

    def _look_before_each_use(self, model: Generative) -> list[RemovableHandle]:
        """Have the model look, before it encodes or decodes, whether anybody still waits for what is being done."""

        # No method: copies of the model, as for ONNX, share its functions, and would copy a method's worker.
        def look(*_: object) -> None:
            if self._doing is not None and threading.current_thread() is self._thread:
                self._doing.check()

        return [part.register_forward_pre_hook(look) for part in model.children()]

    def _put(self, job: Job[Any]) -> None:
        with self._turn:
            kept: deque[Job[Any]] = deque()
            for other in self._waiting:
                if job.latest is not None and other.latest == job.latest:
                    if other.set_running_or_notify_cancel():
                        other.set_exception(Failure(409, "superseded", f'a newer request for "{job.latest}" came.'))
                elif other.wanted:
                    kept.append(other)
            self._waiting = kept
            if len(kept) >= self.most or self._closed:
                raise busy(f"{len(kept)} requests wait to be computed already. Ask again in a second.")
            kept.append(job)
            self._turn.notify()

    def _take(self) -> list[Job[Any]]:
        """The next job; with it others that can be decoded at once. None, when it is time to end."""
        with self._turn:
            self._turn.wait_for(lambda: self._waiting or self._closed)
            if self._closed:
                return []
            taken = [self._waiting.popleft()]
            if taken[0].points is not None:
                room = self.batch - len(taken[0].points)
                for job in list(self._waiting):
                    if job.points is not None and len(job.points) <= room:
                        room -= len(job.points)
                        self._waiting.remove(job)
                        taken.append(job)
            return [job for job in taken if job.set_running_or_notify_cancel()]

    def _work(self) -> None:
        while not self._closed:
            jobs = self._take()
            if len(jobs) == 1:
                self._one(jobs[0])
            elif jobs:
                self._together(jobs)

    def _one(self, job: Job[Any]) -> None:
        self._doing = job
        try:
            job.check()
            job.set_result(self._decoded([job]) if job.work is None else job.work())
        except BaseException as error:  # whoever waits gets it
            job.set_exception(error)
        finally:
            self._doing = None

    def _decoded(self, jobs: list[Job[Any]]) -> Images:
        points = [job.points for job in jobs if job.points is not None]
        labels = [np.full(len(z), job.label) for z, job in zip(points, jobs, strict=True) if job.label is not None]
        return self.space.decode(np.concatenate(points), labels=np.concatenate(labels) if labels else None)

    def _together(self, jobs: list[Job[Any]]) -> None:
        wanted = [job for job in jobs if job.wanted]
        try:
            images = self._decoded(wanted) if wanted else None
        except MorphospaceError:  # one's latents are at fault: the others must not suffer for it
            for job in jobs:
                self._one(job)
            return
        except BaseException as error:
            for job in jobs:
                job.set_exception(error)
            return
        start = 0
        for job in jobs:
            if job not in wanted or images is None or job.points is None:
                job.set_exception(Unwanted())
                continue
            job.set_result(images[start : start + len(job.points)])
            start += len(job.points)
