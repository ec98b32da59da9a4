"""Routes of pictures and outlines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import FileResponse
from starlette.staticfiles import NotModifiedResponse

from osteoscope.app.answers import Blocks, Outline, OutlinesOut, View, ViewsOut, Volume
from osteoscope.app.context import AddressDep, Json, PersonDep, Server, ServerDep, study_for
from osteoscope.app.errors import Refused, not_there
from osteoscope.app.results import PROGRAM, VIEWS
from osteoscope.app.standing import current_reading
from osteoscope.domain.reading import Reading

router = APIRouter(prefix="/api/studies/{study}", tags=["pictures"])
# Kept by the browser, but shown only after the server was asked who looks.
_ASKED_FOR = {"Cache-Control": "private, no-cache"}
# Name in the url -> file in the folder of the study.
PICTURES: Mapping[str, str] = {
    "anterior.f32": f"{VIEWS}/anterior.f32",
    "posterior.f32": f"{VIEWS}/posterior.f32",
    "ct.nii.gz": f"{VIEWS}/ct.nii.gz",
    "quick.nii.gz": f"{VIEWS}/quick.nii.gz",
    "preview.nii.gz": f"{VIEWS}/preview.nii.gz",
    "skeleton.nii.gz": f"{VIEWS}/skeleton.nii.gz",
    "lesions.nii.gz": f"{PROGRAM}/lesions.nii.gz",
    "bones.nii.gz": f"{PROGRAM}/bones.nii.gz",
}
# What the program says on the pictures of a CT.
LABELS = ("skeleton", "lesions", "bones")


@dataclass(frozen=True)
class Shown:
    """Whose pictures are shown.

    Args:
        study: their study.
        base: the url under which they lie.
        has_labels: whether what the program says on them is shown, too.
        noted: what the audit trail says beside the name of a picture.
    """

    study: str
    base: str
    has_labels: bool = True
    noted: Json = field(default_factory=dict)


def install(router: APIRouter, meant: Any) -> None:
    """Add the routes of the pictures that a dependency (FastAPI's `Depends`) says."""

    @router.get("/views")
    def views(server: ServerDep, shown: Shown = meant) -> ViewsOut:
        """The pictures of a study; they are there before it was read."""
        return _described(server, shown)

    @router.get("/pictures/{name}", response_class=FileResponse)
    def picture(
        name: str, request: Request, server: ServerDep, person: PersonDep, address: AddressDep, shown: Shown = meant
    ) -> Response:
        """A picture: little-endian float32 of a planar view, or NIfTI."""
        path = server.settings.folder_of(shown.study) / PICTURES.get(name, "")
        is_hidden = name.removesuffix(".nii.gz") in LABELS and not shown.has_labels
        if name not in PICTURES or is_hidden or not path.is_file():
            raise not_there("picture")
        server.ledger.note(person.name, "picture", shown.study, address, picture=name, **shown.noted)
        found = FileResponse(path, 200, _ASKED_FOR, "application/octet-stream", stat_result=path.stat())
        is_kept = request.headers.get("If-None-Match") == found.headers["ETag"]
        return NotModifiedResponse(found.headers) if is_kept else found


def _own(study: str, server: ServerDep, person: PersonDep) -> Shown:
    with server.store.reading() as session:
        study_for(session, person, study)
    return Shown(study, f"/api/studies/{study}/pictures")


install(router, Depends(_own))


def _described(server: Server, shown: Shown) -> ViewsOut:
    """The pictures and their urls.

    Raises:
        Refused: there are none yet.
    """
    base, folder = shown.base, server.settings.folder_of(shown.study)
    try:
        legend = json.loads((folder / VIEWS / "views.json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        found = "the study was not opened by a worker yet"
        raise Refused(409, "show pictures", found, "Wait for its state to be 'reading' or 'read'") from error
    if "views" in legend:
        views = [View(**view, url=f"{base}/{view['name']}.f32") for view in legend["views"]]
        return ViewsOut(views=views, ct=None)
    there = {name for name in LABELS if shown.has_labels and (folder / PICTURES[f"{name}.nii.gz"]).is_file()}
    urls: Json = {name: f"{base}/{name}.nii.gz" if name in there else None for name in LABELS}
    names = folder / PROGRAM / "bones.json"
    bones = json.loads(names.read_text(encoding="utf-8")) if shown.has_labels and names.is_file() else None
    blocks = [Blocks(url=f"{base}/{name}.nii.gz", factor=factor) for name, factor in legend.pop("blocks").items()]
    return ViewsOut(views=[], ct=Volume(**legend, **urls, blocks=blocks, volume=f"{base}/ct.nii.gz", legend=bones))


@router.get("/outlines")
def outlines(study: str, server: ServerDep, person: PersonDep, which: str = "current") -> OutlinesOut:
    """Outlines of segments, units and findings of a planar Reading, per view."""
    with server.store.reading() as session:
        found = study_for(session, person, study)
        reading = current_reading(session, server.settings, found, person, which)
    return outlined(server, study, reading)


def outlined(server: Server, study: str, reading: Reading) -> OutlinesOut:
    """Outlines of what a Reading of a study says, and of the segments that the program found."""
    from osteoscope.deliver.review.outlines import outlines_of

    views = outlines_of(reading, server.settings.folder_of(study) / PROGRAM / "units.json")
    return OutlinesOut(views={name: Outline.model_validate(view) for name, view in views.items()})
