"""The L3 of TPTBox as a bone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813 - the name that its manual uses

from osteoscope.domain.finding import Part
from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.fe.bone import Bone, bone_from

L3 = 22


def bone_of(folder: Path) -> Bone:
    image = sitk.ReadImage(str(folder / "vertebra_L3_ct.nii.gz"))
    labels = sitk.GetArrayFromImage(sitk.ReadImage(str(folder / "vertebra_L3_seg_vert.nii.gz")))
    matrix = np.eye(4)
    matrix[:3, :3] = (np.reshape(image.GetDirection(), (3, 3)) * np.asarray(image.GetSpacing()))[:, ::-1]
    matrix[:3, 3] = image.GetOrigin()
    values = sitk.GetArrayFromImage(image)
    return bone_from(
        Image(Grid.from_matrix(values.shape, matrix), values, "HU"), "vertebra_L3", Part.from_mask("ct", labels == L3)
    )
