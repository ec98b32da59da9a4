"""Reader studies: who reads what in which order, blinded, with a wash-out between the phases."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from osteoscope.errors import InvalidValueError
from osteoscope.store.rows import Trial, TrialCase, User, now

PHASES = ("alone", "aided")


@dataclass(frozen=True)
class Design:
    """How a reader study is laid out.

    Args:
        name: of the study.
        studies, readers: who reads what; every reader reads all, in an order of his own for each phase.
        phases: out of `PHASES`, in their order.
        washout_days: between the end of a reader's phase and his next.
        seed: of the orders.
    """

    name: str
    studies: tuple[str, ...]
    readers: tuple[str, ...]
    phases: tuple[str, ...]
    washout_days: float
    seed: int

    def __post_init__(self) -> None:
        asked = f"plan the reader study {self.name[:40]!r}"
        for what, given in (("studies", self.studies), ("readers", self.readers), ("phases", self.phases)):
            if not given or len(set(given)) < len(given):
                raise InvalidValueError(asked, f"no {what}, or one of them twice", f"Name different {what}")
        if not set(self.phases) <= set(PHASES):
            raise InvalidValueError(asked, f"phases {list(self.phases)}", f"Use {' and '.join(PHASES)}")
        if not 0 <= self.washout_days <= 3650:
            raise InvalidValueError(asked, f"a wash-out of {self.washout_days} days", "Give 0 to 3650")


@dataclass(frozen=True)
class Turn:
    """What a reader does next: a case, a time to wait for, or nothing more (both None)."""

    case: TrialCase | None
    wait_until: str | None
    done: int
    of: int


def plan(session: Session, design: Design, owner: str) -> Trial:
    """A new reader study.

    Raises:
        InvalidValueError: a reader is no active user, or an admin, from whom nothing can be hidden.
    """
    asked = f"plan the reader study {design.name[:40]!r}"
    for reader in design.readers:
        user = session.get(User, reader)
        if user is None or not user.active:
            raise InvalidValueError(asked, f"no user {reader[:40]!r}", "Add him")
        if user.role == "admin":
            raise InvalidValueError(asked, f"{reader[:40]!r} is an admin, who sees every Reading", "Name other readers")
    trial = Trial(
        name=design.name, phases=list(design.phases), washout_days=design.washout_days, seed=design.seed, owner=owner
    )
    session.add(trial)
    session.flush()
    for reader in design.readers:
        for number, phase in enumerate(design.phases, 1):
            for position, study in enumerate(ordered(design, reader, phase), 1):
                pseudonym = f"{number}-{position:03d}"
                session.add(
                    TrialCase(
                        trial=trial.id, reader=reader, phase=phase, position=position, pseudonym=pseudonym, study=study
                    )
                )
    return trial


def ordered(design: Design, reader: str, phase: str) -> Sequence[str]:
    """The studies in the order of a reader and phase, the same for the same seed."""
    order = sorted(design.studies)
    random.Random(f"{design.seed}/{reader}/{phase}").shuffle(order)  # noqa: S311 - an order, not a secret
    return order


def cases(session: Session, trial: str, reader: str = "") -> list[TrialCase]:
    """The cases of a reader study, of one reader where named, in the order in which they are read."""
    query = select(TrialCase).where(TrialCase.trial == trial)
    found = list(session.scalars(query.where(TrialCase.reader == reader) if reader else query))
    return sorted(found, key=lambda case: (case.reader, PHASES.index(case.phase), case.position))


def is_in_trial(session: Session, study: str) -> bool:
    """Whether a reader study with that study is not finished: what its readers see must stay as it is."""
    return bool(session.scalar(select(exists().where(TrialCase.study == study, TrialCase.finished == ""))))


def turn(session: Session, trial: Trial, reader: str) -> Turn:
    """What a reader does next."""
    mine = cases(session, trial.id, reader)
    of = len(mine)
    mine.sort(key=lambda case: (trial.phases.index(case.phase), case.position))
    finished = [case for case in mine if case.finished]
    following = next((case for case in mine if not case.finished), None)
    if following is None:
        return Turn(None, None, len(finished), of)
    before = [case.finished for case in finished if case.phase != following.phase]
    if before:
        until = datetime.fromisoformat(max(before)) + timedelta(days=trial.washout_days)
        wait = until.isoformat(timespec="milliseconds")
        if wait > now():
            return Turn(None, wait, len(finished), of)
    return Turn(following, None, len(finished), of)
