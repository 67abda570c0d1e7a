"""A set as a folder, and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from morphospace.data import open_dataset
from morphospace.data.export import export_folder


def test_a_set_written_out_and_read_in_is_the_same_set(tmp_path: Path) -> None:
    before = open_dataset("sprites:count=120,size=16")
    assert export_folder(before, tmp_path / "out") == 120
    after = open_dataset(tmp_path / "out")
    assert after.label_names == before.label_names
    for split in ("train", "test"):
        old, new = before.split(split), after.split(split)
        assert (new.images[:] == old.images[:]).all(), "in the same order, so that it trains to the same bits"
        assert np.array_equal(new.labels, old.labels)  # type: ignore[arg-type]
        assert {"shape", "scale", "x", "y", "hue"} <= set(old.attributes) == set(new.attributes)
        for name, values in old.attributes.items():
            assert (new.attributes[name] == values).all()
