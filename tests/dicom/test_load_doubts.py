"""Volumes in the range of HU whose values or field cannot be those of a CT: warned of, not refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - the name that its manual uses
from foreign import reading
from numpy.typing import NDArray

from osteoscope.dicom.intake.found import Found
from osteoscope.dicom.intake.plausible import doubts
from osteoscope.domain.geometry import Grid
from osteoscope.domain.image import Image

FOUND = Found(Path("a.nii"), "a.nii")


def body() -> NDArray[np.float64]:
    """A bone in tissue in air."""
    values = np.full((12, 80, 80), -1000.0)
    values[:, 20:60, 20:60] = 40
    values[:, 35:45, 35:45] = 600
    return values + np.random.default_rng(0).normal(0, 12, values.shape)


def said(values: NDArray[np.float64], spacing: float = 5.0, unmeasured: int = 0) -> list[str]:
    image = Image(Grid.axial(values.shape, (3.0, spacing, spacing)), np.rint(values).astype(np.int16), "HU")
    notes = list(doubts(image, unmeasured, FOUND))
    assert {note.level for note in notes} <= {"warning"}
    return [note.problem for note in notes]


def test_a_ct_is_not_doubted() -> None:
    assert said(body()) == []
    assert said(np.clip(body(), -1024, 3071)) == []


Change = Callable[[NDArray[np.float64]], NDArray[np.float64]]
OTHERS: dict[str, tuple[Change, str]] = {
    "halved": (lambda v: v / 2, "no air"),
    "as MR": (lambda v: (v + 1000) * 0.6 - 20, "no air"),
    "stretched from 8 bits": (lambda v: (np.clip(v, -1000, 1000) + 1000) / 2000 * 1020 - 512, "no air"),
    "windowed": (lambda v: np.clip(v, -160, 240), "values end at -160 and 240 HU"),
    "inverted": (lambda v: -v, "of the voxels above 700 HU"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_quantities_are_doubted(name: str) -> None:
    change, words = OTHERS[name]
    assert any(words in problem for problem in said(change(body())))


def test_a_cut_without_air_and_a_field_in_centimetres_are_doubted() -> None:
    assert ["no air" in problem for problem in said(body()[:, 25:55, 25:55])] == [True]
    assert said(body(), 0.5) == ["a field of 40 x 40 mm, narrow for a CT of a body"]


def test_padding_is_no_air() -> None:
    cut = body()
    outside = cut < -500
    cut[outside] = -1024
    assert any("no air" in problem for problem in said(cut, unmeasured=int(outside.sum())))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_what_is_no_number_in_a_nifti_is_air_and_said(tmp_path: Path, name: str, kind: type) -> None:
    values: NDArray[np.floating] = body().astype(kind)
    values[2, 3:5, 7] = np.nan
    values[9, 40, 40] = np.inf
    sitk.WriteImage(sitk.GetImageFromArray(values), str(tmp_path / name))
    with reading(tmp_path / name) as read:
        assert read.says("repaired", "3 voxels not finite")
        held = read.study.images["ct"].values
        assert held[2, 3, 7] == held[9, 40, 40] == -1024
        assert held[0, 40, 40] == round(float(values[0, 40, 40]))
