"""The review server under load: start, worklist of 10,000 studies, 50 reviewers at once."""

from __future__ import annotations

import asyncio
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import psutil

from osteoscope.app.jobs import JOBS
from osteoscope.app.server import open_server
from osteoscope.app.settings import Settings
from osteoscope.dicom.write_nm import write_nm
from osteoscope.simulate.planar import ChildRecipe, simulate_planar
from osteoscope.store import queue
from osteoscope.store.engine import Store
from osteoscope.store.people import add_user
from osteoscope.store.rows import Reading, Study, Upload

Figures = Mapping[str, str | float | int]
PASSWORD = "a bench of wood"  # noqa: S105 - of a benchmark
REVIEWERS, STUDIES, SECONDS, PAUSE = 50, 10_000, 30.0, 1.0
SEED = 11


def home(folder: Path) -> Settings:
    """A home with one child that was read, 10,000 lines of worklist and 50 reviewers."""
    settings = Settings(folder / "home")
    write_nm(replace(simulate_planar(ChildRecipe(), SEED).study, date="2026-01-01"), folder / "dicom")
    server = open_server(settings, work=False)
    with server.store.writing() as session:
        session.add(Upload(id="bench", owner="r0"))
        for n in range(REVIEWERS):
            add_user(session, f"r{n}", PASSWORD, "signer")
        queue.put(session, "intake", "bench")
    files = settings.files_of("bench")
    files.parent.mkdir(parents=True)
    (folder / "dicom").rename(files)
    work_off(settings, server.store)
    _fill(server.store)
    made = next((settings.home / "studies").iterdir())
    for n in range(REVIEWERS):
        settings.folder_of(f"s{n:05d}").symlink_to(made)
    server.store.engine.dispose()
    return settings


def work_off(settings: Settings, store: Store) -> None:
    """Do every waiting job here and now."""
    while True:
        with store.writing() as session:
            job = queue.take(session, tuple(JOBS))
        if job is None:
            return
        JOBS[job.kind](settings, store, job.subject)
        with store.writing() as session:
            queue.finish(session, job.id)


def _fill(store: Store) -> None:
    """Copies of the line of the child that was read, each with the program's Reading."""
    draw = random.Random(SEED)  # noqa: S311
    with store.writing() as session:
        first = session.query(Study).one()
        program = session.query(Reading).one()
        body = session.query(Reading.body).scalar()
        fields = {c.name: getattr(first, c.name) for c in Study.__table__.columns}
        for n in range(STUDIES - 1):
            name = f"s{n:05d}"
            more: dict[str, object] = {
                "id": name,
                "fingerprint": name,
                "patient_id": f"P{n % 3000:04d}",
                "patient_name": f"Child^{n}",
            }
            more |= {
                "date": f"20{draw.randrange(10, 26)}-{draw.randrange(1, 13):02d}-01",
                "siopen_total": draw.randrange(73),
            }
            session.add(Study(**{**fields, **more}))
            if n < REVIEWERS:
                session.flush()
                session.add(Reading(study=name, reader=program.reader, kind="program", state="done", body=body))


@contextmanager
def served(settings: Settings) -> Iterator[tuple[str, float, psutil.Process]]:
    """The address of a real server on that home, and the seconds until it answered."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "osteoscope", "serve", "--home", str(settings.home), "--port", str(port)]
    began, process = time.perf_counter(), subprocess.Popen(command, stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    while True:
        try:
            httpx.get(f"{url}/api/health")
            break
        except httpx.TransportError:
            time.sleep(0.02)
    try:
        yield url, time.perf_counter() - began, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


async def _reviewer(url: str, n: int, took: dict[str, list[float]], start: asyncio.Barrier) -> None:
    draw = random.Random(n)  # noqa: S311
    async with httpx.AsyncClient(base_url=url, timeout=60) as http:
        me = (await http.post("/api/login", json={"name": f"r{n}", "password": PASSWORD})).json()
        http.headers["X-CSRF-Token"] = me["csrf"]
        await start.wait()
        until = time.perf_counter() + SECONDS
        study = f"/api/studies/s{n:05d}"

        def level() -> dict[str, object]:
            return {"edit": {"op": "level", "site": "skull", "level": draw.randrange(7)}}

        calls: list[tuple[str, Callable[[], object]]] = [
            ("worklist", lambda: http.get("/api/studies", params={"search": f"child {n}", "order": "-date"})),
            ("study", lambda: http.get(study)),
            ("reading", lambda: http.get(f"{study}/reading")),
            ("views", lambda: http.get(f"{study}/views")),
            ("edit", lambda: http.post(f"{study}/edits", json=level())),
            ("edit", lambda: http.post(f"{study}/edits", json={"edit": {"op": "comment", "text": "x"}})),
            ("undo", lambda: http.post(f"{study}/undo")),
            ("difference", lambda: http.get(f"{study}/difference")),
        ]
        await asyncio.sleep(draw.uniform(0, PAUSE))
        while time.perf_counter() < until:
            for name, call in calls:
                began = time.perf_counter()
                answer = await call()  # type: ignore[misc]
                took[name].append(time.perf_counter() - began)
                assert answer.status_code == 200, answer.text
                await asyncio.sleep(draw.uniform(0.5, 1.5) * PAUSE)


async def _all(url: str) -> dict[str, list[float]]:
    took: dict[str, list[float]] = defaultdict(list)
    start = asyncio.Barrier(REVIEWERS)
    await asyncio.gather(*(_reviewer(url, n, took, start) for n in range(REVIEWERS)))
    return took


def _worklist(url: str) -> dict[str, float]:
    """Milliseconds of one page of the worklist, alone on the server, the slowest of several searches."""
    with httpx.Client(base_url=url, timeout=60) as http:
        http.post("/api/login", json={"name": "r0", "password": PASSWORD})
        slowest = 0.0
        for asked in ({}, {"search": "child 99"}, {"order": "-siopen_total"}, {"offset": "9900"}, {"search": "nobody"}):
            http.get("/api/studies", params=asked)
            began = time.perf_counter()
            assert http.get("/api/studies", params=asked).status_code == 200
            slowest = max(slowest, time.perf_counter() - began)
    return {"slowest page of a worklist of 10,000, ms": round(1000 * slowest)}


def review_server() -> Figures:
    """`osteoscope serve` on a home with 10,000 studies: start; then 50 reviewers at once, each pausing about a second
    between calls, whose calls (worklist, study, reading, views, edits, undo, difference) are timed by the client."""
    others = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="osteoscope-bench-") as folder:
        settings = home(Path(folder))
        with served(settings) as (url, start, server):
            alone = _worklist(url)
            before = sum(server.cpu_times()[:2])
            took = asyncio.run(_all(url))
            spent = sum(server.cpu_times()[:2]) - before
    every = [seconds for each in took.values() for seconds in each]
    p95 = {f"p95 of {name}, ms": round(1000 * float(np.percentile(each, 95))) for name, each in sorted(took.items())}
    return {
        "processes of others that wanted the cores (load average before)": round(others, 1),
        "seconds to the first answer": round(start, 2),
        **alone,
        "calls": len(every),
        "calls a second": round(len(every) / SECONDS, 1),
        "processor time of the server per call, ms": round(1000 * spent / len(every), 1),
        "p50 of all calls, ms": round(1000 * float(np.percentile(every, 50))),
        "p95 of all calls, ms": round(1000 * float(np.percentile(every, 95))),
        **p95,
    }


ROWS: Mapping[str, Callable[[], Figures]] = {"review_server": review_server}

if __name__ == "__main__":
    print(json.dumps(review_server(), indent=1))
