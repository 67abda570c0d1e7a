"""Routes that edit: concepts, and moves along them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.responses import Response

from morphospace.server import schemas
from morphospace.server.visits import CurrentVisit, json_response, problems

__all__ = ["router"]

router = APIRouter(tags=["Edit"])

NamePath = Annotated[str, Path(max_length=200, description="of a concept")]


@router.get("/concepts", response_model=schemas.Concepts, responses=problems())
async def concepts(visit: CurrentVisit) -> Response:
    """All concepts, with their evidence."""
    return json_response({"concepts": await visit.do(lambda: visit.session.concepts())})


@router.post("/concepts", status_code=201, response_model=schemas.Fact, responses=problems(404, 409))
async def learn(body: schemas.Learn, visit: CurrentVisit) -> Response:
    """Learn a concept from the reference points: of a label, or from some that show it."""
    session, label, positive = visit.session, body.label, body.positive
    if label is not None:
        fact = await visit.do(lambda: session.learn_from_label(body.name, label))
    else:
        fact = await visit.do(lambda: session.learn_from_examples(body.name, positive or [], body.negative))
    return json_response(fact, 201)


@router.post("/concepts/{name:path}/keep", response_model=schemas.Kept, responses=problems(404, 409))
async def keep(name: NamePath, visit: CurrentVisit) -> Response:
    """Write a concept into the folder of the space."""
    await visit.do(lambda: visit.session.keep(name))
    return json_response({"kept": True})


@router.delete("/concepts/{name:path}", status_code=204, response_class=Response, responses=problems(404))
async def forget(name: NamePath, visit: CurrentVisit) -> Response:
    """Take a concept out of this session; a folder that has it keeps it."""
    await visit.do(lambda: visit.session.forget(name))
    return Response(status_code=204)


@router.post("/edit", response_model=schemas.Edited, responses=problems())
async def edit(body: schemas.Edit, visit: CurrentVisit) -> Response:
    """Move points along concepts, to a class, or both."""
    session, start = visit.session, visit.session.points(body.points)
    how = {key: getattr(body, key) for key in ("strengths", "keep", "until", "target", "strength", "given")}

    def moved() -> dict[str, Any]:
        points = session.edit(start, **how)
        return {"points": points.tolist(), "typicality": session.typicality(points)}

    return json_response(await visit.do(moved))
