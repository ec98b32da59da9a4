"""Comment and soft-tissue note of a person, kept so that an amendment can replace or withdraw them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from osteoscope.deliver.review.draft import Draft
from osteoscope.domain.reading import Reading, SiteReading

SOFT_TISSUE = "soft_tissue"
_COMMENT, _NOTE, _BY = "comment", "soft_tissue_note", "soft_tissue_note_by"
Settings = Mapping[str, str | int | float | bool]


def noted(said: SiteReading, draft: Draft) -> SiteReading:
    """The site of soft tissue with the draft's note in the place of the one that a person wrote before."""
    before = _line_of(draft.base)
    others = tuple(note for note in said.notes if note != before)
    return replace(said, notes=(*others, _line(draft.note, draft.person)) if draft.note else others)


def words_kept(settings: Settings, draft: Draft) -> Settings:
    """Settings of a Reading with the draft's words, those that it withdraws left out."""
    words = {_COMMENT: draft.comment, _NOTE: draft.note, _BY: draft.note and draft.person}
    others = {name: value for name, value in settings.items() if words.get(name) is None}
    return others | {name: word for name, word in words.items() if word}


def _line_of(reading: Reading) -> str | None:
    """The note of a person as it stands among those of the site, None where there is none."""
    settings = reading.provenance.settings
    if _NOTE in settings:
        return _line(settings[_NOTE], settings[_BY])
    # Readings of before settings held the note: the last one in the name of their person.
    said, end = reading.site(SOFT_TISSUE), f" ({reading.reader.name})"
    mine = [note for note in said.notes if note.endswith(end)] if said and reading.reader.kind == "person" else []
    return mine[-1] if mine else None


def _line(text: object, person: object) -> str:
    return f"{text} ({person})"
