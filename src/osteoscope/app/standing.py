"""Which Reading is meant by a word: "current", "program", or the id of one."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy.orm import Session

from osteoscope.app.errors import Refused, not_there
from osteoscope.domain import codec
from osteoscope.domain.reading import Reading
from osteoscope.store import rows
from osteoscope.store.people import Person
from osteoscope.store.readings import body_of, draft_of, readings_of, standing


def chosen(session: Session, study: rows.Study, person: Person, which: str) -> rows.Reading:
    """The row of a Reading: the person's draft, else the one that stands; the program's; or one by id.

    Raises:
        Refused: there is none, or the draft is another person's.
    """
    readings = readings_of(session, study.id)
    if which == "current":
        found = draft_of(session, study.id, person.name) or standing(readings)
    elif which == "program":
        found = next((r for r in reversed(readings) if r.kind == "program"), None)
    else:
        found = next((r for r in readings if r.id == which), None)
    if found is None and which in {"current", "program"}:
        state = f"the study is {study.state}" + (f": {study.problem}" if study.problem else "")
        raise Refused(409, "open a Reading", state, "Wait until it was read")
    if found is None or (found.state == "draft" and found.reader != person.name):
        raise not_there("Reading")
    return found


def current_reading(session: Session, study: rows.Study, person: Person, which: str) -> Reading:
    """The Reading itself; a draft is made of its base and its edits."""
    return reading_of(session, chosen(session, study, person, which))


def reading_of(session: Session, row: rows.Reading) -> Reading:
    """The Reading of a row."""
    return stored(session, row.id)


def stored(session: Session, reading: str) -> Reading:
    """A Reading that is no draft; such never change, so that they are kept decoded."""
    kept = _CACHE.get(reading)
    if kept is None:
        kept = codec.decode(Reading, json.loads(body_of(session, reading)))
        _CACHE[reading] = kept
        while len(_CACHE) > _MOST_KEPT:
            _CACHE.pop(next(iter(_CACHE)), None)
    return kept


def plain(reading: Reading) -> dict[str, Any]:
    """The Reading as reading.json has it."""
    return codec.encode(reading)  # type: ignore[no-any-return]


_MOST_KEPT = 64
_CACHE: dict[str, Reading] = {}
