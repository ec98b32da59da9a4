"""Route of the comparison with an earlier study of the patient."""

from __future__ import annotations

from fastapi import APIRouter
from sqlalchemy.orm import Session

from osteoscope.app.context import AddressDep, Json, PersonDep, ServerDep, study_for
from osteoscope.app.results import PROGRAM, VIEWS
from osteoscope.app.settings import Settings
from osteoscope.app.standing import current_reading
from osteoscope.domain import codec
from osteoscope.domain.reading import MappedSite, Reading
from osteoscope.store import rows
from osteoscope.store.people import Person

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
