"""NIfTI and NRRD volumes through SimpleITK, whose world is LPS millimetres as DICOM's is."""

from __future__ import annotations

import hashlib
import math
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk  # noqa: N813 - the name that its manual uses
from numpy.typing import NDArray

from osteoscope.dicom.options import Limits
from osteoscope.dicom.worker.hounsfield import Tally, to_hounsfield
from osteoscope.dicom.worker.nifti_gaps import gaps_of
from osteoscope.dicom.worker.nifti_header import header_of, refuse_two_places
from osteoscope.dicom.worker.nrrd_header import nrrd_header
from osteoscope.errors import IntakeError, LimitError

_READERS: Mapping[str, str] = {"nifti": "NiftiImageIO", "nrrd": "NrrdImageIO"}
_STRAIGHT = "Save it again as a 3-D NIfTI or NRRD whose axes stand at right angles"
_ROUNDING = 1e-3  # as of direction cosines in DICOM


def read_volume(request: Mapping[str, Any], limits: Limits) -> Iterator[dict[str, Any]]:
    """Write the volume at "file", of "kind" nifti or nrrd, as int16 HU to "out".

    Yields "shape" (slice, row, column), "spacing", "origin", "direction" (row-major, columns are the file's
    x, y, z axes in LPS), "oriented" (False where the file states no orientation), "sha256" and the tally.

    Raises:
        IntakeError: not one 3-D volume of single numbers, axes that are not at right angles, two places that differ,
            or a unit that is no length.
        LimitError: more voxels than allowed.
    """
    path, out = Path(request["file"]), Path(request["out"])
    stated = _STATED[request["kind"]](path)
    reader = sitk.ImageFileReader()
    reader.SetImageIO(_READERS[request["kind"]])
    reader.SetFileName(str(_as_itk_wants_it(path, request["kind"], out)))
    try:
        reader.ReadImageInformation()
        _check_layout(reader, limits)
        image = reader.Execute()
    except RuntimeError as error:
        raise IntakeError("read the volume", _last_line(error), _STRAIGHT) from error
    values = sitk.GetArrayViewFromImage(image)
    if values.ndim == 4:
        values = values[0]
    direction = _axes(image)
    tally = Tally()
    volume = np.lib.format.open_memmap(out, mode="w+", dtype=np.int16, shape=values.shape)
    for index, (stored, gap) in enumerate(zip(values, stated.gaps(values.shape), strict=True)):
        held = stored if gap is None or not gap.any() else np.where(gap, np.nan, stored)
        volume[index] = to_hounsfield(held, (1.0, 0.0), None, tally)
    volume.flush()
    yield {
        "shape": list(values.shape),
        "spacing": [stated.unit_mm * step for step in image.GetSpacing()[:3]],
        "origin": [stated.unit_mm * place for place in image.GetOrigin()[:3]],
        "direction": direction.ravel().tolist(),
        "oriented": stated.oriented,
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
    if kind == "nrrd" or path.name.lower().endswith((".nii", ".nii.gz")):
        return path
    with path.open("rb") as file:
        suffix = ".nii.gz" if file.read(2) == b"\x1f\x8b" else ".nii"
    return Path(shutil.copyfile(path, out.with_suffix(suffix)))


def _axes(image: sitk.Image) -> NDArray[np.float64]:
    """Directions of the three axes, as columns; ITK checks those of a NIfTI alone."""
    size = image.GetDimension()
    axes = np.reshape(image.GetDirection(), (size, size))[:3, :3]
    off = float(np.abs(axes.T @ axes - np.eye(3)).max())
    if not off <= _ROUNDING:
        found = f"axes off right angles by up to {math.degrees(math.asin(min(off, 1.0))):.3g} degrees"
        raise IntakeError("read the volume", found, _STRAIGHT)
    return np.asarray(axes, dtype=np.float64)


@dataclass(frozen=True)
class _Stated:
    """What a header says beyond what ITK tells: whether the axes are named, the unit, where values are missing."""

    oriented: bool
    unit_mm: float
    gaps: Callable[[tuple[int, ...]], Iterable[NDArray[np.bool_] | None]]


def _nifti(path: Path) -> _Stated:
    header = header_of(path)
    if header is None:  # ITK will say what is wrong with it
        return _Stated(False, 1.0, _no_gaps)
    refuse_two_places(header)
    return _Stated(max(header.codes) > 0, 1.0, partial(gaps_of, path, header))


def _nrrd(path: Path) -> _Stated:
    header = nrrd_header(path)
    return _Stated(header.oriented, header.unit_mm, _no_gaps)


def _no_gaps(shape: tuple[int, ...]) -> Iterable[None]:
    return repeat(None, shape[0])


_STATED: Mapping[str, Callable[[Path], _Stated]] = {"nifti": _nifti, "nrrd": _nrrd}


def _last_line(error: RuntimeError) -> str:
    """What ITK found, without its class names, addresses and paths."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or ["it cannot be read"]
    return re.sub(r"^ITK ERROR: |\w+\(0x[0-9a-f]+\): |/\S*/", "", lines[-1])


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
