"""Routes of Readings: looked at, edited, compared with the program's."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy.orm import Session

from osteoscope.app.answers import DraftOut
from osteoscope.app.context import AddressDep, Json, PersonDep, Server, ServerDep, study_for
from osteoscope.app.differing import Difference, differences
from osteoscope.app.edit_shapes import EditIn
from osteoscope.app.errors import Refused
from osteoscope.app.standing import chosen, current_reading, drafted, not_read, plain, reading_of
from osteoscope.app.worklist import draft_state
from osteoscope.store import audit, rows
from osteoscope.store.people import Person
from osteoscope.store.readings import Step, add_step, draft_of, history, open_draft, readings_of, standing

router = APIRouter(prefix="/api/studies/{study}", tags=["readings"])


class Edited(BaseModel):
    """The Reading after a step, and what can be undone."""

    reading: Json
    draft: DraftOut


class AmendIn(BaseModel):
    """Why a signed Reading is amended."""

    reason: str


@router.get("/reading")
def reading(study: str, server: ServerDep, person: PersonDep, address: AddressDep, which: str = "current") -> Json:
    """reading.json (schema osteoscope/reading/1) of the person's draft or what stands, the program's, or one by id."""
    with server.store.writing() as session:
        found = study_for(session, person, study)
        audit.note(session, person.name, "view", study, address, which=which[:40])
        return plain(current_reading(session, server.settings, found, person, which))


@router.post("/edits")
def edit(study: str, body: EditIn, server: ServerDep, person: PersonDep, address: AddressDep) -> Edited:
    """One edit of the person's draft, which begins with the first one; refused whole where it does not fit."""
    plain_edit = body.edit.model_dump(mode="json")
    with server.store.writing() as session:
        found = study_for(session, person, study, locked=True)
        draft = own_draft(session, found, person)
        return step(session, server, found, draft, person, ("edit", plain_edit, address))


@router.post("/undo")
def undo(study: str, server: ServerDep, person: PersonDep, address: AddressDep) -> Edited:
    """Take back the last edit."""
    with server.store.writing() as session:
        found = study_for(session, person, study, locked=True)
        return step(session, server, found, own_draft(session, found, person), person, ("undo", None, address))


@router.post("/redo")
def redo(study: str, server: ServerDep, person: PersonDep, address: AddressDep) -> Edited:
    """Do again what was taken back."""
    with server.store.writing() as session:
        found = study_for(session, person, study, locked=True)
        return step(session, server, found, own_draft(session, found, person), person, ("redo", None, address))


def step(
    session: Session,
    server: Server,
    study: rows.Study,
    draft: rows.Reading,
    person: Person,
    what: tuple[Step, dict[str, Any] | None, str],
) -> Edited:
    """Add a step to a draft; the transaction ends without it where the Reading cannot be made.

    Raises:
        InvalidValueError: the edit does not fit, or there is nothing to undo or redo.
    """
    kind, plain_edit, address = what
    after = add_step(session, draft.id, kind, plain_edit, person.name)
    made = drafted(session, server.settings, study, draft)
    audit.note(session, person.name, kind, study.id, address, reading=draft.id, **_brief(plain_edit))
    if draft.trial_case is None and study.state == "read":
        study.state = "reviewed"
    return Edited(reading=plain(made), draft=draft_state(after))


def _brief(edit: dict[str, Any] | None) -> dict[str, Any]:
    """An edit for the audit trail, without masks."""
    return {k: v for k, v in (edit or {}).items() if k != "mask"}


def own_draft(session: Session, study: rows.Study, person: Person) -> rows.Reading:
    """The person's draft, a new one on the program's Reading where he has none.

    Raises:
        Refused: nothing was read yet, or the study was signed and has to be amended.
    """
    draft = draft_of(session, study.id, person.name)
    stands = standing(readings_of(session, study.id))
    if stands is None:
        raise not_read(study)
    if stands.state == "signed" and (draft is None or draft.base != stands.id):
        found = f"{stands.reader} signed it on {stands.when[:10]}"
        raise Refused(409, "change this Reading", found, "Amend it: a new draft begins from the signed Reading")
    return draft or open_draft(session, stands, person.name)


@router.post("/amend")
def amend(study: str, body: AmendIn, server: ServerDep, person: PersonDep, address: AddressDep) -> Edited:
    """Begin a new draft on a signed Reading; the signed one stands until the amendment is signed."""
    reason = body.reason.strip()[:2000]
    if not reason:
        raise Refused(400, "amend a Reading", "no reason", "Say why it is amended")
    with server.store.writing() as session:
        found = study_for(session, person, study, locked=True)
        stands = standing(readings_of(session, study))
        if stands is None or stands.state != "signed":
            raise Refused(409, "amend a Reading", "the study is not signed", "Edit it")
        draft = draft_of(session, study, person.name)
        if draft is not None and draft.base != stands.id:
            draft.state, draft = "done", None
        draft = draft or open_draft(session, stands, person.name, reason)
        audit.note(session, person.name, "amend", study, address, reason=reason, reading=draft.id)
        made = drafted(session, server.settings, found, draft)
        return Edited(reading=plain(made), draft=draft_state(history(session, draft.id)))


@router.get("/difference")
def difference(study: str, server: ServerDep, person: PersonDep, which: str = "current") -> list[Difference]:
    """Where a Reading says something else than the program's."""
    with server.store.reading() as session:
        found = study_for(session, person, study)
        program = reading_of(session, server.settings, found, chosen(session, found, person, "program"))
        return differences(program, current_reading(session, server.settings, found, person, which))
