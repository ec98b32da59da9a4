"""Whether masks belong to a CT, by what both headers say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydicom.dataset import Dataset

from osteoscope.errors import IntakeError


def check_belongs(dataset: Dataset, request: Mapping[str, Any]) -> None:
    """Compare the frame of reference and the patient's id with "frame" and "patient" of the CT, where both have one.

    Raises:
        IntakeError: they are of another scan or of another patient.
    """
    frame, patient = request.get("frame", ""), request.get("patient", "")
    others = sorted(_frames(dataset) - {frame})
    if frame and others:
        found = f"masks in the frame of reference {others[0]}, where the CT has {frame}"
        raise IntakeError("read masks", found, "Give the masks of this CT, or register them to it and resample them")
    own = str(dataset.get("PatientID", "") or "").strip()
    if patient and own and own != patient:
        found = f"masks of the patient {own!r}, where the CT is of {patient!r}"
        raise IntakeError("read masks", found, "Give the masks of this patient, or the same PatientID to both files")


def _frames(dataset: Dataset) -> set[str]:
    """Frames of reference that masks are drawn in, the most particular statement first."""
    places = (
        ("ReferencedFrameOfReferenceUID", dataset.get("StructureSetROISequence") or ()),
        ("FrameOfReferenceUID", dataset.get("ReferencedFrameOfReferenceSequence") or ()),
        ("FrameOfReferenceUID", (dataset,)),
    )
    for keyword, items in places:
        stated = {str(item.get(keyword, "") or "") for item in items} - {""}
        if stated:
            return stated
    return set()
