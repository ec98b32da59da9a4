"""The table of files that a Reading is delivered as."""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from osteoscope.deliver.radiomics import write_radiomics
from osteoscope.deliver.unit_map import UNITS_FILE, write_units
from osteoscope.dicom.key_image import write_key_images
from osteoscope.dicom.pdf import write_encapsulated_pdf
from osteoscope.dicom.seg import write_bones_seg, write_seg
from osteoscope.dicom.sr import write_sr
from osteoscope.dicom.whole import whole
from osteoscope.dicom.write_nifti import write_bone_labels, write_lesion_labels
from osteoscope.domain import codec
from osteoscope.domain.reading import Case, Gap, Reading
from osteoscope.domain.study import StudyKind
from osteoscope.errors import OutputError
from osteoscope.measure.radiomics import require
from osteoscope.reading.read import Outcome
from osteoscope.report.document import build_document
from osteoscope.report.html import write_html
from osteoscope.report.parts import Document
from osteoscope.report.pdf import write_pdf


@dataclass(frozen=True)
class OutputOptions:
    """What to write besides reading.json and the report.

    Args:
        dicom: DICOM SEG, SR, encapsulated PDF and key images.
        nifti: lesions.nii.gz, bones.nii.gz and bones.json (CT).
        radiomics: radiomics.csv and radiomics.json (CT); needs the extra "radiomics".

    Raises:
        DependencyError: radiomics is asked for and its library is not installed.
    """

    dicom: bool = True
    nifti: bool = False
    radiomics: bool = False

    def __post_init__(self) -> None:
        if self.radiomics:
            require()


class Parcel:
    """One Reading on its way out; the report is laid out once, on first use."""

    def __init__(self, outcome: Outcome, folder: Path) -> None:
        self.case: Case = outcome.case
        self.reading: Reading = outcome.reading
        self.folder = folder

    def note(self, *gaps: Gap) -> None:
        """Keep gaps in the Reading."""
        self.reading = replace(self.reading, gaps=(*self.reading.gaps, *gaps))

    @cached_property
    def document(self) -> Document:
        """The report as plain data."""
        return build_document(self.reading, self.case)

    def write_sr(self) -> None:
        """The structured report, which refers to the segments of lesions.dcm where they were written."""
        segmented = (self.folder / "lesions.dcm").is_file()
        write_sr(self.case, self.reading, self.folder / "measurements.dcm", segmented=segmented)

    def write_key_images(self) -> None:
        """Key figures as Secondary Capture."""
        pictures = [(figure.name, figure.png) for figure in self.document.figures]
        write_key_images(pictures, self.case, self.folder / "key_images")


@dataclass(frozen=True)
class Output:
    """One row: what is written, for which kinds of study, under which option.

    Args:
        option: field of OutputOptions that asks for it, "" for always.
        of_findings: left out where nothing was found.
        beside: files that are written with it.
    """

    name: str
    write: Callable[[Parcel], object]
    kinds: tuple[StudyKind, ...] = ("ct", "nm-planar")
    option: str = ""
    of_findings: bool = False
    beside: tuple[str, ...] = ()


