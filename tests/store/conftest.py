"""The same tests on SQLite and on a PostgreSQL of their own."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from osteoscope.store.engine import Store, open_store

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a PostgreSQL, without the name of a database."""
    if not PROGRAMS:
        pytest.skip("PostgreSQL (Debian package postgresql) is absent")
    programs, folder = PROGRAMS[-1].parent, Path(tempfile.mkdtemp(prefix="osteoscope-pg-"))
    # PostgreSQL refuses to run as root.
    user = "postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
    if os.getuid() == 0:
        shutil.chown(folder, user)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = f"-c listen_addresses=127.0.0.1 -p {port} -k {folder} -c fsync=off"
    data, log = folder / "data", folder / "log"

    def do(*command: object) -> None:
        subprocess.run([str(c) for c in command], check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL)

    do(programs / "initdb", "-D", data, "-U", "tester", "-A", "trust", "-E", "UTF8", "--no-sync")
    do(programs / "pg_ctl", "-D", data, "-o", options, "-l", log, "-w", "start")
    yield f"postgresql+psycopg://tester@127.0.0.1:{port}"
    do(programs / "pg_ctl", "-D", data, "-m", "immediate", "stop")
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'review.db'}"
    place, name = request.getfixturevalue("postgresql"), f"d{uuid.uuid4().hex}"
    engine = create_engine(f"{place}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return f"{place}/{name}"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """An empty, open database."""
    opened = open_store(url)
    yield opened
    opened.engine.dispose()
