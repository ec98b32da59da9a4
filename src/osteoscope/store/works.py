"""Work on studies that is done once for the Readings that it rests on: its name is a digest of these."""

from __future__ import annotations

import hashlib

from sqlalchemy.orm import Session

from osteoscope.store.rows import Comparison, StrengthTest


def comparison_of(session: Session, study: str, prior: str, versions: tuple[str, str]) -> Comparison:
    """The comparison of a study with a prior, by the versions of their Readings (earlier, later).

    A new one, which is not kept yet, where there is none.
    """
    earlier, later = versions
    new = Comparison(id=_name(study, prior, *versions), study=study, prior=prior, earlier=earlier, later=later)
    return session.get(Comparison, new.id) or new


def strength_test_of(session: Session, study: str, version: str, bone: tuple[str, str]) -> StrengthTest:
    """The test of a bone (site, load case) with the lesions of a version of a Reading.

    A new one, which is not kept yet, where there is none.
    """
    site, load_case = bone
    new = StrengthTest(id=_name(study, version, *bone), study=study, version=version, site=site, load_case=load_case)
    return session.get(StrengthTest, new.id) or new


def _name(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
