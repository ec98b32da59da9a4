"""Key images read back: pixels equal, identity of the study, sources named; dciodvfy finds no error."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
from examples import Example, ct, grid_of, planar
from files import on_disk, validator_errors
from limited_disk import limited_disk
from PIL import Image

from osteoscope.dicom.key_image import write_key_images
from osteoscope.errors import OutputError

PIXELS = np.random.default_rng(1).integers(0, 256, (7, 11, 3), dtype=np.uint8)


def png(mode: str = "RGB") -> bytes:
    stream = BytesIO()
    Image.fromarray(PIXELS).convert(mode).save(stream, "png")
    return stream.getvalue()


@pytest.mark.parametrize("example", [ct(grid_of((10.0, 6.0, 6.0))), planar()], ids=["ct", "nm"])
def test_pictures_return_as_secondary_captures(tmp_path: Path, example: Example) -> None:
    case = on_disk(example, tmp_path / "source").case
    paths = write_key_images([("first", png()), ("second", png("RGBA"))], case, tmp_path / "out" / "keys")
    assert [path.name for path in paths] == ["first.dcm", "second.dcm"]
    first, second = (pydicom.dcmread(path) for path in paths)
    assert np.array_equal(first.pixel_array, PIXELS)
    assert np.array_equal(second.pixel_array, PIXELS)
    assert validator_errors(paths[0]) == []
    source = pydicom.dcmread(case.study.sources[0].path)
    assert (first.PatientID, first.StudyInstanceUID) == (source.PatientID, source.StudyInstanceUID)
    assert first.SeriesInstanceUID == second.SeriesInstanceUID != source.SeriesInstanceUID
    assert first.SOPInstanceUID != second.SOPInstanceUID
    named = {item.ReferencedSOPInstanceUID for item in first.SourceImageSequence}
    assert named == {s.sop_instance_uid for s in case.study.sources}
    assert (first.ContentQualification, first.Manufacturer) == ("RESEARCH", "Osteoscope")
    assert "Research use only" in first.ImageComments


def test_bytes_that_are_no_picture(tmp_path: Path) -> None:
    case = on_disk(planar(), tmp_path / "source").case
    with pytest.raises(OutputError, match=r"'broken' of 4 bytes is no image"):
        write_key_images([("broken", b"text")], case, tmp_path / "keys")


def test_sources_without_dicom(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="not read from DICOM files"):
        write_key_images([("first", png())], planar().case, tmp_path / "keys")


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    case = on_disk(planar(), tmp_path / "source").case
    (tmp_path / "keys").write_text("")
    with pytest.raises(OutputError, match="can be written"):
        write_key_images([("first", png())], case, tmp_path / "keys")


def test_a_picture_that_the_disk_cuts_short_is_not_left(tmp_path: Path) -> None:
    case = on_disk(planar(), tmp_path / "source").case
    with limited_disk(1000), pytest.raises(OutputError, match="File too large"):
        write_key_images([("first", png())], case, tmp_path / "keys")
    assert list((tmp_path / "keys").iterdir()) == []


def test_an_image_that_the_disk_cuts_short_is_not_left(tmp_path: Path) -> None:
    with limited_disk(1000), pytest.raises(OutputError, match="File too large"):
        on_disk(planar(), tmp_path / "source")
    assert list((tmp_path / "source").iterdir()) == []
