"""Recipes with parts of one's own."""

from __future__ import annotations

from typing import Any

import pytest

import morphospace as ms
from morphospace.errors import ArgumentError
from morphospace.recipes import changed, find_recipe
from morphospace.vae import ELBO


def test_keys_and_parts_are_given_as_python_has_them() -> None:
    assert ms.recipe("quick") == find_recipe("quick")
    own = ms.recipe(
        "quick", latent_dim=3, encoder__widths=(64, 32), objective=ELBO.Config(beta=0.5), sampling="mixture"
    )
    meant: dict[str, Any] = {"latent_dim": 3, "encoder.widths": "64,32", "sampler": "mixture", "beta": 0.5, "anneal": 0}
    assert own == changed(find_recipe("quick"), meant)


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("quik", {}, 'recipe: there is no recipe "quik". Did you mean "quick"'),
        ("quick", {"latents": 3}, 'latents: recipe "quick" has no key "latents"'),
        ("quick", {"encoder__blocks": 3}, r"encoder\.blocks: of encoders, only conv has it, and encoder is mlp"),
        ("quick", {"latent_dim": "many"}, 'latent_dim: expected a whole number, got "many"'),
    ],
)
def test_what_it_does_not_have_is_refused(name: str, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ArgumentError, match=f"^{words}"):
        ms.recipe(name, **changes)
