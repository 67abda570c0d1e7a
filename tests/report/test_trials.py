"""Pages of trials: the right figure behind each name, the right picture behind each file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from tests.report.solid import (
    LABELS,
    LEVELS,
    NAMES,
    SolidSpace,
    box_of,
    grey,
    levels_of,
    reads,
    solid_set,
    solid_space,
    text_of,
)

from morphospace.data import Dataset
from morphospace.evaluate.class_trials import ClassFigures
from morphospace.evaluate.concept_trials import Trials
from morphospace.images import read_text
from morphospace.latent import learn_classes
from morphospace.report.trials import class_sheet, write_trial_report

STEP = 80 + 6
SEEN = "learned from test images"


def with_classes() -> tuple[SolidSpace, Dataset]:
    """A space that knows the two labels of a set of four: their places are not their numbers."""
    space, dataset = solid_space(loss=1), solid_set(LEVELS, LABELS, NAMES)
    codes = space.encode(dataset.train.images).mean + np.random.default_rng(0).normal(0, 0.5, (10, 2)).astype(
        np.float32
    )
    space.classes = learn_classes(["dark", "light"], codes, np.array(LABELS) // 3)
    return space, dataset


def test_each_row_of_classes_begins_with_an_image_of_its_own_class() -> None:
    space, dataset = with_classes()
    sheet = class_sheet(space, dataset)
    for top, words, level in ((30, "dark", 48), (30 + STEP, "light", 168)):
        assert reads(sheet, words, (12, top + 40))
        row = grey(sheet)[top + 40]
        first = int(np.flatnonzero(row == level)[0])
        shown = [int(row[first + 40 + i * STEP]) for i in range(3)]
        assert shown[0] == level, "the original"
        assert shown[1 + NAMES.index(words) // 2] == level + 1, "as it is decoded"
        other = shown[2 - NAMES.index(words) // 2]
        assert abs(other - (216 - level)) < 30, "what it becomes as one of the other class"


def trials_of(name: str, *, seen: bool = False) -> Trials:
    each = {"reached": [0.8, 0.9], "kept": [0.7, 0.7], "real": [0.5, 0.6], "others": [0.1, 0.1]}
    row = each | {f"random_{key}": [0.02, 0.04] for key in each} | {"real_decoded": [0.9, 0.9]}
    return Trials(
        [name], [name], 7, [name] if seen else [], judges={"label": [0.99, 0.97]},
        figures={name: {1.0: row, 2.0: row}}, moved=[[[1.0]], [[0.8]]],
    )  # fmt: skip


def test_a_page_of_trials_says_what_was_measured_and_shows_it(tmp_path: Path) -> None:
    space, dataset = with_classes()
    reached = np.array([[1.0, 0.75], [0.5, 1.0]])
    found = ClassFigures(reached, np.full((2, 2), 0.125), {}, {})
    command = "morpho concept test <x>"
    written = write_trial_report(tmp_path, space, dataset, trials_of("lighter"), found, command=command)
    assert [path.name for path in written] == [
        "report.html", "entanglement.png", "concept-01.png", "classes.png", "pairs.png",
    ]  # fmt: skip
    page = text_of(written[0])
    assert "85% (21% to 149%) of the images that lack it show it" in page
    assert "after random steps of the same length 3%" in page
    assert "70% (70% to 70%) stay nearest to their own original" in page
    assert "62.5% on average, 50.0% in the worst pair; random steps of the same length reach it in 12.5%" in page
    assert "judge of label" in page
    assert "98.0%" in page
    assert "morpho concept test <x>" in page
    assert SEEN not in page
    sheet = np.asarray(Image.open(tmp_path / "concept-01.png"))
    assert levels_of(sheet, box_of(sheet, 5), STEP, 3) == [5, 15, 25], "six test images, moved along the concept"
    assert {read_text(path)["command"] for path in written[1:]} == {"morpho concept test <x>"}


def test_a_concept_that_saw_the_test_images_is_said_to(tmp_path: Path) -> None:
    dataset = solid_set(LEVELS, LABELS, NAMES)
    written = write_trial_report(tmp_path, solid_space(), dataset, trials_of("lighter", seen=True), None, command="c")
    assert f"It was {SEEN}, of which some may be among those edited: no held-out test." in text_of(written[0])
