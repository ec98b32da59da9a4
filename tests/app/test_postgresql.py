"""The whole way of a study, from upload to signature and a reader study, on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from postgres import new_database, running
from serving import PASSWORD, Served, another_study, serve, who
from sqlalchemy import event
from sqlalchemy.orm import Session

from osteoscope.app.jobs import intake
from osteoscope.app.settings import Settings
from osteoscope.store.people import add_user
from osteoscope.store.rows import Study


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
