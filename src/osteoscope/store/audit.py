"""The audit trail: rows are added, never changed."""

from __future__ import annotations

import threading
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from osteoscope.store.engine import Store
from osteoscope.store.rows import Audit


def note(session: Session, user: str, action: str, study: str | None = None, address: str = "", **detail: Any) -> None:
    """Add a line."""
    session.add(Audit(user=user[:100], action=action, study=study, address=address[:64], detail=detail))


class Ledger:
    """Lines of views, many in one transaction: each caller waits until his is kept, and one writes for all who wait."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._adding, self._keeping = threading.Lock(), threading.Lock()
        self._batch = _Batch()

    def note(self, user: str, action: str, study: str | None = None, address: str = "", **detail: Any) -> None:
        """Add a line; it is kept when this returns.

        Raises:
            SQLAlchemyError: it cannot be kept.
        """
        row = Audit(user=user[:100], action=action, study=study, address=address[:64], detail=detail)
        with self._adding:
            mine = self._batch
            mine.rows.append(row)
        with self._keeping:
            if not mine.done:
                with self._adding:
                    self._batch = _Batch()
                self._keep(mine)
        if mine.error is not None:
            raise mine.error

    def _keep(self, batch: _Batch) -> None:
        try:
            with self._store.writing() as session:
                session.add_all(batch.rows)
        except SQLAlchemyError as error:
            batch.error = error
        finally:
            batch.done = True


class _Batch:
    """Lines that wait for one transaction."""

    def __init__(self) -> None:
        self.rows: list[Audit] = []
        self.done = False
        self.error: SQLAlchemyError | None = None


def lines(session: Session, study: str = "", limit: int = 1000) -> tuple[Audit, ...]:
    """The latest lines, of one study where it is named, newest first."""
    query = select(Audit).order_by(Audit.id.desc()).limit(limit)
    return tuple(session.scalars(query.where(Audit.study == study) if study else query))
