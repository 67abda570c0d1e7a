"""How the samples of picture files are taken for pixels: one way for a set, and for all later pictures of its space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

from morphospace.intensity import FULL, KINDS, Kind, Window

__all__ = ["AS_BEFORE", "FRAMES", "Frames", "Interpretation"]

Frames: TypeAlias = Literal["first", "all", "max", "mean"]
"""Which pages of a stack, or frames of an animation, become a picture: one, each, or all of them as one."""

FRAMES: tuple[Frames, ...] = get_args(Frames)


@dataclass(frozen=True, kw_only=True)
class Interpretation:
    """How samples become pixels.

    Attributes:
        windows: black and white by the kind of samples, all that a kind can hold where it is not named; None where
            each file goes by its own values, as it did before sets had one rule.
        channels: the places of the samples, from 0, that become grey (one) or red, green and blue (three); none
            where the file says what they are.
        frames: which pages or frames count.
        background: what lies behind transparent pixels, red, green and blue.
        truncated: whether a picture whose file ends early is kept, its missing rows grey.
    """

    windows: Mapping[Kind, Window] | None = field(default_factory=dict)
    channels: tuple[int, ...] = ()
    frames: Frames = "first"
    background: tuple[int, int, int] = (255, 255, 255)
    truncated: bool = False

    def window(self, kind: Kind) -> Window:
        """The window of a kind of samples."""
        return (self.windows or {}).get(kind, FULL[kind])

    def in_words(self) -> str:
        """What is not as usual, for a person; "" if nothing is.

        Example:
            >>> Interpretation(windows={"16-bit": Window(0, 4095)}, channels=(1,), frames="max").in_words()
            'of 16-bit values 0 is black and 4,095 is white; channel 2 is shown; the max of the pages of a file counts'
        """
        windows = {} if self.windows is None else {k: w for k, w in self.windows.items() if w != FULL[k]}
        said = [f"of {kind} values {low:,g} is black and {high:,g} is white" for kind, (low, high) in windows.items()]
        if self.windows is None:
            said.append("each by its own values, if it has more than 8 bits")
        if self.channels:
            places = ", ".join(str(place + 1) for place in self.channels)
            said.append(f"channel {places} is shown" if len(self.channels) == 1 else f"channels {places} are shown")
        if self.frames != "first":
            said.append(
                "each page of a file is an image" if self.frames == "all"
                else f"the {self.frames} of the pages of a file counts"
            )  # fmt: skip
        if self.background != (255, 255, 255):
            said.append(f"what is transparent lies over #{bytes(self.background).hex().upper()}")
        if self.truncated:
            said.append("what is missing at the end of a file is grey")
        return "; ".join(said)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        windows = None if self.windows is None else {kind: list(window) for kind, window in self.windows.items()}
        return {
            "intensity": windows,
            "channels": list(self.channels),
            "frames": self.frames,
            "background": list(self.background),
            "truncated": self.truncated,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Interpretation:
        """What :meth:`to_json` gave.

        Raises:
            ValueError: for other values.

        Example:
            >>> one = Interpretation(windows={"16-bit": Window(0, 4095)}, frames="max")
            >>> Interpretation.from_json(one.to_json()) == one
            True
        """
        try:
            windows, frames = values["intensity"], values["frames"]
            red, green, blue = (int(level) for level in values["background"])
            if frames not in FRAMES or not all(0 <= level <= 255 for level in (red, green, blue)):
                raise ValueError(f"frames {frames}, background {values['background']}")
            known = [] if windows is None else [kind for kind in KINDS if kind in windows]
            found = {kind: Window(float(windows[kind][0]), float(windows[kind][1])) for kind in known}
            return cls(
                windows=None if windows is None else found,
                channels=tuple(int(channel) for channel in values["channels"]),
                frames=frames,
                background=(red, green, blue),
                truncated=bool(values["truncated"]),
            )
        except (KeyError, TypeError, IndexError) as error:
            raise ValueError(f"expected intensity, channels, frames, background, truncated: {error}") from error


AS_BEFORE = Interpretation(windows=None)
"""What version 0.1 did."""
