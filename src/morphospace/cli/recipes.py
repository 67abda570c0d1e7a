"""``morpho recipes``: the recipes, one of them with its keys, and the parts that recipes are made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from morphospace.cli.screen import escape, table_text
from morphospace.cli.verbs import Answer, verb
from morphospace.errors import ArgumentError, did_you_mean

if TYPE_CHECKING:
    from morphospace.recipes.described import DescribedPart

__all__ = ["register"]

_WIDE = 24  # characters of a value on one line
_KEYS = ("key", "default", "values", "what it is")


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("recipes", rich_help_panel="Train")(verb(recipes))


def recipes(
    name: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it at run time
        typer.Argument(metavar="NAME", help="Show all keys of this recipe; with --parts, this kind of part."),
    ] = None,
    parts: Annotated[
        bool, typer.Option("--parts", help="List the parts that recipes are made of, with their keys.")
    ] = False,
) -> Answer:
    """List the recipes, show one with all its keys, or list the parts that recipes are made of."""
    if parts:
        return _parts(name)
    return _list() if name is None else _one(name)


def _list() -> Answer:
    from morphospace.recipes import RECIPES

    rows = [
        (f"[bold]{recipe.name}[/]", str(recipe.latent_dim), str(recipe.epochs), str(recipe.batch), recipe.summary)
        for recipe in RECIPES.values()
    ]
    text = table_text(("recipe", "latents", "epochs", "batch", "what it is"), rows)
    hint = (
        "[dim]morpho train takes quick for small grey images, photo for colour ones of 32 pixels a side or more where "
        "the extra features is installed, else conv; --recipe NAME decides. Change any key with --set key=value. "
        "morpho recipes NAME shows the keys of one, morpho recipes --parts the parts that it may be made of.[/]"
    )
    return Answer({"recipes": [recipe.to_json() for recipe in RECIPES.values()]}, f"{text}\n{hint}")


def _one(name: str) -> Answer:
    from morphospace.parts import Part
    from morphospace.recipes import find_recipe, keys_of

    recipe = find_recipe(name)
    rows = []
    for key in keys_of(recipe).values():
        if isinstance(key.value, Part):
            rows.append((f"[bold]{key.name}[/]", f"[bold]{key.value.kind}[/]", key.field.text if key.field else ""))
        else:
            value = ",".join(map(str, key.value)) if isinstance(key.value, tuple) else str(key.value).lower()
            folded = value.replace(",", ",\n") if len(value) > _WIDE else value
            rows.append((f"  {key.name}", escape(folded or "all"), key.field.text if key.field else ""))
    text = table_text(("key", "value", "what it is"), rows)
    hint = "[dim]--set takes the whole key or, where it is clear, its last word: --set latent_dim=8.[/]"
    return Answer(recipe.to_json(), f"[bold]{recipe.name}[/]: {recipe.summary}\n\n{text}\n\n{hint}")


def _parts(name: str | None) -> Answer:
    from morphospace.recipes.described import SLOTS, described, part_facts

    slots = {slot: described(slot) for slot in SLOTS}
    found = {
        slot: (text, [part for part in kinds if name is None or name in (slot, part.kind)])
        for slot, (text, kinds) in slots.items()
    }
    if name is not None and not any(kinds for _, kinds in found.values()):
        known = [*SLOTS, *dict.fromkeys(part.kind for _, kinds in slots.values() for part in kinds)]
        raise ArgumentError(f'there is no part "{name}". {did_you_mean(name, known)}', argument="name")
    facts: dict[str, Any] = part_facts()
    json = {slot: {part.kind: facts[slot][part.kind] for part in kinds} for slot, (_, kinds) in found.items() if kinds}
    if name is None:
        rows = [row for slot, (text, kinds) in found.items() for row in _overview(slot, text, kinds)]
        hint = "[dim]morpho recipes --parts NAME shows the keys of one; --set prior=NAME chooses it.[/]"
        return Answer({"parts": json}, f"{table_text(('part', 'kind', 'what it is'), rows)}\n{hint}")
    return Answer({"parts": json}, "\n\n".join(_whole(part) for _, kinds in found.values() for part in kinds))


def _overview(slot: str, text: str, kinds: list[DescribedPart]) -> Iterator[tuple[str, str, str]]:
    yield f"[bold]{slot}[/]", "", f"[bold]{escape(text)}[/]"
    for part in kinds:
        yield "", part.kind, escape(part.text)


def _whole(part: DescribedPart) -> str:
    head = f"[bold]{part.slot}={part.kind}[/]: {escape(part.text)}"
    rows = [(f"  {name}", escape(default), escape(words), escape(text)) for name, default, words, text in part.keys]
    return f"{head}\n{table_text(_KEYS, rows)}" if rows else f"{head}\n  [dim]it has no keys[/]"
