"""Strength tests of bones, each made once for the Reading that it rests on."""

from __future__ import annotations

import hashlib

from sqlalchemy.orm import Session

from osteoscope.store.rows import StrengthTest


def strength_test_of(session: Session, study: str, version: str, bone: tuple[str, str]) -> StrengthTest:
    """The test of a bone (site, load case) with the lesions of a version of a Reading.

    A new one, which is not kept yet, where there is none.
    """
    name = hashlib.sha256("\n".join((study, version, *bone)).encode()).hexdigest()[:32]
    site, load_case = bone
    new = StrengthTest(id=name, study=study, version=version, site=site, load_case=load_case)
    return session.get(StrengthTest, name) or new
