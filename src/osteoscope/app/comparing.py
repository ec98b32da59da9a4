"""Routes of the comparison with an earlier study of the patient: planar scans at once, CTs by a worker."""

from __future__ import annotations

import json

from fastapi import APIRouter
from fastapi.responses import FileResponse
from pydantic import BaseModel
from sqlalchemy.orm import Session

from osteoscope.app.context import AddressDep, Json, PersonDep, Server, ServerDep, study_for
from osteoscope.app.errors import Refused, not_there
from osteoscope.app.results import PROGRAM, VIEWS, comparison_folder
from osteoscope.app.settings import Settings
from osteoscope.app.standing import chosen, current_reading, version_of
from osteoscope.app.work import Work, begin, progress_of
from osteoscope.app.worklist import FILE_HEADERS
from osteoscope.domain import codec
from osteoscope.domain.reading import MappedSite, Reading
from osteoscope.store import audit, rows
from osteoscope.store.people import Person
from osteoscope.store.works import comparison_of

router = APIRouter(prefix="/api/studies/{study}", tags=["readings"])


@router.get("/comparison")
def comparison(study: str, prior: str, server: ServerDep, person: PersonDep, address: AddressDep) -> Json:
    """response.json of `osteoscope compare`: the prior against this study, each as it stands for the person."""
    from osteoscope.stats.lesion_identity import Exam
    from osteoscope.stats.one_child import check_together
    from osteoscope.stats.response import compare

    with server.store.reading() as session:
        found = [study_for(session, person, one) for one in (prior, study)]
        dates = [_dated(session, server.settings, one, person) for one in found]
    server.ledger.note(person.name, "compare", study, address, prior=prior[:40])
    names = [one.date or f"date {n}" for n, one in enumerate(found, 1)]
    exams = [Exam(name, *date) for name, date in zip(names, dates, strict=True)]
    return codec.encode(compare(exams, check_together(exams, same_patient=False)))  # type: ignore[no-any-return]


def _dated(
    session: Session, settings: Settings, study: rows.Study, person: Person
) -> tuple[Reading, tuple[MappedSite, ...]]:
    from osteoscope.deliver.review.ground import mapped_of

    reading = current_reading(session, settings, study, person, "current")
    if reading.study.kind != "nm-planar":
        return reading, ()
    folder = settings.folder_of(study.id)
    return reading, mapped_of(reading.study.kind, folder / PROGRAM, folder / VIEWS)


class CtComparison(Work):
    """A comparison of two CTs: ``response`` is ct-response.json of `osteoscope compare`, null until it is done."""

    response: Json | None = None


class CtPrior(BaseModel):
    """The earlier CT."""

    prior: str


@router.get("/ct-comparison")
def ct_comparison(study: str, prior: str, server: ServerDep, person: PersonDep, address: AddressDep) -> CtComparison:
    """How far the comparison with an earlier CT is, each Reading as it stands for the person."""
    with server.store.reading() as session:
        told = _told(session, server, _asked(session, person, study, prior))
    if told.response is not None:
        server.ledger.note(person.name, "view comparison", study, address, prior=prior[:40])
    return told


@router.post("/ct-comparison")
def begin_ct_comparison(
    study: str, body: CtPrior, server: ServerDep, person: PersonDep, address: AddressDep
) -> CtComparison:
    """Let a worker compare; what was compared already, or is being compared, is not begun again."""
    with server.store.writing() as session:
        row = _asked(session, person, study, body.prior)
        now = _told(session, server, row)
        if now.state in {"absent", "failed"}:
            begin(session, "compare", row)
            now = CtComparison(state="queued")
        audit.note(session, person.name, "compare", study, address, prior=body.prior)
    server.wake()
    return now


@router.get("/ct-comparison/{name}", response_class=FileResponse)
def ct_comparison_file(
    study: str, name: str, prior: str, server: ServerDep, person: PersonDep, address: AddressDep
) -> FileResponse:
    """The report of a comparison that is done, response.html or response.pdf, or response.json."""
    with server.store.reading() as session:
        folder = comparison_folder(server.settings, _asked(session, person, study, prior))
    known = {f"response.{kind}" for kind in ("json", "html", "pdf")}
    if name not in known or not folder.is_dir():
        raise not_there("report")
    server.ledger.note(person.name, "file", study, address, file=name, prior=prior[:40])
    return FileResponse(folder / name, headers=FILE_HEADERS)


def _asked(session: Session, person: Person, study: str, prior: str) -> rows.Comparison:
    """The comparison of the two CTs by the Readings that they stand for now; a new one need not be kept yet.

    Raises:
        NotYours, Refused: a study is not the person's to see, was not read, or is no CT.
    """
    found = [study_for(session, person, one) for one in (prior, study)]
    if any(one.kind != "ct" for one in found):
        raise Refused(409, "compare CTs", "one of the studies is no CT", "Choose two CTs of the patient")
    earlier, later = (version_of(session, chosen(session, one, person, "current")) for one in found)
    return comparison_of(session, study, prior, (earlier, later))


def _told(session: Session, server: Server, row: rows.Comparison) -> CtComparison:
    path = comparison_folder(server.settings, row) / "response.json"
    told = CtComparison(**progress_of(session, "compare", row, path))
    if told.state == "done":
        told.response = json.loads(path.read_text(encoding="utf-8"))
    return told
