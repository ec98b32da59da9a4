"""A worker whose database is away for a moment, or for good."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from types import SimpleNamespace
from typing import Any

import pytest
from serving import Served
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from osteoscope.app import jobs, worker
from osteoscope.app.supervisor import DATABASE_AWAY, SETUP
from osteoscope.deliver.review import files
from osteoscope.domain.reading import Reading as Read
from osteoscope.store import engine, queue
from osteoscope.store.engine import Store, insist
from osteoscope.store.rows import Job, Reading, Study

AWAY = OperationalError("", {}, Exception("server closed the connection unexpectedly"))


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_INSIST_PAUSE_SECONDS", 0.0)


class Flaky(Store):
    """A database whose next writings fail."""

    def failing(self, times: int) -> None:
        object.__setattr__(self, "left", times)

    @contextmanager
    def writing(self) -> Iterator[Session]:
        left = getattr(self, "left", 0)
        if left:
            self.failing(left - 1)
            raise AWAY
        with super().writing() as session:
            yield session


def flaky(store: Store) -> Flaky:
    return Flaky(store.engine, store.turn)


def test_a_study_is_read_although_the_database_is_away_for_a_while(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = served.study
    read_one: Any = files.read_one
    served.login("sig").post(f"/api/studies/{study}/read", {})
    store = flaky(served.store)
    monkeypatch.setattr(jobs, "_TELL_SECONDS", -1.0)

    def told(*given: Any) -> Read:
        *of, tell, tracer = given
        store.failing(1)
        tell("pictures", 1, 2)
        read: Read = read_one(*of, tell, tracer)
        store.failing(2)
        return read

    monkeypatch.setattr(files, "read_one", told)
    jobs.read(served.settings, store, study)
    with served.store.reading() as session:
        assert session.get_one(Study, study).state == "read"
        assert session.scalar(select(func.count()).select_from(Reading)) == 2


def test_what_was_kept_although_the_connection_broke_is_not_kept_twice(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, keep = served.study, jobs._keep
    served.login("sig").post(f"/api/studies/{study}/read", {})
    broken = iter([True])

    def kept(*given: Any) -> None:
        keep(*given)
        if next(broken, False):
            raise AWAY

    monkeypatch.setattr(jobs, "_keep", kept)
    assert served.work() == []
    with served.store.reading() as session:
        assert session.scalar(select(func.count()).select_from(Reading)) == 2


def test_a_job_is_given_back_where_the_database_stays_away(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    with served.store.writing() as session:
        number = queue.put(session, "read", "s").id
    with served.store.writing() as session:
        queue.take(session, ("read",))
    setup = {**asdict(served.settings), "home": str(served.settings.home), "job": number}
    monkeypatch.setenv(SETUP, json.dumps(setup))
    monkeypatch.setattr(worker, "threading", SimpleNamespace(Thread=lambda **_: threading.Event()))
    monkeypatch.setattr(threading.Event, "start", lambda _: None, raising=False)
    monkeypatch.setattr("osteoscope.app.worker.os.nice", lambda _: 0)

    def away(*_: object) -> None:
        raise AWAY

    monkeypatch.setattr(worker, "JOBS", {"read": away})
    with pytest.raises(SystemExit) as ended:
        worker.main()
    assert ended.value.code == DATABASE_AWAY
    with served.store.reading() as session:
        assert session.get_one(Job, number).state == "running"


def test_insisting_ends_some_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_INSIST_SECONDS", 0.01)

    def away() -> None:
        raise AWAY

    with pytest.raises(OperationalError):
        insist(away)
