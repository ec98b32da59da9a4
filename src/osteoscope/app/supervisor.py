"""Gives waiting jobs to processes of their own, and queues again what a crash cut off."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from osteoscope.app.settings import Settings
from osteoscope.store import queue
from osteoscope.store.engine import Store
from osteoscope.store.rows import BEING_READ, Job, Study, Upload

LOG = logging.getLogger("osteoscope.app")
READING, LATER, QUICK = ("read",), ("compare", "strength"), ("intake", "deliver", "send")
_PAUSE_SECONDS = 1.0
_LONGEST_SECONDS = 2 * 3600
SETUP = "OSTEOSCOPE_WORKER"
DATABASE_AWAY = 75  # code of a worker that leaves its job undone, since the database is away


@dataclass
class _Worker:
    job: int
    kinds: tuple[str, ...]
    scratch: Path
    process: subprocess.Popen[bytes]
    until: float


class Supervisor(threading.Thread):
    """A thread that keeps workers busy; each is a process, so that a crash or a leak ends with its study."""

    def __init__(self, settings: Settings, store: Store) -> None:
        super().__init__(name="supervisor", daemon=True)
        self.settings, self.store = settings, store
        self._woken, self._closing = threading.Event(), threading.Event()
        self._workers: list[_Worker] = []

    def wake(self) -> None:
        """Look at the queue at once."""
        self._woken.set()

    def stop(self) -> None:
        """End the workers; their jobs are taken up again at the next start."""
        self._closing.set()
        self._woken.set()
        self.join(timeout=10)

    def run(self) -> None:
        """Until stopped."""
        shutil.rmtree(self.settings.scratch, ignore_errors=True)
        while not self._closing.is_set():
            try:
                self._look()
            except Exception:
                LOG.exception("the queue of jobs")
            self._woken.wait(_PAUSE_SECONDS if self._workers else 2 * _PAUSE_SECONDS)
            self._woken.clear()
        for worker in self._workers:
            worker.process.kill()
            worker.process.wait()
        shutil.rmtree(self.settings.scratch, ignore_errors=True)

    def _look(self) -> None:
        for worker in list(self._workers):
            if time.monotonic() > worker.until:
                worker.process.kill()
            if worker.process.poll() is not None:
                # In this order: where the database is away the worker stays, and its job is given back later.
                self._ended(worker)
                self._workers.remove(worker)
        self._take_up()
        for kinds, most in ((READING, self.settings.workers), (LATER, 1), (QUICK, 2)):
            while sum(worker.kinds == kinds for worker in self._workers) < most:
                with self.store.writing() as session:
                    job = queue.take(session, kinds)
                if job is None:
                    break
                self._start(job.id, kinds)

    def _take_up(self) -> None:
        """Queue again what was cut off with the last server, or whose worker could not be started."""
        working = [worker.job for worker in self._workers]
        with self.store.reading() as session:
            if not queue.lost(session, working):
                return
        with self.store.writing() as session:
            for job in queue.take_up(session, working):
                LOG.warning("job %d was cut off and is taken up again", job)

    def _start(self, job: int, kinds: tuple[str, ...]) -> None:
        scratch = self.settings.scratch / str(job)
        scratch.mkdir(parents=True, exist_ok=True)
        setup = {**asdict(self.settings), "home": str(self.settings.home), "job": job}
        # The worker ends when its end of the pipe closes, so that it does not outlive a server that was killed.
        process = subprocess.Popen(
            [sys.executable, "-m", "osteoscope.app.worker"],
            stdin=subprocess.PIPE,
            env={**os.environ, SETUP: json.dumps(setup), "TMPDIR": str(scratch)},
        )
        self._workers.append(_Worker(job, kinds, scratch, process, time.monotonic() + _LONGEST_SECONDS))

    def _ended(self, worker: _Worker) -> None:
        code = worker.process.returncode
        if worker.process.stdin:
            worker.process.stdin.close()
        shutil.rmtree(worker.scratch, ignore_errors=True)
        why = "the database could not be reached" if code == DATABASE_AWAY else f"the worker ended with code {code}"
        problem = f"{why}, {queue.MOST_ATTEMPTS} times"
        with self.store.writing() as session:
            job = session.get(Job, worker.job)
            if job is not None and not queue.give_back(session, worker.job, problem):
                failed(session, job, problem)


def failed(session: Session, job: Job, problem: str) -> None:
    """Say on the study or upload of a job why it failed."""
    study = session.get(Study, job.subject) if job.kind == "read" else None
    if study is not None and study.state in BEING_READ:
        study.state, study.problem = "failed", problem
    row = session.get(Upload, job.subject) if job.kind == "intake" else None
    if row is not None:
        note = {"level": "refused", "problem": problem, "action": "upload the files again", "file": "upload"}
        row.state, row.notes = "failed", [*row.notes, note]
