"""One file with a space inside: what is in it, what is not, and what is refused."""

from __future__ import annotations

import base64
import dataclasses
import gzip
import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from morphospace.errors import DataError
from morphospace.export import page
from morphospace.export.page import share_page, space_facts, what_it_reveals
from morphospace.latent import learn_concept
from morphospace.space import Space, load


def inside(html: str, name: str) -> str:
    found = re.search(rf'<script type="[^"]+" id="{name}">(.*?)</script>', html, re.S)
    assert found
    return found[1]


def test_everything_is_inside(space: Space) -> None:
    html = share_page(space).decode()
    facts = json.loads(inside(html, "space"))
    codes = np.frombuffer(base64.b64decode(facts["codes"]), "<f4").reshape(facts["count"], facts["latent_dim"])
    assert np.array_equal(codes, np.asarray(space.reference))
    labels = np.frombuffer(base64.b64decode(facts["labels"]), "<i4")
    assert np.array_equal(labels, np.asarray(space.reference_labels))
    for name, start in (("decoder", b"\x08"), ("encoder", b"\x08"), ("runtime", b"\0asm"), ("worker", b"(function")):
        assert gzip.decompress(base64.b64decode(inside(html, name))).startswith(start)
    assert not re.search(r'(src|href)="(?!data:)', html.partition('<script type="application/json"')[0])


def test_its_policy_lets_its_own_script_and_style_run_and_nothing_else(space: Space) -> None:
    html = share_page(space).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)
    assert policy
    script = re.findall(r'<script type="module">(.*?)</script>', html, re.S)
    style = re.findall(r"<style>(.*?)</style>", html, re.S)
    for texts, kind in ((script, "script-src"), (style, "style-src")):
        digest = base64.b64encode(hashlib.sha256(texts[0].encode()).digest()).decode()
        assert f"{kind} 'sha256-{digest}'" in policy[1]
    assert "unsafe-inline" not in policy[1]
    assert "unsafe-eval" not in policy[1].replace("wasm-unsafe-eval", "")
    assert "connect-src 'none'" in policy[1]


def test_names_from_strangers_stay_words(space: Space) -> None:
    space.about["data"] = space.about["data"] | {"name": "</script><script>alert(1)</script>"}
    codes = np.asarray(space.reference)
    name = "<img src onerror>"
    space.concepts[name] = learn_concept(name, codes, codes[:, 0] > 0)
    html = share_page(space).decode()
    assert "<script>alert" not in html
    assert name not in html
    assert json.loads(inside(html, "space"))["concepts"][-1]["name"] == name


def test_it_says_what_it_reveals_and_keeps_the_command_to_itself(space: Space) -> None:
    space.about["command"] = "morpho train /home/somebody/secret"
    assert "secret" not in share_page(space).decode()
    assert "195 test images" in what_it_reveals(space)
    assert "their labels" in what_it_reveals(space)
    bare = Space(space.model, space.recipe, space.shape)
    assert "test images" not in what_it_reveals(bare)


def test_a_space_without_points_or_labels_can_be_shared(space: Space) -> None:
    facts = json.loads(inside(share_page(Space(space.model, space.recipe, space.shape)).decode(), "space"))
    assert facts["count"] == 0
    assert facts["label_names"] is None
    assert "codes" not in facts


def test_facts_are_strict_json(space: Space) -> None:
    space.about["test"] = {"neg_elbo": None, "psnr": 3.0}
    facts = json.loads(json.dumps(space_facts(space), allow_nan=False))
    assert facts["test"] == {"psnr": 3.0}
    assert len(facts["principal"]["axes"]) == space.latent_dim


def test_a_model_too_large_for_a_page_is_refused(space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "LARGEST_MODEL", 1000)
    with pytest.raises(DataError, match=r"parameters, 0 MB in a page, expected at most 1,000.*morpho explore"):
        share_page(space)


def test_the_built_in_space_is_at_most_ten_megabytes() -> None:
    assert len(share_page(load("builtin"))) < 10_000_000


def test_the_verb(morpho: Callable[..., Any], space: Space, tmp_path: Path) -> None:
    space.save(tmp_path / "bundle")
    ran = morpho("share", "bundle", "out.html", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["bytes"] == (tmp_path / "out.html").stat().st_size
    assert "the codes of 195 test images" in ran.err
    assert morpho("share", "bundle", "out.html").code == 1
    assert morpho("share", "bundle", "out.html", "--force").code == 0
    assert "ends in .html" in morpho("share", "bundle", "out.pdf").err
    assert morpho("share", "bundle").code == 0
    assert (tmp_path / "morpho-out" / "0001-space.html").exists()


def test_the_built_in_space_has_a_name_and_cannot_be_changed(morpho: Callable[..., Any], tmp_path: Path) -> None:
    assert morpho("info", "builtin", "--json").json["seed"] == 2
    assert morpho("sample", "builtin", "-n", "4").code == 0
    ran = morpho("concept", "learn", "builtin", "x", "--positive", "none")
    assert ran.code != 0
    (tmp_path / "builtin").mkdir()
    assert "is no space" in morpho("info", "builtin").err  # a folder of that name is meant


def test_half_a_bundle_is_the_same_space(space: Space, tmp_path: Path) -> None:
    whole, half = space.save(tmp_path / "whole"), space.save(tmp_path / "half", half=True)
    sizes = [(folder / "model.safetensors").stat().st_size for folder in (whole, half)]
    assert sizes[1] < 0.55 * sizes[0]
    z = space.sample_points(50, seed=0)
    apart = load(half).decode(z).astype(int) - space.decode(z)
    assert np.abs(apart).max() <= 2
    assert dataclasses.asdict(load(half).recipe) == dataclasses.asdict(space.recipe)
