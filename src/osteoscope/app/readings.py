"""Routes of Readings: looked at, edited, compared with the program's."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy.orm import Session

from osteoscope.app.answers import DraftOut
from osteoscope.app.context import AddressDep, Json, PersonDep, Server, ServerDep, study_for
from osteoscope.app.differing import Difference, differences
from osteoscope.app.edit_shapes import EditIn
from osteoscope.app.errors import Refused
from osteoscope.app.standing import (
    chosen,
    current_reading,
    draft_version,
    drafted,
    not_read,
    plain,
    reading_of,
    with_edits,
)
from osteoscope.app.worklist import draft_state, kept_state
from osteoscope.store import audit, rows
from osteoscope.store.people import Person
from osteoscope.store.readings import (
    Step,
    add_step,
    draft_of,
    history,
    new_draft,
    open_draft,
    packed,
    readings_of,
    standing,
    steps,
)

router = APIRouter(prefix="/api/studies/{study}", tags=["readings"])
_ATTEMPTS = 4


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
    with server.store.reading() as session:
        found = study_for(session, person, study)
        made = plain(current_reading(session, server.settings, found, person, which))
    server.ledger.note(person.name, "view", study, address, which=which[:40])
    return made


@router.post("/edits")
def edit(study: str, body: EditIn, server: ServerDep, person: PersonDep, address: AddressDep) -> Edited:
    """One edit of the person's draft, which begins with the first one; refused whole where it does not fit."""
    plain_edit = body.edit.model_dump(mode="json")
    return take_step(server, _own(study, person), Stepping(person, "edit", plain_edit, address))


@router.post("/undo")
def undo(study: str, server: ServerDep, person: PersonDep, address: AddressDep) -> Edited:
    """Take back the last edit."""
    return take_step(server, _own(study, person), Stepping(person, "undo", None, address))


@router.post("/redo")
def redo(study: str, server: ServerDep, person: PersonDep, address: AddressDep) -> Edited:
    """Do again what was taken back."""
    return take_step(server, _own(study, person), Stepping(person, "redo", None, address))


Locate = Callable[[Session, bool], tuple[rows.Study, rows.Reading]]


@dataclass(frozen=True)
class Stepping:
    """Who takes which step, from where."""

    person: Person
    step: Step
    edit: dict[str, Any] | None
    address: str


def _own(study: str, person: Person) -> Locate:
    def locate(session: Session, locked: bool) -> tuple[rows.Study, rows.Reading]:
        found = study_for(session, person, study, locked)
        return found, own_draft(session, found, person)

    return locate


def take_step(server: Server, locate: Locate, what: Stepping) -> Edited:
    """Add a step to a draft; nothing is kept where the Reading cannot be made.

    The Reading is made before the database is locked; where the draft moved on meanwhile, it is made again.

    Args:
        server: with the database.
        locate: the study and the draft in a session, locked or not; a new draft need not be kept yet.
        what: the step.

    Raises:
        InvalidValueError: the edit does not fit, or there is nothing to undo or redo.
        Refused: the draft keeps moving.
    """
    for _ in range(_ATTEMPTS):
        with server.store.reading() as session:
            study, first = locate(session, False)
            number = steps(session, first.id)
            after = history(session, first.id).after(what.step, what.edit)
            made = plain(with_edits(session, server.settings, study, first, after.edits))
            is_new = first not in session
            # Measures of a CT take seconds: they are not made again when the draft is opened.
            body = packed(json.dumps(made, ensure_ascii=False).encode()) if study.kind == "ct" else None
        with server.store.writing() as session:
            study, draft = locate(session, True)
            draft = first if is_new and draft not in session else draft
            if (draft.id, draft.base) != (first.id, first.base) or steps(session, draft.id) != number:
                continue
            session.add(draft)
            session.flush()
            add_step(session, draft.id, what.step, what.edit, what.person.name)
            draft.body, draft.steps_in_body = body, number + 1 if body else None
            who, brief = what.person.name, _brief(what.edit)
            audit.note(session, who, what.step, study.id, what.address, reading=draft.id, **brief)
            if draft.trial_case is None and study.state == "read":
                study.state = "reviewed"
            return Edited(reading=made, draft=draft_state(after, draft_version(draft, number + 1)))
    raise Refused(409, "change this Reading", "it is being changed elsewhere", "Reload the study")


def _brief(edit: dict[str, Any] | None) -> dict[str, Any]:
    """An edit for the audit trail, without masks and outlines."""
    return {k: v for k, v in (edit or {}).items() if k not in {"mask", "points"}}


def own_draft(session: Session, study: rows.Study, person: Person) -> rows.Reading:
    """The person's draft, a new one on the program's Reading where he has none, which is not kept yet.

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
