"""How far a piece of work is that a worker does once for the Readings that it rests on."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel
from sqlalchemy.orm import Session

from osteoscope.store import queue
from osteoscope.store.rows import Comparison, StrengthTest


class Work(BaseModel):
    """Its state; "absent" where it was never begun, or its files are gone."""

    state: Literal["absent", "queued", "running", "done", "failed"]
    progress: float = 0.0
    problem: str = ""


def progress_of(session: Session, kind: str, row: Comparison | StrengthTest, result: Path) -> dict[str, Any]:
    """The fields of `Work` of the job of that kind for a row; it is done once its result is there."""
    job = queue.latest(session, kind, row.id)
    if job is None or (job.state == "done" and not result.is_file()):
        return {"state": "absent"}
    return {"state": job.state, "progress": 1.0 if job.state == "done" else row.progress, "problem": job.problem}


def begin(session: Session, kind: str, row: Comparison | StrengthTest) -> None:
    """Keep the row and queue its job; what waits already is not queued again."""
    row.progress = 0.0
    session.add(row)
    queue.put(session, kind, row.id)
