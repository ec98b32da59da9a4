"""The limit on guessing passwords, which holds for guesses at the same moment, too."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from osteoscope.store.engine import Store
from osteoscope.store.people import is_password
from osteoscope.store.rows import FailedLogin, User

# Wrong passwords within the window before a name, or an address, has to wait.
WINDOW_MINUTES, MOST_PER_NAME, MOST_PER_ADDRESS = 10, 5, 20
# Each guess is counted before the next one is looked at; so a crowd that logs in fills no memory with hashes either.
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class Given:
    """A name and a password, and the address that they came from."""

    name: str
    password: str
    address: str


@dataclass(frozen=True)
class Checked:
    """What came of it: the user where both are right; whether too many were wrong lately to look at all."""

    user: User | None
    must_wait: bool = False


def check(store: Store, given: Given) -> Checked:
    """Look at a password; a wrong one is kept."""
    with _ONE_AT_A_TIME:
        with store.reading() as session:
            if _must_wait(session, given):
                return Checked(None, must_wait=True)
            user = session.get(User, given.name)
        if is_password(user, given.password):
            return Checked(user)
        with store.writing() as session:
            session.add(FailedLogin(name=given.name[:100], address=given.address))
        return Checked(None)


def _must_wait(session: Session, given: Given) -> bool:
    since = (datetime.now(UTC) - timedelta(minutes=WINDOW_MINUTES)).isoformat(timespec="milliseconds")

    def failures(*which: object) -> int:
        recent = select(func.count()).select_from(FailedLogin).where(FailedLogin.when > since, *which)  # type: ignore[arg-type]
        return session.scalar(recent) or 0

    by_name = failures(FailedLogin.name == given.name[:100])
    return by_name >= MOST_PER_NAME or failures(FailedLogin.address == given.address) >= MOST_PER_ADDRESS


def forget_failures(session: Session, name: str) -> None:
    """The right password was given: earlier wrong ones of that name do not count any more."""
    session.execute(delete(FailedLogin).where(FailedLogin.name == name[:100]))
