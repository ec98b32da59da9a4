"""The audit trail: rows are added, never changed."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from osteoscope.store.rows import Audit


def note(session: Session, user: str, action: str, study: str | None = None, address: str = "", **detail: Any) -> None:
    """Add a line."""
    session.add(Audit(user=user[:100], action=action, study=study, address=address[:64], detail=detail))


def lines(session: Session, study: str = "", limit: int = 1000) -> tuple[Audit, ...]:
    """The latest lines, of one study where it is named, newest first."""
    query = select(Audit).order_by(Audit.id.desc()).limit(limit)
    return tuple(session.scalars(query.where(Audit.study == study) if study else query))
