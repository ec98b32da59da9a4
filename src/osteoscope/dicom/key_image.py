"""Pictures of a report as Secondary Capture images (PS3.3 A.8.1) beside the study that they show."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from highdicom.sc import ConversionTypeValues, SCImage
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from pydicom.dataset import Dataset

from osteoscope.dicom.derived import (
    MANUFACTURER,
    MODEL,
    PICTURES,
    RESEARCH_USE,
    SOFTWARE_VERSION,
    UTF_8,
    build,
    references,
    save,
    source_headers,
    uid_for,
)
from osteoscope.domain.reading import Case
from osteoscope.errors import OutputError


def write_key_images(pictures: Sequence[tuple[str, bytes]], case: Case, folder: Path) -> tuple[Path, ...]:
    """Write one colour Secondary Capture per picture, in one series, each naming the study's images as its source.

    Args:
        pictures: name (letters, digits, "-", "_") and PNG bytes; without identifying text burned in.
        case: whose study they show.
        folder: made where absent; files are named after the pictures.

    Raises:
        OutputError: sources without DICOM identity, bytes that are no picture, or a folder that cannot be written.
    """
    asked = f"write key images to {folder}"
    headers = source_headers(case, asked)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(asked, str(error), "Name a folder that can be written") from error
    series = uid_for(PICTURES, case.study.uid, *(_digest(png) for _, png in pictures))
    paths = []
    for number, (name, png) in enumerate(pictures, start=1):
        image = _capture(headers, _pixels(name, png, asked), (series, number), asked)
        image.ImageComments = f"{name}. {RESEARCH_USE}"
        paths.append(folder / f"{name}.dcm")
        save(image, paths[-1])
    return tuple(paths)


def _digest(png: bytes) -> str:
    return hashlib.sha256(png).hexdigest()


def _pixels(name: str, png: bytes, asked: str) -> NDArray[np.uint8]:
    try:
        with Image.open(BytesIO(png)) as picture:
            return np.asarray(picture.convert("RGB"), dtype=np.uint8)
    except UnidentifiedImageError as error:
        raise OutputError(asked, f"picture {name!r} of {len(png)} bytes is no image", "Give PNG bytes") from error


def _capture(headers: list[Dataset], pixels: NDArray[np.uint8], place: tuple[str, int], asked: str) -> SCImage:
    series, number = place
    image = build(
        asked,
        lambda: SCImage.from_ref_dataset(
            headers[0],
            pixel_array=pixels,
            photometric_interpretation="RGB",
            bits_allocated=8,
            coordinate_system="PATIENT",
            series_instance_uid=series,
            series_number=PICTURES.series_number,
            sop_instance_uid=uid_for(PICTURES, series, number),
            instance_number=number,
            manufacturer=MANUFACTURER,
            manufacturer_model_name=MODEL,
            software_versions=SOFTWARE_VERSION,
            device_serial_number="0",
            patient_orientation=("L", "F"),
            series_description=PICTURES.description,
            content_qualification="RESEARCH",
            specific_character_set=UTF_8,
        ),
    )
    image.ConversionType = ConversionTypeValues.WSD.value
    image.BurnedInAnnotation = "NO"
    image.DerivationDescription = RESEARCH_USE
    image.SourceImageSequence = references(headers)
    # A picture shows several planes or views: no one orientation or side holds.
    image.PatientOrientation = []
    image.Laterality = ""
    return image
