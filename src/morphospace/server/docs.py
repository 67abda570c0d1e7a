"""The description of the API as a page of our own: no script, nothing from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from typing import Any

__all__ = ["docs_page"]


def docs_page(description: Mapping[str, Any]) -> str:
    """One HTML page of an OpenAPI description; its style is ``docs.css`` beside it."""
    title, version = escape(description["info"]["title"]), escape(description["info"]["version"])
    schemas = description.get("components", {}).get("schemas", {})
    routes = [
        _route(method, path, about)
        for path, methods in description["paths"].items()
        for method, about in methods.items()
    ]
    models = [_model(name, schema) for name, schema in sorted(schemas.items())]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{title}</title><link rel="stylesheet" href="docs.css"></head><body><main>'
        f'<h1>{title}</h1><p class="lead">{_words(description["info"].get("description", ""))}</p>'
        f'<p>Version {version}. For programs: <a href="openapi.json">openapi.json</a>.</p>'
        f"<h2>Routes</h2>{''.join(routes)}<h2>Shapes</h2>{''.join(models)}</main></body></html>\n"
    )


def _words(text: str) -> str:
    """Text with its paragraphs and its code marked."""
    marked = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text.strip()))
    return marked.replace("\n\n", "</p><p>")


def _route(method: str, path: str, about: Mapping[str, Any]) -> str:
    rows = [_parameter(one) for one in about.get("parameters", ())]
    for kind, media in about.get("requestBody", {}).get("content", {}).items():
        rows.append(("body", escape(kind), _type(media.get("schema", {}))))
    wrong = []
    for status, answer in sorted(about["responses"].items()):
        if status[0] in "45":
            wrong.append(f"{status} {escape(answer['description'].partition(':')[0])}")
            continue
        kinds = [f"{escape(kind)} {_type(m.get('schema', {}))}" for kind, m in answer.get("content", {}).items()]
        words = answer["description"].replace("Successful Response", "")  # which is not worth saying
        rows.append((status, _words(words), "<br>".join(kinds)))
    rows.append(("else", ", ".join(wrong), '<a href="#shape-Problem">Problem</a>'))
    name = re.sub(r"\W+", "-", f"{method}{path}").strip("-")
    table = "".join(f"<tr><th>{a}</th><td>{b}</td><td>{c}</td></tr>" for a, b, c in rows)
    return (
        f'<section id="{name}"><h3><a href="#{name}"><b class="{method}">{method.upper()}</b> '
        f"<code>{escape(path)}</code></a></h3><p>{_words(about.get('description', ''))}</p>"
        f'<div class="table"><table>{table}</table></div></section>'
    )


def _parameter(one: Mapping[str, Any]) -> tuple[str, str, str]:
    schema = one.get("schema", {})
    needed = "" if one.get("required") else f", {escape(str(schema.get('default', 'optional')))} by default"
    words = escape(one.get("description") or schema.get("description") or "")
    return escape(one["name"]), f"in the {escape(one['in'])}{needed}{'; ' if words else ''}{words}", _type(schema)


def _model(name: str, schema: Mapping[str, Any]) -> str:
    required = schema.get("required", ())
    rows = "".join(
        f"<tr><th>{escape(key)}</th><td>{'' if key in required else 'optional'}</td>"
        f"<td>{_type(value)} {_words(value.get('description', ''))}</td></tr>"
        for key, value in schema.get("properties", {}).items()
    )
    words = _words(schema.get("description", ""))
    return (
        f'<section id="shape-{escape(name)}"><h3><code>{escape(name.lstrip("_"))}</code></h3><p>{words}</p>'
        f'<div class="table"><table>{rows}</table></div></section>'
    )


def _type(schema: Mapping[str, Any]) -> str:
    """A JSON schema in a few words."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#shape-{name}">{name.lstrip("_")}</a>'
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if "const" in schema or "enum" in schema:
        return " ".join(f"<code>{escape(str(value))}</code>" for value in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list{_bounds(schema, 'minItems', 'maxItems')} of {_type(schema.get('items', {}))}"
    if isinstance(schema.get("additionalProperties"), Mapping):
        return f"object of {_type(schema['additionalProperties'])}"
    if schema.get("format") == "binary":
        return "bytes"
    kind = escape(str(schema.get("type", "")))
    return kind + _bounds(schema, "minimum", "maximum") + _bounds(schema, "minLength", "maxLength")


def _bounds(schema: Mapping[str, Any], low: str, high: str) -> str:
    if low not in schema and high not in schema:
        return ""
    return f" ({schema.get(low, '')}..{schema.get(high, '')})"
