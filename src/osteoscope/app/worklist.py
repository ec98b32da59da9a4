"""Routes of the worklist, of a study, and of who may see it."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from osteoscope.app.answers import DraftOut, Health, Item, PriorOut, ReadingOut, Scores, StudyOut, WorklistPage
from osteoscope.app.context import AddressDep, PersonDep, ServerDep, study_for
from osteoscope.app.errors import Refused, not_there
from osteoscope.app.results import result_file, result_files
from osteoscope.app.standing import draft_version
from osteoscope.store import audit, queue
from osteoscope.store.people import Person
from osteoscope.store.readings import History, draft_on, history, new_draft, readings_of, standing, steps
from osteoscope.store.rows import Grant, Reading, Study, User
from osteoscope.store.trials import is_in_trial
from osteoscope.store.worklist import Asked, priors, worklist

router = APIRouter(prefix="/api", tags=["studies"])
FILE_HEADERS = {
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:",
}


def item(study: Study) -> dict[str, Any]:
    """The fields of a line of the worklist."""
    scores = Scores(siopen_total=study.siopen_total, curie_total=study.curie_total, lesions=study.lesions)
    names = (
        "id", "patient_id", "patient_name", "birth_date", "sex", "date", "kind", "state", "progress", "problem",
    )  # fmt: skip
    return {name: getattr(study, name) for name in names} | {"scores": scores}


@router.get("/studies")
def studies(server: ServerDep, person: PersonDep, asked: Annotated[Asked, Depends()]) -> WorklistPage:
    """The worklist: words of ``search`` are looked for in name, id, date and birth date."""
    with server.store.reading() as session:
        page = worklist(session, person, asked)
        return WorklistPage(total=page.total, items=[Item(**item(study)) for study in page.studies])


def draft_state(found: History, version: str) -> DraftOut:
    """What can be done with a draft."""
    can_undo, can_redo = bool(found.edits), bool(found.undone)
    return DraftOut(number_of_edits=len(found.edits), can_undo=can_undo, can_redo=can_redo, version=version)


def kept_state(session: Session, draft: Reading) -> DraftOut:
    """What can be done with a draft, whose steps are looked up; none where it is not kept yet."""
    return draft_state(history(session, draft.id), draft_version(draft, steps(session, draft.id)))


def _reading_line(row: Reading) -> ReadingOut:
    names = ("id", "reader", "kind", "state", "when", "reason", "base")
    return ReadingOut(**{name: getattr(row, name) for name in names})


def _prior_line(prior: Study) -> PriorOut:
    return PriorOut(id=prior.id, date=prior.date, patient_name=prior.patient_name)


@router.get("/studies/{study}")
def one_study(study: str, server: ServerDep, person: PersonDep, address: AddressDep) -> StudyOut:
    """A study, its Readings, earlier studies of the patient, and the files of the Reading that stands."""
    with server.store.reading() as session:
        found = study_for(session, person, study)
        readings = readings_of(session, study)
        stands = standing(readings)
        draft = draft_on(session, study, person.name, stands) or (new_draft(stands, person.name) if stands else None)
        earlier = [_prior_line(prior) for prior in priors(session, person, found)]
        program = [r for r in readings if r.kind == "program"]
        made = StudyOut(
            **item(found),
            reader_version=program[-1].reader if program else "",
            draft=kept_state(session, draft) if draft else draft_state(History(), ""),
            readings=[_reading_line(row) for row in readings],
            priors=earlier,
            files=result_files(server.settings, study, stands),
            may_share=_may_share(found, person),
        )
    server.ledger.note(person.name, "open", study, address)
    return made


@router.get("/studies/{study}/files/{name:path}", response_class=FileResponse)
def one_file(study: str, name: str, server: ServerDep, person: PersonDep, address: AddressDep) -> FileResponse:
    """A file of the Reading that stands."""
    with server.store.reading() as session:
        study_for(session, person, study)
        row = standing(readings_of(session, study))
        path = result_file(server.settings, study, row, name)
    if path is None:
        raise not_there("file")
    server.ledger.note(person.name, "file", study, address, file=name[:200])
    return FileResponse(path, headers=FILE_HEADERS)


class ReadAgain(BaseModel):
    """How a study is read again: ``tracer`` ("mIBG") where the header does not state it and a person knows better."""

    tracer: Annotated[str, Field(max_length=32, pattern=r"^[\w -]*$")] = ""


@router.post("/studies/{study}/read")
def read_again(study: str, body: ReadAgain, server: ServerDep, person: PersonDep, address: AddressDep) -> Item:
    """Let the program read a study again: one that failed, or under a tracer that the person vouches for."""
    with server.store.writing() as session:
        found = study_for(session, person, study, locked=True)
        if found.state not in {"failed", "read"}:
            state = f"the study is {found.state}"
            raise Refused(409, "read a study again", state, "Only a study that failed or was not edited is read again")
        if is_in_trial(session, study):
            state = "it belongs to a reader study that is not finished"
            raise Refused(409, "read a study again", state, "Wait until its readers have read it")
        found.state, found.progress, found.problem, found.tracer = "arrived", 0.0, "", body.tracer
        queue.put(session, "read", study)
        audit.note(session, person.name, "read again", study, address, tracer=body.tracer)
        made = Item(**item(found))
    server.wake()
    return made


class Access(BaseModel):
    """Who may see a study besides its owner and admins."""

    everyone: bool
    users: list[str] = []


def _may_share(study: Study, person: Person) -> bool:
    return person.role == "admin" or study.owner == person.name


@router.get("/studies/{study}/access")
def access(study: str, server: ServerDep, person: PersonDep) -> Access:
    """Who may see a study, for those who may change it."""
    with server.store.reading() as session:
        found = study_for(session, person, study)
        if not _may_share(found, person):
            raise _not_yours_to_share()
        named = session.scalars(select(Grant.user).where(Grant.study == study).order_by(Grant.user))
        return Access(everyone=found.everyone, users=list(named))


def _not_yours_to_share() -> Refused:
    return Refused(403, "change who sees a study", "it is not yours", "Ask its owner or an admin")


@router.put("/studies/{study}/access")
def give_access(study: str, body: Access, server: ServerDep, person: PersonDep, address: AddressDep) -> Access:
    """Open a study to everyone, or to its owner, admins and the users named."""
    with server.store.writing() as session:
        found = study_for(session, person, study)
        if not _may_share(found, person):
            raise _not_yours_to_share()
        unknown = [name for name in body.users if session.get(User, name) is None]
        if unknown:
            raise Refused(400, "give access", f"no user {unknown[0][:40]!r}", "Name users of this server")
        found.everyone = body.everyone
        _grant(session, study, body.users)
        audit.note(session, person.name, "access", study, address, everyone=body.everyone, users=body.users)
    return body


def _grant(session: Session, study: str, users: list[str]) -> None:
    session.execute(delete(Grant).where(Grant.study == study))
    session.add_all(Grant(study=study, user=name) for name in dict.fromkeys(users))


@router.get("/health", tags=["health"])
def health(server: ServerDep) -> Health:
    """Which software runs; open to all, says nothing of patients."""
    return Health(version=version("osteoscope"), models=server.models)
