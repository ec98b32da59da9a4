"""Routes of the cases of a reader study: one at a time, blinded."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from fastapi import APIRouter
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from osteoscope.app.answers import DraftOut, Outline, OutlinesOut, ViewsOut
from osteoscope.app.blinded import blank, pseudonymous
from osteoscope.app.context import AddressDep, Json, PersonDep, Server, ServerDep
from osteoscope.app.edit_shapes import EditIn
from osteoscope.app.errors import Refused, not_there
from osteoscope.app.pictures import described, picture_file
from osteoscope.app.readings import Edited, Stepping, take_step
from osteoscope.app.results import PROGRAM
from osteoscope.app.standing import drafted, not_read, plain, stored
from osteoscope.app.trials import NextOut, Phase, next_case, program_of, trial_of
from osteoscope.app.worklist import kept_state
from osteoscope.store import audit, rows
from osteoscope.store.people import Person
from osteoscope.store.readings import draft_of, open_draft, packed
from osteoscope.store.trials import turn

router = APIRouter(prefix="/api/trials", tags=["trials"])


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


def _case(session: Session, trial: str, case: str, person: Person) -> tuple[rows.TrialCase, rows.Study]:
    """The case that is the person's turn; no other is open, so that nobody looks ahead or back.

    Raises:
        Refused: it is not his, or not his turn.
    """
    found = session.get(rows.TrialCase, case)
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


@router.get("/{trial}/cases/{case}")
def open_case(trial: str, case: str, server: ServerDep, person: PersonDep, address: AddressDep) -> CaseOut:
    """Open a case; its time begins."""
    with server.store.writing() as session:
        found, study = _case(session, trial, case, person)
        draft = _draft(session, found, study)
        audit.note(session, person.name, "open case", study.id, address, trial=trial, phase=found.phase)
        return CaseOut(
            case=case,
            study=found.pseudonym,
            kind=study.kind,  # type: ignore[arg-type]
            phase=found.phase,  # type: ignore[arg-type]
            draft=kept_state(session, draft),
        )


@router.get("/{trial}/cases/{case}/reading")
def case_reading(trial: str, case: str, server: ServerDep, person: PersonDep) -> Json:
    """The reader's Reading so far: from a blank form alone, from the program's when aided."""
    with server.store.reading() as session:
        study, draft = _opened(session, trial, case, person)
        return plain(drafted(session, server.settings, study, draft))


@router.get("/{trial}/cases/{case}/views")
def case_views(trial: str, case: str, server: ServerDep, person: PersonDep) -> ViewsOut:
    """The pictures of a case; labels of the program are left out where the reader is alone."""
    with server.store.reading() as session:
        found, _ = _case(session, trial, case, person)
        study, _ = _opened(session, trial, case, person)
    shown = described(server, study.id, f"/api/trials/{trial}/cases/{case}/pictures")
    if found.phase == "alone" and shown.ct is not None:
        alone = shown.ct.model_copy(update=dict.fromkeys(("lesions", "bones", "skeleton", "legend")))
        return ViewsOut(views=[], ct=alone)
    return shown


@router.get("/{trial}/cases/{case}/pictures/{name}", response_class=FileResponse)
def case_picture(
    trial: str, case: str, name: str, server: ServerDep, person: PersonDep, address: AddressDep
) -> FileResponse:
    """A picture of a case."""
    with server.store.reading() as session:
        found, _ = _case(session, trial, case, person)
        study, _ = _opened(session, trial, case, person)
    if found.phase == "alone" and name in {"lesions.nii.gz", "bones.nii.gz", "skeleton.nii.gz"}:
        raise not_there("picture")
    shown = picture_file(server, study.id, name)
    server.ledger.note(person.name, "picture", study.id, address, picture=name, trial=trial)
    return shown


@router.get("/{trial}/cases/{case}/outlines")
def case_outlines(trial: str, case: str, server: ServerDep, person: PersonDep) -> OutlinesOut:
    """Outlines of a case; of the reader's own findings where he is alone."""
    from osteoscope.deliver.review.outlines import outlines_of

    with server.store.reading() as session:
        found, _ = _case(session, trial, case, person)
        study, draft = _opened(session, trial, case, person)
        reading = drafted(session, server.settings, study, draft)
    views = outlines_of(reading, server.settings.folder_of(study.id) / PROGRAM / "units.json")
    hidden: Json = {"sites": {}, "units": {}} if found.phase == "alone" else {}
    return OutlinesOut(views={name: Outline.model_validate({**view, **hidden}) for name, view in views.items()})


def _opened(session: Session, trial: str, case: str, person: Person) -> tuple[rows.Study, rows.Reading]:
    """The study and the draft of a case that was opened.

    Raises:
        Refused: it was not opened yet, so that its time has not begun.
    """
    found, study = _case(session, trial, case, person)
    draft = draft_of(session, study.id, found.reader, found.id)
    if draft is None:
        raise Refused(409, "read a case", "it was not opened", "Open the case first")
    return study, draft


def _step(server: Server, case: tuple[str, str], what: Stepping) -> Edited:
    def locate(session: Session, locked: bool) -> tuple[rows.Study, rows.Reading]:
        study, draft = _opened(session, *case, what.person)
        if locked:
            session.refresh(draft, with_for_update=True)
        return study, draft

    return take_step(server, locate, what)


@router.post("/{trial}/cases/{case}/edits")
def case_edit(trial: str, case: str, body: EditIn, server: ServerDep, person: PersonDep, address: AddressDep) -> Edited:
    """One edit of a case."""
    return _step(server, (trial, case), Stepping(person, "edit", body.edit.model_dump(mode="json"), address))


@router.post("/{trial}/cases/{case}/undo")
def case_undo(trial: str, case: str, server: ServerDep, person: PersonDep, address: AddressDep) -> Edited:
    """Take back the last edit of a case."""
    return _step(server, (trial, case), Stepping(person, "undo", None, address))


@router.post("/{trial}/cases/{case}/redo")
def case_redo(trial: str, case: str, server: ServerDep, person: PersonDep, address: AddressDep) -> Edited:
    """Do again what was taken back."""
    return _step(server, (trial, case), Stepping(person, "redo", None, address))


@router.post("/{trial}/cases/{case}/finish")
def finish_case(
    trial: str, case: str, body: Finish, server: ServerDep, person: PersonDep, address: AddressDep
) -> NextOut:
    """Finish a case for good; what comes next."""
    with server.store.writing() as session:
        found, study = _case(session, trial, case, person)
        study, draft = _opened(session, trial, case, person)
        text = json.dumps(plain(drafted(session, server.settings, study, draft)), ensure_ascii=False, allow_nan=False)
        draft.state, draft.body = "done", packed(text.encode())
        found.finished, found.seconds, found.reading = rows.now(), body.seconds, draft.id
        audit.note(session, person.name, "finish case", study.id, address, trial=trial, seconds=body.seconds)
    return next_case(trial, server, person)
