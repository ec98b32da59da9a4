"""What the intake allows: limits against hostile or broken input, and research overrides."""

from __future__ import annotations

from dataclasses import dataclass, field

GIB = 1024**3
MIB = 1024**2
AIR_HU = -1024


@dataclass(frozen=True)
class Limits:
    """Caps that hold before anything is decoded. The defaults are choices, wide enough for a hospital's CT.

    Args:
        files: files in one input, archives included.
        file_bytes: size of one file, on disk or inflated.
        inflated_bytes: what one archive may inflate to.
        inflation_ratio: inflated over compressed size of one archive, tested from 64 MiB on.
        pixels: elements of one image or volume, all frames (the default holds 512 x 512 x 4000).
        worker_bytes: address space of the child process that reads foreign bytes.
        worker_seconds: wall and processor time of the child for one step (a header, a frame, a volume).
    """

    files: int = 200_000
    file_bytes: int = 8 * GIB
    inflated_bytes: int = 64 * GIB
    inflation_ratio: float = 200.0
    pixels: int = 512 * 512 * 4000
    worker_bytes: int = 6 * GIB
    worker_seconds: float = 120.0


@dataclass(frozen=True)
class IntakeOptions:
    """How strict the intake is.

    Args:
        allow_gaps: research override: missing CT slices wider than ``largest_gap_mm`` are interpolated, and said so.
        tracer: the reader insists on this tracer (such as "mIBG"), whatever the header says; said so.
        largest_gap_mm: a hole between CT slices up to this is interpolated and said so; a wider one is refused.
            5 mm, a usual slice thickness, is a choice.
        smallest_stack: fewer CT slices than this are no volume.
        limits: caps on size, count, memory and time.
    """

    allow_gaps: bool = False
    tracer: str = ""
    largest_gap_mm: float = 5.0
    smallest_stack: int = 3
    limits: Limits = field(default_factory=Limits)
