"""Routes of a bone's strength: which bones can be tested, a test by a worker, its result and pictures."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import FileResponse
from pydantic import BaseModel
from sqlalchemy.orm import Session

from osteoscope.app.context import AddressDep, Json, PersonDep, Server, ServerDep, study_for
from osteoscope.app.errors import Refused, not_there
from osteoscope.app.results import VIEWS, strength_folder
from osteoscope.app.standing import chosen, current_reading, version_of
from osteoscope.app.work import Work, begin, progress_of
from osteoscope.app.worklist import FILE_HEADERS
from osteoscope.store import audit, rows
from osteoscope.store.people import Person
from osteoscope.store.works import strength_test_of

_FIGURES = ("sections", "relief", "curve", "rigidity")
router = APIRouter(prefix="/api/studies/{study}/strength", tags=["strength"])


@dataclass(frozen=True)
class Asked:
    """A bone of a study and how it is loaded."""

    study: str
    site: str
    load_case: str


AskedDep = Annotated[Asked, Depends()]


class LoadedBone(BaseModel):
    """A bone and how it is loaded."""

    site: str
    load_case: str


class BoneChoice(BaseModel):
    """A bone of the study that can be tested, the number of its lesions, the load cases for it."""

    site: str
    lesions: int
    load_cases: list[str]


class StrengthResult(Work):
    """A test: ``record`` is strength.json of `osteoscope strength`, null until it is done; ``figures`` are files."""

    record: Json | None = None
    figures: tuple[str, ...] = ()


@router.get("/bones")
def bones(study: str, server: ServerDep, person: PersonDep) -> list[BoneChoice]:
    """Bones that can be tested, those with most lesions first."""
    from osteoscope.deliver.review.strength import load_cases

    with server.store.reading() as session:
        reading = current_reading(session, server.settings, study_for(session, person, study), person, "current")
    lesions = Counter(finding.site for finding in reading.findings)
    cases = load_cases(server.settings.folder_of(study) / VIEWS)
    found = [BoneChoice(site=site, lesions=lesions[site], load_cases=names) for site, names in cases.items()]
    return sorted(found, key=lambda bone: -bone.lesions)


@router.get("")
def strength(asked: AskedDep, server: ServerDep, person: PersonDep, address: AddressDep) -> StrengthResult:
    """How far the test of a bone is, with the lesions as they stand for the person."""
    with server.store.reading() as session:
        told = _told(session, server, _row(session, server, person, asked))
    if told.record is not None:
        server.ledger.note(person.name, "view strength", asked.study, address, site=asked.site)
    return told


@router.post("")
def begin_strength(
    study: str, body: LoadedBone, server: ServerDep, person: PersonDep, address: AddressDep
) -> StrengthResult:
    """Let a worker test the bone; what was tested already, or is being tested, is not begun again."""
    with server.store.writing() as session:
        row = _row(session, server, person, Asked(study, body.site, body.load_case))
        now = _told(session, server, row)
        if now.state in {"absent", "failed"}:
            begin(session, "strength", row)
            now = StrengthResult(state="queued")
        audit.note(session, person.name, "strength", study, address, site=row.site, load_case=row.load_case)
    server.wake()
    return now


@router.get("/files/{name:path}", response_class=FileResponse)
def strength_file(
    name: str, asked: AskedDep, server: ServerDep, person: PersonDep, address: AddressDep
) -> FileResponse:
    """A file of a test that is done: its report, a picture, a mesh for another solver."""
    with server.store.reading() as session:
        folder = strength_folder(server.settings, _row(session, server, person, asked))
    if name not in _files(folder):
        raise not_there("file")
    server.ledger.note(person.name, "file", asked.study, address, file=name, site=asked.site)
    return FileResponse(folder / name, headers=FILE_HEADERS)


def _files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _row(session: Session, server: Server, person: Person, asked: Asked) -> rows.StrengthTest:
    """The test by the Reading that stands for the person now; a new one need not be kept yet.

    Raises:
        NotYours, Refused: the study is not the person's to see, was not read, or has no such bone and load case.
    """
    from osteoscope.deliver.review.strength import load_cases

    study = study_for(session, person, asked.study)
    known = load_cases(server.settings.folder_of(study.id) / VIEWS)
    if asked.load_case not in known.get(asked.site, ()):
        there = ", ".join(f"{site} ({', '.join(cases)})" for site, cases in known.items()) or "none"
        what = f"load {asked.site[:40]!r} in {asked.load_case[:40]!r}"
        raise Refused(422, what, "no such bone or load case", f"Known: {there}")
    version = version_of(session, chosen(session, study, person, "current"))
    return strength_test_of(session, study.id, version, (asked.site, asked.load_case))


def _told(session: Session, server: Server, row: rows.StrengthTest) -> StrengthResult:
    folder = strength_folder(server.settings, row)
    path = folder / "strength.json"
    told = StrengthResult(**progress_of(session, "strength", row, path))
    if told.state == "done":
        told.record = json.loads(path.read_text(encoding="utf-8"))
        told.figures = tuple(
            f"figures/{path.name}" for kind in _FIGURES for path in folder.glob(f"figures/*_{kind}.png")
        )
    return told
