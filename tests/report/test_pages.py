"""Pages of trials, comparisons and runs: the right figure behind each name, the right picture behind each file."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.arrays import float32
from tests.report.solid import SolidSpace, box_of, grey, levels_of, reads, solid, solid_set, solid_space

from morphospace.data import Dataset
from morphospace.evaluate.class_trials import ClassFigures
from morphospace.evaluate.comparison import Comparison, SpaceFigures
from morphospace.evaluate.concept_trials import Trials
from morphospace.images import read_text
from morphospace.latent import learn_classes
from morphospace.report.comparison import (
    comparison_table,
    figure_text,
    path_contrast,
    sample_contrast,
    write_comparison_report,
)
from morphospace.report.run import write_run_report
from morphospace.report.trials import class_sheet, write_trial_report

STEP = 80 + 6
SEEN = "learned from test images"


def text_of(page: Path) -> str:
    return unescape(re.sub("<[^>]*>", " ", page.read_text(encoding="utf-8")))


def middle(box: tuple[int, int, int, int]) -> float:
    return (box[1] + box[3]) / 2


LEVELS, LABELS = [40, 44, 48, 52, 56, 160, 164, 168, 172, 176], [1] * 5 + [3] * 5
NAMES = ["none", "dark", "no image", "light"]


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


def figures_of(**known: float | None) -> SpaceFigures:
    return SpaceFigures(**(dict.fromkeys(SpaceFigures.__annotations__, 0.5) | known))  # type: ignore[arg-type]


def test_figures_are_written_as_people_read_them() -> None:
    assert figure_text("prior", 0.974) == "97 %"
    assert figure_text("prior_kinds", 9.96) == "10.0"
    assert figure_text("rate", None) == "–"
    table = comparison_table({"a": figures_of(psnr=20.04, rate=None), "b": figures_of(psnr=18.0, rate=3.14)})
    assert table[0] == ["", "a", "b"]
    assert ["reconstruction, PSNR in dB", "20.0", "18.0"] in table
    assert ["KL, bits", "–", "3.1"] in table
    assert {len(row) for row in table} == {3}


def test_a_path_is_decoded_from_the_first_image_to_the_second() -> None:
    sheet = path_contrast({"mine": solid_space(loss=1)}, solid([20]), solid([130]))
    mixed, decoded = box_of(sheet, 20), box_of(sheet, 21)
    assert levels_of(sheet, mixed, 56 + 6, 12) == list(range(20, 131, 10))
    assert levels_of(sheet, decoded, 56 + 6, 12) == list(range(21, 132, 10))
    assert mixed.top < decoded.top
    assert reads(sheet, "pixels, mixed", (12, middle(mixed)))
    assert reads(sheet, "mine", (12, middle(decoded)))


def test_samples_stand_below_where_they_come_from() -> None:
    """Those of a Gaussian of codes are like the codes; those of N(0, I), whose levels are about 0, are black."""
    levels = np.random.default_rng(0).normal(150, 10, 200).round().astype(int)
    sheet = sample_contrast({"mine": solid_space()}, solid(levels), n=3)
    row = sheet.pixels[30 + 28, :, 0]
    start = int(np.flatnonzero(row < 6)[0])
    shown = [int(row[start + 28 + i * 62]) for i in range(11)]
    assert max(shown[:3]) < 6
    assert shown[3] == shown[7] == 255, "a gap between the groups"
    assert all(110 < level < 190 for level in (*shown[4:7], *shown[8:]))


def test_a_page_of_a_comparison_shows_two_images_of_different_labels(tmp_path: Path) -> None:
    dataset = solid_set([40, 44, 160, 164], [1, 1, 3, 3], NAMES)
    found = Comparison(0.987, 0.95, 0.125, {"mine": figures_of(prior=0.25)})
    written = write_comparison_report(
        tmp_path, {"mine": solid_space()}, dataset, found, seed=0, command="morpho compare"
    )
    assert [path.name for path in written] == ["report.html", "samples.png", "paths.png", "maps.png"]
    sheet = np.asarray(Image.open(tmp_path / "paths.png"))
    rows, columns = np.nonzero((sheet == 40).all(-1))
    ends = sheet[rows.min() + 20, [columns.min() + 20, columns.min() + 20 + 11 * 62], 0]
    assert ends.tolist() == [40, 160]
    page = text_of(written[0])
    for words in ("98.7%", "95.0%", "12.5%", "25 %", "A space of greys", "morpho compare"):
        assert words in page


@pytest.mark.parametrize("prior", [True, False])
def test_the_page_of_a_run_has_its_figures(tmp_path: Path, *, prior: bool) -> None:
    about = {
        "seed": 5,
        "data": {"name": "greys"},
        "command": "morpho train <greys>",
        "train": {"seconds": 12.34, "images_per_second": 4321.0, "epochs": 2},
        "test": {"neg_elbo": 12.3456 if prior else None, "reconstruction": 11.5, "kl": 0.84 if prior else None,
                 "beta": 0.4 if prior else None, "psnr": 20.06},
    }  # fmt: skip
    space = solid_space(reference=float32([[40, 0], [44, 1], [160, 0]]), about=about)
    run = tmp_path / "0001-greys"
    run.mkdir()
    dataset = solid_set(LEVELS, LABELS, NAMES)
    losses = {"neg_elbo": 12.0, "reconstruction": 11.0, "kl": 1.0}
    metrics = [{"epoch": epoch, "train": losses, "test": losses} for epoch in (1, 2)]
    write_run_report(run / "report.html", space, dataset, metrics=metrics, warnings=["collapse: <all>"])
    page = text_of(run / "report.html")
    for words in ("10 images of 8x8 pixels", "2 epochs, seed 5", "12.3 s", "4,321", "11.50 nats", "20.1 dB",
                  "collapse: <all>", "morpho train <greys>", f"morpho sample {run} -n 64"):  # fmt: skip
        assert words in page, words
    assert ("12.35 nats" in page, "beta" in page) == (prior, prior)
    html = (run / "report.html").read_text(encoding="utf-8")
    assert re.findall("<h2>(.*?)</h2>", html) == [
        "The atlas", "Where the test images lie", "Reconstructions", "Samples", "Training", "What to type next",
    ]  # fmt: skip
