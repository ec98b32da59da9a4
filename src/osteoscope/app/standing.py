"""Which Reading is meant by a word: "current", "program", or the id of one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from osteoscope.app.errors import Refused, not_there
from osteoscope.app.results import PROGRAM, VIEWS
from osteoscope.app.settings import Settings
from osteoscope.domain import codec
from osteoscope.domain.reading import Reading
from osteoscope.store import rows
from osteoscope.store.people import Person
from osteoscope.store.readings import body_of, draft_on, history, readings_of, standing, steps

if TYPE_CHECKING:
    from osteoscope.deliver.review.draft import Ground

_MOST_KEPT = 64
_KEPT: dict[str, Reading] = {}


def chosen(session: Session, study: rows.Study, person: Person, which: str) -> rows.Reading:
    """The row of a Reading: the person's draft on what stands, else what stands; the program's; or one by id.

    Raises:
        Refused: there is none, or the draft is another person's.
    """
    readings = readings_of(session, study.id)
    if which == "current":
        stands = standing(readings)
        found = draft_on(session, study.id, person.name, stands) or stands
    elif which == "program":
        found = next((r for r in reversed(readings) if r.kind == "program"), None)
    else:
        found = next((r for r in readings if r.id == which), None)
    if found is None and which in {"current", "program"}:
        raise not_read(study)
    if found is None or (found.state == "draft" and found.reader != person.name):
        raise not_there("Reading")
    return found


def not_read(study: rows.Study) -> Refused:
    """The answer where there is no Reading yet."""
    state = f"the study is {study.state}" + (f": {study.problem}" if study.problem else "")
    return Refused(409, "open a Reading", state, "Wait until it was read")


def current_reading(session: Session, settings: Settings, study: rows.Study, person: Person, which: str) -> Reading:
    """The Reading itself; a draft is made of its base and its edits."""
    return reading_of(session, settings, study, chosen(session, study, person, which))


def reading_of(session: Session, settings: Settings, study: rows.Study, row: rows.Reading) -> Reading:
    """The Reading of a row."""
    return drafted(session, settings, study, row) if row.state == "draft" else stored(session, row.id)


def drafted(session: Session, settings: Settings, study: rows.Study, draft: rows.Reading) -> Reading:
    """The Reading that a draft stands for at this moment."""
    number = steps(session, draft.id)
    if number and draft.steps_in_body == number:
        return _decoded(session, draft.id, version_of(session, draft))
    return with_edits(session, settings, study, draft, history(session, draft.id).edits)


def version_of(session: Session, row: rows.Reading) -> str:
    """Which Reading a row stands for now: its id, with ``@`` and the number of its steps where it is a draft."""
    return f"{row.id}@{steps(session, row.id)}" if row.state == "draft" else row.id


def draft_version(draft: rows.Reading, number: int) -> str:
    """Which Reading a draft, kept or not, stands for after that many steps."""
    return f"{draft.base}@{number}"


def of_version(session: Session, settings: Settings, study: rows.Study, version: str) -> Reading:
    """The Reading of a `version_of`, whatever became of the draft since."""
    row_id, is_draft, number = version.partition("@")
    if not is_draft:
        return stored(session, row_id)
    draft = session.get_one(rows.Reading, row_id)
    if version == version_of(session, draft):
        return drafted(session, settings, study, draft)
    return with_edits(session, settings, study, draft, history(session, row_id, int(number)).edits)


def with_edits(
    session: Session, settings: Settings, study: rows.Study, draft: rows.Reading, edits: Sequence[Mapping[str, Any]]
) -> Reading:
    """The Reading that a draft would stand for with these edits; the draft need not be kept yet.

    Raises:
        InvalidValueError: an edit does not fit.
    """
    from osteoscope.deliver.review.edits import Person as Editor
    from osteoscope.deliver.review.edits import edited

    base = stored(session, draft.base or "")
    ground = _ground_of(settings, study, base)
    why = {"amends": draft.base or "", "reason": draft.reason} if draft.reason else {}
    return edited(base, edits, Editor(draft.reader, draft.when, why), ground)


def check_place(
    session: Session, settings: Settings, study: rows.Study, draft: rows.Reading, edit: Mapping[str, Any]
) -> None:
    """Refuse an edit that marks uptake beside the patient.

    Raises:
        InvalidValueError: it does.
    """
    from osteoscope.deliver.review.on_patient import check_on_patient

    base = stored(session, draft.base or "")
    check_on_patient(base, edit, _ground_of(settings, study, base))


def _ground_of(settings: Settings, study: rows.Study, base: Reading) -> Ground:
    from osteoscope.deliver.review.ground import ground_of

    folder = settings.folder_of(study.id)
    return ground_of(base.study, folder / PROGRAM, folder / VIEWS)


def stored(session: Session, reading: str) -> Reading:
    """A Reading that is no draft; such never change, so that they are kept decoded."""
    return _decoded(session, reading, reading)


def _decoded(session: Session, reading: str, version: str) -> Reading:
    kept = _KEPT.get(version)
    if kept is None:
        kept = codec.decode(Reading, json.loads(body_of(session, reading)))
        _KEPT[version] = kept
        while len(_KEPT) > _MOST_KEPT:
            _KEPT.pop(next(iter(_KEPT)), None)
    return kept


def plain(reading: Reading) -> dict[str, Any]:
    """The Reading as reading.json has it."""
    return codec.encode(reading)  # type: ignore[no-any-return]
