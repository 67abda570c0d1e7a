"""Input that is allowed but odd: labels of one split only, a set of one image, and names that look like markup."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.pictures import noise, write_folder

from morphospace.cli import concept_trials
from morphospace.errors import ArgumentError
from morphospace.points import read_points
from morphospace.server import Session, run
from morphospace.space import load

Morpho = Callable[..., Any]
NAME = "x [/b]"  # to rich the end of something that never began


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A bundle with a concept called ``NAME``."""
    space = load("builtin")
    concept = space.concepts["slant"].named(NAME)
    space.concepts.clear()
    space.concepts[NAME] = concept
    return space.save(tmp_path / "odd")


@pytest.mark.parametrize("ending", ["npz", "csv"])
def test_encode_leaves_labels_empty_where_a_split_has_none_and_says_so(
    morpho: Morpho, tmp_path: Path, ending: str
) -> None:
    np.savez(tmp_path / "tiny.npz", x_train=noise(0, (6, 28, 28)), y_train=np.arange(6), x_test=noise(1, (3, 28, 28)))
    numbers = [str(i) for i in range(6)]
    for data, count, labels in (
        ("tiny.npz", 9, [*numbers, "", "", ""]),
        ("tiny.npz:test", 3, []),
        ("tiny.npz:train", 6, numbers),
    ):
        ran = morpho("encode", "builtin", data, "--out", f"z.{ending}", "--force")
        assert ran.code == 0, ran.err
        table = read_points(tmp_path / f"z.{ending}")
        assert len(table.z) == len(table.names) == count
        assert list(table.labels) == labels
        assert ("the test images of tiny have no labels" in ran.err) == ("" in labels)


def test_validation_images_are_images_of_the_set(morpho: Morpho, tmp_path: Path) -> None:
    parts = {f"x_{name}": noise(i, (3, 28, 28)) for i, name in enumerate(("train", "test", "valid"))}
    np.savez(tmp_path / "tiny.npz", **parts)  # type: ignore[arg-type]
    assert morpho("encode", "builtin", "tiny.npz", "--out", "z.npz").code == 0
    names = [f"tiny:{split}/{i}" for split in ("train", "test", "validation") for i in range(3)]
    assert list(read_points(tmp_path / "z.npz").names) == names
    assert morpho("encode", "builtin", "tiny.npz:validation", "--json").json["points"] == 3
    asked = "tiny.npz:validation/1"
    said = morpho("neighbors", "builtin", asked, "--data", "tiny.npz", "--json").json
    assert (said["images"], len(said["neighbors"])) == (9, 8)
    assert "tiny:validation/1" not in [line["item"] for line in said["neighbors"]]
    assert morpho("outliers", "builtin", "tiny.npz", "--json").json["images"] == 9
    wrong = morpho("encode", "builtin", "tiny.npz:best")
    assert wrong.code == 2
    assert "Known: train, test, validation." in wrong.err


def test_an_image_alone_in_its_set_has_no_neighbors(morpho: Morpho, tmp_path: Path) -> None:
    np.savez(tmp_path / "tiny.npz", x_train=noise(0, (6, 28, 28)), x_test=noise(1, (1, 28, 28)))
    alone = morpho("neighbors", "builtin", "tiny.npz:test/0", "--data", "tiny.npz:test")
    assert alone.code == 1
    assert "expected images beside tiny.npz:test/0" in alone.err
    assert not (tmp_path / "morpho-out").exists()
    said = morpho("neighbors", "builtin", "tiny.npz:train/0", "--data", "tiny.npz:test", "--json")
    assert [line["item"] for line in said.json["neighbors"]] == ["tiny:test/0"]


# -- names that look like markup --------------------------------------------------------------------------


def test_info_and_evaluate_print_names_as_they_are(morpho: Morpho, odd: Path, tmp_path: Path) -> None:
    told = morpho("info", str(odd))
    assert told.code == 0, told.err
    assert NAME in told.out
    write_folder(tmp_path / NAME, 20, (28, 28))
    ran = morpho("evaluate", "builtin", "--data", NAME)
    assert ran.code == 0, ran.err
    assert f"{NAME}, " in ran.out


def test_prepare_and_info_print_folders_as_they_are(
    morpho: Morpho, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MORPHOSPACE_CACHE", str(tmp_path / NAME))
    pets = write_folder(tmp_path / "pets[red]", 20)
    ran = morpho("data", "prepare", "pets[red]")
    assert ran.code == 0, ran.err
    assert "pets[red]: 20 images" in ran.out
    assert f"kept in {tmp_path / NAME}" in ran.out
    write_folder(pets / "a [", 1, start=20).joinpath("020.png").rename(pets / "a [" / "b].png")
    rows = [f"{i:03d}.png,{i}" for i in range(20)]
    (pets / "attributes.csv").write_text("\n".join(["file,weight", *rows]))
    told = morpho("data", "info", "pets[red]")
    assert told.code == 0, told.err
    assert "a [/b].png is the first" in told.out


def test_training_prints_names_as_they_are(morpho: Morpho, tmp_path: Path) -> None:
    write_folder(tmp_path / "pets[red]", 20, (8, 8))
    ran = morpho("train", "pets[red]", "--recipe", "quick", "--epochs", "1", "--out", NAME)
    assert ran.code == 0, ran.err
    assert "on pets[red]: " in ran.err
    assert f"report  {NAME}/0001-pets-red-quick/report.html" in ran.out


def test_trials_print_names_as_they_are(morpho: Morpho, capsys: pytest.CaptureFixture[str]) -> None:
    concept_trials._tell(f"{NAME}, judge 1")
    assert capsys.readouterr().err == f"{NAME}, judge 1\n"


# -- the server -------------------------------------------------------------------------------------------


def test_a_host_that_can_be_none_is_said_so(morpho: Morpho) -> None:
    for host in (".foo", "x" * 64):
        with pytest.raises(ArgumentError, match=rf"cannot listen at {host}"):
            run.listen(host, 0)
    ran = morpho("serve", "builtin", "--host", ".foo", "--device", "cpu")
    assert ran.code == 2
    assert "cannot listen at .foo" in ran.err


def test_the_address_of_a_server_quotes_its_token(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(run._Server, "run", lambda server, sockets: server.listening())
    run.serve(Session(load("builtin")), token="a b&c#d/+%", announce=told.append)
    assert told[0].partition("?")[2] == "token=a%20b%26c%23d%2F%2B%25"
