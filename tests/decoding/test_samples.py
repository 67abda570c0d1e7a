"""What a picture file holds: channels, pages, transparency, cut files and foreign formats; what becomes of each."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.pictures import darkest_first, encoded, noise, tiff, wide_png, write_files

from morphospace.data import Preparation, open_dataset
from morphospace.decoding import UnreadablePictureError, decode_picture
from morphospace.errors import DataError
from morphospace.intensity import Window
from morphospace.interpretation import Interpretation

COUNT = 8
FULL = Interpretation()


# -- channels -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [2, 4, 5, 7])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_channels_that_no_one_names_are_asked_for(count: int, dtype: Any) -> None:
    samples = np.arange(16 * count, dtype=dtype).reshape(4, 4, count)
    data = tiff(samples, planarconfig="contig")
    with pytest.raises(UnreadablePictureError) as refused:
        decode_picture(data, FULL)
    colours = ", or which are red, green and blue, `channels=(1, 2, 3)`" if count > 2 else ""
    assert refused.value.reason == f"{count} channels: say which is grey, `channels=(1,)`{colours}"
    chosen = Interpretation(windows={"16-bit": Window(0, 255)}, channels=(count - 1,))
    assert (decode_picture(data, chosen)[..., 0] == samples[..., -1]).all()
    if count >= 4:
        found = decode_picture(data, Interpretation(windows=chosen.windows, channels=(3, 0, 1)))
        assert (found == samples[..., [3, 0, 1]]).all()


def test_a_set_of_such_channels_is_refused_with_the_option_and_read_with_it(tmp_path: Path) -> None:
    pictures = [tiff(noise(i, (8, 8, 5)), planarconfig="contig") for i in range(COUNT)]
    write_files(tmp_path, pictures, ".tif")
    with pytest.raises(
        DataError, match=r"5 channels \(8\).*or which are red, green and blue, `channels=\(1, 2, 3\)`\.$"
    ):
        open_dataset(tmp_path)
    found = open_dataset(tmp_path, Preparation(channels=(5, 1, 2)))
    expected = sorted(noise(i, (8, 8, 5))[..., [4, 0, 1]].tobytes() for i in range(COUNT))
    assert sorted(image.tobytes() for image in darkest_first(found)) == expected
    with pytest.raises(DataError, match="5 channels: `channels` asks for 1,2,6"):
        open_dataset(tmp_path, Preparation(channels=(1, 2, 6)))


def test_samples_beyond_red_green_and_blue_are_left_out_with_a_word(tmp_path: Path) -> None:
    pictures = [tiff(noise(i, (8, 8, 4)), photometric="rgb", extrasamples=[0]) for i in range(COUNT)]
    found = open_dataset(write_files(tmp_path, pictures, ".tif"))
    assert sorted(i.tobytes() for i in darkest_first(found)) == sorted(
        noise(i, (8, 8, 4))[..., :3].tobytes() for i in range(8)
    )
    assert "samples beyond red, green and blue, of which the files say nothing, were left out of 8 pictures" in str(
        found.notes
    )


def test_sixteen_bits_of_colour_and_transparency_are_read_whole() -> None:
    rng = np.random.default_rng(0)
    how = Interpretation(windows={"16-bit": Window(0, 255)}, background=(0, 0, 0))
    for count in (1, 2, 3, 4):
        samples = rng.integers(0, 256, (5, 4, count)).astype(np.uint16)
        if count in (2, 4):
            samples[..., -1] = 65535
        colours = samples[..., : 1 if count < 3 else 3]
        assert (decode_picture(wide_png(samples), how) == colours).all()
        if count > 2:
            alpha = {"extrasamples": ["unassalpha"]} if count == 4 else {}
            for options in (
                {},
                {"compression": "zlib"},
                {"byteorder": ">"},
                {"compression": "zlib", "predictor": True},
            ):
                assert (decode_picture(tiff(samples, photometric="rgb", **alpha, **options), how) == colours).all()
    hidden = wide_png(np.array([[[7, 8, 9], [1, 2, 3]]] * 4, np.uint16), tRNS=b"\0\7\0\x08\0\x09")
    assert decode_picture(hidden, how)[0].tolist() == [[0, 0, 0], [1, 2, 3]]


def test_planes_one_behind_the_other_are_channels() -> None:
    samples = np.random.default_rng(0).integers(0, 256, (3, 6, 5)).astype(np.uint16)
    how = Interpretation(windows={"16-bit": Window(0, 255)})
    found = decode_picture(tiff(samples, photometric="rgb", planarconfig="separate"), how)
    assert (found == np.moveaxis(samples, 0, -1)).all()


def test_a_compression_of_another_package_is_named() -> None:
    stream = io.BytesIO()
    Image.fromarray(noise(0, (8, 8))).save(stream, "TIFF", compression="tiff_lzw")
    assert (decode_picture(stream.getvalue(), FULL)[..., 0] == noise(0, (8, 8))).all()


# -- pages --------------------------------------------------------------------------------------------


def stacks(folder: Path) -> Path:
    """Stacks of three pages, of which each is lighter than the one before."""
    pages = [np.stack([noise(i, (8, 8)) // 8 + 60 * k for k in range(3)]).astype(np.uint8) for i in range(COUNT)]
    return write_files(folder, [tiff(page) for page in pages], ".tif")


def test_pages_that_are_not_read_are_counted(tmp_path: Path) -> None:
    found = open_dataset(stacks(tmp_path))
    assert len(darkest_first(found)) == COUNT
    assert any(
        note.startswith('16 further pages of 8 files were not read; `frames="all"` makes') for note in found.notes
    )


def test_each_page_is_a_picture_with_the_label_of_its_file(tmp_path: Path) -> None:
    for label in ("a", "b"):
        stacks(tmp_path / label)
    for i, path in enumerate(sorted(tmp_path.rglob("*.tif"))):
        page = np.stack([noise(i, (8, 8)) // 8 + 60 * k for k in range(3)]).astype(np.uint8)
        path.write_bytes(tiff(page))
    found = open_dataset(tmp_path, Preparation(frames="all"))
    assert len(darkest_first(found)) == 6 * COUNT
    assert found.train.labels is not None
    assert np.bincount(found.train.labels).sum() + len(found.test) == 6 * COUNT
    assert "48 pages of 16 files became a picture each" in found.notes[0]
    # The pages of a file differ by 60 levels, and are else the same: none lies on both sides.
    trained, tested = (
        {(image.astype(int) % 60).tobytes() for image in split.images} for split in (found.train, found.test)
    )
    assert not trained & tested
    assert tested


@pytest.mark.parametrize(
    ("frames", "expected"), [("max", [10, 200, 40]), ("mean", [7, 100, 40]), ("first", [10, 0, 40])]
)
@pytest.mark.parametrize("kind", ["TIFF", "PNG", "WEBP"])
def test_pages_become_one_by_their_samples(frames: Any, expected: list[int], kind: str) -> None:
    pages = np.array([[[10, 0, 40]], [[4, 200, 40]]], np.uint8).repeat(4, 1)
    stream = io.BytesIO()
    first, second = (Image.fromarray(page) for page in pages)
    options = {"lossless": True} if kind == "WEBP" else {}
    first.save(stream, kind, save_all=True, append_images=[second], **options)
    found = decode_picture(stream.getvalue(), Interpretation(frames=frames))
    assert found[0, :, 0].tolist() == expected


def test_joining_goes_before_the_window(tmp_path: Path) -> None:
    pages = [
        np.stack([np.full((8, 8), 100 * (i + 1)), np.full((8, 8), 300 * (i + 1))]).astype(np.uint16) for i in range(8)
    ]
    found = open_dataset(write_files(tmp_path, [tiff(page) for page in pages], ".tif"), Preparation(frames="mean"))
    assert found.preparation["interpretation"]["intensity"] == {"16-bit": [0.0, 4095.0]}
    assert darkest_first(found)[:, 0, 0, 0].tolist() == [round(200 * (i + 1) / 4095 * 255) for i in range(8)]


def test_pages_of_another_size_are_said(tmp_path: Path) -> None:
    def pair(i: int) -> bytes:
        stream = io.BytesIO()
        small = Image.fromarray(noise(i, (4, 4)))
        Image.fromarray(noise(i, (8, 8))).save(stream, "TIFF", save_all=True, append_images=[small])
        return stream.getvalue()

    found = open_dataset(write_files(tmp_path, [pair(i) for i in range(COUNT)], ".tif"), Preparation(frames="max"))
    assert any("only pages of the size of the first were used of 8 pictures" in note for note in found.notes)
    assert sorted(i.tobytes() for i in darkest_first(found)) == sorted(noise(i, (8, 8)).tobytes() for i in range(COUNT))


# -- transparency -------------------------------------------------------------------------------------


def shapes(colour: int) -> list[bytes]:
    """Discs of one grey on transparency, each elsewhere."""
    found = []
    for i in range(COUNT):
        alpha = np.zeros((8, 8), np.uint8)
        alpha[i % 4 : i % 4 + 3, i // 2 : i // 2 + 4] = 255
        found.append(encoded(np.dstack([np.full((8, 8, 3), colour, np.uint8), alpha])))
    return found


def test_white_on_transparency_lies_over_black(tmp_path: Path) -> None:
    found = open_dataset(write_files(tmp_path, shapes(255), ".png"))
    assert np.unique(found.train.images[:]).tolist() == [0, 255]
    assert (
        "what is transparent in 8 pictures became black, because the rest of them is white; `background` changes that"
        in found.notes
    )
    with pytest.raises(DataError, match="copies of one"):
        open_dataset(tmp_path, Preparation(background="white"))


@pytest.mark.parametrize(
    ("background", "expected", "name"),
    [("auto", [255], "white"), ("black", [0], "black"), ("#102030", [16, 32, 48], "#102030")],
)
def test_what_is_transparent_takes_the_background(
    tmp_path: Path, background: str, expected: list[int], name: str
) -> None:
    found = open_dataset(write_files(tmp_path, shapes(90), ".png"), Preparation(background=background))
    corners = found.train.images[:, -1, -1]
    assert corners.tolist() == [expected] * len(corners)
    assert f"what is transparent in 8 pictures became {name}; `background` changes that" in found.notes


@pytest.mark.parametrize("mode", ["LA", "PA", "RGBA", "La", "RGBa"])
def test_every_mode_with_alpha_takes_the_background(mode: str) -> None:
    from morphospace.images import from_pil

    layer = Image.fromarray(np.dstack([np.full((4, 4, 3), 60, np.uint8), np.array([[0, 255, 255, 255]] * 4, np.uint8)]))
    steps = {"La": ["LA", "La"], "RGBa": ["RGBa"], "PA": ["PA"], "LA": ["LA"], "RGBA": []}[mode]
    for step in steps:
        layer = layer.convert(step)
    found = from_pil(layer, Interpretation(background=(9, 9, 9)))
    assert found[0, :, 0].tolist() == [9, 60, 60, 60]


# -- cut files ----------------------------------------------------------------------------------------


def test_a_file_that_ends_early_is_left_out_or_kept(tmp_path: Path) -> None:
    whole = [encoded(noise(i, (32, 32, 3)), "JPEG", quality=90) for i in range(COUNT)]
    write_files(tmp_path, [data[:-3] if i == 2 else data for i, data in enumerate(whole)], ".jpg")
    found = open_dataset(tmp_path)
    assert [(p.name, p.reason) for p in found.problems] == [
        ("2.jpg", 'ends early (`truncated="keep"` keeps what there is)')
    ]
    kept = open_dataset(tmp_path, Preparation(truncated="keep"))
    assert len(darkest_first(kept)) == COUNT
    assert not kept.problems
    assert "what is missing at the end of 1 picture became grey" in kept.notes
    expected = decode_picture(whole[2])
    closest = min(np.abs(image.astype(int) - expected).mean() for image in darkest_first(kept))
    assert closest < 1


@pytest.mark.parametrize("kind", ["PNG", "BMP", "PPM", "TGA", "TIFF"])
@pytest.mark.parametrize("shape", [(16, 16, 3), (16, 16)])
def test_what_is_missing_is_grey_and_the_rest_is_right(kind: str, shape: tuple[int, ...]) -> None:
    data = encoded(noise(0, shape), kind)
    if kind == "TIFF":  # Pillow writes where its pixels are behind them
        data = tiff(noise(0, shape), photometric="rgb" if len(shape) == 3 else "minisblack")
    data = data[: -noise(0, shape).size // 3]
    with pytest.raises(UnreadablePictureError, match="ends early"):
        decode_picture(data, FULL)
    found = decode_picture(data, Interpretation(truncated=True))
    rows = found[::-1] if kind in ("BMP", "TGA") else found  # these begin with the lowest row
    right = noise(0, shape).reshape(16, 16, -1)
    right = right[::-1] if kind in ("BMP", "TGA") else right
    assert (rows[:7] == right[:7]).all()
    assert (rows[-3:] == 128).all()


def test_a_progressive_jpeg_that_ends_early_is_kept() -> None:
    smooth = np.asarray(Image.fromarray(noise(0, (4, 4, 3))).resize((64, 64), Image.Resampling.BICUBIC))
    data = encoded(smooth, "JPEG", quality=90, progressive=True)
    found = decode_picture(data[: len(data) * 2 // 3], Interpretation(truncated=True))
    assert np.abs(found.astype(int) - smooth).mean() < 25


# -- foreign formats ----------------------------------------------------------------------------------


def fits(values: np.ndarray, **cards: object) -> bytes:
    """A FITS file of one plane, whose rows go up."""
    bits = {"u": 8, "i": 8 * values.dtype.itemsize, "f": -8 * values.dtype.itemsize}[values.dtype.kind]
    lines = {"SIMPLE": "T", "BITPIX": bits, "NAXIS": 2, "NAXIS1": values.shape[1], "NAXIS2": values.shape[0], **cards}
    text = "".join(f"{name:8}= {value!s:>20}".ljust(80) for name, value in lines.items()) + "END".ljust(80)
    data = values[::-1].astype(values.dtype.newbyteorder(">")).tobytes()
    return text.ljust(2880).encode() + data.ljust(-(-len(data) // 2880) * 2880, b"\0")


@pytest.mark.parametrize(
    ("values", "cards", "window", "levels"),
    [
        (np.array([[0, 4000]] * 4, np.int16), {}, (0, 4000), [0, 255]),
        (np.array([[-32768, -28768]] * 4, np.int16), {"BZERO": 32768, "BSCALE": 1}, (0, 4000), [0, 255]),
        (np.array([[0, 100]] * 4, np.int16), {"BSCALE": 0.5}, (0, 100), [0, 128]),
        (np.array([[-1.0, 3.0]] * 4, np.float32), {}, (-1, 3), [0, 255]),
    ],
)
def test_fits_has_signs_and_scales(values: np.ndarray, cards: Any, window: Any, levels: list[int]) -> None:
    how = Interpretation(windows={"16-bit": Window(*window), "float": Window(*window)})
    data = fits(np.repeat(values, 2, 1), **cards)
    assert decode_picture(data, how)[0, ::2, 0].tolist() == levels


def npy(values: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, values)
    return stream.getvalue()


def test_a_folder_of_arrays_has_the_rule_of_the_set(tmp_path: Path) -> None:
    write_files(tmp_path, [npy(np.full((8, 8), 400 * (i + 1), np.int32)) for i in range(COUNT)], ".npy")
    found = open_dataset(tmp_path)
    assert darkest_first(found)[:, 0, 0, 0].tolist() == [round(400 * (i + 1) / 4095 * 255) for i in range(COUNT)]
    colour = np.random.default_rng(0).integers(0, 256, (8, 9, 3), np.uint8)
    assert (decode_picture(npy(colour), FULL) == colour).all()
    assert (decode_picture(npy(np.moveaxis(colour, -1, 0)), FULL) == colour).all()
    with pytest.raises(UnreadablePictureError, match="expected numbers of one picture"):
        decode_picture(npy(np.array(["a"])), FULL)


def test_one_stack_in_a_folder_is_a_set(tmp_path: Path) -> None:
    """As a refusal of the file itself advises."""
    (tmp_path / "x.tif").write_bytes(tiff(noise(0, (40, 8, 8))))
    found = open_dataset(tmp_path, Preparation(frames="all"))
    assert len(darkest_first(found)) == 40
    assert "being of one file, they lie on both sides of the split" in found.notes[0]
