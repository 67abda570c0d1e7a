"""Pages of comparisons: the right figure behind each name, the right picture behind each file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from tests.report.solid import NAMES, box_of, levels_of, reads, solid, solid_set, solid_space, text_of

from morphospace.evaluate.comparison import Comparison, SpaceFigures
from morphospace.report.comparison import (
    comparison_table,
    figure_text,
    path_contrast,
    sample_contrast,
    write_comparison_report,
)


def middle(box: tuple[int, int, int, int]) -> float:
    return (box[1] + box[3]) / 2


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
