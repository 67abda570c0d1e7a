"""Routes that look: the space, its points, pictures of them, and the model itself."""

from __future__ import annotations

import base64
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Path, Query
from numpy.typing import NDArray
from starlette.responses import Response

from morphospace._version import __version__
from morphospace.decoding import UnreadablePictureError, decode_picture
from morphospace.export.page import attribute_numbers
from morphospace.images import Images, fit_image
from morphospace.latent.nearest import nearest
from morphospace.pictures import tile
from morphospace.server import schemas
from morphospace.server.failures import Failure, not_found
from morphospace.server.session import Session
from morphospace.server.tiles import named_plane, plane_of_map, tile_points
from morphospace.server.visits import BINARY, CurrentVisit, json_response, pixels_of, problems, raw_response
from morphospace.space import Space

__all__ = ["router"]

router = APIRouter(tags=["Look"])

_LARGEST_PICTURE = 25_000_000  # pixels
# What Pillow reads by itself; for some others it would start programs.
_FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP", "PPM", "ICO", "TGA", "AVIF")  # MPO is read by the JPEG reader
_FARTHEST_TILE = 2**52

GivenQuery = Annotated[schemas.Given, Query()]
FormatQuery = Annotated[schemas.Format, Query(description="pixels as they are, or a PNG")]


@router.get("/health", response_model=schemas.Health, responses=problems(computed=False))
async def health() -> Response:
    """Say that the server is there."""
    return json_response({"status": "ok", "version": __version__})


@router.get("/space", response_model=schemas.Facts, responses=problems())
async def space(visit: CurrentVisit) -> Response:
    """What a page needs to know of the space."""
    return json_response(await visit.do(lambda: visit.session.facts()))


@router.get("/points/{column}", response_class=Response, responses=BINARY["numbers"] | problems(404))
async def points(column: Literal["codes", "labels", "errors"], visit: CurrentVisit) -> Response:
    """The reference points: the codes of the test images, their labels, how badly each is reconstructed."""
    space = visit.session.space
    found: NDArray[Any] | None = {
        "codes": space.reference, "labels": space.reference_labels, "errors": space.errors,
    }[column]  # fmt: skip
    if found is None:
        raise not_found(f"the reference points of this space have no {column}.", "column")
    return raw_response(found.astype(np.int32 if column == "labels" else np.float32, copy=False))


@router.get("/points/attributes/{index}", response_class=Response, responses=BINARY["numbers"] | problems(404))
async def attribute(
    index: Annotated[int, Path(ge=0, le=2**31 - 1, description="of an attribute, in the order of the facts")],
    visit: CurrentVisit,
) -> Response:
    """An attribute of each test image: numbers, or the places of its words; NaN where it is unknown."""
    known = list(visit.session.space.reference_attributes.values())
    if index >= len(known):
        raise not_found(f"index: this space keeps {len(known)} attributes of its test images, got {index}.", "index")
    return raw_response(attribute_numbers(known[index]))


@router.post("/decode", response_class=Response, responses=BINARY["pixels"] | problems(409))
async def decode(body: schemas.Decode, visit: CurrentVisit, format: FormatQuery = "raw") -> Response:  # noqa: A002
    """The images at latent points."""
    images = await visit.decode(visit.session.points(body.points), body.latest, body.given)
    return await visit.pixels(images, format)


_PICTURE = {
    "requestBody": {
        "required": True,
        "description": "the bytes of one picture file",
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("application/octet-stream", "image/png", "image/jpeg", "image/webp", "image/gif")
        },
    }
}


@router.post("/encode", response_model=schemas.Encoded, responses=problems(415), openapi_extra=_PICTURE)
async def encode(visit: CurrentVisit, given: GivenQuery = None) -> Response:
    """The place of a picture, and what the space makes of it; as `given`, or the label of which it is likeliest."""
    session = visit.session
    data = await visit.request.body()
    pixels = await visit.picture(lambda: _fitted(data, session.space))
    return json_response(await visit.do(lambda: _encoded(session, pixels, given)))


def _fitted(data: bytes, space: Space) -> Images:
    """The picture in the bytes of a file, as the space takes it, (1, H, W, C)."""
    try:
        image = decode_picture(
            data, space.interpretation, near=max(space.shape[:2]), largest=_LARGEST_PICTURE, formats=_FORMATS
        )
    except UnreadablePictureError as error:
        if error.reason.startswith("too large"):
            words = f"body: the picture is {error.reason}, expected up to {_LARGEST_PICTURE:,}. Make it smaller."
            raise Failure(413, "too_large", words, "body") from error
        words = f"body: expected a whole PNG, JPEG, WebP, GIF, ... file, got one that is unusable: {error.reason}."
        raise Failure(415, "not_a_picture", words, "body") from error
    return fit_image(image, space.shape, space.resize)[None]


