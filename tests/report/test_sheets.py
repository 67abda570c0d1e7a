"""Sheets: the right picture in the right place, the right words beside it."""

from __future__ import annotations

import numpy as np
from tests.report.solid import box_of, grey, levels_of, reads, solid, solid_set, solid_space

from morphospace.latent import Concept, Discovery
from morphospace.recipes import changed
from morphospace.report.concepts import STRENGTHS, concept_sheet, discovery_sheet, typicality_of_edits
from morphospace.report.sheets import (
    FAINT,
    captioned,
    edit_sheet,
    example_sheet,
    morph_sheet,
    reconstruction_sheet,
    sample_sheet,
)

STEP = 80 + 6  # a picture of 8 pixels, enlarged ten times, and the gap


def middle(box: tuple[int, int, int, int]) -> float:
    return (box[1] + box[3]) / 2


def test_captions_stand_beside_their_rows_and_above_their_columns() -> None:
    rows = [solid([10, 20, 30]).repeat(10, 1).repeat(10, 2), solid([40, 50]).repeat(10, 1).repeat(10, 2)]
    sheet = captioned(rows, ["first", "the second row"], columns=["a", "b", "c"])
    first, second = box_of(sheet, 10), box_of(sheet, 40)
    assert (first.right - first.left, first.bottom - first.top) == (80, 80)
    assert levels_of(sheet, first, STEP, 3) == [10, 20, 30]
    assert levels_of(sheet, second, STEP, 3) == [40, 50, 255]
    assert first.left == second.left > 12
    assert reads(sheet, "first", (12, middle(first)))
    assert reads(sheet, "the second row", (12, middle(second)))
    assert not reads(sheet, "first", (12, middle(second)))
    for level, words in ((10, "a"), (20, "b"), (30, "c")):
        box = box_of(sheet, level)
        assert reads(sheet, words, ((box.left + box.right) / 2, 16), colour=FAINT, anchor="mm")


def test_colours_stay_what_they_are() -> None:
    red = np.zeros((1, 80, 80, 3), np.uint8)
    red[..., 0] = 200
    sheet = captioned([red, solid([90]).repeat(10, 1).repeat(10, 2)], ["red", "grey"])
    assert (sheet == (200, 0, 0)).all(-1).sum() == 6400
    assert (grey(sheet) == 90).sum() == 6400


def test_samples_come_row_by_row_and_carry_their_seed() -> None:
    space = solid_space(reference=np.random.default_rng(0).normal([[120, 0]], [[40, 1]], (60, 2)).astype(np.float32))
    space.recipe = changed(space.recipe, {"sampler": "mixture"})
    picture = sample_sheet(space, 6, seed=4)
    expected = space.decode(space.sample_points(6, seed=4))[:, 0, 0, 0].tolist()
    shown = [int(picture.pixels[40 + row * 84, 40 + column * 84, 0]) for row in range(3) for column in range(2)]
    assert shown == expected
    assert len(set(expected)) > 3
    assert (picture.text["kind"], picture.text["sample_seed"]) == ("samples", "4")


def test_reconstructions_stand_below_their_originals() -> None:
    sheet = reconstruction_sheet(solid_space(loss=5), solid([40, 80, 120]), columns=2)
    first = box_of(sheet, 40)
    for row, levels in enumerate(([40, 80], [45, 85], [120, 255], [125, 255])):
        box = box_of(sheet, levels[0])
        assert (box.left, box.top) == (first.left, first.top + row * STEP)
        assert levels_of(sheet, box, STEP, 2) == levels
        assert reads(sheet, "decoded" if row % 2 else "original", (12, middle(box)))


def test_examples_stand_beside_the_name_of_their_label() -> None:
    dataset = solid_set(
        [10, 11, 60, 61, 62, 90], [1, 1, 3, 3, 3, 4], ["no image", "cat", "none", "dog", "a very long name"]
    )
    sheet = example_sheet(dataset, {"seed": "0"}, columns=3)
    assert sheet.text == {"seed": "0"}
    for levels, words in (([10, 11, 255], "cat"), ([60, 61, 62], "dog"), ([90, 255, 255], "a very long name")):
        box = box_of(sheet, levels[0])
        assert levels_of(sheet, box, STEP, 3) == levels
        assert reads(sheet, words, (12, middle(box)))


