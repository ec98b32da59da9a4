"""A planar unit of which a part alone was seen, told by a note, so that it stays with every Reading."""

from __future__ import annotations

from collections.abc import Iterable

from osteoscope.domain.reading import MappedSite

_SEEN_IN_PART = "seen in part"


def note_of_part(unit: str, why: str) -> str:
    """What a note says of a unit that was seen in part, with the reason."""
    return f"{unit}: {_SEEN_IN_PART} ({why})"


def in_field(share: float) -> str:
    """The reason of a unit with so much of it, 0..1, in the field."""
    return f"about {share:.0%} of it lies in the field of view"


def is_in_part(unit: str, notes: Iterable[str]) -> bool:
    """Whether one of these notes says so of that unit."""
    return any(note.startswith(f"{unit}: {_SEEN_IN_PART}") for note in notes)


def is_whole(place: MappedSite | None) -> bool:
    """Whether a mapped unit is assessed, and not in part."""
    return place is not None and place.status == "assessed" and not is_in_part(place.site, place.notes)
