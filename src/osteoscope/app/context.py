"""What every route needs: the server's state, who asks, and whether he may."""

from __future__ import annotations

import hmac
import logging
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends, Request
from sqlalchemy.orm import Session

from osteoscope.app.errors import NotYours, Refused, address_of
from osteoscope.app.settings import Settings
from osteoscope.app.supervisor import Supervisor
from osteoscope.store import audit
from osteoscope.store.engine import Store
from osteoscope.store.people import Person, person_of
from osteoscope.store.rows import Study
from osteoscope.store.worklist import find_study

LOG = logging.getLogger("osteoscope.app")
COOKIE = "osteoscope_session"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Server:
    """The state of a server: how it is set up, its database, its audit trail of views, who starts its workers, the
    models it has, and what keeps other servers from its home and database.
    """

    settings: Settings
    store: Store
    ledger: audit.Ledger
    supervisor: Supervisor | None
    models: list[str]
    alone: ExitStack = field(default_factory=ExitStack)

    def wake(self) -> None:
        """There is work to do."""
        if self.supervisor is not None:
            self.supervisor.wake()


def server_of(request: Request) -> Server:
    """The server that a request came to."""
    return request.app.state.server  # type: ignore[no-any-return]


def person_asking(request: Request) -> Person:
    """Who asks; a change must carry the token of the session.

    Raises:
        Refused: nobody is logged in, or the token is absent or another's.
    """
    server = server_of(request)
    with server.store.reading() as session:
        person = person_of(session, request.cookies.get(COOKIE, ""))
    if person is None:
        if COOKIE in request.cookies:
            LOG.warning("a session that is over or forged, from %s", address_of(request))
        raise Refused(401, "open this page", "you are not logged in, or your session has ended", "Log in")
    given = request.headers.get("X-CSRF-Token", "")
    if request.method not in _SAFE and not hmac.compare_digest(given.encode(), person.csrf.encode()):
        with server.store.writing() as session:
            audit.note(session, person.name, "forged", None, address_of(request), path=request.url.path)
        raise Refused(403, "change something", "the request lacks the token of your session", "Reload the page")
    return person


# Asynchronous, so that looking something up costs no turn of a thread.
async def _server(request: Request) -> Server:
    return server_of(request)


async def _address(request: Request) -> str:
    return address_of(request)


async def _admin_asking(person: Annotated[Person, Depends(person_asking)]) -> Person:
    if person.role != "admin":
        raise Refused(403, "open this page", f"your role is {person.role}", "Ask an admin")
    return person


ServerDep = Annotated[Server, Depends(_server)]
PersonDep = Annotated[Person, Depends(person_asking)]
AdminDep = Annotated[Person, Depends(_admin_asking)]
AddressDep = Annotated[str, Depends(_address)]


def study_for(session: Session, person: Person, study: str, locked: bool = False) -> Study:
    """The study, if it is there and the person may see it; locked, nobody else changes it meanwhile.

    Raises:
        NotYours: it is not there, or not for him: the same answer.
    """
    found = find_study(session, person, study)
    if found is None:
        raise NotYours(person.name, study)
    if locked:
        session.refresh(found, with_for_update=True)
    return found


Json = dict[str, Any]
