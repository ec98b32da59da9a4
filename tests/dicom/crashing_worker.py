"""The worker with decoders that fail as broken C libraries do, on files that are named so."""

from __future__ import annotations

import ctypes
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from osteoscope.dicom.options import Limits
from osteoscope.dicom.worker import __main__ as worker
from osteoscope.dicom.worker import look as sound_look
from osteoscope.dicom.worker import pixels as sound_pixels


def _print_and_leave() -> None:
    os.system("echo garbage on stdout")  # noqa: S605 - as a C library would
    os._exit(3)


def _spin() -> None:
    while True:
        pass


FAILURES: Mapping[str, Callable[[], object]] = {
    "segfault": lambda: ctypes.string_at(0),
    "abort": os.abort,
    "hang": lambda: time.sleep(60),
    "spin": _spin,
    "greedy": lambda: bytearray(1 << 40),
    "leave": _print_and_leave,
}


def look(request: Mapping[str, Any], limits: Limits) -> Iterator[dict[str, Any]]:
    _fail(request)
    yield from sound_look.look(request, limits)


def decode_ct(request: Mapping[str, Any], limits: Limits) -> Iterator[dict[str, Any]]:
    _fail(request, "pixels-")
    yield from sound_pixels.decode_ct(request, limits)


def _fail(request: Mapping[str, Any], prefix: str = "") -> None:
    for name, failure in FAILURES.items():
        if Path(request["file"]).name.startswith(prefix + name):
            failure()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    worker.HANDLERS = {
        **worker.HANDLERS,
        "look": ("crashing_worker", "look"),
        "ct": ("crashing_worker", "decode_ct"),
    }
    worker.main()
