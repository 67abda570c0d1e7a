"""Sheets that answer a question: which picture stands where, what is said of it, what is red."""

from __future__ import annotations

import numpy as np
from tests.report.solid import box_of, reads, solid, solid_space

from morphospace.report.answers import Suspect, analogy_sheet, neighbor_sheet, outlier_sheet
from morphospace.report.sheets import FAINT, INK

RED = (176, 58, 32)


def red_of(pixels: np.ndarray, left: int, right: int, top: int = 0) -> int:
    """How many pixels of a part of a sheet are of the colour that warns."""
    return int((pixels[top:, left:right] == RED).all(-1).sum())


def test_an_analogy_is_read_from_left_to_right_and_down() -> None:
    space, images = solid_space(loss=5), solid([40, 80, 120])
    sheet = analogy_sheet(space, images, solid([200]), ["mnist:test/1", "b.png", "c.png"], 0.5)
    small = {name: box_of(sheet, level) for name, level in (("A", 45), ("B", 85), ("C", 125))}
    answer = box_of(sheet, 200)
    assert small["A"].top == small["B"].top < small["C"].top
    assert small["A"].left == small["C"].left < small["B"].left
    assert (answer.left > small["A"].left, answer.top > small["B"].top) == (True, True)
    for name, level, caption in (("A", 40, "mnist:test/1"), ("B", 80, "b.png"), ("C", 120, "c.png")):
        large = box_of(sheet, level)
        assert (large.right < small[name].left, large.bottom) == (True, small[name].bottom), "beside it, decoded"
        assert reads(sheet, name, (large.left, large.bottom + 4 + 9), size=13)
        assert reads(sheet, caption, (large.left, large.bottom + 4 + 27), size=13, colour=FAINT)
    assert reads(sheet, "typicality 0.5", (answer.left, answer.bottom + 4 + 27), size=13, colour=FAINT)
    assert red_of(sheet.pixels, 0, sheet.pixels.shape[1]) == 0


def test_an_answer_from_an_empty_region_is_red_and_an_unknown_one_says_nothing() -> None:
    space, images = solid_space(), solid([40, 80, 120])
    sheets = [analogy_sheet(space, images, solid([200]), ["a", "b", "c"], share) for share in (0.001, float("nan"))]
    answer = box_of(sheets[0], 200)
    place = answer.left, answer.bottom + 4 + 27
    assert reads(sheets[0], "typicality 0.001", place, size=13, colour=RED)
    below = sheets[1].pixels[answer.bottom + 4 + 18 :, answer.left : answer.right]
    assert (below == 255).all()


def test_neighbours_stand_in_their_order_above_their_captions() -> None:
    found = solid([10, 20, 30])
    captions = [["3 train/7", "distance 0.1"], ["4 train/9", "distance 0.2"], ["5 train/1", "distance 0.3"]]
    sheet = neighbor_sheet(solid_space(), solid([99]), found, captions, "Nearest to 99", "mnist:test/5")
    query = box_of(sheet, 99)
    boxes = [box_of(sheet, level) for level in (10, 20, 30)]
    assert [box.top for box in boxes] == [boxes[0].top] * 3
    assert query.right < boxes[0].left < boxes[1].left < boxes[2].left
    assert query.right - query.left > boxes[0].right - boxes[0].left, "the image asked about is large"
    for box, (first, second) in zip(boxes, captions, strict=True):
        assert reads(sheet, first, (box.left, box.bottom + 4 + 9), size=13)
        assert reads(sheet, second, (box.left, box.bottom + 4 + 27), size=13, colour=FAINT)
    assert reads(sheet, "Nearest to 99", (20, 21))
    assert reads(sheet, "mnist:test/5", (query.left, query.bottom + 4 + 9), size=13)


def test_outliers_stand_above_their_reconstructions_and_what_gives_them_away_is_red() -> None:
    images = solid([40, 80, 120])
    suspects = [
        Suspect("blurred.png", 1234.4, 0.5, badly_reconstructed=True, in_an_empty_region=False),
        Suspect("odd.png", 20.0, 0.001, badly_reconstructed=False, in_an_empty_region=True),
        Suspect("unknown.png", 3e8, float("nan"), badly_reconstructed=False, in_an_empty_region=False),
    ]
    sheet = outlier_sheet(solid_space(loss=5), images, suspects, "Worst of 3 images", "the test images")
    boxes = [box_of(sheet, level) for level in (45, 85, 125)]
    for box, level in zip(boxes, (40, 80, 120), strict=True):
        original = box_of(sheet, level)
        assert (original.left, original.bottom < box.top) == (box.left, True)
    said = (
        [("blurred.png", INK), ("1,234 nats", RED), ("typicality 0.5", FAINT)],
        [("odd.png", INK), ("20 nats", FAINT), ("typicality 0.001", RED)],
        [("unknown.png", INK), ("3e+08 nats", FAINT)],
    )
    for box, lines in zip(boxes, said, strict=True):
        for i, (words, colour) in enumerate(lines):
            place = box.left, box.bottom + 4 + 9 + 18 * i
            assert reads(sheet, words, place, size=13, colour=colour), words
    third = boxes[2]
    assert (sheet.pixels[third.bottom + 4 + 36 :, third.left : third.right] == 255).all(), "nothing is known"
    assert reads(sheet, "Worst of 3 images", (20, 21))


def test_a_long_name_keeps_its_end_where_it_is_a_path_else_its_beginning() -> None:
    image, names = solid([10]), ("a/very/long/folder/of/many/pictures/cat.png", "an essay in place of a name, for once")
    for name, begins in zip(names, ("...", "an essay"), strict=True):
        sheet = neighbor_sheet(solid_space(), solid([99]), image, [[name]], "", "q")
        box = box_of(sheet, 10)
        place = box.left, box.bottom + 4 + 9
        shown = [name[i:] for i in range(len(name))] if begins == "..." else [name[:i] for i in range(len(name))]
        fits = [f"...{text}" if begins == "..." else f"{text.rstrip()}..." for text in shown]
        assert any(reads(sheet, text, place, size=13) for text in fits if len(text) > 8)
        assert (sheet.pixels[box.bottom + 4 :, box.right + 1 : box.right + 20] == 255).all()
