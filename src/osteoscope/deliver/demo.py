"""The whole path on two simulated patients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from osteoscope.deliver.batch import BatchOptions, read_all, summarise
from osteoscope.deliver.outputs import read_reading
from osteoscope.deliver.simulated import write_simulated

Progress = Callable[[str, int, int], None]

# A child with a handful of lesions and a trunk with metastases of each type, chosen to show, not to flatter.
DEMO_SEEDS = {"planar": 3, "ct": 3}


@dataclass(frozen=True)
class DemoReport:
    """A finished report and one line on it."""

    path: Path
    summary: str


def run_demo(output: Path, progress: Progress) -> tuple[DemoReport, ...]:
    """Simulate, write DICOM, read it back through the ordinary intake, report.

    Raises:
        OsteoscopeError: a step failed that an ordinary study would survive only with a gap.
    """
    reports = []
    for kind, seed in DEMO_SEEDS.items():
        (folder,) = write_simulated(kind, [seed], output, progress)
        read_all([folder / "dicom"], folder, BatchOptions(), progress)
        reading, truth = read_reading(folder / "reading.json"), read_reading(folder / "truth.json")
        known = ", ".join(f"{m.name.replace('_', ' ')} {m.value:.4g}" for m in truth.measures)
        reports.append(DemoReport(folder / "report.html", f"{kind}: {summarise(reading)} (simulated truth: {known})"))
    return tuple(reports)
