"""Series that mix acquisitions, frames of reference or bits: all in one input, each read apart or told of by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from foreign import HEIGHTS, Read, ct_stack, enhanced_ct, errors_against, put_pixels, ramp, reading, save, set_fields
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from osteoscope.domain.study import Study


def _stored(item: Dataset) -> NDArray[np.int16]:
    return np.frombuffer(item.PixelData, np.int16).reshape(16, 16)


def _acquired(heights: Sequence[float], number: int, kernel: str = "B30f", brighter: int = 0) -> list[Dataset]:
    fields = {"AcquisitionNumber": number, "ConvolutionKernel": kernel}
    return [put_pixels(item, _stored(item) + np.int16(brighter)) for item in ct_stack(heights, fields=fields)]


def _two_breaths() -> list[Dataset]:
    return [*_acquired(range(-40, 0, 4), 1), *_acquired(range(-10, 30, 4), 2, brighter=200)]


def _two_by_two() -> list[Dataset]:
    kinds = [(1, "B30f"), (1, "B70f"), (2, "B30f"), (2, "B70f")]
    return [item for n, (number, kernel) in enumerate(kinds) for item in _acquired(HEIGHTS, number, kernel, n)]


def _without_frame() -> list[Dataset]:
    return [set_fields(item, {"FrameOfReferenceUID": None} if n % 2 else {}) for n, item in enumerate(ct_stack())]


def _several_frames_a_file() -> list[Dataset]:
    return [set_fields(item, {"NumberOfFrames": 3, "PixelData": item.PixelData * 3}) for item in ct_stack()]


def _fewer_places_than_frames() -> list[Dataset]:
    item = enhanced_ct(HEIGHTS)
    del item.PerFrameFunctionalGroupsSequence[8:]
    return [item]


def _bits(raised: int, spoilt: int = 0) -> list[Dataset]:
    """Values of 12 bits said to end at bit 15, ``raised`` above bit 0, some with ``spoilt`` added."""
    slices = ct_stack()
    for item in slices:
        values = _stored(item).astype(np.uint16) << raised
        values[3, 3] |= spoilt
        set_fields(put_pixels(item, values), {"BitsStored": 12, "HighBit": 15})
    return slices


def _sound(study: Study) -> bool:
    return bool(errors_against(study, ramp).max() <= 0.5)


@dataclass(frozen=True)
class Case:
    """Slices of one series, the numbers of slices of the studies that they make, and the note that must be there."""

    make: Callable[[], list[Dataset]]
    slices: tuple[int, ...]
    level: str
    words: tuple[str, ...]
    sound: bool = False


CASES: Mapping[str, Case] = {
    "overlap": Case(_two_breaths, (10, 10), "repaired", ("differ in AcquisitionNumber", "'2'")),
    "overlap of too few to part": Case(
        lambda: [*_acquired(HEIGHTS, 1), *_acquired([7.0, 11.0], 2)],
        (12,),
        "warning",
        ("slices that differ in AcquisitionNumber lie between each other",),
    ),
    "filled hole": Case(
        lambda: [*_acquired([*HEIGHTS[:4], *HEIGHTS[8:]], 1), *_acquired(HEIGHTS[4:8], 2)],
        (12,),
        "accepted",
        ("12 slices",),
        sound=True,
    ),
    "two by two": Case(
        _two_by_two, (12, 12, 12, 12), "repaired", ("AcquisitionNumber and ConvolutionKernel", "'2' and 'B70f'")
    ),
    "monitoring": Case(
        lambda: [*_acquired(HEIGHTS, 1), *_acquired(HEIGHTS[4:6], 2, brighter=200)],
        (12,),
        "set_aside",
        ("i012.dcm", "2 slices with AcquisitionNumber 2 at the place of others"),
        sound=True,
    ),
    "frames absent": Case(_without_frame, (6, 6), "warning", ("states 1 frame of reference, and none for some",)),
    "frames all different": Case(
        lambda: [set_fields(item, {"FrameOfReferenceUID": generate_uid()}) for item in ct_stack()],
        (),
        "refused",
        ("i007.dcm", "1 slice, where a volume needs 3", "12 frames of reference", "FrameOfReferenceUID"),
    ),
    "classic frames": Case(_several_frames_a_file, (), "refused", ("i000.dcm", "3 frames stated, 1 placed")),
    "enhanced frames": Case(_fewer_places_than_frames, (), "refused", ("12 frames stated, 8 placed",)),
    "bits above": Case(lambda: _bits(4), (12,), "warning", ("12 bits said to end at bit 15, not at 11",), sound=True),
    "bits misstated": Case(lambda: _bits(0), (12,), "warning", ("12 bits said to end at bit 15",), sound=True),
    "bits anywhere": Case(
        lambda: _bits(4, 1), (), "refused", ("values of 12 bits up to bit 15 of 16", "HighBit one below BitsStored")
    ),
    "metre-wide pixels": Case(
        lambda: ct_stack(range(0, 3200, 200), fields={"PixelSpacing": [45, 45]}),
        (),
        "refused",
        ("3.2 x 0.72 x 0.72 m", "200 x 45 x 45 mm", "spacing in mm"),
    ),
}


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Read]:
    """All cases in folders of one input, beside links that lead nowhere."""
    root = tmp_path_factory.mktemp("mixed")
    for name, case in CASES.items():
        uids = {"SeriesInstanceUID": generate_uid(), "StudyInstanceUID": generate_uid()}
        save(root / name, [set_fields(item, uids) for item in case.make()])
    (root / "itself").symlink_to(root / "itself")
    (root / "one").symlink_to(root / "other")
    (root / "other").symlink_to(root / "one")
    with reading(root) as read:
        yield read


@pytest.mark.parametrize("name", CASES)
def test_what_a_series_mixes_is_read_apart_or_told(everything: Read, name: str) -> None:
    case = CASES[name]
    lines = [f"{n.file} {n.problem} {n.action}" for n in everything.notes if name in n.file + n.problem]
    levels = [n.level for n in everything.notes if name in n.file + n.problem]
    assert any(
        level == case.level and all(word in line for word in case.words)
        for level, line in zip(levels, lines, strict=True)
    ), lines
    studies = [s for s in everything.studies if s.sources[0].file.startswith(f"{name}/")]
    assert sorted(study.images["ct"].grid.shape[0] for study in studies) == sorted(case.slices)
    assert not case.sound or all(map(_sound, studies))


def test_a_filled_hole_is_no_mixture(everything: Read) -> None:
    assert not any("lie between" in n.problem for n in everything.notes if n.file.startswith("filled hole/"))


def test_acquisitions_that_overlap_keep_their_own_values(everything: Read) -> None:
    low, high = (s for s in everything.studies if s.sources[0].file.startswith("overlap/"))
    assert errors_against(low, ramp).max() <= 0.5
    assert errors_against(high, lambda place: ramp(place) + 200).max() <= 0.5


@pytest.mark.parametrize("name", ["itself", "one", "other"])
def test_a_link_to_itself_is_refused_by_name(everything: Read, name: str) -> None:
    assert [n.level for n in everything.notes if n.file == name and "leads back to itself" in n.problem] == ["refused"]
