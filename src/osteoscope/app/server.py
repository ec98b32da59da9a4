"""Puts the server together."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI

from osteoscope.app import (
    comparing,
    errors,
    limits,
    page,
    people,
    pictures,
    readings,
    signing,
    strengths,
    trial_cases,
    trials,
    uploads,
    worklist,
)
from osteoscope.app.alone import alone_at, alone_in
from osteoscope.app.arrivals import recover
from osteoscope.app.context import Server
from osteoscope.app.settings import Settings
from osteoscope.app.supervisor import Supervisor
from osteoscope.app.watch import Watcher
from osteoscope.errors import InvalidValueError, OutputError
from osteoscope.store.audit import Ledger
from osteoscope.store.engine import Store, open_store
from osteoscope.store.people import first_link

_CARDS = Path(__file__).parents[1] / "find" / "models"


def build(server: Server | None = None) -> FastAPI:
    """The routes of a server; without one, as a document alone."""
    app = FastAPI(
        title="Osteoscope review server",
        version=version("osteoscope"),
        description="Research use only, not a medical device.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        lifespan=_lifespan,
    )
    app.state.server = server
    errors.install(app)
    for rooms in (people, worklist, uploads, pictures, readings, comparing, strengths, signing, trials, trial_cases):
        app.include_router(rooms.router)
    page.mount(app)
    app.add_middleware(limits.Limits)
    app.add_middleware(page.Headers)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    server: Server = app.state.server
    threads: list[Supervisor | Watcher] = [server.supervisor] if server.supervisor else []
    if threads and server.settings.watch:
        threads.append(Watcher(server.settings, server.store, server.wake))
    for thread in threads:
        thread.start()
    if threads:
        threading.Thread(target=_warm, daemon=True).start()
    yield
    for thread in reversed(threads):
        thread.stop()
    server.alone.close()


def _warm() -> None:
    """Load what the first edit and the first outlines need, so that nobody waits for it."""
    import osteoscope.deliver.review.edits
    import osteoscope.deliver.review.outlines  # noqa: F401


def open_server(settings: Settings, work: bool = True) -> Server:
    """A server ready to answer: folders, database and what a crash left behind are in order.

    Args:
        settings: how it is set up.
        work: whether it starts workers, which one server alone may do.

    Raises:
        InvalidValueError, OutputError: the home folder or the database cannot be used, or another server uses it.
    """
    if settings.watch and not Path(settings.watch).is_dir():
        raise InvalidValueError("watch a folder", f"no folder {settings.watch}", "Make it, or leave --watch out")
    try:
        settings.uploads.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"open {settings.home}", str(error), "Name a folder that can be written") from error
    with ExitStack() as alone:
        if work:
            alone.enter_context(alone_in(settings.home))
        store = open_store(settings.database_url)
        if work:
            alone.enter_context(alone_at(store))
        recover(store, settings.uploads)
        supervisor = Supervisor(settings, store) if work else None
        return Server(settings, store, Ledger(store), supervisor, models(), alone.pop_all())


def models() -> list[str]:
    """Names and versions on the cards of the models that lie in the package."""
    cards = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(_CARDS.glob("*.json"))]
    return [f"{card.get('name', '?')} {card.get('version', '')}".strip() for card in cards]


def welcome(store: Store, settings: Settings) -> str:
    """What the terminal shows at the start: the address, and the one-time link while there is no user."""
    address = f"http://{settings.host}:{settings.port}/"
    with store.writing() as session:
        token = first_link(session)
    if token is None:
        return f"Osteoscope review server: {address}"
    return f"First start. Open this link once to make the first admin:\n  {address}#first={token}"
