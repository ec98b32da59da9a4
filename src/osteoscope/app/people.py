"""Routes of the first start, of logging in and out, and of users."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import select

from osteoscope.app.answers import Me, Role, UserOut
from osteoscope.app.context import COOKIE, AddressDep, AdminDep, Json, PersonDep, Server, ServerDep
from osteoscope.app.errors import Refused, not_there
from osteoscope.store import audit
from osteoscope.store.guessing import WINDOW_MINUTES, Given, check, forget_failures
from osteoscope.store.people import (
    SESSION_HOURS,
    add_user,
    checked_role,
    end_session,
    end_sessions_of,
    hashed,
    start_session,
    use_first_link,
)
from osteoscope.store.rows import Audit, User

router = APIRouter(prefix="/api", tags=["people"])
Text = Annotated[str, Field(max_length=1024)]


class First(BaseModel):
    """The first admin."""

    link: Text
    name: Text
    password: Text


class Credentials(BaseModel):
    """A name and its password."""

    name: Text
    password: Text


class NewUser(Credentials):
    """A user to be made."""

    role: Role = "reader"


class UserChange(BaseModel):
    """What of a user changes; null stays."""

    role: Role | None = None
    password: Text | None = None
    active: bool | None = None


def _admit(server: Server, response: Response, name: str, address: str) -> Me:
    with server.store.writing() as session:
        forget_failures(session, name)
        token, login = start_session(session, name)
        audit.note(session, name, "login", None, address)
        user = session.get_one(User, name)
    response.set_cookie(
        COOKIE, token, max_age=SESSION_HOURS * 3600, httponly=True, samesite="strict",
        secure=server.settings.secure_cookie, path="/",
    )  # fmt: skip
    return Me(name=user.name, role=user.role, csrf=login.csrf)  # type: ignore[arg-type]


@router.post("/first")
def first(body: First, response: Response, server: ServerDep, address: AddressDep) -> Me:
    """Make the first admin with the one-time link that the server printed."""
    with server.store.writing() as session:
        use_first_link(session, body.link, body.name, body.password)
        audit.note(session, body.name, "first admin", None, address)
    return _admit(server, response, body.name, address)


def _is_right(server: Server, given: Credentials, address: str, refused: tuple[str, str]) -> bool:
    """Whether a password is right.

    Args:
        server: with the database.
        given: who, and the password.
        address: where it comes from.
        refused: what was asked and what to do, where there were too many wrong ones.

    Raises:
        Refused: there were too many wrong ones lately.
    """
    found = check(server.store, Given(given.name, given.password, address))
    if found.must_wait:
        raise Refused(429, refused[0], "too many wrong passwords", refused[1])
    return found.user is not None


@router.post("/login")
def login(body: Credentials, response: Response, server: ServerDep, address: AddressDep) -> Me:
    """Log in."""
    if not _is_right(server, body, address, ("log in", f"Wait {WINDOW_MINUTES} minutes, or ask an admin")):
        with server.store.writing() as session:
            audit.note(session, body.name, "login refused", None, address)
        raise Refused(401, "log in", "a wrong name or password", "Try again, or ask an admin for a new password")
    return _admit(server, response, body.name, address)


@router.post("/logout")
def logout(request: Request, response: Response, server: ServerDep, person: PersonDep, address: AddressDep) -> Json:
    """Log out of this session."""
    with server.store.writing() as session:
        end_session(session, request.cookies.get(COOKIE, ""))
        audit.note(session, person.name, "logout", None, address)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    response.headers["Clear-Site-Data"] = '"cache"'
    return {}


@router.get("/me")
def me(person: PersonDep) -> Me:
    """Who is logged in, and the token that changes must carry."""
    return Me(name=person.name, role=person.role, csrf=person.csrf)  # type: ignore[arg-type]


class NewPassword(BaseModel):
    """One's own password, changed."""

    password: Text
    new_password: Text


@router.post("/password")
def change_password(
    body: NewPassword, response: Response, server: ServerDep, person: PersonDep, address: AddressDep
) -> Me:
    """Change one's own password; all other sessions end."""
    given = Credentials(name=person.name, password=body.password)
    if not _is_right(server, given, address, ("change the password", f"Wait {WINDOW_MINUTES} minutes")):
        with server.store.writing() as session:
            audit.note(session, person.name, "password refused", None, address)
        raise Refused(403, "change the password", "the present password is another", "Type it again")
    with server.store.writing() as session:
        session.get_one(User, person.name).password_hash = hashed(body.new_password)
        end_sessions_of(session, person.name)
        audit.note(session, person.name, "change password", None, address)
    return _admit(server, response, person.name, address)


def _shown(user: User) -> UserOut:
    return UserOut(name=user.name, role=user.role, active=user.active, created=user.created)  # type: ignore[arg-type]


@router.get("/users")
def users(server: ServerDep, _: AdminDep) -> list[UserOut]:
    """All users."""
    with server.store.reading() as session:
        return [_shown(user) for user in session.scalars(select(User).order_by(User.name))]


@router.post("/users")
def make_user(body: NewUser, server: ServerDep, admin: AdminDep, address: AddressDep) -> UserOut:
    """Make a user."""
    with server.store.writing() as session:
        user = add_user(session, body.name, body.password, body.role)
        audit.note(session, admin.name, "add user", None, address, whom=body.name, role=body.role)
        session.flush()
        return _shown(user)


@router.patch("/users/{name:path}")
def change_user(name: str, body: UserChange, server: ServerDep, admin: AdminDep, address: AddressDep) -> UserOut:
    """Change a user's role or password, or shut him out; his sessions end."""
    with server.store.writing() as session:
        user = session.get(User, name)
        if user is None:
            raise not_there("user")
        if name == admin.name and (body.active is False or (body.role or "admin") != "admin"):
            raise Refused(409, "change yourself", "you would no longer be an admin", "Ask another admin to do it")
        user.role = checked_role(body.role or user.role)
        user.active = user.active if body.active is None else body.active
        user.password_hash = hashed(body.password) if body.password is not None else user.password_hash
        end_sessions_of(session, name)
        changed = {k: v for k, v in body.model_dump(exclude_none=True).items() if k != "password"}
        audit.note(session, admin.name, "change user", None, address, whom=name, **changed)
        return _shown(user)


class AuditOut(BaseModel):
    """A line of the audit trail."""

    when: str
    user: str
    address: str
    action: str
    study: str | None
    detail: Json


def _line(row: Audit) -> AuditOut:
    return AuditOut(
        when=row.when, user=row.user, address=row.address, action=row.action, study=row.study, detail=row.detail
    )


@router.get("/audit")
def audit_trail(server: ServerDep, _: AdminDep, study: str = "", limit: int = 1000) -> list[AuditOut]:
    """The audit trail, newest first."""
    with server.store.reading() as session:
        return [_line(row) for row in audit.lines(session, study, min(max(limit, 1), 10_000))]
