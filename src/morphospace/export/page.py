"""A space as the explorer's page takes it: facts for the server, or one HTML file that needs none."""

from __future__ import annotations

import base64
import functools
import gzip
import hashlib
import json
import re
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from morphospace._version import __version__
from morphospace.attribute_files import attribute_column
from morphospace.card import in_short
from morphospace.concept_files import concept_evidence
from morphospace.data.attributes import Attribute
from morphospace.errors import DataError, FileError
from morphospace.export.onnx import to_onnx
from morphospace.files import read_bytes, write_bytes
from morphospace.latent.axes import principal_axes
from morphospace.latent.classes import Classes
from morphospace.latent.concepts import Concept
from morphospace.space import Space

__all__ = [
    "LARGEST_MODEL",
    "PAGE",
    "attribute_numbers",
    "concept_facts",
    "share_page",
    "space_facts",
    "what_it_reveals",
    "write_page",
]

LARGEST_MODEL = 8_000_000
"""Parameters; 16 MB as 16-bit floats. A page that decodes a larger one is slow to load and slow to use."""

PAGE = Path(__file__).parents[1] / "server" / "static"
"""Where the built page lies; its sources are in /web."""

_AXES = 16
_DRAWS = 256  # of a fitted sampler, for the page's random places
_RUNTIME = "ort.wasm.gz"


def space_facts(space: Space) -> dict[str, Any]:
    """What a page needs to know of a space, as plain JSON values; arrays are base64 of little-endian numbers."""
    data = space.about.get("data", {})
    plane = space.plane()
    names = data.get("label_names") or None
    return {
        "version": __version__,
        "fingerprint": space.fingerprint(),
        "name": str(data.get("name", "images")),
        "recipe": space.recipe.name,
        "shape": list(space.shape),
        "latent_dim": space.latent_dim,
        "parameters": space.parameters,
        "seed": int(space.about.get("seed", 0)),
        "resize": space.resize,
        "licence": data.get("licence") or None,
        "has_prior": space.has_prior,
        "test": {key: value for key, value in space.about.get("test", {}).items() if value is not None},
        "command": space.about.get("command"),
        "label_names": names if space.reference_labels is not None else None,
        "told": space.label_names,
        "given": space.label_names[space.held] if isinstance(space.held, int) else None,
        "attributes": [
            {"name": name, "words": attribute_column(values)[1]} for name, values in space.reference_attributes.items()
        ],
        "has_errors": space.errors is not None,
        "count": 0 if space.reference is None else len(space.reference),
        "plane": {"origin": plane.origin.tolist(), "axes": plane.axes.tolist(), "names": list(plane.names)},
        "principal": _principal(space),
        "draws": None if space.sampler is None else _base64(space.sample_points(_DRAWS, seed=0), "<f4"),
        "classes": None if space.classes is None else _class_facts(space.classes),
        "concepts": [concept_facts(concept, space.concepts) for concept in space.concepts.values()],
    }


def attribute_numbers(values: Attribute) -> NDArray[np.float64]:
    """An attribute as the page takes it, (N,): numbers, or the places of its words; NaN where unknown."""
    column, words = attribute_column(values)
    numbers = column.astype(np.float64)
    if words is not None:
        numbers[column < 0] = np.nan
    return numbers


def concept_facts(concept: Concept, concepts: Mapping[str, Concept]) -> dict[str, Any]:
    """What a page needs to know of a concept; ``concepts`` are all of its space, which it may repeat."""
    field = None if concept.field is None else {k: _base64(v, "<f4") for k, v in concept.field._asdict().items()}
    return {
        "name": concept.name,
        **concept_evidence(concept),
        "follows": concept.follows,
        "of_number": concept.of_number,
        "warnings": concept.warnings(concepts),
        "direction": concept.direction.tolist(),
        "normal": None if concept.normal is None else concept.normal.tolist(),
        "field": field,
    }


def _class_facts(classes: Classes) -> dict[str, Any]:
    return {
        "names": list(classes.names),
        "margin": classes.margin,
        "means": _base64(classes.means, "<f8"),
        "covariances": _base64(classes.covariances, "<f8"),
    }


def _principal(space: Space) -> dict[str, Any]:
    """The axes along which the codes spread most; those of the space itself where there are no codes."""
    d = space.latent_dim
    if space.reference is None or len(space.reference) < 2:
        return {"mean": [0.0] * d, "axes": np.eye(d)[:_AXES].tolist(), "deviations": [1.0] * min(d, _AXES)}
    mean, axes, deviations = principal_axes(space.reference, _AXES)
    return {"mean": mean.tolist(), "axes": axes.tolist(), "deviations": deviations.tolist()}


