"""Routes of reader studies."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from osteoscope.app.context import AddressDep, AdminDep, PersonDep, ServerDep, study_for
from osteoscope.app.errors import not_there
from osteoscope.app.standing import not_read
from osteoscope.app.trial_export import packed_export
from osteoscope.store import audit, rows
from osteoscope.store.people import Person
from osteoscope.store.readings import readings_of
from osteoscope.store.trials import Design, cases, plan, turn

router = APIRouter(prefix="/api/trials", tags=["trials"])
Phase = Literal["alone", "aided"]


class TrialIn(BaseModel):
    """A reader study to be planned."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    studies: list[str]
    readers: list[str]
    phases: list[Phase] = ["alone", "aided"]
    washout_days: float = 28
    seed: int = 0


class Progress(BaseModel):
    """How far a reader is."""

    name: str
    done: int
    of: int


class TrialOut(BaseModel):
    """A reader study; a reader sees his own progress alone."""

    id: str
    name: str
    phases: list[Phase]
    washout_days: float
    readers: list[Progress]


class NextOut(BaseModel):
    """What a reader does next: the case, a time to wait for (ISO), or neither where all is done."""

    case: str | None
    study: str | None
    phase: Phase | None
    wait_until: str | None
    done: int
    of: int


@router.post("")
def make_trial(body: TrialIn, server: ServerDep, admin: AdminDep, address: AddressDep) -> TrialOut:
    """Plan a reader study; all studies must have been read by the program."""
    design = Design(
        body.name, tuple(body.studies), tuple(body.readers), tuple(body.phases), body.washout_days, body.seed
    )
    with server.store.writing() as session:
        for one in design.studies:
            found = study_for(session, admin, one, locked=True)
            if program_of(session, found) is None or found.state in rows.BEING_READ:
                raise not_read(found)
        trial = plan(session, design, admin.name)
        audit.note(session, admin.name, "plan trial", None, address, trial=trial.id, name=body.name)
        session.flush()
        return _shown(session, trial, admin)


@router.get("")
def trials(server: ServerDep, person: PersonDep) -> list[TrialOut]:
    """Reader studies that the person takes part in; all for an admin."""
    with server.store.reading() as session:
        found = [
            _shown(session, one, person) for one in session.scalars(select(rows.Trial).order_by(rows.Trial.created))
        ]
    return [one for one in found if one.readers]


def _shown(session: Session, trial: rows.Trial, person: Person) -> TrialOut:
    mine = "" if person.role == "admin" else person.name
    all_cases = cases(session, trial.id, mine)
    readers = dict.fromkeys(case.reader for case in all_cases)
    progress = []
    for reader in readers:
        his = [case for case in all_cases if case.reader == reader]
        progress.append(Progress(name=reader, done=sum(bool(case.finished) for case in his), of=len(his)))
    return TrialOut(
        id=trial.id, name=trial.name, phases=trial.phases, washout_days=trial.washout_days, readers=progress
    )


@router.get("/{trial}/next")
def next_case(trial: str, server: ServerDep, person: PersonDep) -> NextOut:
    """What the person reads next."""
    with server.store.reading() as session:
        found = turn(session, trial_of(session, trial), person.name)
    if not found.of:
        raise not_there("reader study")
    case = found.case
    return NextOut(
        case=case.id if case else None,
        study=case.pseudonym if case else None,
        phase=case.phase if case else None,  # type: ignore[arg-type]
        wait_until=found.wait_until,
        done=found.done,
        of=found.of,
    )


def trial_of(session: Session, trial: str) -> rows.Trial:
    """The reader study of that id.

    Raises:
        Refused: there is none.
    """
    found = session.get(rows.Trial, trial)
    if found is None:
        raise not_there("reader study")
    return found


def program_of(session: Session, study: rows.Study) -> rows.Reading | None:
    """The program's latest Reading of a study, None where it was not read yet."""
    return next((r for r in reversed(readings_of(session, study.id)) if r.kind == "program"), None)


@router.get("/{trial}/export")
def export(trial: str, server: ServerDep, admin: AdminDep, address: AddressDep) -> Response:
    """A zip of ratings per phase and reader for `osteoscope agree`, Readings and marks for `evaluate`, and times."""
    with server.store.writing() as session:
        found = trial_of(session, trial)
        data = packed_export(session, found)
        audit.note(session, admin.name, "export trial", None, address, trial=trial)
    headers = {"Content-Disposition": 'attachment; filename="reader-study.zip"'}
    return Response(data, media_type="application/zip", headers=headers)
