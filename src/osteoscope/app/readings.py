"""Routes of Readings."""

from __future__ import annotations

from fastapi import APIRouter

from osteoscope.app.context import AddressDep, Json, PersonDep, ServerDep, study_for
from osteoscope.app.standing import current_reading, plain
from osteoscope.store import audit

router = APIRouter(prefix="/api/studies/{study}", tags=["readings"])


@router.get("/reading")
def reading(study: str, server: ServerDep, person: PersonDep, address: AddressDep, which: str = "current") -> Json:
    """reading.json (schema osteoscope/reading/1) of the person's draft or what stands, the program's, or one by id."""
    with server.store.writing() as session:
        found = study_for(session, person, study)
        audit.note(session, person.name, "view", study, address, which=which[:40])
        return plain(current_reading(session, found, person, which))