CT: tuple[StudyKind, ...] = ("ct",)
PLANAR: tuple[StudyKind, ...] = ("nm-planar",)
OUTPUTS: tuple[Output, ...] = (
    Output("lesions.dcm", lambda p: write_seg(p.case, p.reading, p.folder / "lesions.dcm"), CT, "dicom", True),
    Output("bones.dcm", lambda p: write_bones_seg(p.case, p.reading, p.folder / "bones.dcm"), CT, "dicom"),
    Output("measurements.dcm", Parcel.write_sr, option="dicom"),
    Output("lesions.nii.gz", lambda p: p.note(*write_lesion_labels(p.case, p.folder / "lesions.nii.gz")), CT, "nifti"),
    Output(
        "bones.nii.gz",
        lambda p: write_bone_labels(p.case, p.folder / "bones.nii.gz"),
        CT,
        "nifti",
        beside=("bones.json",),
    ),
    Output(
        "radiomics.csv",
        lambda p: p.note(*write_radiomics(p.case, p.folder)),
        CT,
        "radiomics",
        True,
        ("radiomics.json",),
    ),
    Output(UNITS_FILE, lambda p: write_units(p.case, p.folder / UNITS_FILE), PLANAR),
    Output("report.html", lambda p: write_html(p.document, p.folder / "report.html")),
    Output("report.pdf", lambda p: write_pdf(p.document, p.folder / "report.pdf")),
    Output("key_images", Parcel.write_key_images, option="dicom"),
    Output(
        "report.dcm",
        lambda p: write_encapsulated_pdf(p.folder / "report.pdf", p.case, p.folder / "report.dcm"),
        option="dicom",
    ),
)
# Files and folders of a Reading.
RESULTS = (*(name for output in OUTPUTS for name in (output.name, *output.beside)), "reading.json")
NOT_DICOM = Gap("study", "write DICOM objects", "the input is not DICOM; give the DICOM series to get SEG, SR and PDF")


def deliver(outcome: Outcome, folder: Path, options: OutputOptions) -> Reading:
    """Write a Reading into a folder that has none; an output that cannot be made becomes a gap, the rest is written.

    Returns:
        The Reading as written to reading.json, with the gaps of its outputs.

    Raises:
        OutputError: another Reading lies in the folder, or a file cannot be written: results are not whole then.
    """
    parcel = Parcel(outcome, folder)
    if options.dicom and not any(source.sop_instance_uid for source in outcome.case.study.sources):
        options = replace(options, dicom=False)
        parcel.note(NOT_DICOM)
    remedy = "Free space on the disk, or choose a folder that can be written with -o"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if there := [name for name in RESULTS if (folder / name).exists()]:
            raise OutputError(f"write {folder}", f"results of another Reading ({there[0]})", "Choose an empty folder")
        for output in OUTPUTS:
            if _wanted(output, parcel.reading, options):
                _attempt(output, parcel)
        write_reading(parcel.reading, folder / "reading.json")
    except OSError as error:
        raise OutputError(f"write {folder}", str(error), remedy) from error
    return parcel.reading


def _wanted(output: Output, reading: Reading, options: OutputOptions) -> bool:
    asked = not output.option or getattr(options, output.option)
    return asked and reading.study.kind in output.kinds and bool(reading.findings or not output.of_findings)


def write_reading(reading: Reading, path: Path) -> None:
    """Write reading.json: complete or not at all."""
    lines = ",\n".join(f"{json.dumps(key)}: {_lined(value)}" for key, value in codec.encode(reading).items())
    with whole(path) as draft:
        draft.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


def _lined(value: Any) -> str:
    """JSON of a value, one item of a list a line: readable, and yet without a line per pixel run."""
    if not isinstance(value, list):
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    items = ",\n ".join(json.dumps(item, ensure_ascii=False, allow_nan=False) for item in value)
    return f"[\n {items}\n]" if value else "[]"


def read_reading(path: Path) -> Reading:
    """The Reading of a reading.json.

    Raises:
        InvalidValueError: the file does not follow the schema, or is no JSON.
        OSError, UnicodeDecodeError: it cannot be read as text.
    """
    return codec.parse(Reading, path.read_text(encoding="utf-8"))


def _attempt(output: Output, parcel: Parcel) -> None:
    try:
        output.write(parcel)
    except Exception as error:
        for name in (output.name, *output.beside):
            _remove(parcel.folder / name)
        if _is_of_disk(error):
            raise
        parcel.note(Gap("study", f"write {output.name}", f"{type(error).__name__}: {error}"))


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _is_of_disk(error: BaseException | None) -> bool:
    """Whether the system did not take a file; such errors have a number. One that is not there is another matter."""
    while error is not None:
        if isinstance(error, OSError) and error.errno not in {None, errno.ENOENT}:
            return True
        error = error.__cause__
    return False
