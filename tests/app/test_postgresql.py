"""The whole way of a study, from upload to signature and a reader study, on PostgreSQL."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier, Event
from typing import Any

import pydicom
import pytest
from postgres import new_database, running
from serving import PASSWORD, Served, another_study, serve, who
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from osteoscope.app.intake import intake
from osteoscope.app.server import open_server
from osteoscope.app.settings import Settings
from osteoscope.deliver.review import files
from osteoscope.errors import OutputError
from osteoscope.store.people import add_user
from osteoscope.store.readings import body_of, packed
from osteoscope.store.rows import Study, TrialCase, Upload


@pytest.fixture
def on_postgresql(tmp_path: Path) -> Iterator[Served]:
    for server in running():
        one = serve(Settings(tmp_path / "home", database=new_database(server)))
        with one.store.writing() as session:
            for name, role in (("ada", "admin"), ("sig", "signer"), ("rea", "reader")):
                add_user(session, name, PASSWORD, role)
        yield one
        one.store.engine.dispose()


def test_a_study_is_uploaded_read_edited_signed_and_amended(
    on_postgresql: Served, child: list[tuple[str, bytes]]
) -> None:
    page = on_postgresql.login("sig")
    page.send(child)
    assert on_postgresql.work() == []
    study = on_postgresql.study
    page.post(f"/api/studies/{study}/edits", {"edit": {"op": "level", "site": "skull", "level": 3}})
    page.post(f"/api/studies/{study}/undo")
    page.post(f"/api/studies/{study}/redo")
    assert page.get("/api/studies", search="simulated")["items"][0]["id"] == study
    page.post(f"/api/studies/{study}/sign", who(page, study))
    page.post(f"/api/studies/{study}/amend", {"reason": "a second look"})
    page.post(f"/api/studies/{study}/edits", {"edit": {"op": "level", "site": "skull", "level": 4}})
    page.post(f"/api/studies/{study}/sign", who(page, study))
    assert sorted(r["state"] for r in page.get(f"/api/studies/{study}")["readings"]) == ["amended", "done", "signed"]

    other = another_study(on_postgresql, "second", "2026-06-01")
    assert page.get(f"/api/studies/{other}")["priors"][0]["id"] == study
    body = {"name": "pilot", "studies": [study, other], "readers": ["rea"], "phases": ["alone"]}
    trial = on_postgresql.login("ada").post("/api/trials", body)["id"]
    reader = on_postgresql.login("rea")
    assert reader.get("/api/studies")["total"] == 0
    case = reader.get(f"/api/trials/{trial}/next")["case"]
    reader.get(f"/api/trials/{trial}/cases/{case}")
    assert reader.post(f"/api/trials/{trial}/cases/{case}/finish", {"seconds": 3})["done"] == 1
    actions = [line["action"] for line in on_postgresql.login("ada").get("/api/audit", study=study)]
    assert actions.count("sign") == 2


def test_two_uploads_of_one_study_at_the_same_moment_find_the_same(
    on_postgresql: Served, child: list[tuple[str, bytes]]
) -> None:
    uploads = [on_postgresql.login(name).send(child)["upload"] for name in ("sig", "rea")]
    both_looked = Barrier(2, timeout=30)

    @event.listens_for(Session, "before_flush")
    def meet(session: Session, *_: Any) -> None:
        if any(isinstance(row, Study) for row in session.new):
            both_looked.wait()

    try:
        with ThreadPoolExecutor(2) as workers:
            list(workers.map(lambda upload: intake(on_postgresql.settings, on_postgresql.store, upload), uploads))
    finally:
        event.remove(Session, "before_flush", meet)
    page = on_postgresql.login("ada")
    found = [page.get(f"/api/uploads/{upload}") for upload in uploads]
    assert found[0]["studies"] == found[1]["studies"] == [on_postgresql.study]
    assert sorted(len(one["notes"]) for one in found) == [0, 1]


def test_an_edit_at_the_moment_when_a_case_is_finished_takes_nothing_from_it(
    on_postgresql: Served, child: list[tuple[str, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    on_postgresql.login("sig").send(child)
    assert on_postgresql.work() == []
    body = {"name": "pilot", "studies": [on_postgresql.study], "readers": ["rea"], "phases": ["alone"]}
    trial = on_postgresql.login("ada").post("/api/trials", body)["id"]
    reader = on_postgresql.login("rea")
    url = f"/api/trials/{trial}/cases/{reader.get(f'/api/trials/{trial}/next')['case']}"
    reader.get(url)
    reader.post(f"{url}/edits", {"edit": {"op": "level", "site": "skull", "level": 3}})
    finishing = Event()

    def finish_slowly(body: bytes) -> bytes:
        finishing.set()
        time.sleep(2)
        return packed(body)

    def edit() -> int:
        assert finishing.wait(30)
        late = {"edit": {"op": "level", "site": "skull", "level": 1}}
        return reader.client.post(f"{url}/edits", json=late, headers={"X-CSRF-Token": reader.csrf}).status_code

    monkeypatch.setattr("osteoscope.app.trial_cases.packed", finish_slowly)
    with ThreadPoolExecutor(1) as other:
        late = other.submit(edit)
        assert reader.post(f"{url}/finish", {"seconds": 3})["done"] == 1
    assert late.result() == 409
    with on_postgresql.store.reading() as session:
        case = session.scalars(select(TrialCase)).one()
        assert b'"set by rea"' in body_of(session, str(case.reading))


def with_a_nul(data: bytes, keyword: str) -> bytes:
    dataset, out = pydicom.dcmread(io.BytesIO(data)), io.BytesIO()
    setattr(dataset, keyword, "Odd\x00 One")
    dataset.save_as(out)
    return out.getvalue()


def test_a_header_with_a_nul_loses_no_study(
    on_postgresql: Served, child: list[tuple[str, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = on_postgresql.login("rea")
    for keyword in ("SeriesDescription", "PatientName"):
        page.send([(name, with_a_nul(data, keyword)) for name, data in child])
        intake(on_postgresql.settings, on_postgresql.store, uploads(on_postgresql)[-1])
    items = page.get("/api/studies")["items"]
    assert sorted(item["patient_name"] for item in items) == ["Odd One", items[-1]["patient_name"]]
    assert len(items) == 2

    sort_files = files.sort_files

    def odd_one_first(folder: Path, *more: Any) -> files.Sorted:
        (one,) = sort_files(folder, *more).studies
        odd = replace(one, label="odd", fingerprint="odd", patient=replace(one.patient, name="\x00"))
        return files.Sorted((odd, replace(one, fingerprint="new")), ())

    monkeypatch.setattr(files, "sort_files", odd_one_first)
    upload = page.send(child)["upload"]
    intake(on_postgresql.settings, on_postgresql.store, upload)
    state = page.get(f"/api/uploads/{upload}")
    assert (state["state"], len(state["studies"])) == ("done", 1)
    assert [(note["level"], note["file"]) for note in state["notes"]] == [("refused", "odd")]


def uploads(served: Served) -> list[str]:
    with served.store.reading() as session:
        return [one.id for one in session.scalars(select(Upload).order_by(Upload.arrived))]


def test_what_the_database_cannot_keep_is_the_fault_of_who_sends_it(on_postgresql: Served) -> None:
    answer = on_postgresql.client.post("/api/login", json={"name": "a\x00", "password": PASSWORD})
    assert (answer.status_code, answer.json()["detail"]["remedy"]) == (400, "Leave out control characters")
    on_postgresql.login("ada").get("/api/studies/%00", 400)


def test_a_server_of_another_home_is_refused_the_same_database(tmp_path: Path) -> None:
    for server in running():
        database = new_database(server)
        first = open_server(Settings(tmp_path / "one", database=database))
        with pytest.raises(OutputError, match="another home uses it"):
            open_server(Settings(tmp_path / "two", database=database))
        other = open_server(Settings(tmp_path / "three", database=new_database(server)))
        first.alone.close()
        again = open_server(Settings(tmp_path / "two", database=database))
        for one in (first, other, again):
            one.alone.close()
            one.store.engine.dispose()
