"""Batches: each image at most once an epoch, in an order that a seed decides."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from morphospace.data import batch_indices


@given(
    count=st.integers(1, 300), seed=st.integers(0, 2**40), stage=st.integers(0, 3), epoch=st.integers(0, 99),
    data=st.data(),
)  # fmt: skip
@settings(max_examples=50, deadline=None)
def test_batches_use_each_image_at_most_once(
    count: int, seed: int, stage: int, epoch: int, data: st.DataObject
) -> None:
    batch = data.draw(st.integers(1, count))
    found = batch_indices(count, batch, seed=seed, stage=stage, epoch=epoch)
    assert found.shape == (count // batch, batch)
    assert len(set(found.ravel().tolist())) == found.size
    assert (found == batch_indices(count, batch, seed=seed, stage=stage, epoch=epoch)).all()
