"""What the headers of NIfTI and NRRD say of the place of a volume: two places, units, sides, right angles."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from foreign import reading
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from osteoscope.dicom.intake.found import walk
from osteoscope.dicom.intake.volume_file import check_layout
from osteoscope.dicom.options import Limits
from osteoscope.dicom.worker.nifti_header import NiftiHeader, refuse_two_places
from osteoscope.dicom.worker.volume import read_volume
from osteoscope.errors import IntakeError

VALUES = np.random.default_rng(0).integers(-1000, 1500, (5, 8, 9)).astype(np.int16)
STEPS = (2.0, 2.0, 3.0)
DIRECTIONS = "space directions: (2,0,0) (0,2,0) (0,0,3)\nspace origin: (5,6,7)\n"

Matrix = NDArray[np.float64]


def _affine(turn: Matrix | None = None, origin: tuple[float, float, float] = (5, 6, 7)) -> Matrix:
    matrix = np.eye(4)
    matrix[:3, :3] = (np.eye(3) if turn is None else turn) * STEPS
    matrix[:3, 3] = origin
    return matrix


def _header(sform: Matrix, qform: Matrix, codes: tuple[int, int], shape: tuple[int, ...] = VALUES.shape) -> bytearray:
    """348 bytes of a NIfTI-1 of int16 in mm; ``codes``: of qform and sform."""
    head = bytearray(348)
    struct.pack_into("<i", head, 0, 348)
    struct.pack_into("<8h", head, 40, 3, *shape[::-1], 1, 1, 1, 1)
    struct.pack_into("<2h", head, 70, 4, 16)
    struct.pack_into("<4f", head, 76, 1, *STEPS)
    struct.pack_into("<f", head, 108, 352)
    head[123] = 2
    quaternion = Rotation.from_matrix(qform[:3, :3] / STEPS).as_quat(canonical=True)
    struct.pack_into("<2h6f", head, 252, *codes, *quaternion[:3], *qform[:3, 3])
    struct.pack_into("<12f", head, 280, *sform[:3].ravel())
    head[344:348] = b"n+1\0"
    return head


def _read(path: Path, kind: str) -> dict[str, Any]:
    (answer,) = read_volume({"file": path, "kind": kind, "out": path.parent / "out.npy"}, Limits())
    return answer


def _nifti(path: Path, head: bytearray) -> Path:
    path.write_bytes(head + bytes(4) + VALUES.tobytes())
    return path


def _nrrd(path: Path, place: str) -> Path:
    head = "NRRD0004\ntype: short\ndimension: 3\nsizes: 9 8 5\nencoding: raw\nendian: little\n"
    path.write_bytes(f"{head}{place}\n".encode() + VALUES.tobytes())
    return path


def _sheared() -> Matrix:
    matrix = _affine()
    matrix[1, 2] = 0.8
    return matrix


@pytest.mark.parametrize(("sform", "apart"), [(_affine(origin=(5, 6, 8)), "1 mm apart"), (_sheared(), "3.2 mm apart")])
def test_two_places_that_differ_are_refused_naming_both(tmp_path: Path, sform: Matrix, apart: str) -> None:
    with pytest.raises(IntakeError, match=rf"sform \(code 2\) and the qform \(code 1\).* {apart}.*set the code"):
        _read(_nifti(tmp_path / "a.nii", _header(sform, _affine(), (1, 2))), "nifti")


@pytest.mark.parametrize(("codes", "origin"), [((0, 1), (-50, -60, 70)), ((1, 0), (-5, -6, 7))])
def test_a_place_without_code_does_not_count(
    tmp_path: Path, codes: tuple[int, int], origin: tuple[float, float, float]
) -> None:
    head = _header(_affine(origin=(50, 60, 70)), _affine(), codes)
    answer = _read(_nifti(tmp_path / "a.nii", head), "nifti")
    assert answer["origin"] == pytest.approx(origin)
    assert answer["oriented"]


def test_two_places_alike_but_for_rounding_are_one() -> None:
    """Half a turn is where a quaternion of 32-bit floats is known least: 0.5 mm over half a metre."""
    for seed in range(60):
        axis = np.random.default_rng(seed).normal(size=3)
        turn = Rotation.from_rotvec((np.pi - 10.0 ** -(1 + seed % 8)) * axis / np.linalg.norm(axis)).as_matrix()
        affine = _affine(turn)
        refuse_two_places(NiftiHeader(bytes(_header(affine, affine, (1, 1), (170, 250, 250))), "<"))


@pytest.mark.parametrize("packed", [False, True])
def test_nifti_2_is_refused_as_what_it_is(tmp_path: Path, packed: bool) -> None:
    data = struct.pack("<i", 540) + b"n+2\0\r\n\x1a\n" + bytes(700)
    path = tmp_path / ("a.nii.gz" if packed else "a.nii")
    path.write_bytes(gzip.compress(data) if packed else data)
    with reading(path) as read:
        assert read.says("refused", path.name, "a NIfTI-2 file", "NIfTI-1")


@pytest.mark.parametrize(
    ("place", "oriented"),
    [
        (f"space: LPS\n{DIRECTIONS}", True),
        (f"space: right-anterior-superior\n{DIRECTIONS}", True),
        (f"space: scanner-xyz\n{DIRECTIONS}", False),
        (f"space dimension: 3\n{DIRECTIONS}", False),
        ("spacings: 2 2 3\n", False),
    ],
)
def test_a_nrrd_is_oriented_where_it_names_the_sides(tmp_path: Path, place: str, oriented: bool) -> None:
    answer = _read(_nrrd(tmp_path / "a.nrrd", place), "nrrd")
    assert answer["oriented"] is oriented
    assert answer["spacing"] == pytest.approx(STEPS)


def test_sides_that_a_nrrd_does_not_name_are_told_as_a_guess(tmp_path: Path) -> None:
    with reading(_nrrd(tmp_path / "a.nrrd", "spacings: 2 2 3\n")) as read:
        assert read.study.acquisition.guessed == ("orientation",)
        assert read.says("warning", "a.nrrd", "no space of the patient", "sides and directions are a guess")


@pytest.mark.parametrize(("unit", "length"), [("mm", 1.0), ("cm", 10.0), ("\u00b5m", 0.001)])
def test_units_of_a_nrrd_are_taken_to_mm(tmp_path: Path, unit: str, length: float) -> None:
    place = f'space: LPS\n{DIRECTIONS}space units: "{unit}" "{unit}" "{unit}"\n'
    answer = _read(_nrrd(tmp_path / "a.nrrd", place), "nrrd")
    assert answer["spacing"] == pytest.approx([length * step for step in STEPS])
    assert answer["origin"] == pytest.approx([length * place for place in (5, 6, 7)])


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (f'space: LPS\n{DIRECTIONS}space units: "inch" "inch" "inch"\n', "spacing is in 'inch'"),
        (f'space: LPS\n{DIRECTIONS}space units: "mm" "mm" "cm"\n', "spacing is in 'mm', 'mm', 'cm'"),
        ("space: LPS\nspace directions: (2,0,0) (0,2,0) (0,0.8,3)\n", "axes off right angles by up to 14.9 degrees"),
        ("", "without spacing"),
    ],
)
def test_a_nrrd_whose_place_cannot_be_told_is_refused(tmp_path: Path, place: str, words: str) -> None:
    with pytest.raises(IntakeError, match=words):
        _read(_nrrd(tmp_path / "a.nrrd", place), "nrrd")


def test_a_field_wider_than_any_scan_is_refused() -> None:
    answer = {"origin": (0, 0, 0), "direction": np.eye(3).ravel().tolist()}
    check_layout(answer | {"shape": [1000, 512, 512], "spacing": [0.98, 0.98, 2.0]}, "whole body")
    for spacing, words in (((40.0, 40.0, 40.0), "2.56 x 2.56 x 2.56 m"), ((9.0, 9.0, 50.0), "3.2 x 0.576 x 0.576 m")):
        with pytest.raises(IntakeError, match=f"wide.nii.*a field of {words}, in voxels of .*spacing in mm"):
            check_layout(answer | {"shape": [64, 64, 64], "spacing": spacing}, "wide.nii")


def test_a_name_that_cannot_be_looked_at_is_an_intake_error(tmp_path: Path) -> None:
    with pytest.raises(IntakeError, match="cannot be looked at"):
        walk(tmp_path / ("n" * 300), 10)
