"""A PostgreSQL for tests."""

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

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


def running() -> Iterator[str]:
    """The URL of a PostgreSQL of its own, without the name of a database; skips where there is none."""
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


def new_database(server: str) -> str:
    """The URL of a new, empty database."""
    name = f"d{uuid.uuid4().hex}"
    engine = create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return f"{server}/{name}"
