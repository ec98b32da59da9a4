"""``python -m osteoscope.dicom.worker LIMITS``: one JSON request per line in, JSON answers per line out."""

from __future__ import annotations

import importlib
import json
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any

from osteoscope.dicom.options import Limits
from osteoscope.dicom.worker.restrict import allow_time, restrict
from osteoscope.errors import IntakeError

_LONGEST_REASON = 400

Handler = Callable[[Mapping[str, Any], Limits], Iterator[dict[str, Any]]]

# Named, not imported: a worker that only scans headers never pays for SimpleITK.
HANDLERS: Mapping[str, tuple[str, str]] = {
    "look": ("osteoscope.dicom.worker.look", "look"),
    "digest": ("osteoscope.dicom.worker.pixels", "digest"),
    "ct": ("osteoscope.dicom.worker.pixels", "decode_ct"),
    "counts": ("osteoscope.dicom.worker.pixels", "decode_counts"),
    "resample": ("osteoscope.dicom.worker.resample", "resample"),
    "volume": ("osteoscope.dicom.worker.volume", "read_volume"),
    "masks": ("osteoscope.dicom.worker.masks", "read_masks"),
    "unpack": ("osteoscope.dicom.worker.unpack", "unpack"),
}


def main() -> None:
    """Answer requests until the parent closes the pipe."""
    limits = Limits(**json.loads(sys.argv[1]))
    answers = _take_stdout()
    warnings.simplefilter("ignore")
    _say(answers, {"limited": restrict(limits)})
    for line in sys.stdin:
        allow_time(limits)
        for answer in _respond(json.loads(line), limits):
            _say(answers, answer)
            allow_time(limits)
        _say(answers, {"end": True})


def _respond(request: Mapping[str, Any], limits: Limits) -> Iterator[dict[str, Any]]:
    try:
        module, name = HANDLERS[request["op"]]
        handler: Handler = getattr(importlib.import_module(module), name)
        yield from handler(request, limits)
    except IntakeError as error:
        yield {"refused": error.found, "remedy": error.remedy}
    except MemoryError:
        yield {
            "refused": f"reading it needs more than {limits.worker_bytes / 2**30:.3g} GiB of memory",
            "remedy": "Raise Limits.worker_bytes if the file can be trusted",
        }
    except OSError as error:
        yield {"refused": f"it cannot be opened ({error.strerror})", "remedy": "Check the file and its permissions"}
    except Exception as error:  # noqa: BLE001 - foreign bytes can make a parser raise anything
        words = " ".join(f"{type(error).__name__}: {error}".split())
        yield {"refused": words[:_LONGEST_REASON], "remedy": "Export the file again from its source"}


def _take_stdout() -> IO[str]:
    """A private copy of stdout; what C libraries print goes to stderr and cannot garble the answers."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return answers


def _say(answers: IO[str], answer: Mapping[str, Any]) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
