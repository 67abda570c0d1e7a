"""``morpho share`` and ``export``: a space for people without Morphospace, and for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from morphospace.cli.arguments import ForceOption, OutOption, SpaceArgument
from morphospace.cli.opening import open_space
from morphospace.cli.outputs import output_path
from morphospace.cli.screen import note
from morphospace.cli.verbs import Answer, verb
from morphospace.errors import ArgumentError, did_you_mean

__all__ = ["register"]

_FORMATS = ("onnx",)
_SHARE = "Share"


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command("share", rich_help_panel=_SHARE)(verb(share))
    app.command("export", rich_help_panel=_SHARE)(verb(export))


def share(
    space: SpaceArgument,
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Argument(metavar="[OUT.html]", help="The file to write; a new one in morpho-out/ by default."),
    ] = None,
    force: ForceOption = False,
) -> Answer:
    """Write the explorer with SPACE inside as one HTML file, which opens by double-click, without a server."""
    from morphospace.export.page import what_it_reveals, write_page

    path = output_path(out, "space", ".html", force=force)
    found = open_space(space, "cpu")
    size = write_page(path, found)
    reveals = what_it_reveals(found)
    note(f"{reveals}. Give it only to whom you may show pictures like those")
    facts = {"space": space, "bytes": size, "reveals": reveals}
    return Answer(facts, f"{size / 1e6:.1f} MB; open it in any browser", outputs=[path])


def export(
    space: SpaceArgument,
    kind: Annotated[str, typer.Option("--format", metavar="FORMAT", help="onnx: encoder and decoder.")] = "onnx",
    half: Annotated[bool, typer.Option("--half", help="Weights as 16-bit floats, half as large.")] = False,
    out: OutOption = None,
    force: ForceOption = False,
) -> Answer:
    """Write the model of SPACE for other programs, checked against PyTorch: a folder with encoder and decoder."""
    if kind not in _FORMATS:
        raise ArgumentError(f'there is no "{kind}". {did_you_mean(kind, _FORMATS)}', argument="kind")
    from morphospace.export.onnx import PARTS, to_onnx
    from morphospace.files import atomic_folder

    folder = output_path(out, "onnx", "", force=force)
    found = open_space(space, "cpu")
    models = {part: to_onnx(found, part, half=half) for part in PARTS}
    with atomic_folder(folder) as made:
        for part, data in models.items():
            (made / f"{part}.onnx").write_bytes(data)
    height, width, channels = found.shape
    sizes: dict[str, Any] = {part: len(data) for part, data in models.items()}
    names = found.label_names
    told = f" and label (N,), int64: 0 {names[0]} to {len(names) - 1} {names[-1]}," if names else ""
    text = "\n".join(
        [
            f"encoder.onnx: images (N, {height}, {width}, {channels}) in 0..1{told} to mean"
            + (f" and log_var (N, {found.latent_dim})" if found.model.has_density else f" (N, {found.latent_dim})"),
            f"decoder.onnx: z (N, {found.latent_dim}){told} to images (N, {height}, {width}, {channels}) in 0..1",
        ]
    )
    return Answer({"space": space, "format": kind, "half": half, "bytes": sizes}, text, outputs=[folder])
