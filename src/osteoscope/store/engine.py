"""Opens the database: SQLite by default, PostgreSQL by URL; brings its tables up to date."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, InterfaceError, OperationalError
from sqlalchemy.orm import Session

from osteoscope.errors import InvalidValueError, OutputError

MIGRATIONS = Path(__file__).parent / "migrations"
HEAD = "0003"
_BUSY_SECONDS = 30
# What a database raises that is away, locked or full for a while.
AWAY = (OperationalError, InterfaceError)
_INSIST_SECONDS, _INSIST_PAUSE_SECONDS = 300.0, 2.0
LOG = logging.getLogger("osteoscope.store")
T = TypeVar("T")


@dataclass(frozen=True)
class Store:
    """An open database.

    Args:
        engine: of SQLAlchemy.
        turn: held while writing to SQLite, whose own waiting sleeps and is unfair; writers of other processes are
            still waited for.
    """

    engine: Engine
    turn: AbstractContextManager[object] = field(default_factory=nullcontext)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that only looks."""
        with Session(self.engine) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session whose changes are kept together, or not at all where the block raises."""
        engine = self.engine.execution_options(writing=True)
        with self.turn, Session(engine, expire_on_commit=False) as session, session.begin():
            yield session


def open_store(url: str) -> Store:
    """The database of a URL, its tables made or brought up to date.

    Raises:
        InvalidValueError: it is no URL of SQLite or PostgreSQL.
        OutputError: the database cannot be reached or written.
    """
    try:
        place = make_url(url)
    except ArgumentError as error:
        raise InvalidValueError("open the database", f"{url!r}", "Give sqlite:///FILE or postgresql://...") from error
    name = place.get_backend_name()
    if name not in {"sqlite", "postgresql"}:
        raise InvalidValueError("open the database", f"backend {name!r}", "Give sqlite:///FILE or postgresql://...")
    if name == "postgresql":
        place = place.set(drivername="postgresql+psycopg")
    options: dict[str, Any] = {"timeout": _BUSY_SECONDS} if name == "sqlite" else {}
    # A connection that the database dropped, as when it was restarted, is replaced before it is used.
    is_remote = name == "postgresql"
    engine = create_engine(place, connect_args=options, pool_size=20, max_overflow=40, pool_pre_ping=is_remote)
    if name == "sqlite":
        _as_wanted(engine)
    try:
        upgrade(engine)
    except OperationalError as error:
        shown = place.render_as_string(hide_password=True)
        raise OutputError(f"open the database {shown}", str(error.orig), "Check that it runs and its disk") from error
    return Store(engine, threading.Lock() if name == "sqlite" else nullcontext())


def insist(act: Callable[[], T]) -> T:
    """Do it, again and again for some minutes where the database is away; it must bear being done twice.

    Raises:
        OperationalError, InterfaceError: the database stays away.
    """
    until = time.monotonic() + _INSIST_SECONDS
    while True:
        try:
            return act()
        except AWAY as error:
            if time.monotonic() > until:
                raise
            LOG.warning("the database is tried again: %s", error.orig)
            time.sleep(_INSIST_PAUSE_SECONDS)


def _as_wanted(engine: Engine) -> None:
    """SQLite that survives a power cut, and writers that queue at their start rather than fail half-way."""

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        for setting in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {setting}")

    @event.listens_for(engine, "begin")
    def begun(connection: Any) -> None:
        writing = connection.get_execution_options().get("writing")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def upgrade(engine: Engine) -> None:
    """Bring the tables up to date, one migration after another."""
    if _version(engine) == HEAD:
        return
    from alembic import command  # noqa: PLC0415 - only needed where there is something to do
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.execution_options(writing=True).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _version(engine: Engine) -> str:
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return ""
        return str(connection.scalar(text("SELECT version_num FROM alembic_version")) or "")
