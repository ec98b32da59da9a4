"""Volumes and label maps as NIfTI; the LPS positions of a Grid become RAS in the file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk  # noqa: N813 - the name that its manual uses
from numpy.typing import NDArray

from osteoscope.domain.finding import Region
from osteoscope.domain.geometry import Grid
from osteoscope.domain.reading import Case
from osteoscope.errors import OutputError

_AS_STORED = {"b": np.uint8, "i": np.int32, "u": np.uint32, "f": np.float32}


def write_nifti(grid: Grid, values: NDArray[Any], path: Path) -> None:
    """Write a volume [slice, row, column] on its Grid (8- and 16-bit integers keep their type).

    Raises:
        OutputError: the shapes differ, the axes of the grid are not at right angles, or the file cannot be written.
    """
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
        sitk.WriteImage(image, str(path), useCompression=path.suffix == ".gz")
    except (OSError, RuntimeError) as error:
        raise OutputError(
            f"write {path}", str(error).strip(), "Name a .nii or .nii.gz file that can be written"
        ) from error


def _stored_type(dtype: np.dtype[Any]) -> Any:
    small = dtype.kind in "iu" and dtype.itemsize <= 2
    return dtype if small else _AS_STORED[dtype.kind]


def write_label_nifti(grid: Grid, regions: Sequence[Region | None], path: Path, image: str = "ct") -> None:
    """Write regions as labels 1, 2, ... in their order (uint16); where two overlap, the first keeps the voxel.

    A region that is None, or not on that image, leaves its number unused.
    """
    labels = np.zeros(grid.shape, dtype=np.uint16)
    for number, region in enumerate(regions, 1):
        part = region.on(image) if region else None
        if part is not None:
            view = labels[part.box]
            view[part.mask & (view == 0)] = number
    write_nifti(grid, labels, path)


def write_lesion_labels(case: Case, path: Path) -> None:
    """Write instance labels, numbered as the findings of a CT case are ordered.

    Raises:
        OutputError: as ``write_nifti``.
    """
    write_label_nifti(case.study.images["ct"].grid, [finding.region for finding in case.findings], path)


def write_bone_labels(case: Case, path: Path) -> None:
    """Write the bones of a CT case, and beside them ``NAME.json``: {"1": {"site": ..., "confidence": ...}}.

    Raises:
        OutputError: as ``write_nifti``.
    """
    shown = [place for place in case.mapped if place.region is not None]
    write_label_nifti(case.study.images["ct"].grid, [place.region for place in shown], path)
    names = {str(n): {"site": place.site, "confidence": place.confidence} for n, place in enumerate(shown, 1)}
    legend = path.with_name(path.name.removesuffix(".gz").removesuffix(".nii") + ".json")
    legend.write_text(json.dumps(names, indent=1) + "\n", encoding="utf-8")
