"""Bones of real CTs against automatic labels: places that geometry got wrong once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK
from numpy.typing import NDArray

from osteoscope.dicom.load import IntakeOptions, load, scan
from osteoscope.find.ct_names import map_bones

AORTA, SACRUM_V1 = 52, 73  # TotalSegmentator's numbers, of its second and of its first class table


def bones_and_labels(folder: Path, image: str, labels: str, scratch: Path) -> tuple[NDArray[np.str_], NDArray[np.int_]]:
    """The name of each voxel's bone, "" for none, and the label of the other program there."""
    (candidate,) = scan([folder / image], scratch, IntakeOptions(), lambda *_: None).candidates
    study = load(candidate, scratch, IntakeOptions(), lambda *_: None).study
    assert study is not None
    names = np.full(study.images["ct"].grid.shape, "", dtype="U24")
    for site in map_bones(study):
        for part in site.region.parts if site.region else ():
            names[part.box][part.mask] = site.site
    grid, other = (SimpleITK.ReadImage(folder / name) for name in (image, labels))
    aligned = SimpleITK.Resample(other, grid, interpolator=SimpleITK.sitkNearestNeighbor)
    return names, SimpleITK.GetArrayFromImage(aligned).astype(int)


def test_little_of_a_calcified_aorta_is_bone(shared: Path, tmp_path: Path) -> None:
    folder = shared / "ct" / "totalsegmentator_tests"
    names, labels = bones_and_labels(folder, "example_ct_dicom.nii.gz", "example_seg_dicom.nii.gz", tmp_path)
    # 0.40 where the free pieces of its wall count as bone.
    assert (names[labels == AORTA] != "").mean() < 0.3


def test_the_wings_of_the_sacrum_are_not_hip_bone(shared: Path, tmp_path: Path) -> None:
    folder = shared / "ct" / "totalsegmentator_tests"
    names, labels = bones_and_labels(folder, "example_ct.nii.gz", "example_ct_seg_v1_104classes.nii.gz", tmp_path)
    found = names[(labels == SACRUM_V1) & (names != "")]
    # 0.52 where the sacrum is grown from its middle alone.
    assert (found == "sacrum").mean() > 0.6
