"""Errors name the argument that is at fault beside their words, not in them."""

from __future__ import annotations

import pickle

import pytest

from morphospace.errors import ArgumentError, DataError, FileError, MorphospaceError


@pytest.mark.parametrize("kind", [MorphospaceError, ArgumentError, DataError, FileError])
def test_an_error_has_its_argument_beside_its_words(kind: type[MorphospaceError]) -> None:
    error = kind("expected 1 to 10, got 11.", argument="latent_dim")
    assert str(error) == "latent_dim: expected 1 to 10, got 11."
    assert (error.argument, error.words) == ("latent_dim", "expected 1 to 10, got 11.")


def test_an_error_of_no_argument_is_its_words() -> None:
    error = DataError("nothing there.")
    assert (str(error), error.argument, error.words) == ("nothing there.", None, "nothing there.")


def test_an_error_comes_back_whole_from_another_process() -> None:
    error = pickle.loads(pickle.dumps(FileError("is empty.", argument="data")))
    assert (type(error), str(error), error.argument, error.words) == (FileError, "data: is empty.", "data", "is empty.")
