"""What files and folders of a case are, by the words of their names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from osteoscope.deliver.ct_label_names import says_no_lesion
from osteoscope.dicom.read_labels import LABEL_SUFFIXES

Role = Literal["lesions", "bones", "masks", "ct", ""]


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


_BENIGN = _listed("lookalike lookalikes alike alikes benign")
_WORDS: Mapping[Role, frozenset[str]] = {
    "lesions": _BENIGN | _listed("lesion lesions tumor tumors tumour tumours metastasis metastases met mets gtv"),
    "bones": _listed("bone bones"),
    "masks": _listed(
        "mask masks label labels labelmap seg segs segmentation segmentations annotation annotations rtstruct rtss"
        " roi rois contour contours"
    ),
    "ct": _listed("ct image images dicom scan"),
}
# Volumes that other programs write and that are not read here.
_OTHER_VOLUMES = (
    ".mha", ".mhd", ".nhdr", ".img", ".hdr", ".mgz", ".mgh", ".gipl", ".gipl.gz", ".nii.bz2", ".nii.zip",
    ".npy", ".npz", ".tif", ".tiff", ".vtk", ".vti", ".stl",
)  # fmt: skip
_DICOM_SUFFIXES = frozenset({".dcm", ".ima"})


def role_of(path: Path) -> Role:
    """By its words; lesions come first, since ``bone_lesions`` are none but lesions.

    A CT may be named after its kernel: ``ct_bone`` is one, ``ct_bone_mask`` is not.
    """
    said = _words(path)
    if said & _WORDS["lesions"]:
        return "masks" if says_no_lesion(path.name) else "lesions"
    if said & _WORDS["bones"] and (said & _WORDS["masks"] or not said & _WORDS["ct"]):
        return "bones"
    return next((role for role in ("masks", "ct") if said & _WORDS[role]), "")


def mask_words(path: Path, case: Path) -> frozenset[str] | None:
    """The words for a mask in a name that says nothing else; None where it says more than that and the case's name."""
    said = _words(path)
    held = said & _WORDS["masks"]
    return None if said - held - _WORDS["ct"] - _words(case) else held


def says_benign(path: Path) -> bool:
    """Whether a file of masks is named after look-alikes."""
    return bool(_words(path) & _BENIGN)


def is_volume(path: Path) -> bool:
    """A volume or label map that is read."""
    return path.name.lower().endswith(LABEL_SUFFIXES)


def is_other_volume(path: Path) -> bool:
    """A volume in a format that is not read."""
    return path.name.lower().endswith(_OTHER_VOLUMES)


def is_dicom(path: Path) -> bool:
    """By its suffix, or by what stands in its 129th byte."""
    if path.suffix.lower() in _DICOM_SUFFIXES:
        return True
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def _words(path: Path) -> frozenset[str]:
    name = re.sub(r"\.(nii\.gz|[a-z]\w*)$", "", path.name, flags=re.IGNORECASE)
    return frozenset(word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name))
