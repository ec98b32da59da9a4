"""What workers do. Heavy rooms are imported when a job runs, in the worker's own process."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from osteoscope.app.results import comparison_folder, folder_of, strength_folder
from osteoscope.app.settings import Settings
from osteoscope.app.standing import of_version, stored
from osteoscope.domain import codec
from osteoscope.errors import OsteoscopeError, OutputError
from osteoscope.store import audit, queue
from osteoscope.store.engine import Store
from osteoscope.store.readings import body_of, packed
from osteoscope.store.rows import BEING_READ, Comparison, Grant, Reading, StrengthTest, Study, Upload, User

if TYPE_CHECKING:
    from pathlib import Path

    from osteoscope.deliver.review.files import Arrived
    from osteoscope.deliver.review.standing import Standing

Result = dict[str, Any] | None
Job = Callable[[Settings, Store, str], Result]
_Once = type[Comparison] | type[StrengthTest]
_TELL_SECONDS = 0.5
ALREADY_HERE = "the same images of the same patient are here already"


def intake(settings: Settings, store: Store, upload: str) -> Result:
    """Sort an upload into studies, each with a job that reads it."""
    from osteoscope.deliver.review.files import sort_files

    _set_upload(store, upload, state="sorting")
    found = sort_files(settings.files_of(upload), lambda *_: None)

    placed = [(arrived, *_entered(store, upload, arrived)) for arrived in found.studies]
    notes = [codec.encode(note) for note in found.notes]
    notes += [
        {"level": "set_aside", "problem": ALREADY_HERE, "action": "the study that was here is shown", "file": a.label}
        for a, _, again in placed
        if again
    ]
    _set_upload(store, upload, state="done", notes=notes, studies=[study for _, study, _ in placed])
    return {"studies": len(placed)}


def _entered(store: Store, upload: str, arrived: Arrived) -> tuple[str, bool]:
    """The study, and whether another upload brought it before."""
    try:
        return _entered_once(store, upload, arrived)
    except IntegrityError:
        # Another upload brought it at the same moment: its study is there now.
        return _entered_once(store, upload, arrived)


def _entered_once(store: Store, upload: str, arrived: Arrived) -> tuple[str, bool]:
    with store.writing() as session:
        known = session.scalars(select(Study).where(Study.fingerprint == arrived.fingerprint)).first()
        source = session.get_one(Upload, upload)
        if known is not None:
            let_see(session, known, source)
            return known.id, known.upload != upload
        patient = arrived.patient
        study = Study(
            upload=upload, fingerprint=arrived.fingerprint, label=arrived.label, uid=arrived.uid[:80],
            kind=arrived.kind, patient_id=patient.id[:120], patient_name=patient.name[:255],
            birth_date=arrived.birth_date, sex=patient.sex, date=arrived.date,
            owner=source.owner, everyone=source.everyone, state="arrived",
        )  # fmt: skip
        session.add(study)
        session.flush()
        queue.put(session, "read", study.id)
        audit.note(session, source.owner, "arrived", study.id, upload=upload)
        return study.id, False


def let_see(session: Session, study: Study, source: Upload) -> None:
    """Whoever brings the images of a closed study sees it, since he has them."""
    if study.everyone or study.owner == source.owner or session.get(User, source.owner) is None:
        return
    if session.get(Grant, (study.id, source.owner)) is None:
        session.add(Grant(study=study.id, user=source.owner))
        audit.note(session, source.owner, "access by upload", study.id, upload=source.id)


def _set_upload(store: Store, upload: str, **values: Any) -> None:
    with store.writing() as session:
        row = session.get_one(Upload, upload)
        for name, value in values.items():
            setattr(row, name, value)


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
    said = time.monotonic()

    def tell(_stage: str, done: int, of: int) -> None:
        nonlocal said
        if time.monotonic() - said > _TELL_SECONDS:
            said = time.monotonic()
            with store.writing() as session:
                session.get_one(Study, study).progress = done / of

    folder = settings.folder_of(study)
    folder.mkdir(parents=True, exist_ok=True)
    reading = read_one(settings.files_of(upload), label, folder, tell, tracer)
    body = (folder / "program" / "reading.json").read_bytes()
    totals = {name: reading.measure(name) for name in ("siopen_total", "curie_total")}
    with store.writing() as session:
        row = session.get_one(Study, study, with_for_update=True)
        session.add(Reading(study=study, reader=reading.reader.name, kind="program", state="done", body=packed(body)))
        if row.state == "reading":
            for name, total in totals.items():
                setattr(row, name, None if total is None else round(total.value))
            record = reading.study
            row.uid, row.date = record.uid[:80], record.date
            row.patient_id, row.patient_name = record.patient.id[:120], record.patient.name[:255]
            row.sex, row.lesions = record.patient.sex, len(reading.findings)
            row.state, row.progress = "read", 1.0
        audit.note(session, reading.reader.name, "read", study)
    return {"findings": len(reading.findings)}


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
    except OsteoscopeError as error:
        with store.writing() as session:
            audit.note(session, row.reader, "not sent", row.study, reading=reading, problem=str(error)[:500])
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


def _progress_of(store: Store, of: _Once, row: str) -> Callable[[str, int, int], None]:
    def tell(_stage: str, done: int, all_of: int) -> None:
        with store.writing() as session:
            session.execute(update(of).where(of.id == row).values(progress=done / max(all_of, 1)))

    return tell


JOBS: Mapping[str, Job] = {
    "intake": intake,
    "read": read,
    "compare": compare,
    "strength": strength,
    "deliver": deliver,
    "send": send,
}
