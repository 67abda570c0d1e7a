"""Figures by label: their weighted mean is the figure of all test images."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from morphospace.data import Dataset, Split
from morphospace.evaluate import evaluate_space, score
from morphospace.evaluate.likelihood import score_each
from morphospace.recipes import build_model, changed, find_recipe
from morphospace.space import Space

Morpho = Callable[..., Any]


def weighted(by_label: dict[str, dict[str, Any]], key: str) -> float:
    counts = [line["images"] for line in by_label.values()]
    return float(np.average([line[key] for line in by_label.values()], weights=counts))


def test_the_weighted_mean_of_labels_is_the_figure_of_all(space: Space, digits: Dataset) -> None:
    space.model.train()  # scored in eval mode all the same
    figures = evaluate_space(space, digits, seed=5)
    by_label, labels = figures["by_label"], digits.test.labels
    assert labels is not None
    assert list(by_label) == list(digits.label_names)
    assert [line["images"] for line in by_label.values()] == np.bincount(labels).tolist()
    for key in ("reconstruction", "kl"):
        assert weighted(by_label, key) == pytest.approx(figures["test"][key], rel=1e-12)
    alone = score_each(space.model, digits.test.images, seed=5)
    assert by_label["3"]["reconstruction"] == alone["reconstruction"][labels == 3].mean()
    assert by_label["3"]["kl"] == alone["kl"][labels == 3].mean()
    whole = score(space.model, digits.test.images, beta=1.0, seed=5)
    assert whole.reconstruction == figures["test"]["reconstruction"], "the same noise"
    ones = digits.test.take(labels == 1)
    kl = score(space.model, ones.images, beta=1.0).kl
    assert by_label["1"]["kl"] == pytest.approx(kl, rel=1e-5), "the KL needs no noise"


def test_without_labels_or_a_kl(space: Space, digits: Dataset) -> None:
    bare = dataclasses.replace(digits, test=Split(digits.test.images))
    assert evaluate_space(space, bare)["by_label"] == {}
    chosen = changed(find_recipe("autoencoder"), {"encoder_widths": "8", "decoder_widths": "8"})
    points = Space(build_model(chosen, digits.shape, seed=0), chosen, digits.shape)
    by_label = evaluate_space(points, digits)["by_label"]
    assert all(line["kl"] is None for line in by_label.values())
    assert weighted(by_label, "reconstruction") == pytest.approx(
        evaluate_space(points, digits)["test"]["reconstruction"]
    )


def test_the_command_shows_a_table(morpho: Morpho, space: Space, digits: Dataset, tmp_path: Path) -> None:
    space.save(tmp_path / "s")
    said = morpho("evaluate", "s", "--json").json["by_label"]
    ran = morpho("evaluate", "s")
    for label, line in said.items():
        row = f"{line['images']}  {line['reconstruction']:14.2f}  {line['kl']:4.2f}"
        assert any(shown.split() == [label, *row.split()] for shown in ran.out.splitlines()), (row, ran.out)
    rng = np.random.default_rng(0)
    many = {f"x_{part}": rng.integers(0, 256, (30, 8, 8), np.uint8) for part in ("train", "test")}
    np.savez(tmp_path / "many.npz", **many, y_train=np.arange(30), y_test=np.arange(30))  # type: ignore[arg-type]
    shown = morpho("evaluate", "s", "--data", "many.npz")
    assert "the worst 20 of 30 labels, --json has them all" in shown.out
    every = morpho("evaluate", "s", "--data", "many.npz", "--json").json["by_label"]
    assert len(every) == 30
    worst = max(every, key=lambda label: every[label]["reconstruction"])
    after = shown.out.splitlines()
    first = next(i for i, line in enumerate(after) if line.startswith("label"))
    assert after[first + 1].split()[0] == worst
