"""Small readings of CT and label maps on disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from osteoscope.deliver.outputs import write_reading
from osteoscope.dicom.write_nifti import write_nifti
from osteoscope.domain.finding import Finding, FindingKind, Measure, Part, Point, Region
from osteoscope.domain.geometry import Grid
from osteoscope.domain.reading import ImageRecord, Provenance, Reader, Reading, StudyRecord
from osteoscope.domain.study import Acquisition, Patient

GRID = Grid.axial((60, 24, 24), (2.0, 1.0, 1.0), (-10, 20, 30))
Box = tuple[int, float, FindingKind]


def mask(start: int, side: int = 8) -> np.ndarray:
    whole = np.zeros(GRID.shape, dtype=bool)
    whole[start : start + 4, 2 : 2 + side, 2 : 2 + side] = True
    return whole


def finding(start: int, confidence: float, kind: FindingKind, side: int = 8) -> Finding:
    part = Part.from_mask("ct", mask(start, side))
    sizes = (Measure("long_axis", side * 1.5, "mm", "test"), Measure("volume", side * side * 0.008, "mL", "test"))
    centre = Point.centre_of(part, GRID)
    return Finding(f"f{start}", "vertebra_L3", kind, confidence, Region((part,)), centre, sizes)


def write(path: Path, boxes: Sequence[Box], uid: str, reader: str = "program", patient: str = "") -> Path:
    """A reading of boxes (first slice, confidence, kind)."""
    images = {"ct": ImageRecord(GRID, "HU")}
    study = StudyRecord(uid, "ct", "2026-01-01", Patient(patient or uid), Acquisition(), images)
    found = tuple(finding(*box) for box in boxes)
    who = Reader("program" if reader == "program" else "truth", reader)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_reading(Reading(study, who, found, (), (), Provenance("test")), path)
    return path


def write_labels(path: Path, starts: Sequence[int], grid: Grid = GRID, same_label: bool = False) -> Path:
    labels = np.zeros(GRID.shape, dtype=np.uint8)
    for number, start in enumerate(starts, 1):
        labels[mask(start)] = 1 if same_label else number
    write_nifti(grid, labels[tuple(slice(0, n) for n in grid.shape)], path)
    return path
