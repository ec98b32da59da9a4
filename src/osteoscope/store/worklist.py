"""The worklist: which studies a person may see, searched, sorted and cut into pages by the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from osteoscope.store.people import Person
from osteoscope.store.rows import Grant, Study, TrialCase, Upload, folded

ORDERS: Mapping[str, ColumnElement[Any]] = {
    "arrived": Study.arrived.asc(),
    "-arrived": Study.arrived.desc(),
    "date": Study.date.asc(),
    "-date": Study.date.desc(),
    "patient_name": Study.patient_name.asc(),
    "-patient_name": Study.patient_name.desc(),
    "patient_id": Study.patient_id.asc(),
    "-patient_id": Study.patient_id.desc(),
    "kind": Study.kind.asc(),
    "-kind": Study.kind.desc(),
    "state": Study.state.asc(),
    "-state": Study.state.desc(),
    "siopen_total": Study.siopen_total.asc(),
    "-siopen_total": Study.siopen_total.desc(),
    "curie_total": Study.curie_total.asc(),
    "-curie_total": Study.curie_total.desc(),
}
MOST_ROWS = 500


@dataclass(frozen=True)
class Asked:
    """What of the worklist is wanted: words in name, id, date or birth date; kind; state; order; page."""

    search: str = ""
    kind: str = ""
    state: str = ""
    order: str = "-arrived"
    offset: int = 0
    limit: int = 100


@dataclass(frozen=True)
class Page:
    """Some rows of the worklist, and how many there are in all."""

    total: int
    studies: tuple[Study, ...]


def visible(person: Person) -> ColumnElement[bool]:
    """The condition under which a person sees a study: a reader study hides its own until he has finished it."""
    if person.role == "admin":
        return Study.id.is_not(None)
    granted = exists().where(Grant.study == Study.id, Grant.user == person.name)
    mine = (TrialCase.study == Study.id, TrialCase.reader == person.name, TrialCase.finished == "")
    return and_(or_(Study.everyone, Study.owner == person.name, granted), ~exists().where(*mine))


def find_study(session: Session, person: Person, study: str) -> Study | None:
    """The study, if it is there and the person may see it."""
    return session.scalars(select(Study).where(Study.id == study, visible(person))).first()


def find_upload(session: Session, person: Person, upload: str) -> Upload | None:
    """The upload, if the person made it or is an admin."""
    found = session.get(Upload, upload)
    return found if found and (person.role == "admin" or found.owner == person.name) else None


def worklist(session: Session, person: Person, asked: Asked) -> Page:
    """One page of the worklist."""
    wanted = _filtered(select(Study), person, asked)
    total = session.scalar(_filtered(select(func.count()).select_from(Study), person, asked)) or 0
    order = ORDERS.get(asked.order, ORDERS["-arrived"])
    page = wanted.order_by(order, Study.id).offset(max(0, asked.offset)).limit(min(max(1, asked.limit), MOST_ROWS))
    return Page(total, tuple(session.scalars(page)))


def _filtered(query: Select[Any], person: Person, asked: Asked) -> Select[Any]:
    query = query.where(visible(person))
    for column, value in ((Study.kind, asked.kind), (Study.state, asked.state)):
        query = query.where(column == value) if value else query
    for word in folded(asked.search).split()[:8]:
        query = query.where(Study.words.contains(word, autoescape=True))
    return query


def priors(session: Session, person: Person, study: Study) -> tuple[Study, ...]:
    """Earlier studies of the same patient and kind, latest first; an id alone may be two patients'."""
    if not study.patient_id or not study.date:
        return ()
    same = (Study.patient_id == study.patient_id, Study.kind == study.kind, Study.id != study.id)
    alike = (_alike(Study.birth_date, study.birth_date), _alike(Study.sex, study.sex))
    earlier = select(Study).where(*same, *alike, Study.date < study.date, Study.date != "", visible(person))
    return tuple(session.scalars(earlier.order_by(Study.date.desc())))


def _alike(column: InstrumentedAttribute[Any], value: str | None) -> ColumnElement[bool]:
    """Equal where both state it."""
    return or_(column == value, column.is_(None), column == "") if value else true()
