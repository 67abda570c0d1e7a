"""What verbs do to whole folders of pictures: file by file, with the names kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from morphospace.cli.notes import note_tally
from morphospace.cli.opening import folder_pictures
from morphospace.cli.problems import note_problems
from morphospace.cli.verbs import command_line

if TYPE_CHECKING:
    from morphospace.images import Images
    from morphospace.space import Space

__all__ = ["change_folder", "encode_folder", "png_names", "write_samples"]


def png_names(names: list[str], taken: set[str] | None = None) -> list[str]:
    """The names that PNGs of these pictures get: their own, unless two would be one.

    Args:
        names: of the pictures.
        taken: names that others have already, in small letters; is added to.

    Example:
        >>> png_names(["a/1.jpg", "a/1.png", "b.tif", "c.tif[2]"])
        ['a/1.png', 'a/1.png.png', 'b.png', 'c.tif[2].png']
    """
    taken = set() if taken is None else taken
    found = []
    for name in names:
        # A page of a stack keeps its number.
        own = f"{name}.png" if name.endswith("]") else PurePosixPath(name).with_suffix(".png").as_posix()
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
    from morphospace.data.items import files_as_items, read_fitted
    from morphospace.data.tally import Tally
    from morphospace.files import atomic_folder
    from morphospace.images import png_bytes

    how = space.interpretation
    items = files_as_items(pictures, how)
    problems: list[Any] = []
    tally, taken = Tally(), set[str]()
    count = 0
    with atomic_folder(folder) as partial:
        for names, images in read_fitted(items, space.shape, space.resize, how, problems, tally):
            for name, image in zip(png_names(names, taken), change(images), strict=True):
                path = partial / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(png_bytes(image, text))
                count += 1
        note_problems(problems, count)
        note_tally(tally, space)
    return {"count": count, "problems": [p._asdict() for p in problems]}


def encode_folder(space: Space, text: str, *, listed: bool = False) -> tuple[Any, list[str], list[Any]] | None:
    """(codes (N, d), names, problems) of all pictures of a folder; None if it is none; ``listed`` as there."""
    import numpy as np

    from morphospace.data.items import files_as_items, read_fitted
    from morphospace.data.tally import Tally

    pictures = folder_pictures(text, listed=listed)
    if pictures is None:
        return None
    how = space.interpretation
    items = files_as_items(pictures, how)
    problems: list[Any] = []
    tally = Tally()
    codes, names = [], []
    for some, images in read_fitted(items, space.shape, space.resize, how, problems, tally):
        codes.append(space.encode(images).mean)
        names += some
    note_problems(problems, len(names))
    note_tally(tally, space)
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
        for images in space.drawn_as(n, label).decode_batches([points]):
            for image in images:
                number = next(numbers)
                whole = png_bytes(image, text | {"sample": str(number)})
                (partial / f"{number:0{width}d}.png").write_bytes(whole)
