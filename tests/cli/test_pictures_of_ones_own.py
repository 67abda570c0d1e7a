"""The command with folders of pictures: looked at, prepared, trained on, encoded, reconstructed, edited."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.pictures import encoded, noise, write_folder

from morphospace.cli.folders import png_names
from morphospace.data import SOURCES
from morphospace.images import read_image, read_text
from morphospace.points import read_points
from morphospace.space import load

Morpho = Callable[..., Any]
RUN = "runs/0001-my-pictures-conv"
TINY = ["--set", "encoder_widths=8", "--set", "decoder_widths=8", "--set", "batch=16", "--epochs", "2"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, prepare: Morpho) -> Path:
    """A folder with pictures of two kinds, some broken, and a space of them with a concept."""
    folder = tmp_path_factory.mktemp("own")
    write_folder(folder / "my pictures" / "light", 30, (20, 16, 3))
    dark = write_folder(folder / "my pictures" / "dark", 30, (20, 16, 3), start=30)
    for path in dark.iterdir():
        path.write_bytes(encoded(read_image(path) // 4))
    (folder / "my pictures" / "dark" / "broken.png").write_bytes(b"")
    prepare(folder, "train", "my pictures", *TINY)
    prepare(folder, "concept", "learn", "latest", "dark", "--data", "my pictures", "--label", "dark")
    return folder


def test_training_on_a_folder_says_what_was_left_out(home: Path, morpho: Morpho) -> None:
    ran = morpho("train", "my pictures", *TINY, "--json", cwd=home)
    assert ran.code == 0, ran.err
    assert "empty file (1)" in ran.err
    assert ran.json["run"].endswith("-my-pictures-conv")
    assert ran.json["test"]["psnr"] > 5
    refused = morpho("train", "my pictures", "--strict", cwd=home)
    assert refused.code == 1
    assert "broken.png: empty file" in refused.err


def test_data_info_shows_labels_problems_and_a_sheet(home: Path, morpho: Morpho) -> None:
    ran = morpho("data", "info", "my pictures", cwd=home)
    assert ran.code == 0, ran.err
    assert "16x20 colour" in ran.out
    assert "dark/broken.png: empty file" in ran.out
    sheet = sorted((home / "morpho-out").glob("*-data.png"))[-1]
    with Image.open(sheet) as picture:
        assert np.asarray(picture).std() > 20
    facts = morpho("data", "info", "my pictures", "--json", cwd=home).json
    assert facts["shape"] == [20, 16, 3]
    assert facts["problems"] == [{"name": "dark/broken.png", "reason": "empty file"}]
    assert sum(facts["labels"]["dark"].values()) == 30


def test_data_prepare_makes_what_training_would(home: Path, morpho: Morpho) -> None:
    first = morpho(
        "data", "prepare", "my pictures", "--size", "8", "--resize", "pad", "--colour", "grey", "--json", cwd=home
    )
    assert first.json["shape"] == [8, 8, 1]
    assert Path(first.json["folder"]).is_dir()
    for wrong in (("--size", "8x"), ("--size", "1"), ("--resize", "zoom"), ("--colour", "blue")):
        ran = morpho("data", "prepare", "my pictures", *wrong, cwd=home)
        assert ran.code == 2
        assert wrong[0] in ran.err


def test_prepared_sets_are_listed_and_forgotten(
    home: Path, morpho: Morpho, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MORPHOSPACE_CACHE", str(tmp_path))
    nothing = morpho("data", "list", "--json").json
    assert [named["name"] for named in nothing["named"]] == list(SOURCES)
    assert nothing["prepared"] == []
    for options in ((), ("--size", "8")):
        assert morpho("data", "prepare", "my pictures", *options, cwd=home).code == 0
    assert morpho("data", "prepare", "sprites:count=4,size=9").code == 0
    ran = morpho("data", "list")
    assert ran.out.count("my-pictures-") == 2
    assert "9x9 colour" in ran.out
    names = [kept["name"] for kept in morpho("data", "list", "--json").json["prepared"]]
    monkeypatch.setenv("COLUMNS", "40")
    narrow = morpho("data", "list").out
    assert all(name in narrow for name in names)
    monkeypatch.setenv("COLUMNS", "200")
    for wrong in ((), ("photos",), ("sprites", "--all")):
        refused = morpho("data", "forget", *wrong)
        assert refused.code == 2
        assert "NAME" in refused.err
    assert morpho("data", "forget", "my-pictures").code == 0
    (left,) = morpho("data", "list", "--json").json["prepared"]
    assert left["shape"] == [4, 9, 9, 3]
    ran = morpho("data", "forget", left["name"], "--json")
    assert ran.json == {"forgotten": [left["name"]], "bytes": left["bytes"]}
    assert (home / "my pictures").is_dir()
    assert morpho("data", "forget", "--all").code == 0


def test_data_export_and_back(home: Path, morpho: Morpho, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert morpho("data", "export", "my pictures", str(out), cwd=home).code == 0
    again = morpho("data", "export", "my pictures", str(out), cwd=home)
    assert again.code == 1
    assert "--force" in again.err
    one, two = (morpho("data", "info", source, "--json", cwd=home).json for source in ("my pictures", str(out)))
    assert one["labels"] == two["labels"]
    assert {p.relative_to(out).parts[0] for p in out.rglob("*.png")} == {"train", "test"}


def test_whole_folders_are_encoded_with_their_names(home: Path, morpho: Morpho, tmp_path: Path) -> None:
    ran = morpho("encode", RUN, "my pictures", "--out", str(tmp_path / "z.csv"), "--json", cwd=home)
    assert ran.code == 0, ran.err
    assert ran.json["problems"] == [{"name": "dark/broken.png", "reason": "empty file"}]
    table = read_points(tmp_path / "z.csv")
    assert len(table.names) == 60
    space = load(home / "runs" / "0001-my-pictures-conv")
    alone = space.encode(str(home / "my pictures" / table.names[7])).mean[0]
    np.testing.assert_allclose(alone, table.z[7], atol=1e-4)


@pytest.mark.parametrize("verb", [("reconstruct", RUN), ("edit", RUN)])
def test_whole_folders_are_changed_with_their_names(home: Path, morpho: Morpho, tmp_path: Path, verb: Any) -> None:
    more = ["--concept", "dark=1"] if verb[0] == "edit" else []
    ran = morpho(*verb, "my pictures", *more, "--out", str(tmp_path / "o"), "--json", cwd=home)
    assert ran.code == 0, ran.err
    assert ran.json["count"] == 60
    found = {p.relative_to(tmp_path / "o").as_posix() for p in (tmp_path / "o").rglob("*.png")}
    assert found == {f"light/{i:03d}.png" for i in range(30)} | {f"dark/{i:03d}.png" for i in range(30, 60)}
    assert verb[0] in read_text(tmp_path / "o" / "light" / "000.png")["command"]
    space = load(home / "runs" / "0001-my-pictures-conv")
    source = str(home / "my pictures" / "light" / "003.png")
    made = space.edit(source, {"dark": 1.0}) if more else space.reconstruct(source)
    assert np.abs(read_image(tmp_path / "o" / "light" / "003.png").astype(int) - made[0]).max() <= 1
    again = morpho(*verb, "my pictures", *more, "--out", str(tmp_path / "o"), cwd=home)
    assert again.code == 1


def test_a_folder_of_nothing_usable_is_refused(home: Path, morpho: Morpho, tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "x.png").write_bytes(b"no")
    ran = morpho("reconstruct", str(home / "runs" / "0001-my-pictures-conv"), str(tmp_path / "bad"))
    assert ran.code == 1
    assert "none of the 1 pictures" in ran.err
    assert not (tmp_path / "morpho-out").exists() or not list((tmp_path / "morpho-out").iterdir())


def test_evaluate_finds_the_folder_of_the_run(home: Path, morpho: Morpho) -> None:
    ran = morpho("evaluate", "latest", "--json", cwd=home)
    assert ran.code == 0, ran.err
    trained = load(sorted((home / "runs").iterdir())[-1]).about["test"]
    assert ran.json["test"]["neg_elbo"] == pytest.approx(trained["neg_elbo"], rel=1e-4)


def test_train_from_a_space(home: Path, morpho: Morpho, tmp_path: Path) -> None:
    space = str(home / "runs" / "0001-my-pictures-conv")
    write_folder(tmp_path / "more", 40, (64, 64))
    ran = morpho("train", str(tmp_path / "more"), "--from", space, "--epochs", "1", "--set", "batch=16", "--json")
    assert ran.code == 0, ran.err
    assert load(tmp_path / ran.json["run"]).shape == (20, 16, 3)
    for *wrong, at_fault in (
        ("--size", "32", "--size"),
        ("--recipe", "quick", "--recipe"),
        ("--latent-dim", "5", "--from"),
    ):
        ran = morpho("train", str(tmp_path / "more"), "--from", space, *wrong)
        assert ran.code == 2
        assert ran.err.startswith(f"error: {at_fault}: ")


def test_mistyped_keys_are_found_before_pictures_are_read(morpho: Morpho, tmp_path: Path) -> None:
    ran = morpho("train", "nowhere/at/all", "--set", "epocks=3")
    assert ran.code == 2
    assert 'Did you mean "epochs"' in ran.err


def test_names_stay_apart() -> None:
    assert png_names(["a.jpg", "A.png", "a.png"]) == ["a.png", "A.png.png", "a.png.png.png"]


def test_odd_names_in_a_terminal_are_one_line(morpho: Morpho, tmp_path: Path) -> None:
    write_folder(tmp_path / "f", 10)
    (tmp_path / "f" / "line\nbreak [red].png").write_bytes(b"")
    (tmp_path / "f" / "日本.png").write_bytes(encoded(noise(5)))
    ran = morpho("data", "info", "f")
    assert ran.code == 0, ran.err
    assert "line\\nbreak [red].png: empty file" in ran.out