def _encoded(session: Session, pixels: Images, given: str | None) -> dict[str, Any]:
    space = session.space.given(given)
    code = space.encode(pixels)
    made = space.decode(code.mean, labels=code.labels)
    texts = [base64.b64encode(pixels_of(images)).decode() for images in (pixels, made)]
    return {
        "mean": code.mean[0].tolist(),
        "log_var": None if code.log_var is None else code.log_var[0].tolist(),
        "label": None if code.labels is None else space.label_names[code.labels[0]],
        "typicality": session.typicality(code.mean)[0],
        "shape": list(session.space.shape),
        "pixels": texts[0],
        "reconstruction": texts[1],
    }


@router.post("/sample", response_model=schemas.Sampled, responses=problems())
async def sample(body: schemas.Sample, visit: CurrentVisit) -> Response:
    """New points, drawn from where images lie."""
    drawn = await visit.do(lambda: visit.session.given(body.given).sample_points(body.n, seed=body.seed))
    return json_response({"points": drawn.tolist(), "seed": body.seed})


Axis = Annotated[str | None, Query(max_length=40_000, description="d numbers, with commas between them")]
Place = Annotated[int, Path(ge=-_FARTHEST_TILE, le=_FARTHEST_TILE)]


@router.get("/atlas/{level}/{column}/{row}", response_class=Response, responses=BINARY["pixels"] | problems())
async def atlas(
    level: Annotated[int, Path(ge=-8, le=40, description="a cell is 2^-level wide")],
    column: Place,
    row: Place,
    visit: CurrentVisit,
    cells: Annotated[int, Query(ge=1, le=32, description="cells a side")] = 8,
    format: FormatQuery = "raw",  # noqa: A002
    origin: Axis = None,
    right: Axis = None,
    up: Axis = None,
    given: GivenQuery = None,
) -> Response:
    """One tile of the map of a plane, z(u, v) = origin + u right + v up: the plane of the space, or another."""
    session = visit.session
    plane = named_plane(session, origin, right, up)
    if plane is None:
        plane = plane_of_map(await visit.do(session.find_plane) if session.plane is None else session.plane)
    wanted = tile_points(plane, level, column, row, cells, session.space.shape)
    images = await visit.decode(session.points(wanted, "column and row"), given=given)
    return await visit.pixels(tile(images, cells)[None], format, 1)


@router.post("/morph", response_model=schemas.Points, responses=problems())
async def morph(body: schemas.Morph, visit: CurrentVisit) -> Response:
    """The points along a way through others."""
    ends = visit.session.points(body.points)
    way = await visit.do(lambda: visit.session.morph(ends, body.frames, body.path, body.given))
    return json_response({"points": way.tolist()})


@router.post("/neighbors", response_model=schemas.Nearest, responses=problems(404))
async def neighbors(body: schemas.Neighbors, visit: CurrentVisit) -> Response:
    """The reference points nearest to a point."""
    codes, labels = visit.session.reference(), visit.session.space.reference_labels
    point = visit.session.points([body.point], "point")[0]
    indices, distances = await visit.do(lambda: nearest(point, codes, body.n))
    found = None if labels is None else labels[indices].tolist()
    return json_response({"indices": indices.tolist(), "distances": distances.tolist(), "labels": found})


@router.get("/originals", response_model=schemas.Originals, responses=problems())
async def originals_there(visit: CurrentVisit) -> Response:
    """Whether the test images are on this machine; answered when that is known, a few seconds after the start."""
    return json_response({"there": await visit.answered(visit.session.originals.found()) is not None})


@router.get("/originals/{index}", response_class=Response, responses=BINARY["pixels"] | problems(404))
async def originals(
    index: Annotated[int, Path(ge=0, le=2**31 - 1, description="of a reference point")],
    visit: CurrentVisit,
    format: FormatQuery = "raw",  # noqa: A002
) -> Response:
    """The test image that a reference point is the code of."""
    images = await visit.answered(visit.session.originals.found())
    if images is None:
        raise not_found("the test images of this space are not on this machine.")
    if index >= len(images):
        raise not_found(f"index: expected 0 to {len(images) - 1}, got {index}.", "index")
    return await visit.pixels(images[index : index + 1], format)


@router.get("/model/{part}", response_class=Response, responses=BINARY["model"] | problems(404))
async def model(part: Literal["decoder", "encoder"], visit: CurrentVisit) -> Response:
    """One part of the model, for a page that computes by itself."""
    content = await visit.do(lambda: visit.session.model(part))
    return Response(content, media_type="application/octet-stream")
