"""Pictures for the review page: raw planar views, a CT as NIfTI, and a legend of both."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteoscope.deliver.review.preview import block_any, block_means, coarser, factors_of
from osteoscope.dicom.write_nifti import write_nifti
from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.domain.study import Study
from osteoscope.errors import OutputError

LEGEND, SKELETON, VOXELS = "views.json", "skeleton.nii.gz", "ct.npy"


def write_views(study: Study, folder: Path) -> None:
    """Write NAME.f32 (little-endian float32, row by row) per planar view; or the voxels of a CT; then views.json.

    They take the place of earlier ones once all are written, since the server may show those meanwhile, or have them
    mapped. A CT is written whole for the page (ct.nii.gz), as mean HU of blocks to be shown first (quick.nii.gz,
    preview.nii.gz, where its longest axis is beyond `preview.MOST`), and to be mapped into memory (ct.npy).

    Raises:
        OutputError: the folder cannot be written.
    """
    try:
        with replacing(folder) as draft:
            legend = _planar(study, draft) if study.kind == "nm-planar" else _volume(study, draft)
            (draft / LEGEND).write_text(json.dumps(legend), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"write {folder}", str(error), "Free space on the disk of the server") from error


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """A folder to write into, whose files then take their places in ``folder``, the legends last.

    A file is replaced, never written over: what is mapped into memory or being sent stays whole.
    """
    draft = folder / "draft.part"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        yield draft
        for path in sorted(draft.iterdir(), key=lambda path: (path.suffix == ".json", path.name)):
            path.replace(folder / path.name)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _planar(study: Study, folder: Path) -> dict[str, Any]:
    views = []
    for name, image in study.images.items():
        values = np.ascontiguousarray(image.values, dtype="<f4")
        (folder / f"{name}.f32").write_bytes(values.tobytes())
        views.append(_described(name, image, float(values.max())))
    return {"views": views}


def _described(name: str, image: Image, maximum: float) -> dict[str, Any]:
    rows, columns = image.grid.shape
    pixel = list(image.grid.spacing) if image.grid.unit == "mm" else None
    return {"name": name, "rows": rows, "columns": columns, "pixel_mm": pixel, "maximum": maximum}


def _volume(study: Study, folder: Path) -> dict[str, Any]:
    grid, values = study.images["ct"].grid, np.asarray(study.images["ct"].values)
    factors = factors_of(grid)
    for name, factor in factors.items():
        write_nifti(coarser(grid, factor), block_means(values, factor), folder / f"{name}.nii.gz")
    write_nifti(grid, values, folder / "ct.nii.gz")
    np.save(folder / VOXELS, values)
    return {"shape": list(grid.shape), "spacing_mm": list(grid.spacing), "blocks": factors}


def write_skeleton(grid: Grid, labels: NDArray[np.uint16], folder: Path) -> None:
    """Write where any bone is, as 0 and 100 on the coarsest blocks."""
    factor = max(factors_of(grid).values(), default=1)
    write_nifti(coarser(grid, factor), block_any(labels, factor).astype(np.uint8) * 100, folder / SKELETON)
