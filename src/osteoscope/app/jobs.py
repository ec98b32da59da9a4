"""What workers do. Heavy rooms are imported when a job runs, in the worker's own process."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from osteoscope.app.intake import intake
from osteoscope.app.results import comparison_folder, folder_of, strength_folder
from osteoscope.app.settings import Settings
from osteoscope.app.standing import of_version, stored
from osteoscope.errors import OsteoscopeError, OutputError
from osteoscope.store import audit, queue
from osteoscope.store.engine import Store, insist
from osteoscope.store.readings import body_of, packed
from osteoscope.store.rows import BEING_READ, Comparison, Reading, StrengthTest, Study, new_id

if TYPE_CHECKING:
    from pathlib import Path

    from osteoscope.deliver.review.standing import Standing
    from osteoscope.domain.reading import Reading as Read

LOG = logging.getLogger("osteoscope.app")
Result = dict[str, Any] | None
Job = Callable[[Settings, Store, str], Result]
Progress = Callable[[str, int, int], None]
_Watched = type[Study] | type[Comparison] | type[StrengthTest]
_TELL_SECONDS = 0.5


def read(settings: Settings, store: Store, study: str) -> Result:
    """Read a study as `osteoscope read` does; its Reading becomes a row, its files lie in the study's folder."""
    from osteoscope.deliver.review.files import read_one

    with store.writing() as session:
        row = session.get_one(Study, study, with_for_update=True)
        if row.state not in BEING_READ:
            # A worker that died between keeping what it read and ending its job: people may have gone on since.
            return None
        row.state, row.progress, row.problem = "reading", 0.0, ""
        upload, label, tracer = row.upload, row.label, row.tracer
    folder = settings.folder_of(study)
    folder.mkdir(parents=True, exist_ok=True)
    tell = _now_and_then(_progress_of(store, Study, study))
    reading = read_one(settings.files_of(upload), label, folder, tell, tracer)
    body = packed((folder / "program" / "reading.json").read_bytes())
    number = new_id()
    insist(lambda: _keep(store, study, reading, (number, body)))
    return {"findings": len(reading.findings)}


def _keep(store: Store, study: str, reading: Read, stored_as: tuple[str, bytes]) -> None:
    """Keep what was read, once, however often it is asked for."""
    number, body = stored_as
    totals = {name: reading.measure(name) for name in ("siopen_total", "curie_total")}
    with store.writing() as session:
        row = session.get_one(Study, study, with_for_update=True)
        if session.get(Reading, number) is not None:
            return
        who = reading.reader.name
        session.add(Reading(id=number, study=study, reader=who, kind="program", state="done", body=body))
        if row.state == "reading":
            for name, total in totals.items():
                setattr(row, name, None if total is None else round(total.value))
            record = reading.study
            row.uid, row.date = record.uid[:80], record.date
            row.patient_id, row.patient_name = record.patient.id[:120], record.patient.name[:255]
            row.sex, row.lesions = record.patient.sex, len(reading.findings)
            row.state, row.progress = "read", 1.0
        audit.note(session, who, "read", study)


def deliver(settings: Settings, store: Store, reading: str) -> Result:
    """Write the files of a signed Reading; with a PACS, a job that sends them follows."""
    from osteoscope.deliver.review.sign import deliver_signed

    with store.reading() as session:
        row = session.get_one(Reading, reading)
        study = session.get_one(Study, row.study)
        body = body_of(session, reading)
    out = folder_of(settings, study.id, row)
    out.parent.mkdir(parents=True, exist_ok=True)
    files = settings.files_of(study.upload)
    gaps = deliver_signed(files, study.label, settings.folder_of(study.id), body, out)
    with store.writing() as session:
        if settings.pacs:
            queue.put(session, "send", reading)
        audit.note(session, row.reader, "delivered", study.id, reading=reading)
    return {"notes": [f"{gap.step}: {gap.reason}" for gap in gaps]}


def send(settings: Settings, store: Store, reading: str) -> Result:
    """Send the DICOM objects of a signed Reading to the PACS; none where its images are no DICOM."""
    from osteoscope.deliver.outputs import NOT_DICOM
    from osteoscope.dicom.send import send as store_at

    with store.reading() as session:
        row = session.get_one(Reading, reading)
        objects = sorted(folder_of(settings, row.study, row).rglob("*.dcm"))
        if not objects and any(gap.step == NOT_DICOM.step for gap in stored(session, reading).gaps):
            return {"instances": []}
    try:
        sent = store_at(_some(objects), settings.pacs)
    except Exception as error:
        problem = str(error) if isinstance(error, OsteoscopeError) else f"{type(error).__name__}: {error}"
        with store.writing() as session:
            audit.note(session, row.reader, "not sent", row.study, reading=reading, problem=problem[:500])
        raise
    with store.writing() as session:
        audit.note(session, row.reader, "sent", row.study, reading=reading, instances=len(sent.instances))
    return {"instances": list(sent.instances)}


def _some(objects: list[Path]) -> list[Path]:
    if not objects:
        found, remedy = "no DICOM object was written", "Check the disk of the server, then send again: that writes anew"
        raise OutputError("send to the PACS", found, remedy)
    return objects


def compare(settings: Settings, store: Store, comparison: str) -> Result:
    """Compare two CTs of one patient; the result lies in the folder of the later one."""
    from osteoscope.deliver.review.comparison import compare_dated

    with store.reading() as session:
        row = session.get_one(Comparison, comparison)
        earlier = _standing(session, settings, row.prior, row.earlier)
        later = _standing(session, settings, row.study, row.later)
    out = comparison_folder(settings, row)
    return {"lesions": compare_dated((earlier, later), out, _progress_of(store, Comparison, comparison))}


def strength(settings: Settings, store: Store, test: str) -> Result:
    """Test a bone, with and without its lesions; the result lies in the folder of its study."""
    from osteoscope.deliver.review.strength import load_standing

    with store.reading() as session:
        row = session.get_one(StrengthTest, test)
        standing = _standing(session, settings, row.study, row.version)
    bone, out = (row.site, row.load_case), strength_folder(settings, row)
    return {"tested": load_standing(standing, bone, out, _progress_of(store, StrengthTest, test))}


def _standing(session: Session, settings: Settings, study_id: str, version: str) -> Standing:
    from osteoscope.deliver.review.standing import Standing

    study = session.get_one(Study, study_id)
    reading = of_version(session, settings, study, version)
    return Standing(settings.files_of(study.upload), study.label, settings.folder_of(study.id), reading)


def _now_and_then(tell: Progress) -> Progress:
    said = time.monotonic()

    def tell_now_and_then(stage: str, done: int, all_of: int) -> None:
        nonlocal said
        if time.monotonic() - said > _TELL_SECONDS:
            said = time.monotonic()
            tell(stage, done, all_of)

    return tell_now_and_then


def _progress_of(store: Store, of: _Watched, row: str) -> Progress:
    """Keeps the progress in a row; where the database is away the work goes on without."""

    def tell(_stage: str, done: int, all_of: int) -> None:
        try:
            with store.writing() as session:
                session.execute(update(of).where(of.id == row).values(progress=done / max(all_of, 1)))
        except SQLAlchemyError as error:
            LOG.warning("progress is not kept: %s", error)

    return tell


JOBS: Mapping[str, Job] = {
    "intake": intake,
    "read": read,
    "compare": compare,
    "strength": strength,
    "deliver": deliver,
    "send": send,
}
