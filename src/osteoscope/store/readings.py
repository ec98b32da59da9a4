"""Readings and drafts: a Reading is superseded, never edited; a draft is a base and the steps made on it."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session, undefer

from osteoscope.errors import InvalidValueError
from osteoscope.store.rows import Edit, Reading, new_id, now

Step = Literal["edit", "undo", "redo"]
Plain = dict[str, Any]


@dataclass(frozen=True)
class History:
    """What the steps of a draft come to: edits in force, and edits taken back that can be done again (latest last)."""

    edits: tuple[Plain, ...] = ()
    undone: tuple[Plain, ...] = ()

    def after(self, step: Step, edit: Plain | None) -> History:
        """The history after one more step.

        Raises:
            InvalidValueError: there is nothing to undo or redo.
        """
        if step == "edit" and edit is not None:
            return History((*self.edits, edit))
        here, there = (self.edits, self.undone) if step == "undo" else (self.undone, self.edits)
        if not here:
            raise InvalidValueError(f"{step} an edit", "there is none", "Go on from here")
        here, there = here[:-1], (*there, here[-1])
        return History(here, there) if step == "undo" else History(there, here)


def packed(body: bytes) -> bytes:
    """The body of a Reading as it is stored."""
    return gzip.compress(body, 6, mtime=0)


def body_of(session: Session, reading: str) -> bytes:
    """reading.json of a Reading that is no draft.

    Raises:
        InvalidValueError: it has none.
    """
    row = session.scalars(select(Reading).where(Reading.id == reading).options(undefer(Reading.body))).first()
    if row is None or row.body is None:
        raise InvalidValueError("open a Reading", f"{reading!r} has no body", "Open its base")
    return gzip.decompress(row.body)


def readings_of(session: Session, study: str) -> tuple[Reading, ...]:
    """All Readings of a study, oldest first, those of reader studies left out."""
    query = select(Reading).where(Reading.study == study, Reading.trial_case.is_(None))
    return tuple(session.scalars(query.order_by(Reading.when, Reading.id)))


def standing(readings: Sequence[Reading]) -> Reading | None:
    """The Reading that stands: the signed one, else the program's latest."""
    signed = [r for r in readings if r.state == "signed"]
    made = [r for r in readings if r.kind == "program"]
    return next(iter([*reversed(signed), *reversed(made)]), None)


def draft_of(session: Session, study: str, user: str, trial_case: str | None = None) -> Reading | None:
    """The open draft of a user."""
    case = Reading.trial_case.is_(None) if trial_case is None else Reading.trial_case == trial_case
    query = select(Reading).where(Reading.study == study, Reading.reader == user, Reading.state == "draft", case)
    return session.scalars(query.order_by(Reading.when.desc())).first()


def draft_on(session: Session, study: str, user: str, stands: Reading | None) -> Reading | None:
    """The open draft of a user on the Reading that stands; a draft on an earlier one is abandoned."""
    draft = draft_of(session, study, user)
    return draft if draft is not None and stands is not None and draft.base == stands.id else None


def open_draft(session: Session, base: Reading, user: str, reason: str = "", trial_case: str | None = None) -> Reading:
    """A new draft of a user on a base."""
    draft = new_draft(base, user, reason, trial_case)
    session.add(draft)
    session.flush()
    return draft


def new_draft(base: Reading, user: str, reason: str = "", trial_case: str | None = None) -> Reading:
    """A draft that is not kept yet."""
    return Reading(
        id=new_id(), study=base.study, reader=user, kind="person", state="draft", base=base.id, reason=reason,
        trial_case=trial_case, when=now(),
    )  # fmt: skip


def history(session: Session, draft: str, until: int | None = None) -> History:
    """What the steps of a draft come to; the first ``until`` of them where that is given."""
    rows = select(Edit).where(Edit.reading == draft).order_by(Edit.number)
    found = History()
    for row in session.scalars(rows if until is None else rows.where(Edit.number <= until)):
        found = found.after(row.step, row.edit)  # type: ignore[arg-type]
    return found


def steps(session: Session, draft: str) -> int:
    """How many steps a draft has, those undone included."""
    return session.scalar(select(func.max(Edit.number)).where(Edit.reading == draft)) or 0


def add_step(session: Session, draft: str, step: Step, edit: Plain | None, user: str) -> History:
    """Add a step to a draft.

    Raises:
        InvalidValueError: there is nothing to undo or redo.
    """
    after = history(session, draft).after(step, edit)
    session.add(Edit(reading=draft, number=steps(session, draft) + 1, step=step, edit=edit, user=user))
    session.flush()
    return after
