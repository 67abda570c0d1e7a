"""Write fixtures.json: what the Python functions answer, for the tests of their mirror in TypeScript.

Run it from the repository: python web/tests/latent/fixtures.py
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import log_ndtr

from morphospace.codec import Codec
from morphospace.editing import move_and_look
from morphospace.export.page import concept_facts
from morphospace.latent.classes import Classes, change_class, class_chances, class_scores, learn_classes
from morphospace.latent.concepts import Concept
from morphospace.latent.geodesics import even_lines, geodesics
from morphospace.latent.learning import learn_concept
from morphospace.latent.moves import move
from morphospace.latent.paths import path_through, places_of

Points = NDArray[np.float32]

_DIM = 5
_DIGITS = 9  # enough to tell any two float32 apart


def main() -> None:
    """Write the file beside this one."""
    concepts = _concepts()
    found = {
        "concepts": [concept_facts(concept, concepts) for concept in concepts.values()],
        "slopes": _slopes(concepts),
        "moves": _moves(concepts),
        "paths": _paths(),
        "places": [[n, frames, places_of(n, frames).tolist()] for n in range(2, 9) for frames in range(n, 24)],
        "tails": [[x, float(log_ndtr(x))] for x in (-38, -20.5, -8, -3, -1, -0.6, -0.1, 0, 0.1, 0.6, 1, 3, 8, 20, 37)],
        "classes": _classes(),
        "learning": _learning(),
        "geodesics": _geodesics(),
    }
    text = json.dumps(_short(found), allow_nan=False, separators=(",", ":"))
    Path(__file__).with_name("fixtures.json").write_text(text + "\n", encoding="utf-8")


def _short(value: Any) -> Any:
    """The same as plain JSON, of arrays as many digits as float32 has; a number by itself keeps all."""
    if isinstance(value, np.ndarray):
        return [_short(row) for row in value] if value.ndim > 1 else [float(f"{x:.{_DIGITS}g}") for x in value]
    if isinstance(value, dict):
        return {key: _short(item) for key, item in value.items()}
    return [_short(item) for item in value] if isinstance(value, list | tuple) else value


def _b64(values: NDArray[Any], kind: str) -> str:
    return base64.b64encode(np.ascontiguousarray(values, kind).tobytes()).decode()


def _curved(count: int, seed: int) -> tuple[Points, dict[str, NDArray[Any]]]:
    """Codes on a curved sheet, and what could be said of each."""
    rng = np.random.default_rng(seed)
    turn, height = rng.uniform(0, 2.5, count), rng.normal(size=count)
    codes = 0.3 * rng.normal(size=(count, _DIM))
    codes[:, 0] += 2 * np.cos(turn)
    codes[:, 1] += 2 * np.sin(turn)
    codes[:, 2] += height
    codes[:, 3] += 0.4 * height
    return codes.astype(np.float32), {"turn": turn, "height": height, "tall": codes[:, 2] + codes[:, 4] > 0.3}


def _concepts() -> dict[str, Concept]:
    codes, values = _curved(400, 1)
    tall = learn_concept("tall", codes, values["tall"], held_out=(codes[::3], values["tall"][::3]))
    return {
        "turn": learn_concept("turn", codes, values["turn"]),
        "height": learn_concept("height", codes, values["height"]),
        "tall": tall,
        "ridge": learn_concept("ridge", codes, values["height"], method="ridge"),
        # As of a file from elsewhere: nothing fitted, and a normal that points the other way.
        "bare": Concept(name="bare", direction=np.array([0.25, 0.5, 0.75, 1, 1.25], np.float32)),
        "odd": Concept(
            name="odd",
            direction=np.array([0, 1, 0, 0, 1], np.float32),
            normal=np.array([0, -1, 0, 0, 0], np.float32),
            offset=2.0,
        ),
    }


def _slopes(concepts: dict[str, Concept]) -> list[dict[str, Any]]:
    codes = _curved(3, 2)[0]
    found = []
    for name, concept in concepts.items():
        ways, gradients, readings = concept.at(codes.astype(np.float64))
        shown = None if concept.field is None else concept.read(codes)
        found.append(
            {
                "name": name,
                "points": codes,
                "ways": np.array(ways),
                "gradients": np.array(gradients),
                "readings": readings,
                "shown": shown,
            }
        )
    return found


def _seen(codes: Points) -> Points:
    """What encoding a decoded picture may make of a code."""
    away = np.array([0.1, -0.2, 0.0, 0.05, 0.1], np.float32)
    return np.asarray(0.8 * codes + away * codes[:, ::-1], np.float32)


def _moves(concepts: dict[str, Concept]) -> list[dict[str, Any]]:
    codes = _curved(4, 3)[0]
    # Only what move_and_look asks of a codec.
    codec = cast(Codec, SimpleNamespace(decode=_seen, encode=lambda seen: SimpleNamespace(mean=seen)))
    asked: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"tall": 1.5}, {}),
        ({"tall": -1.0, "bare": [0.5, 0.0, -0.5, 1.0]}, {}),
        ({"turn": 0.8}, {}),
        ({"turn": -6.0, "tall": 0.7}, {}),
        ({"tall": 1.0}, {"turn": 0.0}),
        ({"turn": 0.6, "tall": 0.5}, {"height": 0.0}),
        ({"turn": 0.5}, {"ridge": 0.0, "odd": [0.1, -0.2, 0.0, 0.3]}),
        ({"height": [1.0, 0.0, -1.0, 0.5]}, {"turn": [0.2, -0.1, 0.0, 0.0]}),
        ({}, {}),
    ]
    found = []
    for strengths, keep in asked:
        arrays, held = ({k: np.asarray(v, np.float64) for k, v in side.items()} for side in (strengths, keep))
        found.append(
            {
                "points": codes,
                "strengths": strengths,
                "keep": keep,
                "moved": move(codes, concepts, arrays, held),
                "looked": move_and_look(codec, concepts, codes, arrays, held),
            }
        )
    return found


def _paths() -> list[dict[str, Any]]:
    points = np.array(
        [[-2, 40, 0.5, 1e-3, -9], [0, 41, 0.5, -1, 7], [3, -30, -0.5, 2, 7.5], [-6, 20, 1, -2, 60]], np.float32
    )
    return [
        {
            "kind": kind,
            "points": points[chosen],
            "frames": frames,
            "path": path_through(list(points[chosen]), frames, kind),
        }
        for kind in ("lerp", "slerp", "gaussian")
        for chosen, frames in (([0, 1], 5), ([0, 1, 2], 8), ([2, 3, 3, 1], 13))
    ]


def _classes() -> dict[str, Any]:
    rng = np.random.default_rng(4)
    labels = np.arange(90) % 3
    shapes, middles = rng.normal(size=(3, 4, 4)), 2 * rng.normal(size=(3, 4))
    codes = (middles[labels] + np.einsum("nij,nj->ni", shapes[labels], rng.normal(size=(90, 4)))).astype(np.float32)
    names = ["3", "5", "8"]
    classes: Classes = learn_classes(names, codes, labels, np.full_like(codes, 0.02))
    some = codes[:6]
    changes = [("3", "8", 1.0), ("8", "5", 0.5), ("5", "3", 1.3)]
    return {
        "wire": {
            "names": names,
            "margin": classes.margin,
            "means": _b64(classes.means, "<f8"),
            "covariances": _b64(classes.covariances, "<f8"),
        },
        "points": some,
        "scores": class_scores(classes, some),
        "chances": class_chances(classes, some),
        "changes": [
            {"source": s, "target": t, "strength": x, "moved": change_class(classes, some, s, t, strength=x)}
            for s, t, x in changes
        ],
    }


def _learning() -> dict[str, Any]:
    codes, values = _curved(140, 5)
    shows = values["tall"]
    held_back = np.zeros(len(codes), bool)
    held_back[np.argsort(shows, kind="stable")[::5]] = True  # as the server's session does
    judged = learn_concept("tall", codes[~held_back], shows[~held_back], held_out=(codes[held_back], shows[held_back]))
    return {
        "codes": codes,
        "shows": shows.tolist(),
        "judged": _bare(judged),
        "whole": _bare(learn_concept("tall", codes, shows)),
    }


def _bare(concept: Concept) -> dict[str, Any]:
    return {**concept_facts(concept, {}), "field": None}


def _geodesics() -> dict[str, Any]:
    rng = np.random.default_rng(6)
    first, second = rng.normal(size=(16, 3)).astype(np.float32), rng.normal(size=(24, 16)).astype(np.float32) / 4
    a, b = np.array([[-1.5, -1, 0.5], [0, 1.5, -1]], np.float32), np.array([[1, 1.2, 0], [1.5, -1, -1]], np.float32)

    def decode(z: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(torch.tanh(z @ torch.from_numpy(first).T) @ torch.from_numpy(second).T)

    def lengths(paths: Points) -> NDArray[np.float64]:
        pictures = decode(torch.from_numpy(paths)).numpy()
        steps: NDArray[np.float64] = np.linalg.norm(np.diff(pictures.astype(np.float64), axis=1), axis=-1)
        return np.asarray(steps.sum(1))

    bent, straight = geodesics(a, b, 9, decode), even_lines(a, b, 9, decode)
    return {
        "first": first,
        "second": second,
        "a": a,
        "b": b,
        "bent": lengths(bent),
        "straight": lengths(straight),
        "middles": bent[:, 4],
    }


if __name__ == "__main__":
    main()
