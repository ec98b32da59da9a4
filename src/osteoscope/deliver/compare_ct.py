"""Two CTs of one patient, as they came in, compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from osteoscope.deliver.exams import Taken, check_searched
from osteoscope.domain.image import Image
from osteoscope.errors import UnsuitableStudyError
from osteoscope.measure.lesion_change import CtDate, follow
from osteoscope.measure.lesion_change_record import ChangeOptions, CtResponse
from osteoscope.report.ct_response import build_ct_response
from osteoscope.report.ct_response_views import Pictured
from osteoscope.report.parts import Document
from osteoscope.stats.one_child import check_together


def compare_cts(taken: Sequence[Taken], same_patient: bool, options: ChangeOptions) -> tuple[CtResponse, Document]:
    """The comparison and its report.

    Raises:
        UnsuitableStudyError: not two dates of one patient, one that was not searched for lesions or has no outlines of
            bones with it, or no bone in common.
    """
    exams = [one.exam for one in taken]
    notes = check_together(exams, same_patient, "ct")
    if len(taken) != 2:
        remedy = "Give the two dates that are to be compared"
        raise UnsuitableStudyError("compare CTs", f"{len(taken)} dates", remedy)
    for exam in exams:
        remedy = "Read the CT again, or give another date: without a search no lesion is gone"
        check_searched(exam.reading, f"compare {exam.name}", remedy)
        if not exam.mapped:
            remedy = "Keep bones.dcm, or bones.nii.gz (--nifti), beside it, or give the CT itself"
            raise UnsuitableStudyError(f"compare {exam.name}", "no outlines of bones beside it", remedy)
    before, now = (CtDate(e.name, e.reading, e.mapped, _image(t)) for e, t in zip(exams, taken, strict=True))
    found = follow(before, now, options)
    response = replace(found, notes=(*notes, *found.notes))
    return response, build_ct_response(response, _pictured(before, now))


def _image(taken: Taken) -> Image | None:
    return taken.case.study.images["ct"] if taken.case else None


def _pictured(before: CtDate, now: CtDate) -> Pictured | None:
    if before.image is None or now.image is None:
        return None
    by_id = [{finding.id: finding for finding in date.reading.findings} for date in (before, now)]
    return Pictured(now.reading.study.patient.name, (before.image, now.image), (by_id[0], by_id[1]))