def test_the_most_frequent_labels_are_shown_where_there_are_many() -> None:
    labels = [number for number in range(14) for _ in range(1 if number in (3, 7) else 2)]
    dataset = solid_set([10 * number for number in labels], labels, [str(number) for number in range(14)])
    sheet = example_sheet(dataset, {}, columns=2)
    shown = [number for number in range(14) if (grey(sheet) == 10 * number).any()]
    assert shown == [number for number in range(14) if number not in (3, 7)]


def test_frames_of_a_morph_stand_in_their_order() -> None:
    sheet = morph_sheet(solid_space(), solid([200, 150, 100, 50]))
    assert levels_of(sheet, box_of(sheet, 200), 84, 4) == [200, 150, 100, 50]


def test_edits_stand_below_their_strengths() -> None:
    space = solid_space()
    sheet = edit_sheet(space, solid([100]), ["lighter"], strengths=(-1.0, 0.5, 2.0))
    box = box_of(sheet, 80)
    assert levels_of(sheet, box, STEP, 3) == [80, 110, 140]
    assert grey(sheet)[int(middle(box)), box.left - 20] == 100, "the original comes first"
    assert reads(sheet, "more lighter", (12, middle(box)))
    for level, words in ((80, "-1"), (110, "+0.5"), (140, "+2")):
        above = box_of(sheet, level)
        assert reads(sheet, words, ((above.left + above.right) / 2, 16), colour=FAINT, anchor="mm")


def test_a_concept_is_shown_from_its_least_strength_to_its_largest() -> None:
    sheet = concept_sheet(solid_space(), "lighter", solid([100, 103]))
    expected = [100 + 20 * strength for strength in STRENGTHS]
    assert levels_of(sheet, box_of(sheet, 60), STEP, len(STRENGTHS)) == expected
    assert levels_of(sheet, box_of(sheet, 63), STEP, len(STRENGTHS)) == [level + 3 for level in expected]
    assert reads(sheet, "lighter", (12, middle(box_of(sheet, 60))))
    assert not reads(sheet, "lighter", (12, middle(box_of(sheet, 63)))), "once is enough"
    assert sheet.text["concept"] == "lighter"


def test_without_images_a_concept_is_shown_on_typical_codes_of_different_labels() -> None:
    levels = [*range(100, 140), 2, 250]  # the last two are far out
    labels = np.array([i % 4 for i in range(40)] + [9, 9])
    reference = np.stack([levels, np.zeros(42)], 1).astype(np.float32)
    space = solid_space(reference=reference, reference_labels=labels)
    sheet = concept_sheet(space, "lighter")
    column = box_of(sheet, int(grey(sheet)[30 + 40, -40])).left + 40  # strength 2
    shown = [int(grey(sheet)[30 + 40 + i * STEP, column]) - 40 for i in range(6)]
    assert all(100 < level < 140 for level in shown)
    assert {labels[levels.index(level)] for level in shown} == {0, 1, 2, 3}


def test_directions_are_numbered_and_shown_on_two_images() -> None:
    space = solid_space(reference=np.array([[level, i % 5] for i, level in enumerate(range(80, 160, 3))], np.float32))
    light = Discovery(Concept(name="principal 1", direction=np.array([44, 0], np.float32)), 40.0)
    sheet = discovery_sheet(space, [light])
    strips = [int(level) for level in np.unique(grey(sheet)) if 0 <= level < 230]
    assert len(strips) == 10, "two images at five strengths"
    way = float(light.concept.direction[0])
    start = box_of(sheet, strips[0])
    first = levels_of(sheet, start, STEP, 5)
    assert first == [first[0] + round(0.75 * way) * i for i in range(5)]
    assert sorted(set(strips) - set(first)) == [strips[-1] - round(0.75 * way) * i for i in range(5)][::-1]
    assert reads(sheet, f"1  {light.concept.name}", (12, 30 + 40 - 10))
    assert reads(sheet, f"{light.effect:.0f} of 255", (12, 30 + 40 + 11), size=13, colour=FAINT)


def test_the_typicality_of_edits_falls_where_there_are_no_codes() -> None:
    codes = np.random.default_rng(0).normal([[120, 0]], [[5, 1]], (400, 2)).astype(np.float32)
    shares = typicality_of_edits(solid_space(reference=codes), "lighter")
    assert shares is not None
    assert shares[STRENGTHS.index(0.0)] > 0.95
    assert max(shares[0], shares[-1]) == 0, "40 levels are 8 deviations"
    assert typicality_of_edits(solid_space(reference=codes[:3]), "lighter") is None
