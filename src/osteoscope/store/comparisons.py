"""Comparisons of two CTs of one patient, each made once for the Readings that it rests on."""

from __future__ import annotations

import hashlib

from sqlalchemy.orm import Session

from osteoscope.store.rows import Comparison


def comparison_of(session: Session, study: str, prior: str, versions: tuple[str, str]) -> Comparison:
    """The comparison of a study with a prior, by the versions of their Readings (earlier, later).

    A new one, which is not kept yet, where there is none.
    """
    name = hashlib.sha256("\n".join((study, prior, *versions)).encode()).hexdigest()[:32]
    earlier, later = versions
    new = Comparison(id=name, study=study, prior=prior, earlier=earlier, later=later)
    return session.get(Comparison, name) or new
