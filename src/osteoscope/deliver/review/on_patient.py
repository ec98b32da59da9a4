"""Whether uptake that a person marks on a planar view lies on the patient at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from osteoscope.deliver.review.draft import Draft, Ground
from osteoscope.deliver.review.edits_outline import add_outline
from osteoscope.deliver.review.edits_planar import add_focus
from osteoscope.domain.finding import Part
from osteoscope.domain.reading import Reading
from osteoscope.errors import InvalidValueError

_MARKS = {"add": add_focus, "outline": add_outline}


def check_on_patient(base: Reading, edit: Mapping[str, Any], ground: Ground) -> None:
    """Refuse a new mark beside the patient, which would count for the nearest bone: what is marked touches neither the
    body nor a unit. A focus is a disc, so that a click may stray by its radius. Where a ``site`` is named, the place is
    the person's word.

    Apart from `edits.edited`, so that a draft of before, with such marks in it, still opens.

    Raises:
        InvalidValueError: the place is off the patient, or the mark does not fit.
    """
    mark = _MARKS.get(str(edit.get("op")))
    if mark is None or edit.get("site"):
        return
    marked = mark(Draft(base, "", ground, base.findings, base.set_aside), edit).findings[len(base.findings) :]
    parts = [part for finding in marked for part in finding.region.parts]
    if not any(_is_on_patient(part, ground) for part in parts):
        row, column = np.mean(np.argwhere(parts[0].mask) + parts[0].offset, axis=0)
        place = f"row {row:.0f}, column {column:.0f} of the {parts[0].image} view"
        remedy = "Mark it on the patient; or set the level of the segment in the table"
        raise InvalidValueError("mark uptake", f"{place} lies outside the patient", remedy)


def _is_on_patient(part: Part, ground: Ground) -> bool:
    body = ground.body(part.image)
    if body is None or bool((body[part.box] & part.mask).any()):
        return True
    units = [found for place in ground.units if place.region and (found := place.region.on(part.image)) is not None]
    return any(bool((unit.full(body.shape)[part.box] & part.mask).any()) for unit in units)
