"""Errors as answers: {"detail": {"asked", "found", "remedy"}} with the status that fits."""

from __future__ import annotations

import errno
import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DataError, SQLAlchemyError

from osteoscope.errors import (
    InvalidValueError,
    LimitError,
    OsteoscopeError,
    OutputError,
    UnsuitableStudyError,
)
from osteoscope.store import audit

LOG = logging.getLogger("osteoscope.app")
STATUS: Mapping[type[OsteoscopeError], int] = {
    LimitError: 413,
    UnsuitableStudyError: 409,
    OutputError: 507,
    InvalidValueError: 400,
    OsteoscopeError: 400,
}
FULL = {errno.ENOSPC, errno.EDQUOT}
# What is said of a request that has another shape: so many fields, in so many letters.
_MOST_FIELDS, _MOST_LETTERS = 20, 200
# Refusals of bad input and abuse; the others are asked for by every page, such as 401 before the login.
_LOGGED = frozenset({400, 403, 413, 415, 429, 507})


class Refused(HTTPException):
    """An answer that says what was asked, what was found and what to do."""

    def __init__(self, status: int, asked: str, found: str, remedy: str) -> None:
        super().__init__(status, detail={"asked": asked, "found": found, "remedy": remedy})
        self.said = f"cannot {asked}: {found}. {remedy}"

    def __str__(self) -> str:
        return self.said


def not_there(what: str) -> Refused:
    """The same answer for what does not exist and for what is not this person's to see."""
    return Refused(404, f"open {what}", "it does not exist, or you have no access to it", "Go back to the worklist")


class NotYours(Refused):
    """A study that does not exist, or is another's: told apart in the audit trail alone."""

    def __init__(self, person: str, study: str) -> None:
        refusal = not_there("study")
        super().__init__(404, **refusal.detail)  # type: ignore[arg-type]
        self.person, self.study = person, study[:32]


def disk_error(asked: str, error: OSError) -> Refused:
    """The answer to a disk that cannot be written."""
    full = error.errno in FULL
    found = "the disk of the server is full" if full else f"the disk of the server cannot be written ({error.strerror})"
    return Refused(507, asked, found, "Nothing was taken in; free space on the server, then send it again")


def address_of(request: Request) -> str:
    """Where a request came from."""
    return request.client.host if request.client else ""


def _answer(status: int, asked: str, found: str, remedy: str) -> JSONResponse:
    return JSONResponse({"detail": {"asked": asked, "found": found, "remedy": remedy}}, status)


def _field(error: Mapping[str, Any]) -> dict[str, Any]:
    """What is wrong with a field, as FastAPI tells it, without what was sent."""
    where = [part if isinstance(part, int) else str(part)[:_MOST_LETTERS] for part in error["loc"]]
    return {"type": error["type"], "loc": where, "msg": str(error["msg"])[:_MOST_LETTERS]}


def install(app: FastAPI) -> None:
    """Turn errors into answers, logged."""

    @app.exception_handler(OsteoscopeError)
    def ours(request: Request, error: OsteoscopeError) -> JSONResponse:
        LOG.warning("%s %s: %s", request.method, request.url.path, error)
        status = next(code for kind, code in STATUS.items() if isinstance(error, kind))
        return _answer(status, error.asked, error.found, error.remedy)

    @app.exception_handler(OSError)
    def disk(request: Request, error: OSError) -> JSONResponse:
        LOG.error("%s %s: %s", request.method, request.url.path, error)
        refusal = disk_error("keep what was entered", error)
        return JSONResponse({"detail": refusal.detail}, refusal.status_code)

    @app.exception_handler(DataError)
    def unkeepable(request: Request, error: DataError) -> JSONResponse:
        LOG.warning("%s %s from %s: %s", request.method, request.url.path, address_of(request), error.orig)
        found = "characters or numbers that the database cannot keep"
        return _answer(400, "use what was entered", found, "Leave out control characters")

    @app.exception_handler(RequestValidationError)
    def shape(_request: Request, error: RequestValidationError) -> JSONResponse:
        return JSONResponse({"detail": [_field(one) for one in error.errors()[:_MOST_FIELDS]]}, 422)

    @app.exception_handler(SQLAlchemyError)
    def database(request: Request, error: SQLAlchemyError) -> JSONResponse:
        LOG.error("%s %s: %s", request.method, request.url.path, error)
        remedy = "Nothing of this step was kept; check the database and its disk, then do it again"
        return _answer(507, "keep what was entered", "the database cannot be read or written", remedy)

    @app.exception_handler(Refused)
    def refusal(request: Request, error: Refused) -> JSONResponse:
        if error.status_code in _LOGGED:
            LOG.warning("%s %s from %s: %s", request.method, request.url.path, address_of(request), error)
        return JSONResponse({"detail": error.detail}, error.status_code)

    @app.exception_handler(NotYours)
    def refused(request: Request, error: NotYours) -> JSONResponse:
        with request.app.state.server.store.writing() as session:
            audit.note(session, error.person, "refused", error.study, address_of(request), path=request.url.path[:200])
        return JSONResponse({"detail": error.detail}, error.status_code)
