"""New and gone lesions that may be one lesion, or none: what the record of a comparison says beside the call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from osteoscope.domain.finding import DOUBTFUL_BELOW, Finding
from osteoscope.domain.geometry import Grid
from osteoscope.measure.bone_motion import Rigid
from osteoscope.measure.lesion_change_record import ChangeOptions, Followed
from osteoscope.measure.lesion_matching_ct import meet

_STILL = Rigid.of(np.eye(3), np.zeros(3))

Findings = Mapping[str, Finding]


def doubt(confidence: float) -> tuple[str, ...]:
    """A note on a lesion of one date alone that its reader was not sure of."""
    return (f"confidence {confidence:.2f} at its date: perhaps no lesion",) if confidence < DOUBTFUL_BELOW else ()


def with_same_places(
    lesions: Sequence[Followed],
    findings: tuple[Findings, Findings],
    grids: tuple[Grid, Grid],
    together: Rigid,
    options: ChangeOptions,
) -> tuple[Followed, ...]:
    """Lesions of one date alone, with "stable" possible where one of the other date alone lies in the same place.

    Args:
        lesions: all that were followed.
        findings: of both dates, by id.
        grids: of both dates.
        together: motion of all bones.
        options: how far apart one lesion may lie.
    """
    gone = [n for n, one in enumerate(lesions) if one.now is None]
    new = [n for n, one in enumerate(lesions) if one.before is None]
    made = list(lesions)
    for how, motion in _motions(together).items():
        for first in gone:
            for second in new:
                if _near(made[first], made[second], findings, grids, motion, options):
                    made[first] = _one_with(made[first], made[second], how)
                    made[second] = _one_with(made[second], made[first], how)
    return tuple(made)


def _motions(together: Rigid) -> Mapping[str, Rigid]:
    """By what a place of the earlier date is looked up at the later one without the names of bones."""
    return MappingProxyType({"with all bones laid onto each other": together, "in the scanner's coordinates": _STILL})


def _near(
    gone: Followed, new: Followed, findings: tuple[Findings, Findings], grids: tuple[Grid, Grid], motion: Rigid,
    options: ChangeOptions,
) -> bool:  # fmt: skip
    if gone.before is None or new.now is None:
        return False
    earlier = [(findings[0][name].region.parts[0], motion) for name in gone.before.findings]
    later = [findings[1][name].region.parts[0] for name in new.now.findings]
    return bool(meet(earlier, later, grids).gap_mm.min() <= options.reach_mm)


def _one_with(lesion: Followed, other: Followed, how: str) -> Followed:
    """The lesion with its doubt, said once."""
    when, seen = ("earlier", other.before) if other.before is not None else ("later", other.now)
    names = ", ".join(seen.findings) if seen is not None else ""
    told = f"{names} of the {when} date ({other.site}) lies in the same place"
    if any(note.startswith(told) for note in lesion.notes):
        return lesion
    note = f"{told} {how}: perhaps one lesion, its bone named otherwise"
    return replace(lesion, possible=tuple(dict.fromkeys((*lesion.possible, "stable"))), notes=(*lesion.notes, note))
