"""The roles of docstrings, for Markdown: formulas become MathML, which browsers draw, and names become code."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

from latex2mathml.converter import convert
from markdown import Markdown
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor

Found = tuple[Element | str | None, int | None, int | None]


class Formula(InlineProcessor):
    """``:math:`x^2` ``."""

    def handleMatch(self, m: re.Match[str], data: str) -> Found:  # type: ignore[override]
        html = convert(re.sub(r"\s+", " ", m[1]))
        return self.md.htmlStash.store(html), m.start(0), m.end(0)


class Name(InlineProcessor):
    """``:class:`morphospace.Space` ``."""

    def handleMatch(self, m: re.Match[str], data: str) -> Found:  # type: ignore[override]
        code = Element("code")
        code.text = m[1].removeprefix("~").removeprefix("morphospace.")
        return code, m.start(0), m.end(0)


class Roles(Extension):
    """Both of them; they come before Markdown's own backticks."""

    def extendMarkdown(self, md: Markdown) -> None:
        md.inlinePatterns.register(Formula(r":math:`([^`]+)`", md), "formula", 220)
        md.inlinePatterns.register(Name(r":(?:func|class|meth|mod|attr|data):`([^`]+)`", md), "name", 219)


def makeExtension(**settings: object) -> Roles:
    """What Markdown looks for."""
    return Roles(**settings)
