"""``morpho info`` and ``evaluate``."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from morphospace.cli.common import (
    Answer,
    DeviceOption,
    SeedOption,
    SpaceArgument,
    note,
    open_data,
    open_space,
    own_data,
    verb,
)

__all__ = ["register"]

_LOOK = "Look"


def register(app: typer.Typer) -> None:
    """Add the verbs."""
    app.command("info", rich_help_panel=_LOOK)(verb(info))
    app.command("evaluate", rich_help_panel=_LOOK)(verb(evaluate))


def info(space: SpaceArgument) -> Answer:
    """Show what a space is: its recipe, data, figures and concepts."""
    found = open_space(space, "cpu")
    about = found.about
    height, width, channels = found.shape
    facts = {
        "space": space,
        "recipe": found.recipe.name,
        "latent_dim": found.latent_dim,
        "shape": [height, width, channels],
        "parameters": found.parameters,
        "seed": about.get("seed"),
        "data": about.get("data", {}),
        "train": about.get("train", {}),
        "test": about.get("test", {}),
        "concepts": list(found.concepts),
        "command": about.get("command"),
        "settings": found.recipe.to_json(),
    }
    test = {k: v for k, v in facts["test"].items() if v is not None}
    rows = [
        ("recipe", f"{found.recipe.name}: {found.recipe.summary}"),
        (
            "images",
            f"{width}x{height} {'grey' if channels == 1 else 'colour'}, trained on {facts['data'].get('name', '?')}",
        ),
        ("latents", str(found.latent_dim)),
        ("parameters", f"{found.parameters:,}"),
        ("seed", str(facts["seed"])),
        ("trained", f"{facts['train'].get('seconds', '?')} s, {facts['train'].get('epochs', '?')} epochs"),
        ("test", ", ".join(f"{k} {v:.4g}" for k, v in test.items()) + " (nats an image; psnr in dB)"),
        ("concepts", ", ".join(found.concepts) or "none; learn one with morpho concept learn"),
        ("command", str(facts["command"] or "ms.train")),
    ]
    return Answer(facts, "\n".join(f"[dim]{name:11}[/]{value}" for name, value in rows))


def evaluate(
    space: SpaceArgument,
    data: Annotated[
        Optional[str], typer.Option("--data", help="The set to score; the space's own by default.")  # noqa: UP045
    ] = None,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
) -> Answer:
    """Score a space on all test images of a set, in float32, in nats an image."""
    from morphospace.evaluate import evaluate_space
    from morphospace.workflow import preparation_for

    found = open_space(space, device)
    name = data or own_data(space, found)
    figures = evaluate_space(found, open_data(name, preparation_for(found)), seed=seed)
    for words in figures["warnings"]:
        note(words)
    test = figures["test"]
    rows = [(k, v) for k, v in test.items() if v is not None]
    used = found.latent_dim - len(figures["latents"]["unused"])
    text = "\n".join(
        [
            f"[bold]{name}[/], {figures['images']:,} test images",
            *(
                f"[dim]{k:16}[/]{v:.4f}" + (" nats" if k in ("neg_elbo", "reconstruction", "kl") else "")
                for k, v in rows
            ),
            f"[dim]{'latents used':16}[/]{used} of {found.latent_dim}",
        ]
    )
    return Answer({"space": space, "seed": seed, **figures}, text)
