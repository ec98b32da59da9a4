"""One server for a home and a database: a second one would remove, or take up, what the first is working on."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text

from osteoscope.errors import OutputError
from osteoscope.store.engine import Store

LOCK = "lock"
# Of PostgreSQL's advisory locks, which are told apart by number.
_NUMBER = int.from_bytes(b"osteo")
# A server whose machine lost its power gives its lock up within a minute.
_ALIVE = {"tcp_keepalives_idle": 30, "tcp_keepalives_interval": 10, "tcp_keepalives_count": 3}


@contextmanager
def alone_in(home: Path) -> Iterator[None]:
    """No other server uses the home meanwhile; the lock ends with the process, however that ends.

    Raises:
        OutputError: another does, or the folder cannot be locked.
    """
    asked = f"open {home}"
    try:
        file = (home / LOCK).open("a+", encoding="utf-8")
    except OSError as error:
        raise OutputError(asked, str(error), "Name a folder that can be written") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise OutputError(asked, f"a server that runs uses it (process {file.read().strip()})", _REMEDY) from error
        except OSError as error:
            raise OutputError(asked, f"it cannot be locked ({error})", "Name a folder on another disk") from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


@contextmanager
def alone_at(store: Store) -> Iterator[None]:
    """No server of another home uses the database meanwhile.

    A PostgreSQL that is restarted forgets the lock, not that of the home. SQLite lies in the home by default.

    Raises:
        OutputError: another does.
    """
    if store.engine.dialect.name != "postgresql":
        yield
        return
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.detach()
        for name, value in _ALIVE.items():
            connection.execute(text(f"SET {name} = {value}"))
        if not connection.scalar(text("SELECT pg_try_advisory_lock(:number)"), {"number": _NUMBER}):
            shown = store.engine.url.render_as_string(hide_password=True)
            raise OutputError(f"open the database {shown}", "a server of another home uses it", _REMEDY)
        yield


_REMEDY = "Stop it first, or give this one a --home and a --database of its own"
