"""A person's edits applied to a Reading: the Reading that he stands for.

Each edit is plain data with an ``op``; `EDITS` says what each does. What an edit takes away is set aside with its
reason, never lost; a number that an edit makes untrue is measured again or becomes a gap.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from typing import Any

from osteoscope.deliver.review.by_hand import by_hand_of
from osteoscope.deliver.review.counting import COUNTED_FROM, counted_from
from osteoscope.deliver.review.draft import Draft, Ground
from osteoscope.deliver.review.edits_ct import add_lesion, change_type, edit_mask, mark
from osteoscope.deliver.review.edits_outline import add_outline
from osteoscope.deliver.review.edits_planar import add_focus, move, soft_tissue
from osteoscope.deliver.review.notes import words_kept
from osteoscope.deliver.review.rescored import rescored
from osteoscope.domain.finding import SetAside
from osteoscope.domain.reading import Provenance, Reader, Reading
from osteoscope.errors import InvalidValueError

Edit = Mapping[str, Any]
_SOFTWARE = f"osteoscope {version('osteoscope')}"


def _remove(draft: Draft, edit: Edit) -> Draft:
    finding = draft.finding(edit["finding"])
    aside = SetAside(f"finding {finding.id} at {finding.site}", f"removed by {draft.person}", finding.region)
    kept = tuple(f for f in draft.findings if f.id != finding.id)
    return replace(draft, findings=kept, set_aside=(*draft.set_aside, aside))


def _accept(draft: Draft, edit: Edit) -> Draft:
    finding = draft.finding(edit["finding"])
    return draft.with_finding(replace(finding, confidence=1.0))


def _level(draft: Draft, edit: Edit) -> Draft:
    return draft.setting("siopen", edit["site"], edit["level"])


def _curie(draft: Draft, edit: Edit) -> Draft:
    return draft.setting("curie", edit["site"], edit["level"])


def _comment(draft: Draft, edit: Edit) -> Draft:
    return replace(draft, comment=str(edit["text"]))


EDITS: Mapping[str, Callable[[Draft, Edit], Draft]] = {
    "level": _level,
    "curie": _curie,
    "add": add_focus,
    "outline": add_outline,
    "remove": _remove,
    "reject": _remove,
    "accept": _accept,
    "move": move,
    "comment": _comment,
    "soft_tissue": soft_tissue,
    "type": change_type,
    "add_lesion": add_lesion,
    "mask": edit_mask,
    "mark": mark,
}
OF_KIND: Mapping[str, frozenset[str]] = {
    "nm-planar": frozenset(
        {"level", "curie", "add", "outline", "remove", "reject", "accept", "move", "comment", "soft_tissue"}
    ),
    "ct": frozenset({"accept", "reject", "remove", "type", "add_lesion", "mask", "mark", "comment"}),
}


@dataclass(frozen=True)
class Person:
    """Who edits, and since when (ISO time)."""

    name: str
    since: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)


def edited(base: Reading, edits: Sequence[Edit], person: Person, ground: Ground) -> Reading:
    """The Reading of a person who made these edits on a base.

    Args:
        base: a Reading of the program, or an earlier one of a person.
        edits: in order; an edit names its ``op`` and what that needs.
        person: whose Reading it becomes.
        ground: where sites lie on the images.

    Raises:
        InvalidValueError: an edit does not fit: unknown op, finding, site or view, or a place off the image.
    """
    draft = Draft(base, person.name, ground, base.findings, base.set_aside, by_hand_of(base))
    for edit in edits:
        op = str(edit.get("op"))
        if op not in OF_KIND[base.study.kind]:
            raise InvalidValueError(
                "edit a Reading",
                f"{op!r} on a study of kind {base.study.kind}",
                f"Use {sorted(OF_KIND[base.study.kind])}",
            )
        draft = EDITS[op](draft, edit)
    return _finished(rescored(draft), person, len(edits))


def _finished(draft: Draft, person: Person, number: int) -> Reading:
    base = draft.base
    settings = {**base.provenance.settings, "edits": number, "base": base.reader.name, **person.extra}
    settings |= {COUNTED_FROM: counted_from(base)} if base.study.kind == "nm-planar" else {}
    provenance = Provenance(_SOFTWARE, base.provenance.inputs, words_kept(settings, draft), person.since)
    return replace(
        base,
        reader=Reader("person", person.name),
        findings=draft.findings,
        set_aside=draft.set_aside,
        sites=draft.sites,
        measures=draft.measures,
        gaps=draft.gaps,
        provenance=provenance,
    )
