"""The parent's end of the child process that reads foreign bytes."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from osteoscope.dicom.options import Limits
from osteoscope.errors import IntakeError

Answer = dict[str, Any]

WORKER = "osteoscope.dicom.worker"

# One thread per maths library: each thread reserves address space, which the limit counts.
_ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_DEATHS = {
    "SIGSEGV": "its content crashed the decoder",
    "SIGBUS": "it shrank while it was read, or the scratch disk is full",
    "SIGABRT": "its content made the decoder give up",
    "SIGXCPU": "it took more processor time than allowed",
    "SIGKILL": "the system ended its reader, likely for lack of memory",
}
_REMEDY = "Export the file again from its source"


class Sandbox:
    """A worker that is started on demand and again after its death; use as a context manager."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._child: _Child | None = None
        self.limited = True

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_raised: object) -> None:
        self._stop()

    def one(self, request: Mapping[str, Any]) -> Answer:
        """The last answer to a request; {"refused", "remedy"} where the file cannot be read or killed the worker."""
        return deque(self.stream(request), maxlen=1).pop()

    def stream(self, request: Mapping[str, Any]) -> Iterator[Answer]:
        """All answers to a request, as they come; a refusal is the last one."""
        child = self._child or self._start()
        death = ""
        finished = False
        try:
            child.send(request)
            while not finished and not death:
                answer = child.receive(self._limits.worker_seconds)
                if isinstance(answer, str):
                    death = answer
                elif "end" in answer:
                    finished = True
                else:
                    yield answer
        finally:
            if not finished:
                self._stop()
        if death:
            yield {"refused": death, "remedy": _REMEDY}

    def _start(self) -> _Child:
        self._child = child = _Child(self._limits)
        hello = child.receive(self._limits.worker_seconds)
        if isinstance(hello, str):
            self._stop()
            raise IntakeError(
                "start the process that reads files",
                f"it ended at once ({hello})",
                "Raise Limits.worker_bytes, and check that this Python can run 'python -m osteoscope.dicom.worker'",
            )
        self.limited = bool(hello["limited"])
        return child

    def _stop(self) -> None:
        if self._child is not None:
            self._child.close()
            self._child = None


class _Child:
    """One worker process; a thread moves its answers into a queue, so that waiting can time out everywhere."""

    def __init__(self, limits: Limits) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own module, no foreign argument
            [sys.executable, "-m", WORKER, json.dumps(asdict(limits))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **_ONE_THREAD},
            text=True,
            encoding="utf-8",
        )
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._collect, daemon=True)
        self._reader.start()

    def send(self, request: Mapping[str, Any]) -> None:
        """Write one request; a dead worker shows in the next answer."""
        assert self._process.stdin is not None  # noqa: S101 - opened above
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except OSError:
            return

    def receive(self, seconds: float) -> Answer | str:
        """The next answer, or as text why there is none."""
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            return f"reading it took longer than {seconds:.3g} s"
        if not line:
            return self._death()
        return dict(json.loads(line, object_pairs_hook=_shared))

    def close(self) -> None:
        """End the worker and release its pipes."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                _close_quietly(pipe)

    def _collect(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - opened above
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def _death(self) -> str:
        code = self._process.wait()
        name = signal.Signals(-code).name if code < 0 else ""
        return _DEATHS.get(name, f"its reader ended with {name or f'code {code}'}")


def _shared(pairs: list[tuple[str, Any]]) -> Answer:
    """Headers repeat themselves from file to file; equal texts are held once."""
    return {sys.intern(key): sys.intern(value) if isinstance(value, str) else value for key, value in pairs}


def _close_quietly(pipe: Any) -> None:
    try:
        pipe.close()
    except OSError:
        return
