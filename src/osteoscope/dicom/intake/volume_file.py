"""A NIfTI or NRRD file into a CT Study."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from osteoscope.dicom.intake.inventory import VolumeFile
from osteoscope.dicom.intake.plausible import doubts, refuse_other_quantities, refuse_wide_field, value_notes
from osteoscope.dicom.intake.workplace import Workplace
from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.domain.study import Acquisition, Patient, Source, Study
from osteoscope.errors import IntakeError

_FINEST_MM, _COARSEST_MM = 0.05, 50.0
_THINNEST = 3
_UNORIENTED: Mapping[str, str] = {
    "nifti": "neither qform nor sform says how the volume lies",
    "nrrd": "no space of the patient (LPS, RAS or LAS) with its directions says how the volume lies",
}


def load_volume(file: VolumeFile, work: Workplace) -> Study:
    """The Study of one volume file, named by the SHA-256 of its bytes since it carries no patient.

    Raises:
        IntakeError: not a single 3-D volume, not in mm, or values that are no HU.
        LimitError: more voxels than allowed.
    """
    found, path = file.found, work.new_array()
    work.progress("decode", 0, 1)
    answer = work.sandbox.one({"op": "volume", "kind": file.kind, "file": str(found.path), "out": str(path)})
    work.progress("decode", 1, 1)
    if "refused" in answer:
        raise IntakeError(f"read {found.name}", answer["refused"], answer["remedy"])
    check_layout(answer, found.name)
    refuse_other_quantities(answer, found.name)
    grid = grid_of(answer)
    guessed = () if answer["oriented"] else ("orientation",)
    image = Image(grid, np.load(path, mmap_mode="r", allow_pickle=False), "HU")
    size = " x ".join(f"{n:.3g}" for n in grid.spacing)
    notes = [
        found.note("accepted", f"a volume of {grid.shape} voxels of {size} mm", "read as CT"),
        *value_notes(answer, found),
        *doubts(image, answer["not_finite"], found),
    ]
    if guessed:
        notes.append(found.note("warning", _UNORIENTED[file.kind], "sides and directions are a guess"))
    return Study(
        uid=f"sha256:{answer['sha256']}",
        kind="ct",
        date="",
        patient=Patient(id=""),
        images={"ct": image},
        acquisition=Acquisition(description=found.name, guessed=guessed),
        sources=(Source(found.name, answer["sha256"], found.path, image="ct"),),
        intake=tuple(notes),
    )


def check_layout(answer: Mapping[str, Any], name: str) -> None:
    """Refuse a volume of too few slices, one that is not in mm, or one wider than any scan.

    Raises:
        IntakeError: naming the file.
    """
    if min(answer["shape"]) < _THINNEST:
        raise IntakeError(f"read {name}", f"a volume of {answer['shape']} voxels", "Give a volume of at least 3 slices")
    if min(answer["spacing"]) < _FINEST_MM or max(answer["spacing"]) > _COARSEST_MM:
        found = f"voxels of {' x '.join(f'{n:g}' for n in answer['spacing'])} mm"
        raise IntakeError(f"read {name}", found, "Check that the file states its spacing in mm")
    refuse_wide_field(grid_of(answer), name)


def grid_of(answer: Mapping[str, Any]) -> Grid:
    """The Grid of a volume: from ITK's order (x, y, z) to array order (slice, row, column)."""
    axes = np.reshape(answer["direction"], (3, 3)) * np.asarray(answer["spacing"])
    matrix = np.eye(4)
    matrix[:3, :3] = axes[:, ::-1]
    matrix[:3, 3] = answer["origin"]
    return Grid.from_matrix(answer["shape"], matrix)
