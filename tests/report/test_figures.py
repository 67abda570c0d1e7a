"""Figures: what is drawn where, by which name, read from the figure itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.arrays import float32
from tests.report.solid import solid_set, solid_space

from morphospace.evaluate.class_trials import ClassFigures
from morphospace.evaluate.concept_trials import Trials
from morphospace.latent import Concept
from morphospace.pictures import Picture
from morphospace.report import comparison, figures, trials


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The figures that were drawn, before they become pictures."""
    found: list[Any] = []

    def keep(figure: Any, text: dict[str, str]) -> Picture:
        found.append(figure)
        return Picture(np.zeros((1, 1, 3), np.uint8), text)

    for module in (figures, trials, comparison):
        monkeypatch.setattr(module, "rendered", keep)
    return found


def points_by_name(axes: Any) -> dict[str, list[list[float]]]:
    return {group.get_label(): np.round(group.get_offsets(), 4).tolist() for group in axes.collections}


def test_the_map_has_each_point_under_the_name_of_its_label(drawn: list[Any]) -> None:
    codes = np.array([[0.5, 1], [-1, 0.25], [1, -0.5], [0, 0.75]], np.float32)
    space = solid_space(reference=codes, reference_labels=np.array([1, 3, 1, 5]))
    names = ["no image", "cat", "none", "dog"]
    figures.map_figure(space, label_names=names, concepts=[Concept(name="up", direction=float32([0, 0.5]))])
    (axes,) = drawn[0].axes
    assert points_by_name(axes) == {
        "cat": [[0.5, 1], [1, -0.5]],
        "dog": [[-1, 0.25]],
        "5": [[0, 0.75]],
    }
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["cat", "dog", "5"]
    colours = [tuple(group.get_facecolor()[0][:3]) for group in axes.collections]
    assert len(set(colours)) == 3
    assert colours == [tuple(handle.get_facecolor()[0][:3]) for handle in axes.get_legend().legend_handles]
    arrow, name = (text for text in axes.texts)
    assert arrow.xy == (0.0, 0.5)
    assert (name.get_text(), name.xy[1]) == ("up", pytest.approx(0.56))
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("z1", "z2")
    assert axes.get_xlim()[1] > 1


def test_the_map_without_labels_has_no_legend(drawn: list[Any]) -> None:
    figures.map_figure(solid_space(reference=float32([[0.5, 1.0], [-1.0, 0.0]])))
    (axes,) = drawn[0].axes
    assert axes.get_legend() is None
    assert axes.collections[0].get_offsets().tolist() == [[0.5, 1], [-1, 0]]
    with pytest.raises(ValueError, match="no reference points"):
        figures.map_figure(solid_space())


def test_curves_are_those_of_the_metrics(drawn: list[Any]) -> None:
    metrics = [
        {
            "epoch": epoch,
            "train": {"neg_elbo": 30 / epoch, "reconstruction": 20 / epoch, "kl": None if epoch == 1 else 10 / epoch},
            "test": {"neg_elbo": 33 / epoch, "reconstruction": 22 / epoch, "kl": 11 / epoch},
        }
        for epoch in (1, 2, 3)
    ]
    figures.curves_figure(metrics)
    panels = drawn[0].axes
    assert [panel.get_title() for panel in panels] == ["$-$ELBO (nats)", "reconstruction (nats)", "KL (nats)"]
    lines = {line.get_label(): np.array(line.get_xydata()).round(3).tolist() for line in panels[2].lines}
    assert lines == {"train": [[2, 5], [3, 3.333]], "test": [[1, 11], [2, 5.5], [3, 3.667]]}
    figures.curves_figure([{"epoch": 1, "train": {"reconstruction": 3}, "test": {"reconstruction": 4, "kl": None}}])
    assert [panel.get_title() for panel in drawn[1].axes] == ["reconstruction (nats)"], "an autoencoder has no KL"


def table_of(axes: Any) -> dict[tuple[str, str], str]:
    """What is written into the cell of each row and column."""
    rows = [label.get_text() for label in axes.get_yticklabels()]
    columns = [label.get_text() for label in axes.get_xticklabels()]
    return {(rows[round(t.get_position()[1])], columns[round(t.get_position()[0])]): t.get_text() for t in axes.texts}


def test_entanglement_is_written_where_row_and_column_meet(drawn: list[Any]) -> None:
    moved = [[[0.9, 0.1, float("nan")], [-0.2, 1.1, 0.3]], [[1.1, 0.3, float("nan")], [-0.4, 0.9, 0.3]]]
    found = Trials(["age", "smile"], ["age", "smile", "hat"], 9, moved=moved)
    trials.entanglement_figure(found, {})
    (axes,) = drawn[0].axes
    assert table_of(axes) == {
        ("age", "age"): "1.00", ("age", "smile"): "0.20",
        ("smile", "age"): "-0.30", ("smile", "smile"): "1.00", ("smile", "hat"): "0.30",
    }  # fmt: skip


def test_pairs_are_in_per_cent_without_those_of_one_class(drawn: list[Any]) -> None:
    reached = np.array([[1.0, 0.5, 0.995], [0.9, 1.0, np.nan], [1.0, 0.85, 1.0]])
    found = ClassFigures(reached, np.zeros((3, 3)), {}, {})
    trials.pairs_figure(found, ["3", "5", "8"], {"seed": "1"})
    (axes,) = drawn[0].axes
    assert table_of(axes) == {
        ("3", "5"): "50", ("3", "8"): "99.5", ("5", "3"): "90", ("8", "3"): "100", ("8", "5"): "85",
    }  # fmt: skip
    said = found.to_json()
    assert (said["mean"], said["worst"]) == (pytest.approx(0.849), 0.5)


def test_the_maps_of_a_comparison_name_each_kind_where_its_images_lie(drawn: list[Any]) -> None:
    levels = [40, 44, 48, 200, 204, 208, 100, 104, 108]
    dataset = solid_set(levels, [1] * 3 + [3] * 3 + [4] * 3, ["none", "cat", "no image", "dog", "owl"])
    comparison.map_contrast({"mine": solid_space()}, dataset)
    above, below = drawn[0].axes
    assert {text.get_text(): text.get_position()[0] for text in above.texts} == {"cat": 44, "dog": 204, "owl": 104}
    assert above.get_title() == "mine"
    ground = below.images[0]
    left, right, *_ = ground.get_extent()
    pixels = np.asarray(ground.get_array())[..., 0] if ground.get_array().ndim == 3 else np.asarray(ground.get_array())
    columns = pixels[4, 4::8].astype(float)
    places = left + (np.arange(len(columns)) + 0.5) / len(columns) * (right - left)
    assert np.allclose(columns, places.clip(0, 255), atol=1), "the picture at each place is what is decoded there"
