"""Files of other kinds that hold pictures: those that NumPy reads, and how to convert the others."""

from __future__ import annotations

import io
import zlib

import numpy as np

from morphospace.decoding.samples import Samples, Source, UnreadablePictureError, chosen, with_gaps

__all__ = ["PICTURE_SUFFIXES", "foreign_kind", "numpy_samples"]

# fmt: off
PICTURE_SUFFIXES = frozenset([
    ".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".gif", ".bmp", ".dib", ".tif", ".tiff", ".webp", ".avif",
    ".ppm", ".pgm", ".pbm", ".pnm", ".tga", ".jp2", ".ico", ".fits", ".fit", ".fts", ".npy",
    # Not read, but each is told how to become one that is:
    ".dcm", ".dicom", ".nii", ".h5", ".hdf5", ".mat", ".heic", ".heif",
])
# fmt: on
"""How names of files that may be pictures end."""

_CHANNELS = 16  # an array of more is a stack, or a whole set
_NUMPY = b"\x93NUMPY"
_CONVERT = {
    "DICOM": 'np.save("x.npy", pydicom.dcmread("x.dcm").pixel_array)',
    "NIfTI": 'for i, x in enumerate(nibabel.load("x.nii").get_fdata().T): np.save(f"{i:03}.npy", x)',
    "HDF5": 'np.savez("x.npz", images=h5py.File("x.h5")["NAME"][:])',
    "MATLAB": 'np.save("x.npy", scipy.io.loadmat("x.mat")["NAME"])',
    "HEIC": 'pillow_heif.register_heif_opener(); Image.open("x.heic").save("x.png")',
}


def foreign_kind(data: bytes) -> str:
    """What a file is that is not read, and the line of Python that makes one of it that is; "" where that is unknown.

    Args:
        data: its beginning, at least 1,024 bytes if it has them.

    Example:
        >>> foreign_kind(bytes(128) + b"DICM")
        'a DICOM file: np.save("x.npy", pydicom.dcmread("x.dcm").pixel_array) makes one that is read'
    """
    kind = _kind(data)
    return f"{_article(kind)} {kind} file: {_CONVERT[kind]} makes one that is read" if kind else ""


def _article(kind: str) -> str:
    return "an" if kind.startswith("HDF") else "a"


def _kind(data: bytes) -> str:
    if data.startswith(b"\x1f\x8b"):
        try:
            data = zlib.decompressobj(wbits=31).decompress(data, 1024)
        except zlib.error:
            return ""
    if data[128:132] == b"DICM":
        return "DICOM"
    if data[344:348] in (b"n+1\0", b"ni1\0") or data[4:8] == b"n+2\0":
        return "NIfTI"
    if data.startswith(b"MATLAB 5.0"):
        return "MATLAB"
    if b"\x89HDF\r\n\x1a\n" in (data[:8], data[512:520]):
        return "HDF5"
    if data[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftyphevc"):
        return "HEIC"
    return ""


def numpy_samples(source: Source) -> Samples | None:
    """The samples of a ``.npy`` file of one picture, (H, W), (H, W, C) or (C, H, W); None for another file."""
    if not source.data.startswith(_NUMPY):
        return None
    try:
        array = np.load(io.BytesIO(source.data), allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise UnreadablePictureError(f"damaged ({str(error).splitlines()[0][:80]})") from error
    if array.dtype == np.bool_:
        array = array.astype(np.uint8)
    if array.dtype.kind not in "uif" or array.ndim not in (2, 3) or 0 in array.shape:
        raise UnreadablePictureError(
            f"an array of {array.dtype} {array.shape}: expected numbers of one picture, (H, W) or (H, W, C)"
        )
    values = array[..., None] if array.ndim == 2 else array
    if values.shape[2] > 4 >= values.shape[0]:
        values = np.moveaxis(values, 0, -1)
    height, width, count = values.shape
    if count > _CHANNELS:
        raise UnreadablePictureError(f"no single picture: an array of shape {array.shape}; name it by itself")
    source.check_size(height, width)
    return with_gaps(Samples(chosen(values, count if count in (1, 3) else 0, source.how), (height, width)))
