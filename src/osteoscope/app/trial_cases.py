"""Routes of the cases of a reader study: one at a time, blinded."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from osteoscope.app import drafting, pictures
from osteoscope.app.answers import DraftOut, Outline, OutlinesOut
from osteoscope.app.blinded import blank, pseudonymous
from osteoscope.app.context import AddressDep, Json, PersonDep, ServerDep
from osteoscope.app.errors import Refused, not_there
from osteoscope.app.pictures import outlined
from osteoscope.app.standing import drafted, not_read, plain, stored
from osteoscope.app.trials import NextOut, Phase, next_case, program_of, trial_of
from osteoscope.app.worklist import kept_state
from osteoscope.store import audit, rows
from osteoscope.store.people import Person
from osteoscope.store.readings import draft_of, open_draft, packed
from osteoscope.store.trials import turn

router = APIRouter(prefix="/api/trials/{trial}/cases/{case}", tags=["trials"])


class CaseOut(BaseModel):
    """A case as the reader may see it."""

    case: str
    study: str
    kind: Literal["ct", "nm-planar"]
    phase: Phase
    draft: DraftOut


class Finish(BaseModel):
    """How long the reader looked, as the page counted it."""

    seconds: Annotated[float, Field(ge=0, le=86_400)]


def _case(
    session: Session, trial: str, case: str, person: Person, locked: bool = False
) -> tuple[rows.TrialCase, rows.Study]:
    """The case that is the person's turn; no other is open, so that nobody looks ahead or back.

    Args:
        session: of the database.
        trial, case: which.
        person: who reads it.
        locked: whether he changes it: then nothing else does meanwhile, and what was done before is seen.

    Raises:
        Refused: it is not his, or not his turn.
    """
    found = session.get(rows.TrialCase, case, with_for_update=locked or None)
    if found is None or found.trial != trial or found.reader != person.name:
        raise not_there("case")
    now = turn(session, trial_of(session, trial), person.name).case
    if now is None or now.id != case:
        state = "you have finished it" if found.finished else "another comes first"
        raise Refused(409, "open a case", state, "Go on with the next case")
    return found, session.get_one(rows.Study, found.study)


def _draft(session: Session, case: rows.TrialCase, study: rows.Study) -> rows.Reading:
    """The draft of a case, begun when the case is first opened."""
    draft = draft_of(session, study.id, case.reader, case.id)
    if draft is not None:
        return draft
    program = program_of(session, study)
    if program is None:
        raise not_read(study)
    shown = pseudonymous(stored(session, program.id), case.pseudonym, case.pseudonym)
    shown = blank(shown) if case.phase == "alone" else shown
    body = packed(json.dumps(plain(shown), ensure_ascii=False, allow_nan=False).encode())
    base = rows.Reading(
        study=study.id, reader=program.reader, kind="program", state="done", trial_case=case.id, body=body
    )
    session.add(base)
    session.flush()
    case.opened = rows.now()
    return open_draft(session, base, case.reader, trial_case=case.id)


def _opened(
    session: Session, trial: str, case: str, person: Person, locked: bool = False
) -> tuple[rows.TrialCase, rows.Study, rows.Reading]:
    """A case that was opened, its study and its draft; as `_case`.

    Raises:
        Refused: it was not opened yet, so that its time has not begun.
    """
    found, study = _case(session, trial, case, person, locked)
    draft = draft_of(session, study.id, found.reader, found.id)
    if draft is None:
        raise Refused(409, "read a case", "it was not opened", "Open the case first")
    return found, study, draft


@router.get("")
def open_case(trial: str, case: str, server: ServerDep, person: PersonDep, address: AddressDep) -> CaseOut:
    """Open a case; its time begins."""
    with server.store.writing() as session:
        found, study = _case(session, trial, case, person, locked=True)
        draft = _draft(session, found, study)
        audit.note(session, person.name, "open case", study.id, address, trial=trial, phase=found.phase)
        return CaseOut(
            case=case,
            study=found.pseudonym,
            kind=study.kind,  # type: ignore[arg-type]
            phase=found.phase,  # type: ignore[arg-type]
            draft=kept_state(session, draft),
        )


@router.get("/reading")
def case_reading(trial: str, case: str, server: ServerDep, person: PersonDep) -> Json:
    """The reader's Reading so far: from a blank form alone, from the program's when aided."""
    with server.store.reading() as session:
        _, study, draft = _opened(session, trial, case, person)
        return plain(drafted(session, server.settings, study, draft))


@router.get("/outlines")
def case_outlines(trial: str, case: str, server: ServerDep, person: PersonDep) -> OutlinesOut:
    """Outlines of a case; of the reader's own findings where he is alone."""
    with server.store.reading() as session:
        found, study, draft = _opened(session, trial, case, person)
        reading = drafted(session, server.settings, study, draft)
    views = outlined(server, study.id, reading).views
    if found.phase == "alone":
        views = {name: Outline(sites={}, units={}, findings=view.findings) for name, view in views.items()}
    return OutlinesOut(views=views)


def _pictures(trial: str, case: str, server: ServerDep, person: PersonDep) -> pictures.Shown:
    with server.store.reading() as session:
        found, study, _ = _opened(session, trial, case, person)
    base = f"/api/trials/{trial}/cases/{case}/pictures"
    return pictures.Shown(study.id, base, has_labels=found.phase == "aided", noted={"trial": trial})


async def _own(trial: str, case: str, person: PersonDep) -> drafting.Locate:
    def locate(session: Session, locked: bool) -> tuple[rows.Study, rows.Reading]:
        _, study, draft = _opened(session, trial, case, person, locked)
        return study, draft

    return locate


pictures.install(router, Depends(_pictures))
drafting.install(router, Depends(_own))


@router.post("/finish")
def finish_case(
    trial: str, case: str, body: Finish, server: ServerDep, person: PersonDep, address: AddressDep
) -> NextOut:
    """Finish a case for good; what comes next."""
    with server.store.writing() as session:
        found, study, draft = _opened(session, trial, case, person, locked=True)
        text = json.dumps(plain(drafted(session, server.settings, study, draft)), ensure_ascii=False, allow_nan=False)
        draft.state, draft.body = "done", packed(text.encode())
        found.finished, found.seconds, found.reading = rows.now(), body.seconds, draft.id
        audit.note(session, person.name, "finish case", study.id, address, trial=trial, seconds=body.seconds)
    return next_case(trial, server, person)
