"""Routes of pictures and outlines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from fastapi import APIRouter
from fastapi.responses import FileResponse

from osteoscope.app.answers import Blocks, OutlinesOut, View, ViewsOut, Volume
from osteoscope.app.context import AddressDep, PersonDep, Server, ServerDep, study_for
from osteoscope.app.errors import Refused, not_there
from osteoscope.app.results import PROGRAM, VIEWS
from osteoscope.app.standing import current_reading

router = APIRouter(prefix="/api/studies/{study}", tags=["pictures"])
_FOR_AN_HOUR = {"Cache-Control": "private, max-age=3600"}
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


@router.get("/views")
def views(study: str, server: ServerDep, person: PersonDep) -> ViewsOut:
    """The pictures of a study; they are there before it was read."""
    with server.store.reading() as session:
        study_for(session, person, study)
    return described(server, study, f"/api/studies/{study}/pictures")


def described(server: Server, study: str, base: str) -> ViewsOut:
    """The pictures of a study under a base url.

    Raises:
        Refused: there are none yet.
    """
    folder = server.settings.folder_of(study)
    try:
        legend = json.loads((folder / VIEWS / "views.json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        found = "the study was not opened by a worker yet"
        raise Refused(409, "show pictures", found, "Wait for its state to be 'reading' or 'read'") from error
    if "views" in legend:
        shown = [View(**view, url=f"{base}/{view['name']}.f32") for view in legend["views"]]
        return ViewsOut(views=shown, ct=None)
    optional = ("skeleton", "lesions", "bones")
    labels = {name: (folder / PICTURES[f"{name}.nii.gz"]).is_file() for name in optional}
    urls: dict[str, Any] = {name: f"{base}/{name}.nii.gz" if there else None for name, there in labels.items()}
    names = folder / PROGRAM / "bones.json"
    bones = json.loads(names.read_text(encoding="utf-8")) if names.is_file() else None
    blocks = [Blocks(url=f"{base}/{name}.nii.gz", factor=factor) for name, factor in legend.pop("blocks").items()]
    return ViewsOut(views=[], ct=Volume(**legend, **urls, blocks=blocks, volume=f"{base}/ct.nii.gz", legend=bones))


@router.get("/pictures/{name}", response_class=FileResponse)
def picture(study: str, name: str, server: ServerDep, person: PersonDep, address: AddressDep) -> FileResponse:
    """A picture: little-endian float32 of a planar view, or NIfTI."""
    with server.store.reading() as session:
        study_for(session, person, study)
    found = picture_file(server, study, name)
    server.ledger.note(person.name, "picture", study, address, picture=name)
    return found


def picture_file(server: Server, study: str, name: str) -> FileResponse:
    """A picture of a study.

    Raises:
        Refused: there is none of that name.
    """
    path = server.settings.folder_of(study) / PICTURES.get(name, "")
    if name not in PICTURES or not path.is_file():
        raise not_there("picture")
    return FileResponse(path, media_type="application/octet-stream", headers=_FOR_AN_HOUR)


@router.get("/outlines")
def outlines(study: str, server: ServerDep, person: PersonDep, which: str = "current") -> OutlinesOut:
    """Outlines of segments, units and findings of a planar Reading, per view."""
    from osteoscope.deliver.review.outlines import outlines_of

    with server.store.reading() as session:
        found = study_for(session, person, study)
        plain = current_reading(session, server.settings, found, person, which)
    units = server.settings.folder_of(study) / PROGRAM / "units.json"
    return OutlinesOut(views=cast("dict[str, Any]", outlines_of(plain, units)))
