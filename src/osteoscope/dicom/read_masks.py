"""Masks of a CT, whatever they are kept in: label maps (NIfTI, NRRD), DICOM SEG, RT structure sets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from osteoscope.dicom.intake.sandbox import Sandbox
from osteoscope.dicom.options import Limits
from osteoscope.dicom.read_labels import LABEL_SUFFIXES, read_labels
from osteoscope.domain.finding import Part
from osteoscope.domain.geometry import Grid
from osteoscope.errors import IntakeError

MASK_CLASSES = frozenset(
    {"1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7", "1.2.840.10008.5.1.4.1.1.481.3"}
)
_NEAR_MM = 0.05


@dataclass(frozen=True, eq=False)
class NamedMask:
    """A mask on a CT.

    Args:
        label: of the segment, region or label.
        meaning: code meaning of what a Segmentation says it is, "" elsewhere.
        part: its voxels on the image "ct".
    """

    label: str
    meaning: str
    part: Part


def read_masks(path: Path, grid: Grid, scratch: Path) -> tuple[NamedMask, ...]:
    """All masks of a file that lie on a CT.

    Segmentations on another grid are taken to the CT's by nearest neighbour; label maps must have its grid.

    Args:
        path: .nii, .nii.gz, .nrrd, or DICOM.
        grid: of the CT.
        scratch: a folder for arrays.

    Raises:
        IntakeError: no such file, not one of these, of another grid, or nothing of it on the CT.
    """
    if path.name.lower().endswith(LABEL_SUFFIXES):
        return _of_label_map(path, grid, scratch)
    if not path.is_file():
        raise IntakeError(f"read masks {path}", "no such file", "Check the path")
    request = {
        "op": "masks", "file": str(path.resolve()), "out": str(scratch), "shape": grid.shape,
        "matrix": grid.matrix.tolist(),
    }  # fmt: skip
    made, outside = [], []
    with Sandbox(Limits()) as sandbox:
        for answer in sandbox.stream(request):
            if "refused" in answer:
                raise IntakeError(f"read masks {path}", answer["refused"], answer["remedy"])
            if answer["file"] is None:
                outside.append(answer["label"])
                continue
            mask = np.load(answer["file"], allow_pickle=False)
            Path(answer["file"]).unlink()
            made.append(
                NamedMask(answer["label"], answer["meaning"], Part.from_mask("ct", mask, tuple(answer["offset"])))
            )
    if not made:
        found = f"none of its {len(outside)} masks lies on the CT"
        raise IntakeError(f"read masks {path}", found, "Check that both are of one scan")
    return tuple(made)


def _of_label_map(path: Path, grid: Grid, scratch: Path) -> tuple[NamedMask, ...]:
    own, labels = read_labels(path, scratch)
    if not own.matches(grid, _NEAR_MM):
        found = f"a grid of {own.shape} voxels, not that of the CT, {grid.shape}"
        raise IntakeError(f"read masks {path}", found, "Resample the label map to the CT")
    return tuple(NamedMask(name, "", part) for name, part in labels)


def first_with_masks(paths: Iterable[Path]) -> Path | None:
    """The first file that is a DICOM Segmentation or structure set, by what its header says."""
    with Sandbox(Limits()) as sandbox:
        for path in paths:
            answer = sandbox.one({"op": "look", "file": str(path.resolve())})
            if answer.get("fields", {}).get("SOPClassUID", "") in MASK_CLASSES:
                return path
    return None
