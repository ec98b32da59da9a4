"""Scans to learn from that are made of voxel phantoms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from osteoscope.errors import InvalidValueError
from osteoscope.train.ct_bones_sources import write_phantoms
from osteoscope.train.ct_phantom_scans import phantom_scans
from osteoscope.train.ct_scans import Scan

MUSCLE, CORTEX, SPONGIOSA, FAT = 107, 28, 29, 117


@pytest.fixture
def phantoms(tmp_path: Path) -> Path:
    """A body of muscle and fat whose lower half meter holds a bone, and whose upper one holds none."""
    organ = np.zeros((100, 40, 40), dtype=np.uint8)
    organ[:, 4:36, 4:36] = MUSCLE
    organ[:, 4:8] = np.where(organ[:, 4:8] > 0, FAT, 0)
    organ[10:40, 12:28, 12:28] = CORTEX
    organ[12:38, 14:26, 14:26] = SPONGIOSA
    folder = tmp_path / "phantoms"
    folder.mkdir()
    np.savez(folder / "toy.npz", organ_id=organ, spacing_zyx_mm=[8.0, 2.0, 2.0])
    return folder


def test_parts_with_bone_become_scans_like_those_of_a_scanner(phantoms: Path, tmp_path: Path) -> None:
    (path,) = write_phantoms(phantoms, tmp_path / "made", 1, phantom_scans)
    made = Scan.load(path)
    assert not made.label.any()
    volume = np.count_nonzero(made.bone) * 1.125**3
    assert volume == pytest.approx(30 * 8 * 32 * 32, rel=0.1)
    inner, outer = made.hu[made.bone].astype(float), made.hu[~made.bone].astype(float)
    assert np.percentile(inner, 95) > 600  # cortex
    assert 60 < np.median(inner) < 700
    assert abs(np.median(outer[outer > -50]) - 55) < 25
    assert (np.abs(outer + 105) < 40).any()
    assert made.noise > 3


def test_draws_differ_and_are_made_once(phantoms: Path, tmp_path: Path) -> None:
    first = write_phantoms(phantoms, tmp_path / "made", 2, phantom_scans)
    times = [path.stat().st_mtime_ns for path in first]
    assert write_phantoms(phantoms, tmp_path / "made", 2, phantom_scans) == first
    assert [path.stat().st_mtime_ns for path in first] == times
    one, other = (Scan.load(path) for path in first)
    assert one.hu.shape == other.hu.shape
    assert not np.array_equal(one.hu, other.hu)
    again = write_phantoms(phantoms, tmp_path / "again", 1, phantom_scans)
    assert np.array_equal(Scan.load(again[0]).hu, one.hu)


def test_what_is_no_phantom_is_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", a=[1])
    with pytest.raises(InvalidValueError, match=r"other\.npz"):
        write_phantoms(tmp_path, tmp_path / "made", 1, phantom_scans)
