"""Write docs/parts.md: every part that recipes are made of with its keys, from what `morpho recipes --parts` knows.

python docs/site/parts.py
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from morphospace.recipes.described import SLOTS, DescribedPart, described

PAGE = Path(__file__).parents[1] / "parts.md"

_HEAD = """\
# Parts and their keys

What [recipes](recipes.md) are made of. `morpho recipes --parts` lists the same in a terminal, `morpho recipes --parts
NAME` one kind with its keys, and `--json` either of them for programs.

`--set prior=vamp` puts a part in its place, `--set prior.components=300` changes a key of it; in Python
`ms.recipe("quick", prior="vamp", prior__components=300)`. Where the last word of a key is clear, it is enough:
`components`. [Your own parts](extending.md) may stand in these places too.
"""


def parts_page() -> str:
    """Every place of a recipe with its kinds and their keys, as Markdown."""
    slots = {slot: described(slot) for slot in SLOTS}
    lines = [_HEAD, "| place | what it is | kinds |", "|---|---|---|"]
    lines += [
        f"| [`{slot}`](#{slot}) | {cell(text)} | {', '.join(f'`{part.kind}`' for part in kinds)} |"
        for slot, (text, kinds) in slots.items()
    ]
    for slot, (text, kinds) in slots.items():
        lines += ["", f"## {slot}", "", f"{cell(text)}."]
        for part in kinds:
            lines += ["", *section(slot, part)]
    return "\n".join(lines) + "\n"


def section(slot: str, part: DescribedPart) -> Iterator[str]:
    """One kind, with a row for each of its keys."""
    yield f"### {slot}={part.kind}"
    yield ""
    yield f"{cell(part.text)}."
    if part.keys:
        yield from ("", "| key | default | values | what it is |", "|---|---|---|---|")
    for name, value, words, text in part.keys:
        yield f"| `{name}` | `{value}` | {cell(words)} | {cell(text)} |"


def cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    PAGE.write_text(parts_page(), encoding="utf-8")
