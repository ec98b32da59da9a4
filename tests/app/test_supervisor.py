"""Workers that cannot be started, whose end cannot be kept, and what they leave."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from serving import Served
from sqlalchemy.exc import OperationalError

from osteoscope.app import supervisor
from osteoscope.app.supervisor import DATABASE_AWAY, Supervisor
from osteoscope.store import queue
from osteoscope.store.rows import Job

AWAY = OperationalError("", {}, Exception("away"))


class Process:
    """A worker that runs until it is told its code."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.returncode: int | None = None
        self.stdin = None

    def poll(self) -> int | None:
        return self.returncode


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Process]:
    """The workers that were started, which do nothing."""
    made: list[Process] = []

    def start(_command: object, *, stdin: int, env: dict[str, str]) -> Process:
        assert stdin == subprocess.PIPE
        made.append(Process(env))
        return made[-1]

    monkeypatch.setattr(supervisor, "subprocess", SimpleNamespace(Popen=start, PIPE=subprocess.PIPE))
    return made


@pytest.fixture
def waiting(empty: Callable[..., Served]) -> Served:
    """A server with one job that waits."""
    served = empty()
    with served.store.writing() as session:
        queue.put(session, "read", "s")
    return served


def state(waiting: Served) -> tuple[str, int]:
    with waiting.store.reading() as session:
        job = session.get_one(Job, 1)
        return job.state, job.attempts


def test_a_job_whose_worker_cannot_be_started_is_tried_again(
    waiting: Served, started: list[Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    watching = Supervisor(waiting.settings, waiting.store)

    def no_memory(*_: object, **__: object) -> Any:
        raise OSError(12, "Cannot allocate memory")

    with monkeypatch.context() as patch:
        patch.setattr("osteoscope.app.supervisor.subprocess.Popen", no_memory)
        for _ in range(queue.MOST_ATTEMPTS + 1):
            with pytest.raises(OSError, match="memory"):
                watching._look()
    watching._look()
    assert state(waiting) == ("running", 1)
    assert len(started) == 1


def test_a_worker_stays_until_its_end_is_kept(
    waiting: Served, started: list[Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    watching = Supervisor(waiting.settings, waiting.store)
    watching._look()
    started[0].returncode = -9

    def away(*_: object) -> None:
        raise AWAY

    with monkeypatch.context() as patch:
        patch.setattr(queue, "give_back", away)
        for _ in range(2):
            with pytest.raises(OperationalError):
                watching._look()
    assert state(waiting) == ("running", 1)
    watching._look()
    assert state(waiting) == ("running", 2)
    assert len(started) == 2


@pytest.mark.parametrize(
    ("code", "why"), [(DATABASE_AWAY, "the database could not be reached"), (-9, "ended with code -9")]
)
def test_a_job_that_never_ends_well_says_why(waiting: Served, started: list[Process], code: int, why: str) -> None:
    watching = Supervisor(waiting.settings, waiting.store)
    for _ in range(queue.MOST_ATTEMPTS):
        watching._look()
        started[-1].returncode = code
    watching._look()
    with waiting.store.reading() as session:
        job = session.get_one(Job, 1)
        assert (job.state, job.problem) == ("failed", f"{'the worker ' * (code < 0)}{why}, 3 times")


def test_what_a_worker_writes_for_itself_is_gone_when_it_ends_and_after_a_crash(
    waiting: Served, started: list[Process]
) -> None:
    left = waiting.settings.home / "scratch" / "7" / "osteoscope-abc"
    left.mkdir(parents=True)
    watching = Supervisor(waiting.settings, waiting.store)
    watching._closing.set()
    watching.run()
    assert not left.exists()

    watching = Supervisor(waiting.settings, waiting.store)
    watching._look()
    scratch = Path(started[0].environment["TMPDIR"])
    assert scratch.is_relative_to(waiting.settings.home)
    (scratch / "osteoscope-abc").mkdir()
    (scratch / "osteoscope-abc" / "ct.npy").write_bytes(b"patient")
    started[0].returncode = 0
    watching._look()
    assert list(scratch.iterdir()) == []  # of the worker that tries again
