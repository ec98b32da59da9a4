"""A unit that was seen in part stays so in whatever keeps its notes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from osteoscope.domain.anatomy import SKELETAL_UNITS
from osteoscope.domain.in_part import in_field, is_in_part, is_whole, note_of_part
from osteoscope.domain.reading import MappedSite

LEG = "distal_lower_limb_left"


def test_a_note_is_of_its_own_unit_alone() -> None:
    note = note_of_part(LEG, in_field(0.66))
    assert note == "distal_lower_limb_left: seen in part (about 66% of it lies in the field of view)"
    assert [unit for unit in SKELETAL_UNITS if is_in_part(unit, ("one view only", note))] == [LEG]


@pytest.mark.parametrize("notes", [(), ("one view only",), (f"{LEG}: not acquired",)])
def test_other_notes_leave_a_unit_whole(notes: tuple[str, ...]) -> None:
    place = MappedSite(LEG, None, notes=notes)
    assert is_whole(place)
    assert not is_whole(replace(place, status="not_acquired"))
    assert not is_whole(replace(place, notes=(*notes, note_of_part(LEG, in_field(0.5)))))
    assert not is_whole(None)
