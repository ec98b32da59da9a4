"""Segmentations of Enhanced CT as vendors write it: geometry per frame, several phases in one file."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import numpy as np
import pydicom
import pytest
from files import validator_errors
from foreign import HEIGHTS, enhanced_ct, reading, save
from pydicom.dataset import Dataset

from osteoscope.dicom.read_masks import read_masks
from osteoscope.dicom.seg import write_seg
from osteoscope.domain.finding import Finding, Part, Point, Region
from osteoscope.domain.reading import Case
from osteoscope.domain.study import Study
from osteoscope.reading.known import read_known

GROUPS = ("PlaneOrientationSequence", "PixelMeasuresSequence")
LEVELS = (3, 4, 5)


def enhanced(*per_frame: str) -> Dataset:
    """With these groups in every frame, and the others shared."""
    dataset = enhanced_ct(HEIGHTS)
    for keyword in ("PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID", "StudyTime"):
        setattr(dataset, keyword, "")
    shared, frames = dataset.SharedFunctionalGroupsSequence[0], dataset.PerFrameFunctionalGroupsSequence
    held = {name: shared.get(name) or frames[0].get(name) for name in GROUPS}
    for name, items in held.items():
        for place in (shared, *frames):
            if name in place:
                delattr(place, name)
        for place in frames if name in per_frame else (shared,):
            setattr(place, name, items)
    return dataset


def of_two_phases(dataset: Dataset) -> Dataset:
    """The same places twice, the second time 50 HU higher."""
    frames = list(dataset.PerFrameFunctionalGroupsSequence)
    made = []
    for phase in (1, 2):
        for frame in deepcopy(frames):
            content = Dataset()
            content.TemporalPositionIndex = phase
            frame.FrameContentSequence = [content]
            made.append(frame)
    dataset.PerFrameFunctionalGroupsSequence, dataset.NumberOfFrames = made, len(made)
    later = np.frombuffer(dataset.PixelData, np.int16) + np.int16(50)
    dataset.PixelData += later.tobytes()
    return dataset


def written(study: Study, path: Path) -> Part:
    """The lesion that is written as a Segmentation."""
    grid = study.images["ct"].grid
    mask = np.zeros(grid.shape, dtype=bool)
    mask[LEVELS[0] : LEVELS[-1] + 1, 4:9, 5:9] = True
    part = Part.from_mask("ct", mask)
    finding = Finding("lesion-1", "vertebra_L1", "lytic", 0.9, Region((part,)), Point.centre_of(part, grid))
    write_seg(Case(study, (), (finding,)), read_known(study, (), (finding,)), path)
    return part


def named_frames(path: Path) -> list[int | None]:
    """Of the source, by the frames of a Segmentation from the lowest slice up."""
    groups = pydicom.dcmread(path).PerFrameFunctionalGroupsSequence
    groups = sorted(groups, key=lambda group: float(group.PlanePositionSequence[0].ImagePositionPatient[2]))
    derived = [group.get("DerivationImageSequence") for group in groups]
    return [int(items[0].SourceImageSequence[0].ReferencedFrameNumber) if items else None for items in derived]


@pytest.mark.parametrize("per_frame", [GROUPS[:1], GROUPS[1:], GROUPS])
def test_geometry_may_stand_in_every_frame(tmp_path: Path, per_frame: tuple[str, ...]) -> None:
    save(tmp_path / "in", [enhanced(*per_frame)])
    with reading(tmp_path / "in") as found:
        part = written(found.study, tmp_path / "seg.dcm")
        (mask,) = read_masks(tmp_path / "seg.dcm", found.study.images["ct"].grid, tmp_path)
    assert mask.part == part
    assert named_frames(tmp_path / "seg.dcm") == [level + 1 for level in LEVELS]
    assert validator_errors(tmp_path / "seg.dcm") == []


def test_of_two_phases_in_one_file_each_names_its_own_frames(tmp_path: Path) -> None:
    save(tmp_path / "in", [of_two_phases(enhanced())])
    with reading(tmp_path / "in") as found:
        for number, study in enumerate(found.studies):
            written(study, tmp_path / "seg.dcm")
            assert named_frames(tmp_path / "seg.dcm") == [number * len(HEIGHTS) + level + 1 for level in LEVELS]
            assert validator_errors(tmp_path / "seg.dcm") == []


def test_frames_that_cannot_be_told_apart_are_not_named(tmp_path: Path) -> None:
    dataset = of_two_phases(enhanced())
    half = len(dataset.PixelData) // 2
    dataset.PixelData = dataset.PixelData[:half] * 2
    save(tmp_path / "in", [dataset])
    with reading(tmp_path / "in") as found:
        written(found.studies[1], tmp_path / "seg.dcm")
    assert named_frames(tmp_path / "seg.dcm") == [None] * len(LEVELS)
    assert validator_errors(tmp_path / "seg.dcm") == []
