from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from osteoscope.deliver.ct_cases import CtCase
from osteoscope.deliver.ct_patients import Whose
from osteoscope.deliver.ct_prepared import Prepared
from osteoscope.dicom.write_nifti import write_label_nifti, write_nifti
from osteoscope.domain.finding import Part, Region
from osteoscope.domain.geometry import Grid


@pytest.fixture
def small_ct() -> Callable[[Path], Path]:
    """Writes a CT of a water cylinder with a bone cylinder in it."""

    def write(path: Path) -> Path:
        rows, columns = np.mgrid[:96, :96]
        values = np.full((24, 96, 96), -1000.0)
        values[:, (rows - 48) ** 2 + (columns - 48) ** 2 < 42**2] = 30
        shaft = (rows - 48) ** 2 + (columns - 30) ** 2
        values[:, shaft < 7**2] = 1100
        values[:, shaft < 4**2] = 60
        noisy = values + np.random.default_rng(0).normal(0, 8, values.shape)
        write_nifti(Grid.axial(values.shape, (3, 2, 2)), noisy.astype(np.int16), path)
        return path

    return write


@pytest.fixture
def prepared() -> Callable[..., Prepared]:
    """A case of which no file is there: named, of a patient as told, with a CT of its own unless said."""

    def make(name: str, said: str = "", header: str = "", ct: str = "", marks: str = "") -> Prepared:
        whose = Whose(name, f"{name}/ct.nii.gz", said, header, f"study of {ct or name}", ct or name)
        return Prepared(CtCase(name, said, Path(name), (Path(name),)), whose, Path(name), 1, marks or name)

    return make


SMALL = Grid.axial((20, 64, 64), (3, 2, 2))


@pytest.fixture
def small_case() -> Callable[..., Path]:
    """Writes a folder of a case: a CT of a leg with one bone, its bone, and boxes marked as lesions."""

    def region(*boxes: tuple[slice, ...]) -> list[Region]:
        masks = [np.zeros(SMALL.shape, dtype=bool) for _ in boxes]
        for mask, box in zip(masks, boxes, strict=True):
            mask[box] = True
        return [Region((Part.from_mask("ct", mask),)) for mask in masks]

    def write(folder: Path, seed: int, *boxes: tuple[slice, ...], alike: tuple[slice, ...] | None = None) -> Path:
        folder.mkdir(parents=True)
        rows, columns = np.mgrid[:64, :64]
        bone = np.broadcast_to((rows - 32) ** 2 + (columns - 20) ** 2 < 7**2, SMALL.shape)
        leg = (rows - 32) ** 2 + (columns - 32) ** 2 < 28**2
        values = np.where(bone, 600.0, np.where(leg, 30.0, -1000.0)) + np.random.default_rng(seed).normal(
            0, 8, SMALL.shape
        )
        write_nifti(SMALL, values.astype(np.int16), folder / "ct.nii.gz")
        write_label_nifti(SMALL, [Region((Part.from_mask("ct", bone),))], folder / "bones.nii.gz")
        write_label_nifti(SMALL, region(*(boxes or (IN_BONE,))), folder / "lesions.nii.gz")
        if alike is not None:
            write_label_nifti(SMALL, region(alike), folder / "benign.nii.gz")
        return folder

    return write


IN_BONE = (slice(8, 11), slice(30, 34), slice(18, 22))
