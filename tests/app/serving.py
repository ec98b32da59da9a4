"""A server under test, and a browser for it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import select

from osteoscope.app import worker
from osteoscope.app.intake import intake
from osteoscope.app.jobs import JOBS
from osteoscope.app.server import build, open_server
from osteoscope.app.settings import Settings
from osteoscope.store import queue
from osteoscope.store.engine import Store
from osteoscope.store.people import add_user, first_link
from osteoscope.store.readings import body_of, packed
from osteoscope.store.rows import Job, Reading, Study

PASSWORD = "correct horse battery"  # noqa: S105 - of tests


def work_off(settings: Settings, store: Store) -> list[str]:
    """Do all waiting jobs here and now; the problems of those that failed."""
    problems: list[str] = []
    while True:
        with store.writing() as session:
            job = queue.take(session, tuple(JOBS))
        if job is None:
            return problems
        result = JOBS[job.kind](settings, store, job.subject)
        with store.writing() as session:
            queue.finish(session, job.id, "", result)


def sorted_only(served: Served) -> None:
    """Sort what waits, without reading it."""
    while True:
        with served.store.writing() as session:
            job = queue.take(session, ("intake",))
        if job is None:
            return
        intake(served.settings, served.store, job.subject)
        with served.store.writing() as session:
            queue.finish(session, job.id)


def worked_off(served: Served) -> list[str]:
    """Do all waiting jobs as a worker does; what became of each, "" where it is done."""
    problems: list[str] = []
    while True:
        with served.store.writing() as session:
            job = queue.take(session, tuple(JOBS))
        if job is None:
            return problems
        problem, result = worker._outcome(served.settings, served.store, job.id)
        worker._finish(served.store, job.id, problem, result)
        problems.append(problem)


@dataclass
class Page:
    """A logged-in browser, so to say."""

    client: TestClient
    csrf: str

    def get(self, url: str, status: int = 200, **parameters: Any) -> Any:
        answer = self.client.get(url, params=parameters)
        assert answer.status_code == status, answer.text
        return answer.json()

    def post(self, url: str, body: Any = None, status: int = 200, **more: Any) -> Any:
        answer = self.client.post(url, json=body, headers={"X-CSRF-Token": self.csrf}, **more)
        assert answer.status_code == status, answer.text
        return answer.json()

    def send(self, files: list[tuple[str, bytes]], status: int = 200) -> Any:
        parts = [("files", file) for file in files]
        answer = self.client.post("/api/uploads", files=parts, headers={"X-CSRF-Token": self.csrf})
        assert answer.status_code == status, answer.text
        return answer.json()


@dataclass
class Served:
    """A server under test."""

    settings: Settings
    store: Store
    client: TestClient

    def login(self, name: str) -> Page:
        client = TestClient(self.client.app)
        answer = client.post("/api/login", json={"name": name, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return Page(client, answer.json()["csrf"])

    def work(self) -> list[str]:
        return work_off(self.settings, self.store)

    @property
    def study(self) -> str:
        with self.store.reading() as session:
            return str(session.scalars(select(Study.id).order_by(Study.arrived)).first())

    def jobs(self) -> list[tuple[str, str]]:
        with self.store.reading() as session:
            return [(job.kind, job.state) for job in session.scalars(select(Job).order_by(Job.id))]


def serve(settings: Settings) -> Served:
    server = open_server(settings, work=False)
    return Served(settings, server.store, TestClient(build(server)))


def files_of(folder: Path) -> list[tuple[str, bytes]]:
    """Name and content of every file, to be uploaded."""
    return [(path.name, path.read_bytes()) for path in sorted(folder.rglob("*")) if path.is_file()]


def fill(home: Path, owner: str, files: list[tuple[str, bytes]]) -> None:
    """A home with users ada (admin), sig (signer), rea (reader) and one read study of the owner's."""
    served = serve(Settings(home))
    with served.store.writing() as session:
        for name, role in (("ada", "admin"), ("sig", "signer"), ("rea", "reader")):
            add_user(session, name, PASSWORD, role)
    served.login(owner).send(files)
    assert served.work() == []
    served.store.engine.dispose()


@contextmanager
def copied(home: Path, to: Path) -> Iterator[Served]:
    """A server on a copy of a home."""
    shutil.copytree(home, to)
    one = serve(Settings(to))
    yield one
    one.store.engine.dispose()


def who(page: Page, study: str) -> dict[str, str]:
    """What is repeated to sign a study as it is shown now."""
    item = page.get(f"/api/studies/{study}")
    names = {"patient_id": "patient_id", "birth_date": "birth_date", "name": "patient_name"}
    return {**{key: item[name] for key, name in names.items()}, "version": item["draft"]["version"]}


def link_of(served: Served) -> str:
    with served.store.writing() as session:
        return str(first_link(session))


def another_study(served: Served, name: str, date: str) -> str:
    """A copy of the study that was read, of another date, as if it had arrived and been read too."""
    first = served.study
    with served.store.writing() as session:
        study = session.get_one(Study, first)
        program = session.scalars(select(Reading).where(Reading.study == first, Reading.kind == "program")).one()
        plain = json.loads(body_of(session, program.id))
        plain["study"] |= {"uid": f"2.25.{len(name)}{date.replace('-', '')}", "date": date}
        plain["provenance"]["inputs"] = [{"file": name, "sha256": name}]
        session.add(
            Study(
                id=name, upload=study.upload, fingerprint=name, label=study.label, kind=study.kind, owner=study.owner,
                patient_id=study.patient_id, patient_name=study.patient_name, date=date, state="read",
                arrived="2027-01-01T00:00:00.000+00:00",
            )
        )  # fmt: skip
        session.flush()
        body = packed(json.dumps(plain).encode())
        session.add(Reading(study=name, reader=program.reader, kind="program", state="done", body=body))
    shutil.copytree(served.settings.folder_of(first), served.settings.folder_of(name))
    units = served.settings.folder_of(name) / "program" / "units.json"
    if units.is_file():
        units.write_text(json.dumps(json.loads(units.read_text()) | {"study": plain["study"]["uid"]}))
    return name
