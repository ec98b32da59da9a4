"""Whether a planar study can be assessed at all: one reason for every unit, and said of the study."""

from __future__ import annotations

from osteoscope.domain.reading import MappedSite
from osteoscope.domain.study import Study
from osteoscope.errors import UnsuitableStudyError
from osteoscope.find.model import shipped
from osteoscope.find.planar_caveats import unfit, unpaired
from osteoscope.find.planar_maps import MODEL, Maps
from osteoscope.find.planar_outlines import cut_ends
from osteoscope.find.planar_upright import problem


def why_unfit(study: Study, maps: Maps | None) -> str:
    """Why no unit can be assessed, and after a colon what to do; "" if nothing speaks against it."""
    if maps is None:
        return "no body found on the images"
    return unfit(study) or problem(maps, shipped(MODEL), bool(cut_ends(study))) or unpaired(study)


def refuse_unfit(mapped: tuple[MappedSite, ...]) -> None:
    """Let a study whose units all fail for one reason fail itself, so that the reason is not hidden among its sites.

    Raises:
        UnsuitableStudyError: no unit can be assessed, for one reason.
    """
    reasons = {(site.status, site.notes[:1]) for site in mapped}
    if len(reasons) != 1:
        return
    status, notes = reasons.pop()
    if status == "not_assessable" and notes:
        found, _, remedy = notes[0].partition(": ")
        asked = "look for uptake on the planar views"
        raise UnsuitableStudyError(asked, found, remedy.capitalize() or "Check what the pictures show")
