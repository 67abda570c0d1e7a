"""What is decided for all pictures of a set by what they are, and how that is said."""

from __future__ import annotations

from collections.abc import Mapping

from morphospace.data.preparation import Preparation, rgb_of
from morphospace.data.tally import Tally
from morphospace.errors import plural
from morphospace.intensity import Kind, Values, Window, parse_intensity, window_for, words_of
from morphospace.interpretation import Interpretation

__all__ = ["interpretation_for", "notes_for_space", "notes_of"]

_DIM = 0.125  # share of white


def interpretation_for(preparation: Preparation, tally: Tally) -> Interpretation:
    """How the samples of a set become pixels: as was asked, and by what they are."""
    if preparation.interpretation is not None:
        return preparation.interpretation
    choice = parse_intensity(preparation.intensity)
    windows: Mapping[Kind, Window] | None = None
    if choice.rule != "file":
        windows = {kind: window_for(values, choice) for kind, values in sorted(tally.values.items())}
    return Interpretation(
        windows=windows,
        channels=tuple(place - 1 for place in preparation.channels or ()),
        frames=preparation.frames,
        background=_background(preparation.background, tally),
        truncated=preparation.truncated == "keep",
    )


def _background(choice: str, tally: Tally) -> tuple[int, int, int]:
    if choice == "auto":
        choice = "black" if 2 * tally.white > tally.transparent else "white"
    return rgb_of(choice)


def notes_of(tally: Tally, how: Interpretation) -> list[str]:
    """What a person should know of how these pictures were read, each with the option that decides otherwise."""
    notes = _of_intensity(tally, how)
    if tally.further_pages and how.frames == "first":
        notes.append(f'{_unread(tally)}; `frames="all"` makes a picture of each, `frames="max"` or "mean" one of all')
    elif tally.further_pages and how.frames in ("max", "mean"):
        notes.append(
            f"the pages of {plural(tally.stacks, 'file')} became one picture, the {how.frames} of their values; "
            "`frames` changes that"
        )
    notes += [
        words.format(plural(tally.remarks[key], "picture")) for key, words in _REMARKS.items() if tally.remarks[key]
    ]
    return [*notes, _of_background(tally, how)] if tally.transparent else notes


_REMARKS = {
    "extra": "samples beyond red, green and blue, of which the files say nothing, were left out of {}; "
    "`channels=(1, 2, 4)` would choose others",
    "gaps": "places without a number (NaN or infinity) in {} were taken for transparent",
    "odd pages": "only pages of the size of the first were used of {}",
    "planes": "only the first plane was read of {} (FITS); astropy has the others",
    "cut": "what is missing at the end of {} became grey",
}


def _of_intensity(tally: Tally, how: Interpretation) -> list[str]:
    notes: list[str] = []
    several = len(tally.pictures) > 1
    for kind, values in sorted(tally.values.items()):
        pictures = plural(tally.pictures[kind], "picture")
        if how.windows is None:
            if kind != "8-bit":
                notes.append(
                    f"{kind} values of {pictures} go by the range of each file alone; "
                    '`intensity="auto"` has one for all'
                )
            continue
        words = words_of(kind, how.window(kind), values)
        if tally.clipped[kind]:
            words = f"{words or f'{kind} values'}; {_share_clipped(tally, kind)}"
        if words:
            notes.append(f"{pictures} with {words}" if several else words)
    return notes


def _share_clipped(tally: Tally, kind: Kind) -> str:
    share = tally.clipped[kind] / tally.samples[kind]
    percent = f"{share:.2%}" if share >= 0.0001 else "less than 0.01%"
    pictures = plural(tally.pictures[kind], "picture")
    return f"{percent} of them lie outside and were clipped, in {tally.clipped_pictures[kind]:,} of {pictures}"


def _of_background(tally: Tally, how: Interpretation, *, of_space: bool = False) -> str:
    names = {(255, 255, 255): "white", (0, 0, 0): "black"}
    colour = names.get(how.background, "#" + bytes(how.background).hex().upper())
    because = colour == "black" and 2 * tally.white > tally.transparent and not of_space
    said = f"what is transparent in {plural(tally.transparent, 'picture')} became {colour}"
    said += ", because the rest of them is white" if because else ""
    said += ", as the space has it" if of_space else "; `background` changes that"
    if lost := {"white": tally.white, "black": tally.black}.get(colour, 0):
        said += f"; {lost:,} of them are {colour} elsewhere, too, and show nothing"
        said += "" if of_space else ': `background="#808080"`'
    return said


def _unread(tally: Tally) -> str:
    were = "was" if tally.further_pages == 1 else "were"
    return f"{plural(tally.further_pages, 'further page')} of {plural(tally.stacks, 'file')} {were} not read"


def notes_for_space(tally: Tally, how: Interpretation) -> list[str]:
    """What a person should know of how further pictures were read for a space, whose set decided ``how``."""
    notes = []
    for kind, pictures in sorted(tally.pictures.items()):
        if how.windows is None:
            continue
        low, high = (f"{value:,g}" for value in how.window(kind))
        if kind not in how.windows and kind != "8-bit":
            notes.append(
                f"{plural(pictures, 'picture')} with {kind} values, of which the space knows none: "
                f"{low} is taken for black and {high} for white{_dark(tally.values.get(kind), how.window(kind))}"
            )
        if tally.clipped[kind]:
            notes.append(f"the space knows {kind} values of {low} to {high}; {_share_clipped(tally, kind)}")
    if tally.further_pages and how.frames == "first":
        notes.append(_unread(tally))
    if tally.transparent:
        notes.append(_of_background(tally, how, of_space=True))
    return notes + [
        words.format(plural(tally.remarks[key], "picture")) for key, words in _REMARKS.items() if tally.remarks[key]
    ]


def _dark(values: Values | None, window: Window) -> str:
    """What to say where values of a kind that a space does not know use little of what they could."""
    if values is None or values.high >= _DIM * window.high:
        return ""
    return f"; none is above {values.high:,g}, so that they are nearly black: save them with 8 bits for this space"
