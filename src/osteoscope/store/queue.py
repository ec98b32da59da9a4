"""Work that outlives the server: a job is a row, taken by one worker, and queued again after a crash."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select, update
from sqlalchemy.orm import Session, aliased

from osteoscope.store.rows import Job, now

MOST_ATTEMPTS = 3
_SAME_FILES = ("deliver", "send")  # one writes what the other sends


def put(session: Session, kind: str, subject: str) -> Job:
    """A new job; the one that is waiting already where there is one for the same subject."""
    waiting = select(Job).where(Job.kind == kind, Job.subject == subject, Job.state == "queued")
    job = session.scalars(waiting).first()
    if job is None:
        job = Job(kind=kind, subject=subject, state="queued", attempts=0)
        session.add(job)
        session.flush()
    return job


def take(session: Session, kinds: Sequence[str]) -> Job | None:
    """The oldest waiting job of these kinds that gets in no other's way, now running.

    None where nothing waits or another took it.
    """
    waiting = select(Job.id).where(Job.state == "queued", Job.kind.in_(kinds), ~_is_held_up())
    number = session.scalar(waiting.order_by(Job.id).limit(1))
    if number is None:
        return None
    mine = update(Job).where(Job.id == number, Job.state == "queued")
    taken = session.execute(mine.values(state="running", started=now(), attempts=Job.attempts + 1))
    return session.get(Job, number) if taken.rowcount == 1 else None  # type: ignore[attr-defined]


def _is_held_up() -> ColumnElement[bool]:
    """Whether another job on the same files is running, or comes first."""
    other = aliased(Job)
    alike = or_(other.kind == Job.kind, and_(other.kind.in_(_SAME_FILES), Job.kind.in_(_SAME_FILES)))
    ahead = or_(other.state == "running", and_(other.state == "queued", other.id < Job.id))
    return exists().where(other.subject == Job.subject, alike, ahead)


def latest(session: Session, kind: str, subject: str) -> Job | None:
    """The last job of a kind for a subject."""
    query = select(Job).where(Job.kind == kind, Job.subject == subject)
    return session.scalars(query.order_by(Job.id.desc())).first()


def finish(session: Session, job: int, problem: str = "", result: dict[str, Any] | None = None) -> None:
    """Mark a job as done, or as failed where there is a problem."""
    values = {"state": "failed" if problem else "done", "problem": problem, "result": result}
    session.execute(update(Job).where(Job.id == job).values(**values))


def give_back(session: Session, job: int, problem: str) -> bool:
    """Queue a job again whose worker died; False where that happened too often and it has failed for good."""
    row = session.get(Job, job)
    if row is None or row.state != "running":
        return True
    again = row.attempts < MOST_ATTEMPTS
    row.state, row.problem = ("queued", "") if again else ("failed", problem)
    return again


def lost(session: Session, worked_on: Collection[int]) -> tuple[Job, ...]:
    """Jobs that say they are running, and that nobody works on."""
    running = select(Job).where(Job.state == "running").order_by(Job.id)
    return tuple(job for job in session.scalars(running) if job.id not in worked_on)


def take_up(session: Session, worked_on: Collection[int]) -> tuple[int, ...]:
    """Queue again what was lost; that does not count as an attempt, since no worker failed."""
    again = lost(session, worked_on)
    for job in again:
        job.state, job.attempts = "queued", max(0, job.attempts - 1)
    return tuple(job.id for job in again)
