"""How training looks while it runs: a live line in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from morphospace.errors import plural
from morphospace.training import Stepped
from morphospace.workflow import Started, Validated

if TYPE_CHECKING:
    from rich.console import Console

    from morphospace.evaluate import TestFigures

__all__ = ["Display"]

_EVERY_SECONDS = 0.2  # drawing takes time from training


class _Speed(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.fields.get("speed")
        return Text(f"{speed:,.0f} images/s" if speed else "", style="dim")


def _chosen_by(validation: TestFigures) -> str:
    """What the best epoch is chosen by: a distance, or nats."""
    if (distance := validation.more.get("distance")) is not None:
        return f"distance {distance:.4f}"
    return f"{validation.reconstruction if validation.neg_elbo is None else validation.neg_elbo:.2f}"


class Display:
    """Listens to training and shows it on ``console``."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.progress: Progress | None = None
        self.task: Any = None
        self.batch = self.steps = self.epochs = 0
        self.shown = self.since = 0.0
        self.taken = 0

    def __enter__(self) -> Display:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.progress is not None:
            self.progress.stop()

    def __call__(self, event: object) -> None:
        """Show one event."""
        if isinstance(event, Stepped):
            self._stepped(event)
        elif isinstance(event, Validated):
            self._validated(event)
        elif isinstance(event, Started):
            self._started(event)

    def _started(self, event: Started) -> None:
        height, width, channels = event.dataset.shape
        kind = "grey" if channels == 1 else "colour"
        going = f", from epoch {event.epochs_done + 1}" if event.epochs_done else ""
        beta = "" if event.beta in (0.0, 1.0) else f", beta {event.beta:g}"
        threads = plural(event.machine.threads, "thread")
        self.console.print(
            f"[bold]{escape(event.recipe.name)}[/] on [bold]{escape(event.dataset.name)}[/]: {event.learned:,} images "
            f"{width}x{height} {kind}, {event.recipe.latent_dim} latents, {event.parameters:,} parameters{beta}; "
            f"{plural(event.epochs, 'epoch')}, batch {event.recipe.batch}{going} "
            f"[dim]({event.machine.device}, {event.machine.precision}, {threads})[/]",
            soft_wrap=True,
        )
        self.batch, self.epochs = event.recipe.batch, event.epochs
        self.steps = event.learned // self.batch
        if self.console.is_terminal:
            self.progress = Progress(
                TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
                BarColumn(bar_width=28),
                _Speed(),
                TimeRemainingColumn(compact=True),
                TextColumn("[dim]{task.fields[figures]}"),
                console=self.console,
                auto_refresh=False,
                transient=True,
            )
            self.task = self.progress.add_task(
                "train", total=self.epochs * self.steps, completed=event.epochs_done * self.steps,
                epoch=event.epochs_done + 1, epochs=self.epochs, speed=None, figures="",
            )  # fmt: skip
            self.progress.start()

    def _stepped(self, event: Stepped) -> None:
        now = time.perf_counter()
        if not self.taken:
            self.since = now  # validation and sheets are over
        self.taken += 1
        if self.progress is None or now - self.shown < _EVERY_SECONDS:
            return
        speed = (self.taken - 1) * self.batch / max(now - self.since, 1e-9)
        done = event.epoch * self.steps + event.step
        self.progress.update(self.task, completed=done, epoch=event.epoch + 1, speed=speed)
        self.progress.refresh()
        self.shown = now

    def _validated(self, event: Validated) -> None:
        self.taken = 0
        test, width = event.test, len(str(event.epochs))
        train = "  ".join(f"{name} {value:7.2f}" for name, value in event.ended.losses.items())
        if test.neg_elbo is None:
            shown = f"reconstruction {test.reconstruction:7.2f}"
        else:
            beta = "" if test.beta == 1 else f"  [dim]beta {test.beta:g}[/]"
            shown = f"−ELBO [bold]{test.neg_elbo:7.2f}[/] = {test.reconstruction:.2f} + {test.kl:.2f}{beta}"
        if event.validation is not None:
            shown += f"  [dim]validation[/] {_chosen_by(event.validation)}"
        if self.progress is not None:
            self.progress.update(self.task, figures=f"test {test.neg_elbo or test.reconstruction:.1f} nats")
        self.console.print(
            f"epoch {event.epoch:{width}d}/{event.epochs}  [dim]train[/] {train}  [dim]test[/] {shown}  "
            f"[dim]{event.ended.images_per_second:,.0f} images/s[/]",
            soft_wrap=True,
        )
