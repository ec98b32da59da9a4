"""Routes of uploads: from the page, and by DICOMweb STOW-RS."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from python_multipart.multipart import parse_options_header
from starlette.concurrency import run_in_threadpool

from osteoscope.app.answers import UploadMade, UploadOut
from osteoscope.app.arrivals import Landing, Sender, check_space, register
from osteoscope.app.context import PersonDep, Server, ServerDep, person_asking, server_of
from osteoscope.app.errors import Refused, address_of, disk_error, not_there
from osteoscope.app.multipart import receive
from osteoscope.app.stow_answer import answer
from osteoscope.store import audit
from osteoscope.store.guessing import Given, check
from osteoscope.store.people import Person
from osteoscope.store.worklist import find_upload

router = APIRouter()
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"files": {"type": "array", "items": {"type": "string", "format": "binary"}}},
                }
            }
        },
    }
}


def _form_name(headers: Mapping[str, str]) -> str:
    _, options = parse_options_header(headers.get("content-disposition", ""))
    return options.get(b"filename", b"").decode("utf-8", "replace")


def _dicom_name(headers: Mapping[str, str]) -> str:
    return "instance.dcm" if headers.get("content-type", "application/dicom").startswith("application/dicom") else ""


@router.post("/api/uploads", tags=["uploads"], openapi_extra=_BODY)
async def upload(request: Request, server: ServerDep, person: PersonDep) -> UploadMade:
    """Take in files, zip archives included; answered once they are safely on disk."""
    sender = Sender(person.name, "page", not server.settings.private, address_of(request))
    landing = await _land(request, server, sender, _form_name)
    await _make_known(server, landing, sender)
    return UploadMade(upload=landing.id)


async def _land(request: Request, server: Server, sender: Sender, name: Callable[[Mapping[str, str]], str]) -> Landing:
    """What is sent, safely on disk; the database does not know of it yet."""
    uploads, limit = server.settings.uploads, server.settings.upload_bytes
    announced = request.headers.get("content-length", "")
    check_space(uploads, int(announced) if announced.isdigit() else 0, limit)
    try:
        landing = await run_in_threadpool(Landing, uploads, limit)
    except OSError as error:
        raise disk_error("upload files", error) from error
    try:
        content_type = request.headers.get("content-type", "")
        await receive(request.stream(), content_type, landing, name)
        if not landing.names:
            raise Refused(400, "upload files", "no file in it", "Send files in the field 'files'")
        await run_in_threadpool(landing.keep, sender)
    except OSError as error:
        raise disk_error("upload files", error) from error
    finally:
        await run_in_threadpool(landing.drop)
    return landing


async def _make_known(server: Server, landing: Landing, sender: Sender) -> None:
    await run_in_threadpool(register, server.store, landing, sender)
    server.wake()


@router.get("/api/uploads/{upload}", tags=["uploads"])
def upload_state(upload: str, server: ServerDep, person: PersonDep) -> UploadOut:
    """What became of an upload."""
    with server.store.reading() as session:
        found = find_upload(session, person, upload)
        if found is None:
            raise not_there("upload")
        return UploadOut(state=found.state, studies=found.studies, notes=found.notes)  # type: ignore[arg-type]


def _machine(request: Request) -> Person:
    """Who stores by STOW: a logged-in person with his token, or HTTP Basic of a user."""
    given = request.headers.get("authorization", "")
    if not given.lower().startswith("basic "):
        return person_asking(request)
    try:
        name, _, password = base64.b64decode(given[6:], validate=True).decode().partition(":")
    except ValueError:
        name, password = "", ""
    server, address = server_of(request), address_of(request)
    found = check(server.store, Given(name, password, address))
    if found.user is not None:
        return Person(found.user.name, found.user.role)
    if not found.must_wait:
        with server.store.writing() as session:
            audit.note(session, name, "login refused", None, address, way="stow")
    raise Refused(401, "store by STOW", "a wrong name or password", "Give those of a user of this server")


@router.post("/dicom-web/studies", tags=["dicomweb"])
async def stow(request: Request, server: ServerDep, person: Annotated[Person, Depends(_machine)]) -> JSONResponse:
    """Store instances (PS3.18 10.5); answered once they are safely on disk, sorted and read afterwards."""
    sender = Sender(person.name, "stow", everyone=not server.settings.private, address=address_of(request))
    landing = await _land(request, server, sender, _dicom_name)
    # Before the database knows of it: a worker may remove files that came before.
    status, told = await run_in_threadpool(answer, sorted(server.settings.files_of(landing.id).iterdir()))
    await _make_known(server, landing, sender)
    return JSONResponse(told, status, media_type="application/dicom+json", headers={"X-Upload": landing.id})
