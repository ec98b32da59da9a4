"""What a worker does with an upload: studies that are new are to be read, those that came before are found again."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import exists, select
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from osteoscope.app.arrivals import remove
from osteoscope.app.settings import Settings
from osteoscope.domain import codec
from osteoscope.store import audit, queue
from osteoscope.store.engine import Store
from osteoscope.store.rows import Grant, Reading, Study, Upload, User
from osteoscope.store.trials import is_in_trial

if TYPE_CHECKING:
    from osteoscope.deliver.review.files import Arrived

LOG = logging.getLogger("osteoscope.app")
Note = dict[str, Any]
AGAIN = {
    "level": "set_aside",
    "problem": "the same images of the same patient are here already",
    "action": "the study that was here is shown",
}
MENDED = {
    "level": "repaired",
    "problem": "the study was here, but had failed or lost its files",
    "action": "it goes on with these files",
}
UNKEEPABLE = {
    "level": "refused",
    "problem": "its header holds what the database cannot keep",
    "action": "Mend the header and upload it again",
}


@dataclass(frozen=True)
class _Placed:
    """Where a study went: its row, what the sender is told beside, and the upload that the row pointed to before."""

    study: str
    note: Note | None = None
    left: str = ""


def intake(settings: Settings, store: Store, upload: str) -> dict[str, Any]:
    """Sort an upload into studies, each with a job that reads it."""
    from osteoscope.deliver.review.files import sort_files

    _set_upload(store, upload, state="sorting")
    found = sort_files(settings.files_of(upload), lambda *_: None)
    notes: list[Note] = [codec.encode(note) for note in found.notes]
    placed: list[_Placed] = []
    for arrived in found.studies:
        _look_at_pixels(settings, store, arrived)
        try:
            one = _entered(settings, store, upload, arrived)
        except (DataError, UnicodeError):
            LOG.exception("%s of upload %s", arrived.label, upload)
            notes.append({**UNKEEPABLE, "file": arrived.label})
            continue
        placed.append(one)
        notes += [{**one.note, "file": arrived.label}] if one.note else []
    _set_upload(store, upload, state="done", notes=notes, studies=[one.study for one in placed])
    for left in {upload, *(one.left for one in placed)}:
        _remove_unused(settings, store, left)
    return {"studies": len(placed)}


def _set_upload(store: Store, upload: str, **values: Any) -> None:
    with store.writing() as session:
        row = session.get_one(Upload, upload)
        for name, value in values.items():
            setattr(row, name, value)


def _look_at_pixels(settings: Settings, store: Store, arrived: Arrived) -> None:
    """The fingerprint of a study that came before version 0003 says nothing of its pixels: its files are looked at."""
    from osteoscope.deliver.review.files import sort_files

    if arrived.fingerprint == arrived.identity:
        return  # a volume file
    former = select(Study).where(Study.identity == arrived.identity, Study.fingerprint == Study.identity)
    with store.reading() as session:
        unknown = [(one.id, one.upload, one.label) for one in session.scalars(former)]
    for study, upload, label in unknown:
        if not settings.files_of(upload).is_dir():
            continue
        kept = {one.label: one.fingerprint for one in sort_files(settings.files_of(upload), lambda *_: None).studies}
        if label in kept:
            with store.writing() as session:
                session.get_one(Study, study).fingerprint = kept[label]


def _entered(settings: Settings, store: Store, upload: str, arrived: Arrived) -> _Placed:
    try:
        return _entered_once(settings, store, upload, arrived)
    except IntegrityError:
        # Another upload brought it at the same moment: its study is there now.
        return _entered_once(settings, store, upload, arrived)


def _entered_once(settings: Settings, store: Store, upload: str, arrived: Arrived) -> _Placed:
    with store.writing() as session:
        source = session.get_one(Upload, upload)
        same = select(Study).where(Study.fingerprint == arrived.fingerprint).with_for_update()
        known = session.scalars(same).first()
        if known is None:
            known = _to_mend(session, settings, arrived, source)
            return _new(session, arrived, source) if known is None else _mended(session, known, arrived, source)
        let_see(session, known, source)
        if known.upload == upload:
            return _Placed(known.id)
        if known.state == "failed" or _is_bare(settings, known):
            return _mended(session, known, arrived, source)
        return _Placed(known.id, AGAIN)


def _is_bare(settings: Settings, study: Study) -> bool:
    return not settings.files_of(study.upload).is_dir()


def _to_mend(session: Session, settings: Settings, arrived: Arrived, source: Upload) -> Study | None:
    """A study of the same objects with other pixels, or such that cannot be compared, which these may replace.

    That is one that failed and was never read, so that nobody has seen its images; or one of before version 0003 that
    has no files any more, where its owner brings them.
    """
    alike = select(Study).where(Study.identity == arrived.identity).with_for_update()
    for study in session.scalars(alike):
        is_mine = study.owner == source.owner
        is_former = study.fingerprint == study.identity
        if study.state == "failed" and not _was_read(session, study) and (is_mine or study.everyone):
            return study
        if is_mine and is_former and _is_bare(settings, study):
            return study
    return None


def _was_read(session: Session, study: Study) -> bool:
    return bool(session.scalar(select(exists().where(Reading.study == study.id))))


def _new(session: Session, arrived: Arrived, source: Upload) -> _Placed:
    study = Study(owner=source.owner, everyone=source.everyone, state="arrived", **_fields(arrived, source))
    session.add(study)
    session.flush()
    queue.put(session, "read", study.id)
    audit.note(session, source.owner, "arrived", study.id, upload=source.id)
    return _Placed(study.id)


def _fields(arrived: Arrived, source: Upload) -> dict[str, Any]:
    patient = arrived.patient
    return {
        "upload": source.id, "label": arrived.label, "identity": arrived.identity, "fingerprint": arrived.fingerprint,
        "uid": arrived.uid[:80], "kind": arrived.kind, "patient_id": patient.id[:120],
        "patient_name": patient.name[:255], "birth_date": arrived.birth_date, "sex": patient.sex, "date": arrived.date,
    }  # fmt: skip


def _mended(session: Session, study: Study, arrived: Arrived, source: Upload) -> _Placed:
    """The study goes on with the files of the upload; it is read again where it had failed, unless readers see it."""
    left, was_read = study.upload, _was_read(session, study)
    fields = _fields(arrived, source)
    for name in fields if not was_read else ("upload", "label", "identity", "fingerprint"):
        setattr(study, name, fields[name])
    if study.state == "failed" and not is_in_trial(session, study.id):
        study.state, study.progress, study.problem = "arrived", 0.0, ""
        queue.put(session, "read", study.id)
    audit.note(session, source.owner, "files replaced", study.id, upload=source.id, before=left)
    # Where it was read, work on its Readings may still have the former files open.
    return _Placed(study.id, MENDED, "" if was_read else left)


def let_see(session: Session, study: Study, source: Upload) -> None:
    """Whoever brings the images of a closed study sees it, since he has them."""
    if study.everyone or study.owner == source.owner or session.get(User, source.owner) is None:
        return
    if session.get(Grant, (study.id, source.owner)) is None:
        session.add(Grant(study=study.id, user=source.owner))
        audit.note(session, source.owner, "access by upload", study.id, upload=source.id)


def _remove_unused(settings: Settings, store: Store, upload: str) -> None:
    """Remove the files of an upload whose studies all have others; those stay where a file was refused."""
    with store.reading() as session:
        row = session.get(Upload, upload)
        is_used = session.scalar(select(exists().where(Study.upload == upload)))
        if row is None or is_used or not row.studies or any(note["level"] == "refused" for note in row.notes):
            return
    try:
        remove(settings.uploads / upload)
    except OSError as error:
        LOG.warning("upload %s, which no study needs, stays: %s", upload, error)
