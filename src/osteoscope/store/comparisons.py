"""Comparisons of two CTs of one patient, each made once for the Readings that it rests on."""

from __future__ import annotations

import hashlib

from sqlalchemy.orm import Session

from osteoscope.store.rows import Comparison


def find_comparison(session: Session, study: str, prior: str, versions: tuple[str, str]) -> Comparison | None:
    """The comparison of a study with a prior, by the versions of their Readings (earlier, later)."""
    return session.get(Comparison, _id(study, prior, versions))


def put_comparison(session: Session, study: str, prior: str, versions: tuple[str, str]) -> Comparison:
    """The same, begun where there is none."""
    row = find_comparison(session, study, prior, versions)
    if row is None:
        earlier, later = versions
        row = Comparison(id=_id(study, prior, versions), study=study, prior=prior, earlier=earlier, later=later)
        session.add(row)
        session.flush()
    return row


def _id(study: str, prior: str, versions: tuple[str, str]) -> str:
    return hashlib.sha256("\n".join((study, prior, *versions)).encode()).hexdigest()[:32]
