"""Changing a draft, a study's own or one of a case: one edit after another, undo and redo."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy.orm import Session

from osteoscope.app.answers import DraftOut
from osteoscope.app.context import AddressDep, Json, PersonDep, Server, ServerDep
from osteoscope.app.edit_shapes import EditIn
from osteoscope.app.errors import Refused
from osteoscope.app.standing import check_place, draft_version, plain, with_edits
from osteoscope.app.worklist import draft_state
from osteoscope.store import audit, rows
from osteoscope.store.people import Person
from osteoscope.store.readings import Step, add_step, history, packed, steps

_ATTEMPTS = 4


class Edited(BaseModel):
    """The Reading after a step, and what can be undone."""

    reading: Json
    draft: DraftOut


# The study and the draft in a session, locked or not; a new draft need not be kept yet.
Locate = Callable[[Session, bool], tuple[rows.Study, rows.Reading]]


@dataclass(frozen=True)
class Stepping:
    """Who takes which step, from where."""

    person: Person
    step: Step
    edit: dict[str, Any] | None
    address: str


def install(router: APIRouter, meant: Any) -> None:
    """Add the routes that change the draft that a dependency (FastAPI's `Depends`) says."""

    @router.post("/edits")
    def edit(body: EditIn, server: ServerDep, person: PersonDep, address: AddressDep, locate: Locate = meant) -> Edited:
        """One edit of the person's draft, which begins with the first one; refused whole where it does not fit."""
        return take_step(server, locate, Stepping(person, "edit", body.edit.model_dump(mode="json"), address))

    @router.post("/undo")
    def undo(server: ServerDep, person: PersonDep, address: AddressDep, locate: Locate = meant) -> Edited:
        """Take back the last edit."""
        return take_step(server, locate, Stepping(person, "undo", None, address))

    @router.post("/redo")
    def redo(server: ServerDep, person: PersonDep, address: AddressDep, locate: Locate = meant) -> Edited:
        """Do again what was taken back."""
        return take_step(server, locate, Stepping(person, "redo", None, address))


def take_step(server: Server, locate: Locate, what: Stepping) -> Edited:
    """Add a step to a draft; nothing is kept where the Reading cannot be made.

    The Reading is made before the database is locked; where the draft moved on meanwhile, it is made again.

    Args:
        server: with the database.
        locate: what is changed.
        what: the step.

    Raises:
        InvalidValueError: the edit does not fit, or there is nothing to undo or redo.
        Refused: the draft keeps moving.
    """
    for _ in range(_ATTEMPTS):
        with server.store.reading() as session:
            study, first = locate(session, False)
            number = steps(session, first.id)
            if what.edit is not None:
                check_place(session, server.settings, study, first, what.edit)
            after = history(session, first.id).after(what.step, what.edit)
            made = plain(with_edits(session, server.settings, study, first, after.edits))
            is_new = first not in session
            # Measures of a CT take seconds: they are not made again when the draft is opened.
            body = packed(json.dumps(made, ensure_ascii=False).encode()) if study.kind == "ct" else None
        with server.store.writing() as session:
            study, draft = locate(session, True)
            draft = first if is_new and draft not in session else draft
            if (draft.id, draft.base) != (first.id, first.base) or steps(session, draft.id) != number:
                continue
            session.add(draft)
            session.flush()
            add_step(session, draft.id, what.step, what.edit, what.person.name)
            draft.body, draft.steps_in_body = body, number + 1 if body else None
            who, brief = what.person.name, _brief(what.edit)
            audit.note(session, who, what.step, study.id, what.address, reading=draft.id, **brief)
            if draft.trial_case is None and study.state == "read":
                study.state = "reviewed"
            return Edited(reading=made, draft=draft_state(after, draft_version(draft, number + 1)))
    raise Refused(409, "change this Reading", "it is being changed elsewhere", "Reload the study")


def _brief(edit: dict[str, Any] | None) -> dict[str, Any]:
    """An edit for the audit trail, without masks and outlines."""
    return {k: v for k, v in (edit or {}).items() if k not in {"mask", "points"}}
