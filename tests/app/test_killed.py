"""A real server with real workers, killed in the middle."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from serving import PASSWORD

START_SECONDS, READ_SECONDS = 90, 240


class Running:
    """`osteoscope serve` in a process of its own."""

    def __init__(self, home: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [sys.executable, "-m", "osteoscope", "serve", "--home", str(home), "--port", str(port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)
        self.printed = "".join(self.process.stdout.readline() for _ in range(2)) if self.process.stdout else ""
        self.wait(self._answers, START_SECONDS)

    def _answers(self) -> bool:
        try:
            return self.http.get("/api/health").status_code == 200
        except httpx.TransportError:
            return False

    def wait(self, until: Callable[[], bool], seconds: float) -> None:
        end = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < end, "it took too long"
            assert self.process.poll() is None, "the server ended"
            time.sleep(0.2)

    def state(self) -> str:
        items = self.http.get("/api/studies").json()["items"]
        return str(items[0]["state"]) if items else ""

    def workers(self) -> list[psutil.Process]:
        return list(psutil.Process(self.process.pid).children())

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()
        self.http.close()


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[[], Running]]:
    made: list[Running] = []

    def start() -> Running:
        made.append(Running(tmp_path / "home"))
        return made[-1]

    yield start
    for one in made:
        if one.process.poll() is None:
            one.kill()


def test_nothing_is_lost_when_server_and_worker_are_killed(
    run: Callable[[], Running], child: list[tuple[str, bytes]]
) -> None:
    first = run()
    link = first.printed.split("first=")[1].split()[0]
    me = first.http.post("/api/first", json={"link": link, "name": "ada", "password": PASSWORD}).json()
    parts = [("files", file) for file in child]
    sent = first.http.post("/api/uploads", files=parts, headers={"X-CSRF-Token": me["csrf"]})
    assert sent.status_code == 200
    first.wait(lambda: first.state() == "reading", READ_SECONDS)
    orphans = first.workers()
    first.kill()
    _, alive = psutil.wait_procs(orphans, timeout=20)
    assert alive == []

    second = run()
    assert "first=" not in second.printed
    second.http.cookies.update(first.http.cookies)
    second.wait(lambda: second.state() == "reading" and bool(second.workers()), READ_SECONDS)
    for worker in second.workers():
        worker.kill()
    second.wait(lambda: second.state() == "read", READ_SECONDS)
    study = second.http.get("/api/studies").json()["items"][0]["id"]
    assert second.http.get(f"/api/studies/{study}/reading").json()["schema"] == "osteoscope/reading/1"
    second.kill()
