"""The list of bad inputs, one each, all in one folder beside a sound series: every one ends in a stated line.

Numbers are those of the project's list of bad inputs; 9, 16, 23 and 29 have more cases in test_load_ct.py and
test_load_nm.py, 18, 21, 25, 27 and 28 in test_load_archive.py.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from foreign import (
    HEIGHTS,
    UPRIGHT,
    Place,
    Read,
    bare,
    behind,
    child,
    ct_stack,
    energy_window,
    errors_against,
    nm,
    put_pixels,
    ramp,
    reading,
    save,
    set_fields,
)
from numpy.typing import NDArray
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    MediaStorageDirectoryStorage,
    SecondaryCaptureImageStorage,
    SegmentationStorage,
    generate_uid,
)

from osteoscope.dicom.options import MIB, Limits
from osteoscope.dicom.worker.part10 import mapped, parse
from osteoscope.domain.study import Study
from osteoscope.errors import LimitError


def _own_series(slices: Sequence[Dataset]) -> list[Dataset]:
    uids = {"SeriesInstanceUID": generate_uid(), "StudyInstanceUID": generate_uid()}
    return [set_fields(item, uids) for item in slices]


def _stack(folder: Path, heights: Sequence[float] = HEIGHTS, place: Place = UPRIGHT) -> list[Path]:
    return save(folder, _own_series(ct_stack(heights, place)))


def _stack_with(fields: Mapping[str, Any]) -> Callable[[Path], object]:
    return lambda folder: save(folder, _own_series(ct_stack(fields=fields)))


def _stack_of(values: Callable[[NDArray[Any]], NDArray[Any]]) -> Callable[[Path], object]:
    """A stack whose stored values are changed; no rescaling."""

    def make(folder: Path) -> None:
        slices = ct_stack(fields={"RescaleIntercept": 0})
        for item in slices:
            hu = np.frombuffer(item.PixelData, np.int16).reshape(16, 16) - 1024.0
            put_pixels(item, values(hu))
        save(folder, _own_series(slices))

    return make


def _holed(folder: Path) -> None:
    _stack(folder, [*HEIGHTS[:6], *(182 + height for height in HEIGHTS[6:])])


def _repeated(folder: Path) -> None:
    slices = ct_stack()
    save(folder, _own_series([*slices, slices[2]]))


def _with_localiser(folder: Path) -> None:
    scout = put_pixels(ct_stack([0.0], Place(column=(0.0, 0.0, -1.0)))[0], np.zeros((20, 9), np.int16))
    save(folder, _own_series([*ct_stack(), scout]))


def _cut_short(folder: Path) -> None:
    paths = _stack(folder)
    paths[11].write_bytes(paths[11].read_bytes()[:-100])


def _emptied(folder: Path) -> None:
    save(folder, _own_series(ct_stack(fields={"PixelData": b""})))


def _nm_of(change: Callable[[Dataset], object]) -> Callable[[Path], object]:
    def make(folder: Path) -> None:
        dataset = nm([child(), behind()])
        change(dataset)
        save(folder, _own_series([dataset]))

    return make


def _four_frames(dataset: Dataset) -> None:
    put_pixels(dataset, np.stack([child(), behind(), child() // 3, behind() // 3]))
    dataset.NumberOfFrames, dataset.NumberOfEnergyWindows = 4, 2
    dataset.EnergyWindowVector, dataset.DetectorVector = [1, 1, 2, 2], [1, 2, 1, 2]
    dataset.EnergyWindowInformationSequence = Items([energy_window(143, 175), energy_window(127, 143)])


def _no_pointer(dataset: Dataset) -> None:
    del dataset.FrameIncrementPointer, dataset.EnergyWindowVector, dataset.DetectorVector


def _iconic(dataset: Dataset) -> None:
    icon = put_pixels(Dataset(), np.zeros((8, 8), np.uint8))
    dataset.IconImageSequence = Items([icon])
    del dataset.PixelData


def _dicomdir(folder: Path) -> None:
    """A directory whose record leads to a file outside of its folder, and one file beside it."""
    save(folder / "outside", _own_series([nm([child(), behind()])]), "secret")
    save(folder / "media", _own_series([nm([child(), behind()])]))
    directory, record = bare(MediaStorageDirectoryStorage, ""), Dataset()
    record.DirectoryRecordType, record.ReferencedFileID = "IMAGE", ["..", "outside", "secret000.dcm"]
    directory.DirectoryRecordSequence = Items([record])
    (path,) = save(folder / "media", [directory], "d")
    path.rename(folder / "media" / "DICOMDIR")


def _forged_length(folder: Path) -> None:
    (path,) = save(folder, _own_series([bare(SecondaryCaptureImageStorage, "OT")]))
    data = path.read_bytes()
    path.write_bytes(data + struct.pack("<HH2sHI", 0x0040, 0x0555, b"OB", 0, 0xFFFFFFF0) + b"short")


def _deflated_bomb(folder: Path) -> None:
    dataset = _own_series([nm([child(), behind()])])[0]
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    (path,) = save(folder, [dataset])
    data = path.read_bytes()
    body = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    bomb = (
        body.compress(struct.pack("<HH2sHI", 0x0008, 0x0001, b"OB", 0, 200_000_000) + bytes(200_000_000)) + body.flush()
    )
    start = 132 + 12 + int.from_bytes(data[140:144], "little")
    path.write_bytes(data[:start] + bomb)


def _huge_dimensions(folder: Path) -> None:
    for path in _stack(folder)[:1]:
        data = path.read_bytes()
        rows = struct.pack("<HH2sH", 0x0028, 0x0010, b"US", 2) + struct.pack("<H", 16)
        assert rows in data
        wide = struct.pack("<HH2sH", 0x0028, 0x0010, b"UL", 4) + struct.pack("<I", 0x40000001)
        path.write_bytes(data.replace(rows, wide))


def _palette(dataset: Dataset) -> None:
    dataset.PhotometricInterpretation = "PALETTE COLOR"
    for colour in ("Red", "Green", "Blue"):
        setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", [4, 0, 16])
        setattr(dataset, f"{colour}PaletteColorLookupTableData", bytes(8))


def _executable(folder: Path) -> None:
    (path,) = save(folder, _own_series([nm([child(), behind()])]))
    path.write_bytes(b"MZ" + path.read_bytes()[2:])


def _without_syntax(folder: Path) -> None:
    (path,) = save(folder, _own_series([nm([child(), behind()])]))
    uid = str(ExplicitVRLittleEndian).encode() + b"\0"
    data = path.read_bytes()
    assert data.count(uid) == 1
    path.write_bytes(data.replace(uid, bytes(len(uid))))


def _misnamed(dataset: Dataset) -> None:
    dataset.PatientName = "A^B^C^D^E^F^G=x=y=z=w\x07" + "long" * 30
    dataset.StudyDescription = "x"


def _overlapping_segments(folder: Path) -> None:
    dataset = put_pixels(bare(SegmentationStorage, "SEG"), np.zeros((2, 16, 16), np.uint8))
    dataset.NumberOfFrames = 2
    save(folder, _own_series([dataset]))


def _mask_twice(folder: Path) -> None:
    _stack_of(lambda hu: (hu > 100).astype(np.int16))(folder)


def _sound(study: Study) -> bool:
    return bool(errors_against(study, ramp).max() <= 1.0)


def _present(study: Study) -> bool:
    return bool(study.images)


def _both_views(study: Study) -> bool:
    return np.array_equal(study.images["anterior"].values, child()) and np.array_equal(
        study.images["posterior"].values, behind()
    )


@dataclass(frozen=True)
class Case:
    """One bad input: how it is made, the note that must be there, and what its Studies must be (None: no Study)."""

    make: Callable[[Path], object]
    level: str
    words: tuple[str, ...]
    study: Callable[[Study], bool] | None = None
    studies: int = 1


CASES: Mapping[str, Case] = {
    "1 missing slices": Case(_holed, "refused", ("184.00 mm between", "i005.dcm", "i006.dcm")),
    "2 rounded positions": Case(
        lambda f: _stack(f, [0.7 * i + 0.02 * (i % 2) for i in range(12)]), "accepted", ("12 slices",), _sound
    ),
    "3 duplicate positions": Case(_repeated, "set_aside", ("i012.dcm", "a copy of", "i002.dcm"), _sound),
    "4 gantry tilt": Case(
        lambda f: _stack(f, place=Place(shear=(0.2, 0.0))),
        "repaired",
        ("11.31 degrees",),
        lambda study: bool(study.uid),
    ),
    "4 fewer than 3 slices": Case(lambda f: _stack(f, HEIGHTS[:2]), "refused", ("2 slices, where a volume needs 3",)),
    "5 localiser in the series": Case(_with_localiser, "set_aside", ("i012.dcm", "another plane"), _sound),
    "6 zero bytes of pixels": Case(_emptied, "refused", ("0 of 512 bytes",)),
    "6 truncated transfer": Case(_cut_short, "refused", ("i011.dcm", "412 are left"), _sound),
    "7 negated column cosine": Case(
        lambda f: _stack(f, place=Place(column=(0.0, -1.0, 0.0))), "accepted", ("12 slices",), _sound
    ),
    "8 feet first": Case(lambda f: _stack(f, place=Place(row=(-1.0, 0.0, 0.0))), "accepted", ("12 slices",), _sound),
    "9 cosines not orthonormal": Case(
        _stack_with({"ImageOrientationPatient": [1, 0, 0, 0.2, 1, 0]}), "refused", ("not orthonormal",)
    ),
    "10 HU as 0 to 255": Case(
        _stack_of(lambda hu: ((hu + 1024) / 12).clip(0, 255).astype(np.uint8)), "refused", ("cannot be Hounsfield",)
    ),
    "10 shifted to 0": Case(_stack_of(lambda hu: (hu + 1024).astype(np.int16)), "refused", ("cannot be Hounsfield",)),
    "11 more voxels than allowed": Case(_stack_with({"NumberOfFrames": 4_100_000}), "refused", ("Limits.pixels",)),
    "12 tiny field of view": Case(lambda f: _stack(f, HEIGHTS[:3]), "warning", ("only 3 slices",), _sound),
    "13 frames by window and head": Case(_nm_of(_four_frames), "set_aside", ("energy window 2",), _both_views),
    "13 frames by angle": Case(
        _nm_of(lambda d: setattr(d, "FrameIncrementPointer", [0x00540010, 0x00540020, 0x00540050, 0x00540090])),
        "refused",
        ("SPECT",),
    ),
    "14 NM without orientation": Case(_nm_of(lambda _: None), "accepted", ("anterior and posterior",), _both_views),
    "15 frames without pointer": Case(
        _nm_of(_no_pointer), "warning", ("2 frames without a usable frame increment pointer",), _both_views
    ),
    "16 inverse display": Case(
        _stack_with({"PhotometricInterpretation": "MONOCHROME1"}),
        "accepted",
        ("inverse display", "not affected"),
        _sound,
    ),
    "17 only an icon": Case(_nm_of(_iconic), "refused", ("no pixel data (an icon at most)",)),
    "18 DICOMDIR out of its root": Case(_dicomdir, "set_aside", ("media/DICOMDIR", "a DICOMDIR"), _both_views, 2),
    "19 length beyond the file": Case(_forged_length, "refused", ("declares 4294967280 bytes", "5 are left")),
    "20 deflated bomb": Case(_deflated_bomb, "refused", ("inflate to more than",)),
    "22 dimensions as UL": Case(_huge_dimensions, "refused", ("i000.dcm", "1073741825 x 16"), _sound),
    "23 palette index out of range": Case(_nm_of(_palette), "accepted", ("PALETTE", "stored counts"), _both_views),
    "24 executable preamble": Case(_executable, "warning", ("Windows executable", "never run"), _both_views),
    "26 empty transfer syntax": Case(_without_syntax, "repaired", ("no transfer syntax stated",), _both_views),
    "29 malformed patient name": Case(_nm_of(_misnamed), "warning", ("control characters",), _both_views),
    "30 burned-in text": Case(_nm_of(lambda d: setattr(d, "BurnedInAnnotation", "YES")), "set_aside", ("burned",)),
    "30 secondary capture": Case(
        lambda f: save(
            f, _own_series([put_pixels(bare(SecondaryCaptureImageStorage, "CT"), np.zeros((16, 16), np.uint8))])
        ),
        "set_aside",
        ("Secondary Capture",),
    ),
    "31 overlapping segments": Case(_overlapping_segments, "set_aside", ("Segmentation Storage",)),
    "32 mask passed as image": Case(_mask_twice, "refused", ("from 0 to 1", "mask")),
}


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Read]:
    """All cases in folders of one input."""
    root = tmp_path_factory.mktemp("everything")
    save(root / "sound", _own_series(ct_stack()))
    with disable_value_validation():
        for name, case in CASES.items():
            case.make(root / name)
    with reading(root) as read:
        yield read


@pytest.mark.parametrize("name", CASES)
def test_bad_input_ends_in_a_stated_line(everything: Read, name: str) -> None:
    case = CASES[name]
    lines = [n for n in everything.notes if name in n.file + n.problem and n.level == case.level]
    texts = [f"{note.file} {note.problem} {note.action}" for note in lines]
    assert any(all(word in text for word in case.words) for text in texts), texts
    studies = [s for s in everything.studies if any(source.file.startswith(f"{name}/") for source in s.sources)]
    assert len(studies) == (case.studies if case.study else 0)
    assert all(case.study(study) for study in studies if case.study)


def test_the_sound_series_beside_them_is_read(everything: Read) -> None:
    (study,) = (s for s in everything.studies if s.sources[0].file.startswith("sound/"))
    assert errors_against(study, ramp).max() <= 0.5


def test_a_directory_stands_for_its_folder_and_is_not_followed(tmp_path: Path) -> None:
    with disable_value_validation():
        _dicomdir(tmp_path)
    with reading(tmp_path / "media" / "DICOMDIR") as read:
        assert read.says("set_aside", "DICOMDIR", "found without it")
        assert {source.path.name for source in read.study.sources} == {"i000.dcm"}


def test_a_bare_data_set_is_read_and_said_so(tmp_path: Path) -> None:
    paths = save(tmp_path, ct_stack())
    for path in paths:
        data = path.read_bytes()
        path.write_bytes(data[144 + int.from_bytes(data[140:144], "little") :])
    with reading(tmp_path) as read:
        assert errors_against(read.study, ramp).max() <= 0.5
        assert read.says("repaired", "i000.dcm", "no DICOM preamble")


def test_a_deflated_file_is_read(tmp_path: Path) -> None:
    dataset = nm([child(), behind()])
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    save(tmp_path, [dataset])
    with reading(tmp_path) as read:
        assert _both_views(read.study)


def _deflated_masks(path: Path, frames: int, stated: int) -> Path:
    dataset = bare(SegmentationStorage, "SEG")
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    dataset.Rows = dataset.Columns = 1024
    dataset.NumberOfFrames, dataset.BitsAllocated = stated, 1
    dataset.PixelData = bytes(frames * 1024 * 1024 // 8)
    dataset.save_as(path, enforce_file_format=True)
    return path


def test_a_deflated_segmentation_may_hold_the_frames_that_it_states(tmp_path: Path) -> None:
    with mapped(_deflated_masks(tmp_path / "bones.dcm", 520, 520)) as data:
        assert len(parse(data, Limits(), pixels=True).dataset.PixelData) == 65 * MIB
        with pytest.raises(LimitError, match=f"inflate to more than {64 * MIB} bytes"):
            parse(data, Limits(worker_bytes=256 * MIB), pixels=True)
    with (
        mapped(_deflated_masks(tmp_path / "bomb.dcm", 600, 60)) as data,
        pytest.raises(LimitError, match="inflate to more than"),
    ):
        parse(data, Limits(), pixels=True)
