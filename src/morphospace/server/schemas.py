"""What requests and answers look like, with their bounds."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from morphospace.server.failures import CODES
from morphospace.server.session import FARTHEST

__all__ = [
    "Attribute",
    "Concepts",
    "Decode",
    "Edit",
    "Edited",
    "Encoded",
    "Fact",
    "Facts",
    "Format",
    "Health",
    "Kept",
    "Learn",
    "Morph",
    "Nearest",
    "Neighbors",
    "Originals",
    "Points",
    "Problem",
    "Sample",
    "Sampled",
]

Format = Literal["raw", "png"]

Number = Annotated[float, Field(ge=-FARTHEST, le=FARTHEST, allow_inf_nan=False)]
Point = Annotated[list[Number], Field(min_length=1, max_length=4096, description="d numbers, one a latent")]
Index = Annotated[int, Field(ge=0, le=2**31 - 1)]
Name = Annotated[
    str,
    # Some sign that can be seen, and none that ends lines or that concepts may not have.
    Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f=]*[^\x00-\x20\x7f=.][^\x00-\x1f\x7f=]*$"),
]
Text = Annotated[str, Field(max_length=100)]
Given = Annotated[
    Text | None,
    Field(description="as which label to read and draw, in a space that is told labels (`told`); null: the first"),
]


class _Request(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class Decode(_Request):
    """Points to decode."""

    points: Annotated[list[Point], Field(min_length=1, max_length=1024)]
    given: Given = None
    latest: Annotated[
        Text | None,
        Field(description="Of the requests that wait and carry this word, only the newest is computed; take your own."),
    ] = None


class Sample(_Request):
    """How many points to draw, and by which seed."""

    n: Annotated[int, Field(ge=1, le=1024)]
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)]
    given: Given = None


class Morph(_Request):
    """Points to go through, and how."""

    points: Annotated[list[Point], Field(min_length=2, max_length=32)]
    frames: Annotated[int, Field(ge=2, le=512)]
    path: Literal["lerp", "slerp", "gaussian", "geodesic"] = "lerp"
    given: Given = None


class Learn(_Request):
    """A concept to learn: of a label, or from examples, given by the indices of reference points."""

    name: Name
    label: Text | None = None
    positive: Annotated[list[Index] | None, Field(min_length=1, max_length=100_000)] = None
    negative: Annotated[list[Index] | None, Field(min_length=1, max_length=100_000, description="null: all others")] = (
        None
    )

    @model_validator(mode="after")
    def _one_form(self) -> Learn:
        if (self.label is None) == (self.positive is None) or (self.negative is not None and self.positive is None):
            raise ValueError("either label, or positive with or without negative")
        return self


class Edit(_Request):
    """Points to move, and how: along concepts, to a class, or both."""

    points: Annotated[list[Point], Field(min_length=1, max_length=256)]
    strengths: Annotated[dict[str, Number], Field(max_length=32)] = {}
    keep: Annotated[list[Text], Field(max_length=32)] = []
    until: Annotated[
        dict[str, Number],
        Field(max_length=8, description="concept -> the value to reach; of yes and no the chance, 0..1"),
    ] = {}
    target: Annotated[Text | None, Field(description="the class to reach")] = None
    strength: Annotated[Number, Field(description="how far towards it; 1 is the whole way")] = 1.0
    given: Given = None


class Neighbors(_Request):
    """A point, and how many of the reference points nearest to it are wanted."""

    point: Point
    n: Annotated[int, Field(ge=1, le=100)]


class Health(BaseModel):
    """That the server is there."""

    status: Literal["ok"] = "ok"
    version: str


class Points(BaseModel):
    """Latents."""

    points: list[list[float]]


class Sampled(Points):
    """Latents that were drawn, and by which seed."""

    seed: int


class Edited(Points):
    """Latents, and how typical each place is: the share of the test images' codes that are no more likely."""

    typicality: list[float | None]


class Encoded(BaseModel):
    """A picture in the space. Pixels are base64 of uint8 (H, W, C)."""

    mean: list[float]
    log_var: Annotated[list[float] | None, Field(description="null where codes are points")]
    label: Annotated[str | None, Field(description="as which it was read; null in a space that is told none")]
    typicality: float | None
    shape: Annotated[list[int], Field(min_length=3, max_length=3)]
    pixels: Annotated[str, Field(description="as the space takes the picture")]
    reconstruction: str


class Nearest(BaseModel):
    """Reference points, nearest first."""

    indices: list[int]
    distances: list[float]
    labels: list[int] | None


class Fact(BaseModel):
    """A concept: its evidence, its direction, and its field where it has one."""

    model_config = ConfigDict(extra="allow")

    name: str
    method: str
    warnings: list[str]
    direction: list[float]
    normal: list[float] | None
    field: dict[str, Any] | None


class Concepts(BaseModel):
    """All concepts of the space."""

    concepts: list[Fact]


class Kept(BaseModel):
    """That a concept was written into the folder of the space."""

    kept: Literal[True] = True


class Originals(BaseModel):
    """Whether there is something to compare with."""

    there: bool


class Attribute(BaseModel):
    """What is known of each test image beside its label: numbers, or one of some words."""

    name: str
    words: Annotated[list[str] | None, Field(description="null where it is a number")]


class Facts(BaseModel):
    """What a page needs to know of the space; arrays are base64 of little-endian numbers."""

    model_config = ConfigDict(extra="allow")

    version: str
    fingerprint: str
    name: str
    shape: Annotated[list[int], Field(min_length=3, max_length=3)]
    latent_dim: int
    told: Annotated[list[str], Field(description="the labels that are told beside: `given` is one of them; or none")]
    count: Annotated[int, Field(description="how many reference points there are")]
    plane: dict[str, Any]
    attributes: list[Attribute]
    concepts: list[Fact]
    writable: Annotated[bool, Field(description="whether concepts can be kept")]
    model: Annotated[bool, Field(description="whether the model is small enough for a page")]


class _Error(BaseModel):
    code: Literal[CODES]  # type: ignore[valid-type]
    message: Annotated[str, Field(description="a sentence for people")]
    argument: Annotated[str | None, Field(description="the part of the request that is at fault; null where none is")]


class Problem(BaseModel):
    """What went wrong: a code for programs, and a sentence for people."""

    error: _Error
