"""How long a study takes from files to delivered results, and in how much memory."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from measure import SHARED, run
from osteoscope.deliver.batch import BatchOptions, read_all
from osteoscope.deliver.demo import run_demo
from osteoscope.deliver.simulated import write_simulated
from osteoscope.dicom.load import IntakeOptions, load, scan
from osteoscope.dicom.write_nifti import write_nifti
from osteoscope.domain.geometry import Grid

Figures = dict[str, Any]


def quiet(*_: object) -> None:
    """Progress that nobody watches."""


def take_in(path: str) -> list[str]:
    """Intake alone: the shapes of the studies found."""
    with tempfile.TemporaryDirectory() as scratch:
        options = IntakeOptions()
        found = scan(Path(path), Path(scratch), options)
        arrivals = [load(candidate, Path(scratch), options) for candidate in found.candidates]
        return [str(i.grid.shape) for a in arrivals if a.study for i in a.study.images.values()]


def read_to_results(path: str) -> list[str]:
    """The whole path: one line per study."""
    with tempfile.TemporaryDirectory() as folder:
        return [row.summary for row in read_all([Path(path)], Path(folder), BatchOptions(), quiet).rows]


def _timed(path: Path) -> Figures:
    if not path.exists():
        return {"skipped": "reference data ../shared/data is absent"}
    intake, whole = run(take_in, str(path)), run(read_to_results, str(path))
    return {
        "shape": "; ".join(intake.result),
        "intake, s": round(intake.seconds, 2),
        "intake, peak GB": round(intake.peak_gb, 2),
        "files to results, s": round(whole.seconds, 2),
        "files to results, peak GB": round(whole.peak_gb, 2),
    }


def ct_pet_trunk() -> Figures:
    """A real low-dose CT of the trunk (99 DICOM slices of 512 x 512), files to all results."""
    return _timed(SHARED / "ct" / "acrin_flt_breast_001" / "dicom_ct_trunk")


def ct_abdomen() -> Figures:
    """A real CT of abdomen and pelvis (NIfTI, 3 mm), files to all results."""
    return _timed(SHARED / "ct" / "totalsegmentator_tests" / "example_ct.nii.gz")


def ct_large() -> Figures:
    """The real trunk CT resampled to 512 x 512 x 300, as a hospital's thin-slice series, files to all results."""
    source = SHARED / "ct" / "acrin_flt_breast_001" / "dicom_ct_trunk"
    if not source.exists():
        return {"skipped": "reference data ../shared/data is absent"}
    with tempfile.TemporaryDirectory() as folder:
        found = scan(source, Path(folder), IntakeOptions())
        study = load(found.candidates[0], Path(folder), IntakeOptions()).study
        assert study is not None
        image = study.images["ct"]
        down, row, column = image.grid.spacing
        slices = np.linspace(0, image.grid.shape[0] - 1, 300)
        low = np.floor(slices).astype(int)
        high, part = np.minimum(low + 1, image.grid.shape[0] - 1), (slices % 1)[:, None, None]
        values = (image.values[low] * (1 - part) + image.values[high] * part).astype(np.int16)
        matrix = image.grid.matrix.copy()
        matrix[:3, 0] *= (image.grid.shape[0] - 1) / 299
        large = Path(folder) / "large.nii.gz"
        write_nifti(Grid.from_matrix(values.shape, matrix), values, large)
        return {**_timed(large), "voxel, mm": f"{down * 98 / 299:.2f} x {row:.2f} x {column:.2f}"}


def planar() -> Figures:
    """Twenty simulated children (256 x 1024, DICOM NM), files to all results, seconds per study."""
    with tempfile.TemporaryDirectory() as folder:
        write_simulated("planar", range(900, 920), Path(folder), quiet)
        whole = run(read_to_results, folder)
        return {
            "studies": len(whole.result),
            "files to results, s per study": round(whole.seconds / len(whole.result), 2),
            "peak GB": round(whole.peak_gb, 2),
        }


def _demo(folder: str) -> int:
    return len(run_demo(Path(folder), quiet))


def demo() -> Figures:
    """`osteoscope demo` after installation: simulate, write DICOM, read and report a child and a CT."""
    with tempfile.TemporaryDirectory() as folder:
        done = run(_demo, folder)
        return {"s": round(done.seconds, 1), "peak GB": round(done.peak_gb, 2)}


ROWS: Mapping[str, Callable[[], Figures]] = MappingProxyType(
    {row.__name__: row for row in (ct_pet_trunk, ct_abdomen, ct_large, planar, demo)}
)
