"""Who may do what: users, passwords, sessions, the link of the first start."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Literal, get_args

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from osteoscope.errors import InvalidValueError
from osteoscope.store.rows import FirstLink, Login, User, now

Role = Literal["reader", "signer", "admin"]
ROLES: tuple[str, ...] = get_args(Role)

SESSION_HOURS = 12
SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 1024

# Argon2id as the OWASP Password Storage Cheat Sheet gives it (19 MiB, 2 rounds, 1 lane).
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


@dataclass(frozen=True)
class Person:
    """Who is logged in."""

    name: str
    role: str
    csrf: str = ""

    @property
    def may_sign(self) -> bool:
        """Whether he may sign a Reading."""
        return self.role in {"signer", "admin"}


def digest(token: str) -> str:
    """What is stored of a secret token, so that a copy of the database opens no session."""
    return hashlib.sha256(token.encode()).hexdigest()


def first_link(session: Session) -> str | None:
    """A new one-time token while there is no user; earlier ones lose their force. None where there are users."""
    if session.scalar(select(func.count()).select_from(User)):
        return None
    session.execute(delete(FirstLink))
    token = secrets.token_urlsafe(24)
    session.add(FirstLink(digest=digest(token)))
    return token


def use_first_link(session: Session, token: str, name: str, password: str) -> User:
    """The first admin.

    Raises:
        InvalidValueError: the link was used, is not the one printed last, or name or password do not do.
    """
    link = session.get(FirstLink, digest(token))
    if link is None or session.scalar(select(func.count()).select_from(User)):
        raise InvalidValueError(
            "use the link of the first start", "a link that is not valid", "Log in, or restart the server for a new one"
        )
    session.delete(link)
    return add_user(session, name, password, "admin")


def add_user(session: Session, name: str, password: str, role: str) -> User:
    """A new user.

    Raises:
        InvalidValueError: the name is taken, not printable or a path, the password too short, or the role unknown.
    """
    asked = f"add user {name[:40]!r}"
    if not name.strip() or name != name.strip() or not name.isprintable() or len(name) > 100:
        raise InvalidValueError(asked, "a name that is empty, too long or not printable", "Give 1 to 100 characters")
    if "/" in name or name in {".", ".."}:
        # An address that ends in such a name leads elsewhere, so that its user could not be changed.
        raise InvalidValueError(asked, "a name that is part of a path", "Use no slash, and more than dots")
    if session.get(User, name) is not None:
        raise InvalidValueError(asked, "the name is taken", "Choose another")
    user = User(name=name, role=checked_role(role), password_hash=hashed(password), active=True)
    session.add(user)
    return user


def checked_role(role: str) -> str:
    """The role, if it is one.

    Raises:
        InvalidValueError: it is none.
    """
    if role not in ROLES:
        raise InvalidValueError("give a role", f"{role!r}", f"Choose one of {', '.join(ROLES)}")
    return role


def hashed(password: str) -> str:
    """The Argon2id hash of a password.

    Raises:
        InvalidValueError: it is too short or too long.
    """
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise InvalidValueError(
            "set a password", f"{len(password)} characters", f"Give at least {SHORTEST_PASSWORD} characters"
        )
    return _HASHER.hash(password)


@cache
def _nobody() -> str:
    """A hash to check against where there is no such user, so that the answer takes as long."""
    return _HASHER.hash(secrets.token_urlsafe())


def is_password(user: User | None, password: str) -> bool:
    """Whether that is the password of an active user; as slow for a name that nobody has."""
    try:
        _HASHER.verify(user.password_hash if user else _nobody(), password[:LONGEST_PASSWORD])
    except (VerificationError, InvalidHashError):
        return False
    return user is not None and user.active


def start_session(session: Session, user: str) -> tuple[str, Login]:
    """A new session of a user, and the token for its cookie."""
    session.execute(delete(Login).where(Login.expires < now()))
    token = secrets.token_urlsafe(32)
    expires = (datetime.now(UTC) + timedelta(hours=SESSION_HOURS)).isoformat(timespec="milliseconds")
    login = Login(digest=digest(token), user=user, csrf=secrets.token_urlsafe(24), expires=expires)
    session.add(login)
    return token, login


def person_of(session: Session, token: str) -> Person | None:
    """Who holds that cookie; None where it is forged, expired, or of a user who is no longer active."""
    found = session.execute(
        select(Login, User).join(User, Login.user == User.name).where(Login.digest == digest(token))
    ).first()
    if found is None or found.Login.expires < now() or not found.User.active:
        return None
    return Person(found.User.name, found.User.role, found.Login.csrf)


def end_session(session: Session, token: str) -> None:
    """Log out."""
    session.execute(delete(Login).where(Login.digest == digest(token)))


def end_sessions_of(session: Session, user: str) -> None:
    """Log a user out everywhere."""
    session.execute(delete(Login).where(Login.user == user))
