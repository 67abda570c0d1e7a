"""The training loop.

Every random choice is a pure function of (seed, stage, step) and everything else that decides the next
step is in :meth:`Trainer.tensors` and :meth:`Trainer.position`, so that a run that is cut anywhere and
resumed takes the very steps it would have taken.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from morphospace.data.batches import batch_indices, steps_per_epoch
from morphospace.data.dataset import ImageArray, Labels
from morphospace.errors import ArgumentError, NonFiniteLossError
from morphospace.training.events import EpochEnded, Event, Stepped, Stopped
from morphospace.training.machine import Machine, keep_freed_memory
from morphospace.training.stages import Stage
from morphospace.vae.interfaces import Batch, Loss, Noise, Objective, Player, Progress, turns_of

__all__ = ["Step", "Trainer", "generator_seed", "to_input"]

_NAMED = 3  # broken tensors in an error


class Step(nn.Module):
    """One loss as one module: what is compiled, and what distributed training wraps."""

    def __init__(self, model: nn.Module, objective: Objective) -> None:
        super().__init__()
        self.model = model
        self.objective = objective

    def forward(self, player: str, batch: Batch, noise: Noise, progress: Progress) -> Loss:
        """The loss that ``player`` descends."""
        loss: Loss = self.objective(player, self.model, batch, noise, progress)
        return loss


def gradients_of(step: Step) -> Gradients:
    """How a player's parameters get the parts of its loss, and its gradient by each of them, of one batch."""

    def gradients(
        player: str, parameters: list[nn.Parameter], batch: Batch, noise: Noise, progress: Progress
    ) -> tuple[dict[str, Tensor], tuple[Tensor | None, ...]]:
        loss: Loss = step(player, batch, noise, progress)
        parts = {name: value.detach() for name, value in loss.parts.items()}
        return parts, torch.autograd.grad(loss.total, parameters, allow_unused=True)

    return gradients


def compiled_gradients(step: Step) -> Gradients:
    """The same, compiled; on CUDA as one graph that the host only starts, on a CPU without Python between its kernels.

    Forwards and backwards are compiled together where PyTorch can trace a gradient: apart, a mask of every ReLU is
    written for the way back.
    """
    config: Any = torch._dynamo.config
    cuda = next(step.parameters()).is_cuda
    how: dict[str, Any] = {"mode": "reduce-overhead"} if cuda else {"options": {"cpp_wrapper": True}}
    if not hasattr(config, "trace_autograd_ops"):
        return gradients_of(torch.compile(step, dynamic=False, **how))  # type: ignore[arg-type]
    traced: Gradients = config.patch(trace_autograd_ops=True)(torch.compile(gradients_of(step), dynamic=False, **how))
    return traced


