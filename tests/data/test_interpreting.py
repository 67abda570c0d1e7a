"""What a set, or a space, decides for later pictures, and how that is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tests.pictures import noise, wide_png, write_files

from morphospace.data import Preparation, dataset_from_arrays, open_dataset
from morphospace.intensity import Window
from morphospace.interpretation import Interpretation

COUNT = 8


def test_a_space_that_decides_is_not_said_to_be_changed_by_options(tmp_path: Path) -> None:
    write_files(tmp_path, [wide_png(noise(i, (12, 12, 1)).astype(np.uint16) * 32) for i in range(COUNT)], ".png")
    how = Interpretation(windows={"16-bit": Window(0, 4095)})
    found = open_dataset(tmp_path, Preparation(size=(8, 8), interpretation=how))
    assert found.notes[0] == "pictures of 12x12 were scaled and cropped to 8x8, as the space has it"
    assert found.notes[1].startswith("the space knows 16-bit values of 0 to 4,095; ")
    assert not any("`" in words for words in found.notes)
    array = np.stack([noise(i, (8, 8)).astype(np.uint16) * 32 for i in range(COUNT)])
    asked = Preparation(interpretation=how)
    (words,) = dataset_from_arrays(array, preparation=asked).notes
    assert words.startswith("the space knows 16-bit values of 0 to 4,095; ")
    assert words.endswith("were clipped")
    assert dataset_from_arrays(np.minimum(array, 4095), preparation=asked).notes == ()
