"""Pictures for the review page: raw planar views, a CT as NIfTI, and a legend of both."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from osteoscope.dicom.write_nifti import write_nifti
from osteoscope.domain.image import Image
from osteoscope.domain.study import Study
from osteoscope.errors import OutputError

LEGEND = "views.json"


def write_views(study: Study, folder: Path) -> None:
    """Write NAME.f32 (little-endian float32, row by row) per planar view, or ct.nii.gz; then views.json.

    Raises:
        OutputError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        legend = _planar(study, folder) if study.kind == "nm-planar" else _volume(study, folder)
        draft = folder / f"{LEGEND}.part"
        draft.write_text(json.dumps(legend), encoding="utf-8")
        draft.replace(folder / LEGEND)
    except OSError as error:
        raise OutputError(f"write {folder}", str(error), "Free space on the disk of the server") from error


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
    image = study.images["ct"]
    write_nifti(image.grid, np.asarray(image.values), folder / "ct.nii.gz")
    return {"shape": list(image.grid.shape), "spacing_mm": list(image.grid.spacing)}