def generator_seed(seed: int, stage: int, step: int) -> int:
    """The seed of one step's noise: well mixed, so that near seeds and steps share nothing."""
    digest = hashlib.blake2b(f"{seed}/{stage}/{step}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1


def to_input(pixels: Tensor) -> Tensor:
    """uint8 (B, H, W, C) to float32 (B, C, H, W) in [0, 1], channels last in memory."""
    return pixels.permute(0, 3, 1, 2).float().div_(255.0)


Gradients: TypeAlias = Callable[
    [str, list[nn.Parameter], Batch, Noise, Progress], tuple[dict[str, Tensor], tuple[Tensor | None, ...]]
]


@dataclass
class _Running:
    """The networks and optimisers of the stage that runs."""

    step: Step
    gradients: Gradients
    players: tuple[Player, ...]
    optimisers: dict[str, torch.optim.Optimizer]
    sums: dict[str, Tensor] = field(default_factory=dict)


def _frozen(step: Step) -> tuple[str, ...]:
    """How the names of what no checkpoint keeps begin."""
    return tuple(f"objective.{name}." for name in step.objective.frozen)


def _hold_still(model: nn.Module) -> None:
    """Let modules of which nothing trains be as they are in evaluation: else a batch norm would move all the same."""
    for module in model.modules():
        weights = list(module.parameters())
        if weights and not any(weight.requires_grad for weight in weights):
            module.eval()


def _part_name(players: Sequence[Player], player: Player, part: str) -> str:
    """What a part of a player's loss goes by: the first player's by its own name, others' with their player's."""
    return part if player is players[0] else f"{player.name}.{part}"


def _go_on(
    before: _Running, step: Step, players: Sequence[Player], optimisers: Mapping[str, torch.optim.Optimizer]
) -> None:
    """Give a stage what the one before it learned beside the model: an objective's own networks, and all moments."""
    step.objective.load_state_dict(before.step.objective.state_dict())
    former = {player.name: player.parameters for player in before.players}
    for player in players:
        moments = before.optimisers[player.name].state
        for old, new in zip(former[player.name], player.parameters, strict=True):
            if old in moments:
                optimisers[player.name].state[new] = moments[old]


class Trainer:
    """Trains a model through stages, yielding events; it can be cut and continued at any step.

    Args:
        model: satisfies :class:`morphospace.vae.Model`.
        stages: one after the other.
        images: uint8 (N, H, W, C); in memory they go to the device as they are, in a file they stay there.
        labels: int64 (N,) or None.
        seed: of batches and noise.
        machine: device, precision, threads.

    Raises:
        ArgumentError: if a stage has no epochs or no batch.
        NonFiniteLossError: from :meth:`run`, when a loss or weight stops being finite.
    """

    def __init__(
        self,
        model: nn.Module,
        stages: Sequence[Stage],
        images: ImageArray,
        labels: Labels | None = None,
        *,
        seed: int,
        machine: Machine,
    ) -> None:
        for stage in stages:
            if stage.epochs < 1 or not 1 <= stage.batch <= len(images):
                raise ArgumentError(
                    f"stage: expected epochs >= 1 and batch 1..{len(images)}, "
                    f"got epochs {stage.epochs}, batch {stage.batch}."
                )
        keep_freed_memory()
        torch.set_num_threads(machine.threads)
        self.machine = machine
        self.device = torch.device(machine.device)
        self.model = model.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._held = {name for name, p in model.named_parameters() if not p.requires_grad}  # by whoever made them
        self.stages = tuple(stages)
        self.images = torch.from_numpy(images).to(self.device) if isinstance(images, np.ndarray) else images
        self.labels = None if labels is None else torch.from_numpy(labels).to(self.device)
        self.seed = seed
        self.stage = 0
        self.step = 0
        self.seconds = 0.0  # of taking steps, over all resumptions
        self._epoch_seconds = 0.0
        self._running: _Running | None = None
        self._before: _Running | None = None  # what ran in the stage before

    # -- what a checkpoint holds -------------------------------------------------------------------

    def position(self) -> dict[str, Any]:
        """Where training stands, as JSON."""
        return {
            "stage": self.stage,
            "step": self.step,
            "seconds": self.seconds,
            "epoch_seconds": self._epoch_seconds,
            "seed": self.seed,
        }

    def tensors(self) -> dict[str, Tensor]:
        """Every tensor that decides the next step, by name."""
        if self.stage == len(self.stages):
            return {f"step.model.{name}": value for name, value in self.model.state_dict().items()}
        running = self._enter()
        frozen = _frozen(running.step)
        found = {f"step.{k}": v for k, v in running.step.state_dict().items() if not k.startswith(frozen)}
        for player, optimiser in running.optimisers.items():
            for index, state in optimiser.state_dict()["state"].items():
                found |= {f"optimiser.{player}.{index}.{key}": value for key, value in state.items()}
        return found | {f"sum.{name}": value for name, value in running.sums.items()}

    def restore(self, tensors: dict[str, Tensor], position: dict[str, Any]) -> None:
        """Stand where :meth:`tensors` and :meth:`position` were taken."""
        self.stage, self.step = position["stage"], position["step"]
        self.seconds, self._epoch_seconds = position["seconds"], position["epoch_seconds"]
        self._running = None
        if self.stage == len(self.stages):
            self.model.load_state_dict(
                {k.removeprefix("step.model."): v for k, v in tensors.items() if k.startswith("step.model.")}
            )
            return
        running = self._enter()
        own, frozen = running.step.state_dict(), _frozen(running.step)
        unstored = {k: v for k, v in own.items() if k.startswith(frozen)}
        stored = {k.removeprefix("step."): v for k, v in tensors.items() if k.startswith("step.")}
        running.step.load_state_dict(unstored | stored)
        for player in running.players:
            optimiser = running.optimisers[player.name]
            for index, parameter in enumerate(player.parameters):
                prefix = f"optimiser.{player.name}.{index}."
                for name, value in tensors.items():
                    if name.startswith(prefix):
                        # The memory order of the parameter, which fused kernels take for granted.
                        like = parameter if value.shape == parameter.shape else value
                        kept = torch.empty_like(like, dtype=value.dtype).copy_(value)
                        optimiser.state[parameter][name.removeprefix(prefix)] = kept
        running.sums = {k.removeprefix("sum."): v.to(self.device) for k, v in tensors.items() if k.startswith("sum.")}

    def jump(self, stage: int, step: int) -> None:
        """Go to a step without those before it: to measure how long it takes, for what it learns is nothing."""
        if stage != self.stage:
            self._running = None
        self.stage, self.step = stage, step

    # -- steps ---------------------------------------------------------------------------------------

    def run(self, stop: Callable[[], bool] = lambda: False) -> Iterator[Event]:
        """Train from where it stands to the end, or until ``stop()`` says so after a step."""
        while self.stage < len(self.stages):
            stage = self.stages[self.stage]
            steps = steps_per_epoch(len(self.images), stage.batch)
            while self.step < steps * stage.epochs:
                yield from self._epoch(self.step // steps, steps, stop)
                if self.step % steps or stop():
                    self.check_finite()
                    yield Stopped(self.stage, self.step // steps, self.step % steps)
                    return
            self._before, self._running = self._running, None
            self.stage, self.step = self.stage + 1, 0

    def _epoch(self, epoch: int, steps: int, stop: Callable[[], bool]) -> Iterator[Event]:
        stage = self.stages[self.stage]
        running = self._enter()
        order = torch.from_numpy(
            batch_indices(len(self.images), stage.batch, seed=self.seed, stage=self.stage, epoch=epoch)
        ).to(self.device)
        generator = torch.Generator(self.device)
        total = steps * stage.epochs
        self.model.train()
        if stage.trains:
            _hold_still(self.model)
        while True:
            started = time.perf_counter()
            self._step(running, order[self.step % steps], generator, total)
            self.step += 1
            last = self.step % steps == 0
            if last:
                losses = {name: value.item() / steps for name, value in running.sums.items()}
            self._epoch_seconds += time.perf_counter() - started
            yield Stepped(self.stage, epoch, steps if last else self.step % steps, steps)
            if last:
                break
            if stop():
                return
        self.check_finite()
        running.sums.clear()
        seconds, self._epoch_seconds = self._epoch_seconds, 0.0
        self.seconds += seconds
        yield EpochEnded(self.stage, epoch, losses, seconds, steps * stage.batch / seconds)

    def _step(self, running: _Running, index: Tensor, generator: torch.Generator, total: int) -> None:
        stage = self.stages[self.stage]
        x = to_input(self._pixels(index))
        generator.manual_seed(generator_seed(self.seed, self.stage, self.step))
        noise = stage.objective.noise(self.model, stage.batch, generator)
        seen, target = (x, x) if stage.augmentation is None else stage.augmentation.pair(x, generator)
        batch = Batch(seen, target, index, None if self.labels is None else self.labels[index])
        at = torch.full((), float(self.step), device=self.device)  # filled there: a copy would make the host wait
        progress = Progress(at, total, len(self.images))
        for player, *others in turns_of(running.players):
            if self.step % player.every:
                continue
            stepping = [parameter for one in (player, *others) for parameter in one.parameters]
            with self.machine.autocast():
                parts, gradients = running.gradients(player.name, stepping, batch, noise, progress)
            for parameter, gradient in zip(stepping, gradients, strict=True):
                parameter.grad = gradient
            for one in (player, *others):
                if one.optimiser.clip:
                    torch.nn.utils.clip_grad_norm_(one.parameters, one.optimiser.clip)
                for group in running.optimisers[one.name].param_groups:
                    group["lr"] = one.optimiser.rate(self.step, total)
                running.optimisers[one.name].step()
            for part, value in parts.items():
                # A sum that once met a NaN or infinity keeps it: finiteness is read with the losses.
                name, value = _part_name(running.players, player, part), value.float() * player.every
                running.sums[name] = running.sums[name] + value if name in running.sums else value.clone()
        with torch.no_grad():
            stage.objective.after_step(self.model)

    def _pixels(self, index: Tensor) -> Tensor:
        """The images at ``index`` (B,), uint8 (B, H, W, C), on the device."""
        if isinstance(self.images, Tensor):
            return self.images.index_select(0, index)
        return torch.from_numpy(self.images[index.cpu().numpy()]).to(self.device)

    def _enter(self) -> _Running:
        """The networks and optimisers of the current stage, made at its first step."""
        if self._running is None:
            stage = self.stages[self.stage]
            for name, parameter in self.model.named_parameters():
                trains = not stage.trains or name.startswith(stage.trains)
                parameter.requires_grad_(trains and name not in self._held)
            step = Step(self.model, stage.objective.to(self.device))
            with self.machine.autocast():
                stage.objective.look_at(lambda index: to_input(self._pixels(index)), self.labels, seed=self.seed)
            players = stage.objective.players(self.model, stage.optimiser)
            optimisers = {p.name: p.optimiser.build(p.parameters) for p in players}
            if stage.goes_on and self._before is not None:
                _go_on(self._before, step, players, optimisers)
            compiled = self.machine.compiled and stage.objective.compilable
            self._running = _Running(
                step, (compiled_gradients if compiled else gradients_of)(step), players, optimisers
            )
        return self._running

    def check_finite(self) -> None:
        """Read from the device whether all that a checkpoint would store is finite: model, objective and optimisers.

        Raises:
            NonFiniteLossError: with the likely cause.
        """
        running = self._enter()
        broken = [name for name, value in running.sums.items() if not math.isfinite(value.item())]
        if not broken:
            state = {name.removeprefix("step."): value for name, value in self.tensors().items()}
            broken = [name for name, value in state.items() if not bool(torch.isfinite(value).all())][:_NAMED]
            if not broken:
                return
        highest = max(player.optimiser.learning_rate for player in running.players)
        cause = (
            f"the learning rate {highest:g} is high; try a tenth of it: `learning_rate={highest / 10:g}`"
            if highest > 2e-3 or self.machine.precision == "fp32"
            else 'bf16 may be too coarse here; try `precision="fp32"`'
        )
        raise NonFiniteLossError(
            f"training stopped at step {self.step}: {', '.join(broken)} became NaN or infinite. Likely cause: {cause}."
        )
