"""The arguments and options that many verbs have, each with one name and one help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

__all__ = [
    "CompileOption",
    "DataArgument",
    "DeviceOption",
    "ForceOption",
    "ImageArgument",
    "OutOption",
    "PrecisionOption",
    "SeedOption",
    "SpaceArgument",
]

SpaceArgument = Annotated[
    str,
    typer.Argument(
        metavar="SPACE", help="A run folder, a bundle folder, [bold]latest[/], or [bold]builtin[/] (MNIST, 2 latents)."
    ),
]
SeedOption = Annotated[int, typer.Option("--seed", min=0, help="Seed of everything random; recorded in what is made.")]
DataArgument = Annotated[
    str,
    typer.Argument(
        metavar="DATA",
        help="A folder, zip or tar of pictures, a file .npz, .npy, .mat or IDX, hf:NAME, or digits, mnist, "
        "fashion-mnist, binarized-mnist, sprites.",
    ),
]
DeviceOption = Annotated[str, typer.Option("--device", help="auto, cpu, cuda, cuda:1, mps.")]
PrecisionOption = Annotated[str, typer.Option("--precision", help="auto, bf16 or fp32.")]
CompileOption = Annotated[
    Optional[bool],  # noqa: UP045 - typer reads it at run time
    typer.Option("--compile/--no-compile", help="torch.compile; by default only where it saves time."),
]
OutOption = Annotated[
    Optional[Path],  # noqa: UP045 - typer reads it at run time
    typer.Option("--out", help="Where to write; a new numbered file in morpho-out/ by default."),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace an output that exists.")]
ImageArgument = Annotated[str, typer.Argument(metavar="IMAGE", help="A picture file, or an item like mnist:test/17.")]
