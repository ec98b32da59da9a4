"""The calcified wall of the aorta is no bone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from osteoscope.dicom.load import IntakeOptions, load, scan
from osteoscope.find.ct_names import map_bones
from osteoscope.find.ct_pieces import Setting, is_vessel
from osteoscope.find.ct_zones import Piece

FACE_MM = 42.0
TRUNK = Setting(sacrum=0.0, head=500.0)
AORTA = 52  # TotalSegmentator's number


def piece(forward: float, side: float = 15.0, along: float = 200.0, attached: float | None = None) -> Piece:
    return Piece(np.arange(10), 6.0, 7.5, 66.0, 30.0, side, forward, (along - 20, along, along + 20), attached)


@pytest.mark.parametrize(
    ("found", "vessel"),
    [
        (piece(58), True),
        (piece(58, attached=190.0), False),
        (piece(35), False),
        (piece(75), False),
        (piece(58, side=70), False),
        (piece(58, along=450), False),
        (piece(58, along=-40), False),
    ],
    ids=["free, before the spine", "joined", "within the spine", "sternum", "rib", "neck", "pelvis"],
)
def test_only_a_free_piece_right_before_the_spine_is_a_vessel(found: Piece, vessel: bool) -> None:
    assert is_vessel(found, FACE_MM, TRUNK) is vessel


def test_little_of_a_real_calcified_aorta_is_bone(shared: Path, tmp_path: Path) -> None:
    folder = shared / "ct" / "totalsegmentator_tests"
    (candidate,) = scan([folder / "example_ct_dicom.nii.gz"], tmp_path, IntakeOptions(), lambda *_: None).candidates
    study = load(candidate, tmp_path, IntakeOptions(), lambda *_: None).study
    assert study is not None
    nearest = SimpleITK.sitkNearestNeighbor
    labels, image = (SimpleITK.ReadImage(folder / f"example_{name}_dicom.nii.gz") for name in ("seg", "ct"))
    aorta = SimpleITK.GetArrayFromImage(SimpleITK.Resample(labels, image, interpolator=nearest)) == AORTA
    inside = sum(
        np.count_nonzero(site.region.parts[0].mask & aorta[site.region.parts[0].box])
        for site in map_bones(study)
        if site.region is not None
    )
    assert inside / np.count_nonzero(aorta) < 0.3  # 0.40 where such pieces count as bone
