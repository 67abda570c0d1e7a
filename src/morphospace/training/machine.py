"""Device, precision and threads: everything about the machine that decides the bits of a result."""

from __future__ import annotations

import ctypes
import dataclasses
import importlib.util
import shutil
import sys
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch

from morphospace.errors import ArgumentError, did_you_mean

__all__ = ["Machine", "choose_device", "choose_machine", "decide_compilation", "keep_freed_memory"]


_MANY_STEPS = 20_000


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What a run is computed with; stored in the run and used again when it resumes.

    Attributes:
        device: "cpu", "cuda", "cuda:1", "mps".
        precision: "bf16" (matrix products in bfloat16, sums and weights in float32) or "fp32".
        threads: CPU threads.
        compiled: whether the step goes through ``torch.compile``; None: :func:`decide_compilation` decides.
        torch: PyTorch's version.
    """

    device: str = "cpu"
    precision: str = "fp32"
    threads: int = 1
    compiled: bool | None = False
    torch: str = torch.__version__

    def autocast(self) -> AbstractContextManager[None]:
        """The context in which models run."""
        kind = torch.device(self.device).type
        return torch.autocast(kind, dtype=torch.bfloat16, enabled=self.precision == "bf16")

    def differences(self, other: Machine) -> list[str]:
        """In words, what makes bits differ between two machines."""
        pairs = zip(dataclasses.asdict(self).items(), dataclasses.asdict(other).values(), strict=True)
        return [f"{name} {mine} then, {theirs} now" for (name, mine), theirs in pairs if mine != theirs]


def choose_device(name: str | torch.device = "auto") -> str:
    """A device that is here: the named one, or the fastest kind.

    Raises:
        ArgumentError: if the name is unknown or the device is not here.
    """
    name, here = str(name), ["cpu"]
    if torch.cuda.is_available():
        here += ["cuda", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        here.append("mps")
    if name == "auto":
        return "cuda" if "cuda" in here else here[-1]
    if name not in here:
        raise ArgumentError(
            f'"{name}" is not on this machine. {did_you_mean(name, ["auto", *here])}', argument="device"
        )
    return name


def choose_machine(
    *, device: str = "auto", precision: str = "auto", compiled: bool | None = None, threads: int | None = None
) -> Machine:
    """This machine, as a run is to use it.

    Args:
        device: "auto" or a device.
        precision: "bf16", "fp32", or "auto": bf16 where the hardware multiplies it natively.
        compiled: None leaves it to :func:`decide_compilation`.
        threads: CPU threads; PyTorch's own choice by default.

    Raises:
        ArgumentError: for an unknown device or precision.
    """
    if precision not in ("auto", "bf16", "fp32"):
        raise ArgumentError(
            f'expected auto, bf16 or fp32, got "{precision}". {did_you_mean(precision, ["auto", "bf16", "fp32"])}',
            argument="precision",
        )
    if compiled not in (None, True, False):
        raise ArgumentError(f"compiled: expected True, False or None, got {compiled!r}.")
    chosen = choose_device(device)
    if precision == "auto":
        precision = "bf16" if _multiplies_bf16(chosen) else "fp32"
    return Machine(device=chosen, precision=precision, threads=threads or torch.get_num_threads(), compiled=compiled)


def decide_compilation(machine: Machine, steps: int) -> Machine:
    """The machine for a training of ``steps`` steps: compiled where that saves time, unless it is decided already.

    On CUDA that is wherever Triton is installed. On a CPU, compiling takes 10 to 20 s and then saves a few milliseconds
    a step, so it takes a C++ compiler and many steps to pay.
    """
    if machine.compiled is not None:
        return machine
    if machine.device.startswith("cuda"):
        compiled = importlib.util.find_spec("triton") is not None
    else:
        has_compiler = any(shutil.which(name) for name in ("g++", "clang++", "c++"))
        compiled = machine.device == "cpu" and steps >= _MANY_STEPS and has_compiler
    return dataclasses.replace(machine, compiled=compiled)


def _multiplies_bf16(device: str) -> bool:
    if device.startswith("cuda"):
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device != "cpu" or not hasattr(torch.cpu, "get_capabilities"):
        return False
    found = torch.cpu.get_capabilities()
    if any(found.get(name, False) for name in ("amx_bf16", "bf16")):  # by tiles, or as ARM does it
        return True
    # AVX-512's instructions for it were measured at twice the rate of fp32 on AMD's cores, at half of it on Intel's.
    return bool(found.get("avx512_bf16", False)) and str(found.get("cpu_name", "")).startswith("AMD")


def keep_freed_memory() -> None:
    """Tell glibc to keep freed memory rather than return it, to be mapped and zeroed again at each step.

    Small batches spend a third of their time in those page faults. Elsewhere than on glibc: nothing.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return
    trim_threshold, mmap_threshold, keep = -1, -3, (1 << 31) - 1
    mallopt(trim_threshold, keep)
    mallopt(mmap_threshold, 1 << 30)
