"""What a detector hands back."""

from __future__ import annotations

from dataclasses import dataclass

from osteoscope.domain.finding import Finding, SetAside


@dataclass(frozen=True)
class Detection:
    """Findings, and what was seen and, with a reason, not counted."""

    findings: tuple[Finding, ...]
    set_aside: tuple[SetAside, ...] = ()
