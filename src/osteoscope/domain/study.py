"""A Study: the images of one patient on one date, and what was met at the door."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from osteoscope.domain.image import Image
from osteoscope.errors import InvalidValueError

StudyKind = Literal["ct", "nm-planar"]
NoteLevel = Literal["accepted", "repaired", "warning", "set_aside", "refused"]

IMAGE_NAMES: Mapping[StudyKind, frozenset[str]] = MappingProxyType(
    {"ct": frozenset({"ct"}), "nm-planar": frozenset({"anterior", "posterior"})}
)


@dataclass(frozen=True)
class IntakeNote:
    """One line of the intake report.

    Args:
        level: accepted / repaired (and how) / warning / set_aside (not part of the study) / refused (and why).
        problem: what was met.
        action: what was done, or what the user can do.
        file: the file's name as the user knows it ("archive.zip!a/b.dcm" within an archive).
    """

    level: NoteLevel
    problem: str
    action: str
    file: str


@dataclass(frozen=True)
class Patient:
    """Who was imaged. Unknown facts are None, never guessed."""

    id: str
    name: str = ""
    age_years: float | None = None
    sex: Literal["M", "F", "O"] | None = None
    weight_kg: float | None = None
    height_cm: float | None = None


@dataclass(frozen=True)
class Acquisition:
    """How the images were made, as the header states it; "" or None where it does not.

    Args:
        tracer: "mIBG", "bone agent", or the header's own words.
        radionuclide: such as "I-123" or "Tc-99m".
        collimator: such as "LEHR".
        guessed: names of facts that intake had to guess ("view", "pixel_spacing"); shown to the reader.
    """

    description: str = ""
    manufacturer: str = ""
    model: str = ""
    tracer: str = ""
    radionuclide: str = ""
    collimator: str = ""
    kernel: str = ""
    contrast_agent: str = ""
    kvp: float | None = None
    slice_thickness_mm: float | None = None
    guessed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """A file that the Study was made from.

    Args:
        file: its name as the user knows it.
        sha256: of its bytes, hexadecimal.
        path: where its bytes can be read while the intake is open; not written to reading.json.
        sop_class_uid, sop_instance_uid: DICOM identity, "" for NIfTI and NRRD.
        image: name of the image that it feeds.
        index: slice (CT) or frame (NM) of that image that it feeds, None for a whole volume.
    """

    file: str
    sha256: str
    path: Path
    sop_class_uid: str = ""
    sop_instance_uid: str = ""
    image: str = ""
    index: int | None = None


@dataclass(frozen=True, eq=False)
class Study:
    """The images of one patient on one date.

    Args:
        uid: StudyInstanceUID, or "sha256:..." for files that carry none.
        kind: "ct" or "nm-planar".
        date: ISO date, "" where unknown.
        images: "ct", or "anterior" and / or "posterior" (the posterior as seen from behind).
        sources: files behind the images.
        intake: what was met at the door.

    Raises:
        InvalidValueError: no image, or an image name that does not belong to the kind.
    """

    uid: str
    kind: StudyKind
    date: str
    patient: Patient
    images: Mapping[str, Image]
    acquisition: Acquisition = field(default_factory=Acquisition)
    sources: tuple[Source, ...] = ()
    intake: tuple[IntakeNote, ...] = ()

    def __post_init__(self) -> None:
        if not self.images or not set(self.images) <= IMAGE_NAMES[self.kind]:
            raise InvalidValueError(
                f"build a {self.kind} study",
                f"images {sorted(self.images)}",
                f"Give images out of {sorted(IMAGE_NAMES[self.kind])}",
            )
        object.__setattr__(self, "images", MappingProxyType(dict(self.images)))
