"""Routes of Readings: looked at, edited, compared with the program's."""

from __future__ import annotations

from fastapi import APIRouter, Depends
from pydantic import BaseModel
from sqlalchemy.orm import Session

from osteoscope.app import drafting
from osteoscope.app.context import AddressDep, Json, PersonDep, ServerDep, study_for
from osteoscope.app.differing import Difference, differences
from osteoscope.app.drafting import Edited
from osteoscope.app.errors import Refused
from osteoscope.app.standing import chosen, current_reading, drafted, not_read, plain, reading_of
from osteoscope.app.worklist import kept_state
from osteoscope.store import audit, rows
from osteoscope.store.people import Person
from osteoscope.store.readings import draft_of, draft_on, new_draft, open_draft, readings_of, standing

router = APIRouter(prefix="/api/studies/{study}", tags=["readings"])


class AmendIn(BaseModel):
    """Why a signed Reading is amended."""

    reason: str


@router.get("/reading")
def reading(study: str, server: ServerDep, person: PersonDep, address: AddressDep, which: str = "current") -> Json:
    """reading.json (schema osteoscope/reading/1) of the person's draft or what stands, the program's, or one by id."""
    with server.store.reading() as session:
        found = study_for(session, person, study)
        made = plain(current_reading(session, server.settings, found, person, which))
    server.ledger.note(person.name, "view", study, address, which=which[:40])
    return made


async def _own(study: str, person: PersonDep) -> drafting.Locate:
    def locate(session: Session, locked: bool) -> tuple[rows.Study, rows.Reading]:
        found = study_for(session, person, study, locked)
        return found, own_draft(session, found, person)

    return locate


drafting.install(router, Depends(_own))


def own_draft(session: Session, study: rows.Study, person: Person) -> rows.Reading:
    """The person's draft on what stands, a new one on the program's Reading, not kept yet, where he has none.

    Raises:
        Refused: nothing was read yet, the program is reading it again, or the study was signed and has to be amended.
    """
    stands = standing(readings_of(session, study.id))
    if stands is None:
        raise not_read(study)
    draft = draft_on(session, study.id, person.name, stands)
    if study.state in rows.BEING_READ:
        remedy = "Wait until it was read, then reload it and look at it anew"
        raise Refused(409, "change or sign this study", "the program is reading it again", remedy)
    if stands.state == "signed" and draft is None:
        found = f"{stands.reader} signed it on {stands.when[:10]}"
        raise Refused(409, "change this Reading", found, "Amend it: a new draft begins from the signed Reading")
    return draft or new_draft(stands, person.name)


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
        return Edited(reading=plain(made), draft=kept_state(session, draft))


@router.get("/difference")
def difference(
    study: str, server: ServerDep, person: PersonDep, address: AddressDep, which: str = "current"
) -> list[Difference]:
    """Where a Reading says something else than the program's."""
    with server.store.reading() as session:
        found = study_for(session, person, study)
        program = reading_of(session, server.settings, found, chosen(session, found, person, "program"))
        told = differences(program, current_reading(session, server.settings, found, person, which))
    server.ledger.note(person.name, "difference", study, address, which=which[:40])
    return told
