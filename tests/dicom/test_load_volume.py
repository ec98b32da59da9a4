"""NIfTI and NRRD volumes."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - the name that its manual uses
from foreign import Place, errors_against, ramp, reading
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

SIZE = (9, 10, 11)


def _image(turn: tuple[float, float, float] = (0, 0, 0), kind: type = np.int16) -> sitk.Image:
    """A volume that samples ``ramp``, its axes turned."""
    spacing, origin = np.array([1.25, 1.5, 2.0]), np.array(Place().origin)
    direction = Rotation.from_euler("zyx", turn, degrees=True).as_matrix()
    index = np.stack(np.meshgrid(*map(np.arange, SIZE), indexing="ij"), axis=-1)[..., ::-1]
    values = np.rint(ramp(origin + (index * spacing) @ direction.T)).clip(-1000, 3000)
    image = sitk.GetImageFromArray(values.astype(kind))
    image.SetSpacing(spacing.tolist())
    image.SetOrigin(origin.tolist())
    image.SetDirection(direction.ravel().tolist())
    return image


def _write(path: Path, image: sitk.Image) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(image, str(path))
    return path


@pytest.mark.parametrize("name", ["a.nii.gz", "a.nii", "a.nrrd", "name without a hint"])
def test_position_and_hu_are_kept(tmp_path: Path, name: str) -> None:
    written = _write(tmp_path / "a.nii", _image((20, -35, 70), np.float32))
    if name.startswith("a."):
        written = _write(tmp_path / name, _image((20, -35, 70), np.float32))
    written = written.rename(tmp_path / name)
    with reading(written) as read:
        study = read.study
        assert errors_against(study, lambda p: ramp(p).clip(-1000, 3000)).max() <= 1.0
        assert study.images["ct"].grid.shape == SIZE
        assert study.uid == f"sha256:{study.sources[0].sha256}"
        assert study.images["ct"].values.dtype == np.int16


def test_a_volume_without_stated_orientation_is_warned_of(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.nii", _image())
    data = bytearray(path.read_bytes())
    data[252:256] = bytes(4)
    path.write_bytes(data)
    with reading(path) as read:
        assert read.study.acquisition.guessed == ("orientation",)
        assert read.says("warning", "neither qform nor sform")


def test_a_sheared_volume_is_refused(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.nii", _image())
    data = bytearray(path.read_bytes())
    struct.pack_into("<2h", data, 252, 0, 1)
    struct.pack_into("<12f", data, 280, 1, 0.4, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0)
    path.write_bytes(data)
    with reading(path) as read:
        assert not read.studies
        assert read.says("refused", "orthonormal", "right angles")


def test_values_that_are_not_finite_become_air(tmp_path: Path) -> None:
    image = _image(kind=np.float32)
    image[0, 0, 0], image[1, 0, 0] = float("nan"), float("inf")
    with reading(_write(tmp_path / "a.nrrd", image)) as read:
        assert read.study.images["ct"].values[0, 0, :2].tolist() == [-1024, -1024]
        assert read.says("repaired", "2 voxels not finite")


def _scaled(low: float, high: float) -> NDArray[np.float32]:
    return np.linspace(low, high, int(np.prod(SIZE)), dtype=np.float32).reshape(SIZE)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (_scaled(0, 1), "from 0 to 1"),
        (_scaled(-3, 5), "from -3 to 5"),
        (_scaled(0, 255).astype(np.uint8), "from 0 to 255"),
        (_scaled(0, 4095).astype(np.int16), "from 0 to 4095"),
        (np.ones(SIZE, np.int16), "from 1 to 1"),
        (np.full(SIZE, -1024, np.int16), "from -1024 to -1024"),
        (np.zeros((2, *SIZE), np.int16), "11 x 10 x 9 x 2"),
        (np.zeros((1, 10, 11), np.int16), "[1, 10, 11]"),
    ],
)
def test_what_is_no_ct_volume_is_refused_for_what_it_is(tmp_path: Path, values: NDArray[Any], words: str) -> None:
    with reading(_write(tmp_path / "a.nii.gz", sitk.GetImageFromArray(values, isVector=False))) as read:
        assert not read.studies
        assert read.says("refused", "a.nii.gz", words)


def test_spacing_in_other_units_is_refused(tmp_path: Path) -> None:
    image = _image()
    image.SetSpacing([0.00125, 0.0015, 0.002])
    with reading(_write(tmp_path / "a.nrrd", image)) as read:
        assert read.says("refused", "0.00125 x 0.0015 x 0.002 mm")


def test_forged_sizes_allocate_nothing(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.nii", _image())
    data = bytearray(path.read_bytes())
    struct.pack_into("<8h", data, 40, 3, 32000, 32000, 32000, 1, 1, 1, 1)
    path.write_bytes(data)
    with reading(path) as read:
        assert read.says("refused", "voxels", "Limits.pixels")


def test_a_header_never_leads_to_another_file(tmp_path: Path) -> None:
    _write(tmp_path / "a.nhdr", _image())
    with reading(tmp_path) as read:
        assert not read.studies
        assert read.says("refused", "a.nhdr", "pixels in another file")


def test_a_header_without_end_is_not_searched_for_ever(tmp_path: Path) -> None:
    (tmp_path / "a.nrrd").write_bytes(b"NRRD0004\n" + b"# padding\n" * 200_000 + b"data file: /etc/hostname\n\n")
    with reading(tmp_path) as read:
        assert read.says("refused", "a.nrrd", "has no end")
