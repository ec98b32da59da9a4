"""Runs a piece of work in a process of its own and notes its wall seconds and peak memory."""

from __future__ import annotations

import json
import multiprocessing
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@dataclass(frozen=True)
class Run:
    """What a piece of work gave, its wall seconds, and the peak resident memory of it and its children in GB."""

    result: Any
    seconds: float
    peak_gb: float


def _child(act: Callable[..., Any], arguments: tuple[Any, ...], answer: Connection) -> None:
    clock = time.perf_counter()
    result = act(*arguments)
    seconds = time.perf_counter() - clock
    peaks = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    answer.send(json.dumps({"result": result, "seconds": seconds, "peak_gb": max(peaks) / 1e6}))


def run(act: Callable[..., Any], *arguments: Any) -> Run:
    """Run ``act`` in a fresh process; its result must be JSON."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(act, arguments, sender))
    process.start()
    sender.close()
    answer = json.loads(receiver.recv())
    process.join()
    return Run(**answer)