def share_page(space: Space) -> bytes:
    """The explorer with a space inside, as one HTML file that opens by double-click and asks no server.

    It holds the page, its runtime, both parts of the model with weights as 16-bit floats, the reference points with
    their labels and attributes, the concepts and the classes; of the command it was trained by, nothing.

    Raises:
        DataError: for a model that is too large for a page.
        FileError: if the package lacks the built page.
    """
    if space.parameters > LARGEST_MODEL:
        raise DataError(
            f"its model has {space.parameters:,} parameters, {space.parameters * 2 / 1e6:.0f} MB in a page, "
            f"expected at most {LARGEST_MODEL:,}. Show it with morpho explore, or train a smaller one.",
            argument="space",
        )
    facts = space_facts(space) | {"command": None}
    if space.reference is not None:
        facts["codes"] = _base64(space.reference, "<f4")
    if space.reference_labels is not None:
        facts["labels"] = _base64(space.reference_labels, "<i4")
    columns = [attribute_numbers(values) for values in space.reference_attributes.values()]
    words = json.dumps(facts, ensure_ascii=False, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    parts = {
        "runtime": read_bytes(PAGE / _RUNTIME, "page's runtime"),
        "decoder": gzip.compress(to_onnx(space, "decoder", half=True), mtime=0),
        "encoder": gzip.compress(to_onnx(space, "encoder", half=True), mtime=0),
        "worker": gzip.compress(read_bytes(PAGE / "assets" / "worker.js", "page's worker"), mtime=0),
    }
    if columns:
        parts["attributes"] = gzip.compress(np.stack(columns).astype("<f8").tobytes(), mtime=0)
    data = [f'<script type="application/json" id="space">{words}</script>']
    data += [f'<script type="text/plain" id="{k}">{base64.b64encode(v).decode()}</script>' for k, v in parts.items()]
    return _one_file("\n".join(data), title=f"{space.about.get('data', {}).get('name', 'images')} · Morphospace")


def _one_file(data: str, title: str) -> bytes:
    """The built page with its script, its style and ``data`` inside, and a policy that lets nothing else run."""
    html = read_bytes(PAGE / "index.html", "page").decode()
    script = read_bytes(PAGE / "assets" / "app.js", "page's script").decode().replace("</script", "<\\/script")
    style = read_bytes(PAGE / "assets" / "app.css", "page's style").decode()
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}' 'wasm-unsafe-eval'; style-src '{_hash(style)}'; "
        "img-src blob: data:; worker-src blob:; connect-src 'none'; base-uri 'none'; form-action 'none'"
    )
    for pattern, replacement in (
        (r"<script[^>]*\bsrc=[^>]*></script>", ""),
        (r"<link[^>]*rel=\"(?:stylesheet|modulepreload|icon)\"[^>]*>", ""),
        (r"<title>.*?</title>", f"<title>{escape(title, quote=False)}</title>"),
        (r"<head>", f'<head>\n<meta http-equiv="Content-Security-Policy" content="{policy}">'),
        (r"</head>", f"<style>{style}</style>\n</head>"),
        (r"</body>", f'{data}\n<script type="module">{script}</script>\n</body>'),
    ):
        # As a function, since a script may hold what re.sub takes for references to groups.
        html = re.sub(pattern, functools.partial(_always, replacement), html)
    return html.encode()


def _always(words: str, _: re.Match[str]) -> str:
    return words


def what_it_reveals(space: Space) -> str:
    """What of the data is in a shared page, in a sentence for whoever is about to give it away."""
    count = 0 if space.reference is None else len(space.reference)
    codes = f", the codes of {count:,} test images (decoded, each is a likeness of its image)" if count else ""
    labels = ", their labels" if space.reference_labels is not None else ""
    names = list(space.reference_attributes)
    attributes = f", what the set's table says of each ({in_short(names)})" if names else ""
    places = sum(len(concept.field.places) for concept in space.concepts.values() if concept.field is not None)
    learned = f", {places:,} codes of training images in its concepts" if places else ""
    return (
        f"the file holds the model, which can draw the like of its images{codes}{labels}{attributes}{learned}; no "
        "image itself"
    )


def write_page(path: Path, space: Space) -> int:
    """Write :func:`share_page` to ``path``; returns its size in bytes."""
    page = share_page(space)
    if path.suffix.lower() not in (".html", ".htm"):
        raise FileError(f"expected a name that ends in .html, got {path.name}.", argument="out")
    write_bytes(path, page)
    return len(page)


def _base64(values: NDArray[Any], dtype: str) -> str:
    return base64.b64encode(np.ascontiguousarray(values, dtype).tobytes()).decode()


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
