"""The whole path on two simulated patients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from osteoscope.deliver.batch import BatchOptions, read_all, summarise
from osteoscope.deliver.outputs import read_reading
from osteoscope.deliver.simulated import write_child, write_trunk
from osteoscope.simulate.ct import CtLesion, CtRecipe
from osteoscope.simulate.planar import ChildRecipe, Diffuse, Foci, Mass

Progress = Callable[[str, int, int], None]

CHILD = ChildRecipe(
    age_years=4,
    sex="F",
    lesions=(Foci("skull", 2), Foci("proximal_lower_limb_left", 3), Diffuse("spine", 0.6), Mass("adrenal_left")),
)
ABDOMEN = CtRecipe(
    coverage="abdomen",
    spacing_mm=(2.5, 1.3, 1.3),
    lesions=(
        CtLesion("vertebra_L2", "lytic", 24, breach=True),
        CtLesion("hip_right", "blastic", 30),
        CtLesion("sacrum", "mixed", 26),
    ),
)
PATIENTS: Mapping[str, Callable[[Path], None]] = MappingProxyType(
    {
        "child": lambda folder: write_child(CHILD, 1, folder),
        "adult": lambda folder: write_trunk(ABDOMEN, 1, folder),
    }
)


@dataclass(frozen=True)
class DemoReport:
    """A finished report and one line on it."""

    path: Path
    summary: str


def run_demo(output: Path, progress: Progress) -> tuple[DemoReport, ...]:
    """Simulate, write DICOM, read it back through the ordinary intake, report."""
    reports = []
    for number, (name, write) in enumerate(PATIENTS.items()):
        progress(f"simulate {name}", number, len(PATIENTS))
        folder = output / name
        write(folder)
        read_all([folder / "dicom"], folder, BatchOptions(), progress)
        reading, truth = summarise(read_reading(folder / "reading.json")), read_reading(folder / "truth.json")
        reports.append(DemoReport(folder / "report.html", f"{name}: {reading} (put in: {summarise(truth)})"))
    return tuple(reports)
