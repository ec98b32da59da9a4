"""A second server on the home, or the database, of one that runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from osteoscope.app.server import open_server, welcome
from osteoscope.app.settings import Settings
from osteoscope.errors import OutputError
from osteoscope.store import queue
from osteoscope.store.people import digest
from osteoscope.store.rows import FirstLink, Job


def test_a_second_server_on_the_same_home_is_refused_and_touches_nothing(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "home")
    first = open_server(settings)
    link = welcome(first.store, settings).split("first=")[1]
    with first.store.writing() as session:
        queue.put(session, "read", "s")
    with first.store.writing() as session:
        queue.take(session, ("read",))
    coming = settings.uploads / "coming.part"
    coming.mkdir()

    with pytest.raises(OutputError, match=f"process {os.getpid()}") as caught:
        open_server(Settings(tmp_path / "home", port=8431))
    assert "--home" in caught.value.remedy
    assert coming.is_dir()
    with first.store.reading() as session:
        assert session.get(FirstLink, digest(link)) is not None
        assert session.get_one(Job, 1).state == "running"

    first.alone.close()
    again = open_server(settings)
    assert not coming.exists()
    again.alone.close()
    for one in (first, again):
        one.store.engine.dispose()


def test_a_home_that_cannot_be_locked_is_named(tmp_path: Path) -> None:
    (tmp_path / "home" / "lock").mkdir(parents=True)
    with pytest.raises(OutputError, match="lock"):
        open_server(Settings(tmp_path / "home"))
