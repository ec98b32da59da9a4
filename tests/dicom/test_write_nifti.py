"""NIfTI files read back: values by SimpleITK, the place from the header itself (RAS)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - the name that its manual uses
from hypothesis import given, settings
from limited_disk import limited_disk
from oblique import oblique_grids

from osteoscope.dicom.write_nifti import write_bone_labels, write_lesion_labels, write_nifti
from osteoscope.domain.finding import Finding, Part, Point, Region
from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image
from osteoscope.domain.reading import Case, MappedSite
from osteoscope.domain.study import Patient, Study
from osteoscope.errors import OutputError

SHAPE = (4, 5, 6)


def ras_position(path: Path, index: tuple[int, int, int]) -> np.ndarray:
    """Position in the file's own RAS world, from the s-form rows at bytes 280..328 of the NIfTI-1 header."""
    header = path.read_bytes()[:348]
    rows = np.frombuffer(header[280:328], "<f4").reshape(3, 4)
    return np.asarray(rows @ np.array([index[2], index[1], index[0], 1.0]))


def region(mask: np.ndarray) -> Region:
    return Region((Part.from_mask("ct", mask),))


def box(*slices: slice) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[slices] = True
    return mask


@settings(max_examples=25)
@given(oblique_grids(SHAPE))
def test_positions_turn_from_lps_to_ras(tmp_path_factory: pytest.TempPathFactory, grid: Grid) -> None:
    values = np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE)
    path = tmp_path_factory.mktemp("nifti") / "v.nii"
    write_nifti(grid, values, path)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(path))), values)
    for index in ((0, 0, 0), (3, 4, 5), (1, 0, 2)):
        np.testing.assert_allclose(ras_position(path, index), grid.to_position(index) * (-1, -1, 1), atol=2e-3)


def case(mapped: tuple[MappedSite, ...] = (), findings: tuple[Finding, ...] = ()) -> Case:
    image = Image(Grid.axial(SHAPE, (2, 1, 1)), np.zeros(SHAPE, np.int16), "HU")
    return Case(Study("2.25.5", "ct", "", Patient("SIM-5"), {"ct": image}), mapped, findings)


def test_lesions_are_numbered_as_ordered_and_the_first_keeps_a_shared_voxel(tmp_path: Path) -> None:
    masks = [box(slice(0, 2), slice(0, 2), slice(0, 2)), box(slice(1, 3), slice(1, 3), slice(1, 3))]
    findings = [
        Finding(f"f{n}", "sacrum", "lytic", 1.0, region(mask), Point("LPS", "mm", (0, 0, 0)))
        for n, mask in enumerate(masks)
    ]
    (gap,) = write_lesion_labels(case(findings=tuple(findings)), tmp_path / "lesions.nii.gz")
    assert (gap.where, gap.step) == ("f1", "write lesions.nii.gz")
    assert gap.reason == "1 of its 8 voxels lie in findings before it and bear their labels"
    labels = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "lesions.nii.gz")))
    np.testing.assert_array_equal(labels == 1, masks[0])
    np.testing.assert_array_equal(labels == 2, masks[1] & ~masks[0])


def test_bones_come_with_their_names(tmp_path: Path) -> None:
    mask = box(slice(2, 4), slice(0, 3), slice(0, 3))
    mapped = (
        MappedSite("femur_left", None, "not_acquired"),
        MappedSite("vertebra_L3", region(mask), confidence=0.8),
    )
    write_bone_labels(case(mapped), tmp_path / "bones.nii.gz")
    np.testing.assert_array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "bones.nii.gz"))), mask)
    legend = json.loads((tmp_path / "bones.json").read_text())
    assert legend == {"1": {"site": "vertebra_L3", "confidence": 0.8}}


@pytest.mark.parametrize("dtype", [bool, np.int16, np.uint16, np.int64, np.float64])
def test_values_survive_in_every_type(tmp_path: Path, dtype: type) -> None:
    values: np.ndarray = (np.arange(120).reshape(SHAPE) % 2).astype(dtype)
    write_nifti(Grid.axial(SHAPE, (1, 1, 1)), values, tmp_path / "v.nii.gz")
    np.testing.assert_array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "v.nii.gz"))), values)


def test_refusals_name_the_file(tmp_path: Path) -> None:
    values = np.zeros(SHAPE, np.int16)
    sheared = np.eye(4)
    sheared[0, 1] = 0.3
    with pytest.raises(OutputError, match="90 degrees"):
        write_nifti(Grid.from_matrix(SHAPE, sheared), values, tmp_path / "v.nii")
    with pytest.raises(OutputError, match="equal shapes"):
        write_nifti(Grid.axial((1, 1, 1), (1, 1, 1)), values, tmp_path / "v.nii")
    with pytest.raises(OutputError, match=r"v\.foo"):
        write_nifti(Grid.axial(SHAPE, (1, 1, 1)), values, tmp_path / "v.foo")


@pytest.mark.parametrize("name", ["v.nii", "v.nii.gz"])
@pytest.mark.parametrize("room", [0, 300, 3000, 7999])
def test_what_the_disk_cuts_short_is_told_and_what_lay_there_stays(tmp_path: Path, name: str, room: int) -> None:
    shape = (10, 20, 20)
    values = np.random.default_rng(0).integers(0, 2**16, shape, np.uint16)
    (tmp_path / name).write_text("an earlier volume")
    with limited_disk(room), pytest.raises(OutputError, match="disk may be full"):
        write_nifti(Grid.axial(shape, (1, 1, 1)), values, tmp_path / name)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["an earlier volume"]
