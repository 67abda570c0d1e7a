"""How samples become pixels belongs to a space: what its set decided holds for every later picture of it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.conftest import Ran
from tests.pictures import encoded, noise, tiff
from tests.server.conftest import visitor

from morphospace.data import Preparation, open_dataset
from morphospace.errors import ArgumentError, FileError
from morphospace.intensity import Window
from morphospace.interpretation import AS_BEFORE, Interpretation
from morphospace.recipes import build_model, find_recipe
from morphospace.server import Session, create_app
from morphospace.space import Space, load
from morphospace.workflow import preparation_for, train
from morphospace.workflow.run import about_data

TWELVE = Interpretation(windows={"16-bit": Window(0, 4095)})
DARK = np.full((8, 8), 400, np.uint16)  # of 4095
AS_TWELVE, AS_SIXTEEN = round(400 / 4095 * 255), round(400 / 65535 * 255)


def twelve_bits(folder: Path, count: int = 12) -> Path:
    """12 bits in files of 16."""
    folder.mkdir()
    for i in range(count):
        values = np.random.default_rng(i).integers(0, 4096, (8, 8)).astype(np.uint16)
        values[0, 0] = 4095
        (folder / f"{i}.png").write_bytes(encoded(values))
    return folder


def untrained(data: dict[str, Any], shape: tuple[int, int, int] = (8, 8, 1)) -> Space:
    recipe = find_recipe("quick")
    return Space(build_model(recipe, shape, seed=0), recipe, shape, about={"data": data})


@pytest.fixture
def twelve(tmp_path: Path) -> Space:
    return untrained(about_data(open_dataset(twelve_bits(tmp_path / "set"))))


def test_a_dark_picture_of_a_space_of_twelve_bits_is_dark_by_value(twelve: Space, tmp_path: Path) -> None:
    assert twelve.interpretation == TWELVE
    path = tmp_path / "dark.png"
    path.write_bytes(encoded(DARK))
    for picture in (path, str(path), Image.fromarray(DARK), DARK, DARK[..., None], [path]):
        assert np.unique(twelve.prepare(picture)).tolist() == [AS_TWELVE]
    assert (twelve.prepare(np.full((8, 8), 25, np.uint8)) == 25).all()  # pixels already
    assert (twelve.prepare(np.full((8, 8, 1), 9.0)) == 9).all()  # floats, of which its set had none, must be pixels


def test_what_a_training_decides_is_kept_by_saving(tmp_path: Path) -> None:
    space = train(
        twelve_bits(tmp_path / "set", 30), epochs=1, settings={"encoder_widths": (8,), "decoder_widths": (8,)}
    )
    again = load(space.save(tmp_path / "space"))
    assert again.interpretation == TWELVE
    code = again.encode(DARK).mean
    assert (code == space.encode(np.full((8, 8), AS_TWELVE, np.uint8)).mean).all()
    preprocessing = json.loads((tmp_path / "space" / "preprocessing.json").read_text())
    assert preprocessing["interpretation"]["intensity"] == {"16-bit": [0.0, 4095.0]}


def test_a_space_of_version_0_1_reads_pictures_as_it_did(tmp_path: Path) -> None:
    space = untrained({"name": "photos", "resize": "crop"})
    assert space.interpretation == AS_BEFORE
    path = tmp_path / "dark.png"
    path.write_bytes(encoded(DARK))
    assert np.unique(space.prepare(path)).tolist() == [AS_SIXTEEN] == [2]
    path.write_bytes(tiff(np.linspace(0, 0.5, 64, dtype=np.float32).reshape(8, 8)))
    assert space.prepare(path).max() == 128
    known = preparation_for(space)
    assert (known.interpretation, known.split_by) == (AS_BEFORE, "pixels")
    found = open_dataset(twelve_bits(tmp_path / "set"), known)
    assert np.concatenate([found.train.images[:], found.test.images[:]]).max() == round(4095 / 65535 * 255)


def test_a_set_that_is_opened_for_a_space_is_read_as_its_own_was(twelve: Space, tmp_path: Path) -> None:
    folder = tmp_path / "more"
    folder.mkdir()
    for i in range(6):
        (folder / f"{i}.png").write_bytes(encoded(np.full((8, 8), 100 * (i + 1), np.uint16)))
    found = open_dataset(folder, preparation_for(twelve))
    levels = sorted({int(image.max()) for split in (found.train, found.test) for image in split.images[:]})
    assert levels == [round(100 * (i + 1) / 4095 * 255) for i in range(6)]  # by itself this set has 10 bits
    assert preparation_for(twelve).split_by == "source"
    with pytest.raises(ArgumentError, match="the space decides the intensity"):
        preparation_for(twelve, Preparation(intensity="full"))


def test_a_preparation_for_a_space_comes_back_from_json(twelve: Space) -> None:
    known = preparation_for(twelve)
    assert Preparation.from_json(json.loads(json.dumps(known.to_json()))) == known
    before = Preparation.from_json({"size": None, "resize": "crop", "colour": "auto", "strict": False})
    assert (before.intensity, before.background, before.split_by, before.interpretation) == (
        "file", "white", "pixels", None,
    )  # fmt: skip


@pytest.mark.parametrize("change", [{"frames": "last"}, {"background": [0, 0, 256]}, {"intensity": {"16-bit": [1]}}])
def test_a_damaged_interpretation_is_an_error_that_names_it(twelve: Space, tmp_path: Path, change: Any) -> None:
    path = twelve.save(tmp_path / "space")
    config = json.loads((path / "config.json").read_text())
    config["data"]["interpretation"] |= change
    (path / "config.json").write_text(json.dumps(config))
    with pytest.raises(FileError, match=r"damaged: data\.interpretation"):
        load(path)


def test_the_server_reads_what_is_sent_as_the_set_was_read(twelve: Space, tmp_path: Path) -> None:
    session = Session(twelve)
    client = visitor(create_app(session, static=tmp_path / "no page"))
    for data in (encoded(DARK), tiff(DARK)):
        answer = client.post("/api/v1/encode", content=data).json()
        assert set(base64.b64decode(answer["pixels"])) == {AS_TWELVE}
    session.close()


def test_the_command_says_what_was_clipped_and_not_read(
    twelve: Space, tmp_path: Path, morpho: Callable[..., Ran]
) -> None:
    space = twelve.save(tmp_path / "space")
    folder = tmp_path / "later"
    folder.mkdir()
    (folder / "a.tif").write_bytes(tiff(np.stack([DARK, DARK])))
    bright = DARK.copy()
    bright[0, :4] = 5000
    (folder / "b.png").write_bytes(encoded(bright))
    ran = morpho("encode", str(space), str(folder), "--out", "codes.npz")
    assert ran.code == 0, ran.err
    assert (
        "the space knows 16-bit values of 0 to 4,095; 3.12% of them lie outside and were clipped, in 1 of 2" in ran.err
    )
    assert "1 further page of 1 file was not read" in ran.err
    codes = np.load(tmp_path / "codes.npz")["z"]
    assert np.allclose(codes[0], twelve.encode(np.full((8, 8), AS_TWELVE, np.uint8)).mean[0], atol=1e-6)
    ran = morpho("reconstruct", str(space), str(folder / "b.png"), "--out", "r.png")
    assert "6.25% of them lie outside" in ran.err


def test_a_space_of_all_pages_takes_each_page_of_a_folder(tmp_path: Path, morpho: Callable[..., Ran]) -> None:
    how = Interpretation(frames="all").to_json()
    space = untrained({"name": "stacks", "interpretation": how}).save(tmp_path / "space")
    folder = tmp_path / "later"
    folder.mkdir()
    pages = noise(0, (3, 8, 8))
    (folder / "a.tif").write_bytes(tiff(pages))
    assert morpho("encode", str(space), str(folder), "--out", "codes.npz").code == 0
    found = np.load(tmp_path / "codes.npz")
    assert found["names"].tolist() == ["a.tif[1]", "a.tif[2]", "a.tif[3]"]
    assert np.allclose(found["z"], load(space).encode(pages).mean)
    assert morpho("reconstruct", str(space), str(folder), "--out", "made").code == 0
    assert sorted(p.name for p in (tmp_path / "made").glob("*.png")) == [f"a.tif[{i}].png" for i in (1, 2, 3)]
