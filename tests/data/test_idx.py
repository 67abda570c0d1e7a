"""The IDX format."""

from __future__ import annotations

import gzip

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from morphospace.data.idx import parse_idx, unpack
from morphospace.errors import FileError


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


@given(hnp.arrays(np.uint8, st.lists(st.integers(1, 5), min_size=1, max_size=4).map(tuple)))
def test_idx_round_trip(array: np.ndarray) -> None:
    assert (parse_idx(idx(array), "x") == array).all()
    assert (parse_idx(unpack(gzip.compress(idx(array)), "x"), "x") == array).all()


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60), st.integers(0, 40), st.integers(0, 255))
def test_mutated_idx_is_an_error_or_an_array(tail: bytes, place: int, value: int) -> None:
    data = bytearray(idx(np.arange(24, dtype=np.uint8).reshape(2, 3, 4)) + tail)
    data[min(place, len(data) - 1)] = value
    for content in (bytes(data), gzip.compress(bytes(data))[:-3], tail):
        try:
            assert parse_idx(unpack(content, "x"), "x").dtype == np.uint8
        except FileError as error:
            assert "x is" in str(error)
