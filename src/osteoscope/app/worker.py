"""One job in a process of its own: `python -m osteoscope.app.worker`, set up by its environment.

It ends when its standard input closes, since then the server that started it is gone.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from pathlib import Path

from osteoscope.app.jobs import JOBS, Result
from osteoscope.app.settings import Settings
from osteoscope.app.supervisor import DATABASE_AWAY, SETUP, failed
from osteoscope.errors import OsteoscopeError
from osteoscope.store import queue
from osteoscope.store.engine import AWAY, Store, insist, open_store
from osteoscope.store.rows import Job

LOG = logging.getLogger("osteoscope.app")
# Reviewers come before studies that are being read.
_POLITE = 10


def main() -> None:
    """Do the job of the environment; its outcome is in its row."""
    setup = json.loads(os.environ[SETUP])
    number = int(setup.pop("job"))
    settings = Settings(**{**setup, "home": Path(setup["home"])})
    threading.Thread(target=_follow_parent, daemon=True).start()
    os.nice(_POLITE)
    store = open_store(settings.database_url)
    try:
        problem, result = _outcome(settings, store, number)
        insist(lambda: _finish(store, number, problem, result))
    except AWAY:
        LOG.exception("job %d is given back", number)
        sys.exit(DATABASE_AWAY)


def _outcome(settings: Settings, store: Store, number: int) -> tuple[str, Result]:
    """The problem, "" where there is none, and the result; what the database raises while it is away passes."""
    with store.reading() as session:
        job = session.get_one(Job, number)
        kind, subject = job.kind, job.subject
    try:
        return "", JOBS[kind](settings, store, subject)
    except OsteoscopeError as error:
        return str(error), None
    except AWAY:
        raise
    except Exception as error:
        LOG.exception("job %d", number)
        return f"{type(error).__name__}: {error}", None


def _finish(store: Store, number: int, problem: str, result: Result) -> None:
    with store.writing() as session:
        queue.finish(session, number, problem, result)
        if problem:
            failed(session, session.get_one(Job, number), problem)


def _follow_parent() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(70)


if __name__ == "__main__":
    main()
