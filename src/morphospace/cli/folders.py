"""What verbs do to whole folders of pictures: file by file, with the names kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from morphospace.cli.common import command_line, folder_pictures
from morphospace.cli.problems import note_problems

if TYPE_CHECKING:
    from morphospace.images import Images
    from morphospace.space import Space

__all__ = ["change_folder", "encode_folder", "png_names", "write_samples"]


def png_names(names: list[str]) -> list[str]:
    """The names that PNGs of these pictures get: their own, unless two would be one.

    Example:
        >>> png_names(["a/1.jpg", "a/1.png", "b.tif"])
        ['a/1.png', 'a/1.png.png', 'b.png']
    """
    taken: set[str] = set()
    found = []
    for name in names:
        own = PurePosixPath(name).with_suffix(".png").as_posix()
        while own.lower() in taken:
            own = f"{name}.png" if own != f"{name}.png" else f"{own}.png"
        taken.add(own.lower())
        found.append(own)
    return found


def change_folder(
    space: Space,
    pictures: list[tuple[str, Path]],
    folder: Path,
    change: Callable[[Images], Images],
    text: dict[str, str],
) -> dict[str, Any]:
    """Write what ``change`` makes of each picture to ``folder``, whole or not at all, as PNGs of the same names."""
    from morphospace.data.items import read_fitted
    from morphospace.files import atomic_folder
    from morphospace.images import png_bytes

    problems: list[Any] = []
    target = dict(zip([name for name, _ in pictures], png_names([name for name, _ in pictures]), strict=True))
    count = 0
    with atomic_folder(folder) as partial:
        for names, images in read_fitted(pictures, space.shape, space.resize, problems):
            for name, image in zip(names, change(images), strict=True):
                path = partial / target[name]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(png_bytes(image, text))
                count += 1
        note_problems(problems, count)
    return {"count": count, "problems": [p._asdict() for p in problems]}


def encode_folder(space: Space, text: str) -> tuple[Any, list[str], list[Any]] | None:
    """(codes (N, d), names, problems) of all pictures of the folder ``text``; None if it is no folder."""
    import numpy as np

    from morphospace.data.items import read_fitted

    pictures = folder_pictures(text)
    if pictures is None:
        return None
    problems: list[Any] = []
    codes, names = [], []
    for some, images in read_fitted(pictures, space.shape, space.resize, problems):
        codes.append(space.encode(images).mean)
        names += some
    note_problems(problems, len(names))
    return np.concatenate(codes), names, problems


def write_samples(space: Space, folder: Path, n: int, *, seed: int, label: str | None) -> None:
    """Write ``n`` samples to ``folder``, whole or not at all, as PNGs numbered from 0; each says how it was drawn."""
    from morphospace.files import atomic_folder
    from morphospace.images import png_bytes

    points, width = space.sample_points(n, seed=seed, label=label), len(str(n - 1))
    drawn = {"sample_seed": seed, "samples": n} | ({} if label is None else {"label": label})
    text = space.text(kind="sample", command=command_line(), **drawn)
    with atomic_folder(folder) as partial:
        numbers = iter(range(n))
        for images in space.decode_batches([points]):
            for image in images:
                number = next(numbers)
                whole = png_bytes(image, text | {"sample": str(number)})
                (partial / f"{number:0{width}d}.png").write_bytes(whole)
