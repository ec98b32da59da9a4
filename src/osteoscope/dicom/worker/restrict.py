"""Limits that the operating system holds over the worker."""

from __future__ import annotations

import math
import sys

from osteoscope.dicom.options import Limits

if sys.platform != "win32":
    import resource

    def restrict(limits: Limits) -> bool:
        """Cap address space, written files and core dumps; False where the system refuses."""
        try:
            resource.setrlimit(resource.RLIMIT_AS, (limits.worker_bytes, limits.worker_bytes))
            resource.setrlimit(resource.RLIMIT_FSIZE, (limits.file_bytes, limits.file_bytes))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        except (ValueError, OSError):
            return False
        return True

    def allow_time(limits: Limits) -> None:
        """Processor time for one more step: holds even where the parent is gone and its clock with it."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        seconds = math.ceil(used.ru_utime + used.ru_stime + limits.worker_seconds)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.getrlimit(resource.RLIMIT_CPU)[1]))

else:

    def restrict(limits: Limits) -> bool:  # noqa: ARG001 - same face as elsewhere
        """Windows has no such limits; the parent says so to the user."""
        return False

    def allow_time(limits: Limits) -> None:
        """Windows has no such limit; the parent's clock remains."""
