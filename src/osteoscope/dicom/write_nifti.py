"""Volumes and label maps as NIfTI; the LPS positions of a Grid become RAS in the file."""

from __future__ import annotations

import errno
import gzip
import json
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk  # noqa: N813 - the name that its manual uses
from numpy.typing import NDArray

from osteoscope.dicom.whole import whole
from osteoscope.domain.finding import Region
from osteoscope.domain.geometry import Grid
from osteoscope.domain.reading import Case, Gap
from osteoscope.errors import OutputError

_ENDINGS = (".nii.gz", ".nii")
_HEADER, _BLOCK = 352, 2**20
_AS_STORED = {"b": np.uint8, "i": np.int32, "u": np.uint32, "f": np.float32}


def write_nifti(grid: Grid, values: NDArray[Any], path: Path) -> None:
    """Write a volume [slice, row, column] on its Grid (8- and 16-bit integers keep their type), whole or not at all.

    Raises:
        OutputError: the shapes differ, the axes of the grid are not at right angles, the name is none of NIfTI, or the
            file cannot be written.
    """
    ending = next((ending for ending in _ENDINGS if path.name.lower().endswith(ending)), "")
    remedy = "Name a .nii or .nii.gz file that can be written"
    if not ending:
        raise OutputError(f"write {path}", "a name that is none of NIfTI", remedy)
    if values.shape != grid.shape or grid.ndim != 3:
        raise OutputError(f"write {path}", f"values of {values.shape} on a grid of {grid.shape}", "Give equal shapes")
    image: Any = sitk.GetImageFromArray(values.astype(_stored_type(values.dtype), copy=False))
    axes = grid.matrix[:3, [2, 1, 0]] / np.asarray(grid.spacing[::-1])
    if np.abs(axes.T @ axes - np.eye(3)).max() > 1e-4:
        raise OutputError(
            f"write {path}", "grid axes at angles other than 90 degrees", "Resample to a rectangular grid first"
        )
    image.SetSpacing(grid.spacing[::-1])
    image.SetOrigin(grid.matrix[:3, 3].tolist())
    image.SetDirection(axes.ravel().tolist())
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path, ending) as draft:
            sitk.WriteImage(image, str(draft), useCompression=ending == _ENDINGS[0])
            _check_whole(draft, _HEADER + image.GetNumberOfPixels() * image.GetSizeOfPixelComponent())
    except (OSError, RuntimeError) as error:
        raise OutputError(f"write {path}", str(error).strip(), remedy) from error


def _check_whole(path: Path, size: int) -> None:
    """SimpleITK says nothing where the disk is full.

    Raises:
        OSError: the file holds fewer bytes than ``size``, uncompressed, or its compression breaks off.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            found = sum(map(len, iter(lambda: stream.read(_BLOCK), b"")))
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise OSError(errno.ENOSPC, f"cut short ({error}); the disk may be full") from error
    if found < size:
        raise OSError(errno.ENOSPC, f"{found} of {size} bytes were kept; the disk may be full")


def _stored_type(dtype: np.dtype[Any]) -> Any:
    small = dtype.kind in "iu" and dtype.itemsize <= 2
    return dtype if small else _AS_STORED[dtype.kind]


def write_label_nifti(grid: Grid, regions: Sequence[Region | None], path: Path, image: str = "ct") -> Mapping[int, int]:
    """Write regions as labels 1, 2, ... in their order (uint16); where two overlap, the first keeps the voxel.

    A region that is None, or not on that image, leaves its number unused.

    Returns:
        For each number that is not whole in the file how many of its voxels bear another.
    """
    labels = np.zeros(grid.shape, dtype=np.uint16)
    hidden: dict[int, int] = {}
    for number, region in enumerate(regions, 1):
        part = region.on(image) if region else None
        if part is not None:
            view = labels[part.box]
            if taken := int(np.count_nonzero(part.mask & (view != 0))):
                hidden[number] = taken
            view[part.mask & (view == 0)] = number
    write_nifti(grid, labels, path)
    return hidden


def write_lesion_labels(case: Case, path: Path) -> tuple[Gap, ...]:
    """Write instance labels, numbered as the findings of a CT case are ordered.

    Returns:
        A gap for each finding that is not whole in the file, because a voxel bears one label alone.

    Raises:
        OutputError: as ``write_nifti``.
    """
    found = case.findings
    hidden = write_label_nifti(case.study.images["ct"].grid, [finding.region for finding in found], path)
    return tuple(
        Gap(
            found[number - 1].id,
            f"write {path.name}",
            f"{taken} of its {found[number - 1].region.size} voxels lie in findings before it and bear their labels",
        )
        for number, taken in hidden.items()
    )


def write_bone_labels(case: Case, path: Path) -> None:
    """Write the bones of a CT case, and beside them ``NAME.json``: {"1": {"site": ..., "confidence": ...}}.

    Raises:
        OutputError: as ``write_nifti``.
    """
    shown = [place for place in case.mapped if place.region is not None]
    write_label_nifti(case.study.images["ct"].grid, [place.region for place in shown], path)
    names = {str(n): {"site": place.site, "confidence": place.confidence} for n, place in enumerate(shown, 1)}
    legend = path.with_name(path.name.removesuffix(".gz").removesuffix(".nii") + ".json")
    with whole(legend) as draft:
        draft.write_text(json.dumps(names, indent=1) + "\n", encoding="utf-8")
