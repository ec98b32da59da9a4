"""A label map of lesions or bones from NIfTI or NRRD."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cc3d
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from osteoscope.dicom.intake.sandbox import Sandbox
from osteoscope.dicom.intake.volume_file import check_layout, grid_of
from osteoscope.dicom.options import Limits
from osteoscope.domain.finding import Part
from osteoscope.domain.geometry import Grid
from osteoscope.errors import IntakeError

_KINDS = {".nii.gz": "nifti", ".nii": "nifti", ".nrrd": "nrrd"}
LABEL_SUFFIXES: tuple[str, ...] = tuple(_KINDS)
_MOST_LABELS = 256


def read_labels(path: Path, scratch: Path) -> tuple[Grid, tuple[tuple[str, Part], ...]]:
    """The lesions of a label map, as "label" or "label.piece" with their Parts on the image "ct".

    Every label is a lesion, as in the lesions.nii.gz of `osteoscope read`. Where there is one label alone, its
    26-connected pieces are lesions: a mask that does not tell them apart.

    Args:
        path: .nii, .nii.gz or .nrrd.
        scratch: a folder for an array.

    Raises:
        IntakeError: no such file, not one of these, or values that are no labels.
    """
    grid, labels = _label_map(path, scratch)
    return grid, _parts(labels)


def read_numbered(path: Path, scratch: Path) -> tuple[Grid, dict[int, Part]]:
    """Every label of a label map as it is, with its Part on the image "ct"; arguments and errors as `read_labels`."""
    grid, labels = _label_map(path, scratch)
    return grid, {int(name): part for name, part in _each(labels)}


def _label_map(path: Path, scratch: Path) -> tuple[Grid, NDArray[np.int16]]:
    kind = next((kind for suffix, kind in _KINDS.items() if path.name.lower().endswith(suffix)), None)
    if kind is None or not path.is_file():
        found = "no such file" if kind else "not a NIfTI or NRRD file"
        raise IntakeError(f"read labels {path}", found, "Give a label map (.nii, .nii.gz, .nrrd) or a reading.json")
    out = scratch / "labels.npy"
    with Sandbox(Limits()) as sandbox:
        answer = sandbox.one({"op": "volume", "kind": kind, "file": str(path.resolve()), "out": str(out)})
    if "refused" in answer:
        raise IntakeError(f"read labels {path}", answer["refused"], answer["remedy"])
    check_layout(answer, path.name)
    labels = np.load(out, allow_pickle=False)
    out.unlink()
    unfit = [answer[key] for key in ("fractional", "clipped", "not_finite")]
    if any(unfit) or answer["lowest"] < 0 or labels.max() > _MOST_LABELS:
        found = f"values from {answer['lowest']:g} to {answer['highest']:g}, not all of them labels"
        if answer["fractional"]:
            found += f" ({answer['fractional']} voxels are no whole numbers)"
        remedy = f"Give integers from 0 (no lesion) to {_MOST_LABELS} at most"
        raise IntakeError(f"read labels {path}", found, remedy)
    return grid_of(answer), labels


def _parts(labels: NDArray[np.int16]) -> tuple[tuple[str, Part], ...]:
    if labels.max() == labels[labels > 0].min(initial=_MOST_LABELS) and labels.any():
        pieces = np.asarray(cc3d.connected_components(labels > 0, connectivity=26))
        return tuple((f"{labels.max()}.{name}", part) for name, part in _each(pieces))
    return tuple(_each(labels))


def _each(labels: NDArray[np.integer[Any]]) -> list[tuple[str, Part]]:
    boxes = ndimage.find_objects(labels)
    return [
        (str(number), Part("ct", tuple(s.start for s in box), labels[box] == number))
        for number, box in enumerate(boxes, 1)
        if box is not None
    ]
