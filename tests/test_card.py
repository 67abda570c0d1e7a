"""The model card."""

from __future__ import annotations

import numpy as np

from morphospace.card import model_card
from morphospace.data import dataset_from_arrays


def test_bytes_that_stay_what_they_are_need_no_words() -> None:
    found = dataset_from_arrays(np.random.default_rng(0).integers(0, 256, (20, 8, 8), np.uint8))
    assert found.notes == ()
    config = {"shape": [8, 8, 1], "recipe": {"name": "quick"}, "parameters": 1}
    card = model_card(config | {"data": {"interpretation": found.preparation["interpretation"]}}, 2)
    assert "What it takes" not in card
