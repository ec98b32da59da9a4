"""NIfTI and NRRD volumes through SimpleITK, whose world is LPS millimetres as DICOM's is."""

from __future__ import annotations

import hashlib
import math
import re
import shutil
from collections.abc import Iterator, Mapping
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk  # noqa: N813 - the name that its manual uses

from osteoscope.dicom.options import MIB, Limits
from osteoscope.dicom.worker.hounsfield import Tally, to_hounsfield
from osteoscope.dicom.worker.nifti_gaps import gaps_of
from osteoscope.errors import IntakeError, LimitError

_READERS: Mapping[str, str] = {"nifti": "NiftiImageIO", "nrrd": "NrrdImageIO"}


def read_volume(request: Mapping[str, Any], limits: Limits) -> Iterator[dict[str, Any]]:
    """Write the volume at "file", of "kind" nifti or nrrd, as int16 HU to "out".

    Yields "shape" (slice, row, column), "spacing", "origin", "direction" (row-major, columns are the file's
    x, y, z axes in LPS), "oriented" (False where a NIfTI states no orientation), "sha256" and the tally.

    Raises:
        IntakeError: not one 3-D volume of single numbers, or an affine that is not orthonormal.
        LimitError: more voxels than allowed.
    """
    path, out = Path(request["file"]), Path(request["out"])
    reader = sitk.ImageFileReader()
    reader.SetImageIO(_READERS[request["kind"]])
    reader.SetFileName(str(_as_itk_wants_it(path, request["kind"], out)))
    try:
        reader.ReadImageInformation()
        _check_layout(reader, limits)
        image = reader.Execute()
    except RuntimeError as error:
        remedy = "Save it again as a 3-D NIfTI or NRRD whose axes stand at right angles"
        raise IntakeError("read the volume", _last_line(error), remedy) from error
    values = sitk.GetArrayViewFromImage(image)
    if values.ndim == 4:
        values = values[0]
    tally = Tally()
    volume = np.lib.format.open_memmap(out, mode="w+", dtype=np.int16, shape=values.shape)
    gaps = gaps_of(path, values.shape) if request["kind"] == "nifti" else repeat(None)
    for index, (stored, gap) in enumerate(zip(values, gaps, strict=False)):
        held = stored if gap is None or not gap.any() else np.where(gap, np.nan, stored)
        volume[index] = to_hounsfield(held, (1.0, 0.0), None, tally)
    volume.flush()
    size = image.GetDimension()
    yield {
        "shape": list(values.shape),
        "spacing": image.GetSpacing()[:3],
        "origin": image.GetOrigin()[:3],
        "direction": np.reshape(image.GetDirection(), (size, size))[:3, :3].ravel().tolist(),
        "oriented": _states_orientation(reader),
        "sha256": _sha256(path),
        **tally.plain(),
    }


def _check_layout(reader: sitk.ImageFileReader, limits: Limits) -> None:
    size = reader.GetSize()
    parts = reader.GetNumberOfComponents()
    kind = sitk.GetPixelIDValueAsString(reader.GetPixelID())
    if parts != 1 or "complex" in kind or len(size) < 3 or math.prod(size[3:]) != 1 or len(size) > 4:
        raise IntakeError(
            "read the volume",
            f"size {' x '.join(map(str, size))} of {kind} with {parts} numbers per voxel",
            "Give one 3-D volume with one number per voxel",
        )
    if math.prod(size) > limits.pixels:
        raise LimitError("read the volume", f"{math.prod(size)} voxels", f"Limits.pixels allows {limits.pixels}")


def _as_itk_wants_it(path: Path, kind: str, out: Path) -> Path:
    """The file itself, or a copy beside ``out``: ITK reads a NIfTI by its suffix only."""
    if kind == "nrrd":
        _refuse_detached(path)
        return path
    if path.name.lower().endswith((".nii", ".nii.gz")):
        return path
    with path.open("rb") as file:
        suffix = ".nii.gz" if file.read(2) == b"\x1f\x8b" else ".nii"
    return Path(shutil.copyfile(path, out.with_suffix(suffix)))


def _refuse_detached(path: Path) -> None:
    with path.open("rb") as file:
        head, blank, _ = file.read(MIB).replace(b"\r\n", b"\n").partition(b"\n\n")
    if not blank or re.search(rb"(?im)^data ?file:", head):
        raise IntakeError(
            "read the volume",
            "a NRRD header that points to pixels in another file or has no end",
            "Save header and pixels in one .nrrd file",
        )


def _states_orientation(reader: sitk.ImageFileReader) -> bool:
    codes = [reader.GetMetaData(key) for key in ("qform_code", "sform_code") if reader.HasMetaDataKey(key)]
    return not codes or any(code.strip() not in {"", "0"} for code in codes)


def _last_line(error: RuntimeError) -> str:
    """What ITK found, without its class names, addresses and paths."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or ["it cannot be read"]
    return re.sub(r"^ITK ERROR: |\w+\(0x[0-9a-f]+\): |/\S*/", "", lines[-1])


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
