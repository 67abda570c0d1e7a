"""The report: one HTML file with everything inside, that says what each picture shows."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from morphospace.files import write_bytes
from morphospace.images import png_bytes
from morphospace.pictures import Picture

__all__ = ["Exhibit", "write_report"]

_STYLE = """
:root { color-scheme: light dark; --ink: #20242c; --soft: #5d6472; --line: #e3e5ea; --paper: #fbfbfa;
  --card: #fff; --accent: #b3392f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaee; --soft: #a2a9b6; --line: #343945;
  --paper: #16181d; --card: #1e2128; --accent: #f0897f; } }
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 17px/1.6 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif }
main { max-width: 62rem; margin: 0 auto; padding: 3.5rem 1.25rem 5rem }
h1 { font-size: clamp(1.9rem, 5vw, 2.9rem); line-height: 1.1; letter-spacing: -.02em; margin: 0 0 .6rem }
h2 { font-size: 1.35rem; margin: 0 0 .35rem; letter-spacing: -.01em }
p { margin: 0 0 1rem; max-width: 44rem } .lead { color: var(--soft); font-size: 1.1rem }
section { margin-top: 3.2rem } section p { color: var(--soft) }
figure { margin: 1rem 0 0; background: var(--card); border: 1px solid var(--line); border-radius: 12px;
  padding: 14px; overflow-x: auto; text-align: center }
figure img { max-width: 100%; height: auto; border-radius: 4px; vertical-align: middle }
dl.facts { display: flex; flex-wrap: wrap; gap: 10px; margin: 2rem 0 0 }
dl.facts div { background: var(--card); padding: .7rem 1rem; flex: 1 0 auto; border: 1px solid var(--line);
  border-radius: 12px }
dt { color: var(--soft); font-size: .82rem } dd { margin: 0; font-size: 1.25rem; font-weight: 600;
  font-variant-numeric: tabular-nums }
pre { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 1rem 1.1rem;
  overflow-x: auto; font: .88rem/1.6 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace }
table { border-collapse: collapse; margin: 2rem 0 0; font-variant-numeric: tabular-nums; font-size: .95rem }
th, td { padding: .35rem .9rem .35rem 0; border-bottom: 1px solid var(--line); text-align: right }
th:first-child, td:first-child { text-align: left } th { font-weight: 600 } td:first-child { color: var(--soft) }
.wide { overflow-x: auto }
.warning { border-left: 4px solid var(--accent); padding: .2rem 0 .2rem 1rem; margin-top: 1.5rem }
footer { margin-top: 4rem; color: var(--soft); font-size: .85rem; border-top: 1px solid var(--line);
  padding-top: 1rem }
"""


@dataclass(frozen=True)
class Exhibit:
    """A picture in a report: its title, what it shows in words, and the picture (or a film's GIF bytes)."""

    title: str
    words: str
    picture: Picture | bytes

    def html(self) -> str:
        """As a section."""
        if isinstance(self.picture, bytes):
            kind, data = "gif", self.picture
        else:
            kind, data = "png", png_bytes(self.picture.pixels, self.picture.text)
        source = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
        return (
            f"<section><h2>{escape(self.title)}</h2><p>{escape(self.words)}</p>"
            f'<figure><img alt="{escape(self.title)}" src="{source}"></figure></section>'
        )


def write_report(
    path: Path,
    *,
    title: str,
    lead: str,
    facts: Sequence[tuple[str, str]],
    exhibits: Sequence[Exhibit],
    table: Sequence[Sequence[str]] = (),
    commands: str = "",
    warnings: Sequence[str] = (),
    notes: Sequence[str] = (),
    footer: str = "",
) -> None:
    """Write a self-contained page: no request leaves it, no script runs in it.

    Args:
        path: the HTML file.
        title: its heading.
        lead: a sentence or two below.
        facts: (name, value) pairs, shown as a row of figures.
        exhibits: the pictures, in order.
        table: rows of text, the first of them the head; stands before the pictures.
        commands: what to type next.
        warnings: in plain words.
        notes: how the images were read, in plain words.
        footer: how it was made.
    """
    figures = "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in facts)
    alarms = "".join(f'<p class="warning">{_marked(words)}</p>' for words in warnings)
    shown = "".join(exhibit.html() for exhibit in exhibits)
    rows = _table(table) if table else ""
    then = f"<section><h2>What to type next</h2><pre>{escape(commands)}</pre></section>" if commands else ""
    said = "".join(f"<li>{_marked(words)}</li>" for words in notes)
    read = f"<section><h2>How the images were read</h2><ul>{said}</ul></section>" if notes else ""
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>"
        f'<h1>{escape(title)}</h1><p class="lead">{escape(lead)}</p><dl class="facts">{figures}</dl>{alarms}'
        f"{rows}{shown}{read}{then}<footer>{escape(footer)}</footer></main></body></html>\n"
    )
    write_bytes(path, page.encode())


def _marked(words: str) -> str:
    """Words as HTML, what stands in backquotes as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(words))


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of text as a table, the first of them its head."""

    def row(cells: Sequence[str], kind: str) -> str:
        return "<tr>" + "".join(f"<{kind}>{escape(cell)}</{kind}>" for cell in cells) + "</tr>"

    body = "".join(row(cells, "td") for cells in rows[1:])
    return f'<div class="wide"><table><thead>{row(rows[0], "th")}</thead><tbody>{body}</tbody></table></div>'
