"""What a SIOPEN level says of the Curie level of the same bone, so that a reader who scores both need not enter both.

The ladders of `score_tables` read backwards: SIOPEN 1-3 is that many discrete foci without a patch, 5 and 6 a patch
over half or more. Level 4 (four foci, or a patch of less than half) leaves Curie open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from osteoscope.domain.anatomy import CURIE

_FOCI, _HALF, _WHOLE = 3, 5, 6  # SIOPEN: most that are foci alone, half of a segment, all of it
_MOST_FOCI, _TOP = 2, 3  # Curie: several foci, more than half


def curie_of_siopen(
    levels: Mapping[str, int | None], members: Mapping[str, Sequence[str]]
) -> Mapping[str, tuple[int, frozenset[str]]]:
    """Curie regions whose level follows, each with its level and the segments that it follows from.

    Args:
        levels: SIOPEN level of each segment, None where it has none.
        members: units of each SIOPEN segment (`osteoscope.domain.anatomy.siopen_members`).
    """
    found = {}
    for region, units in CURIE.items():
        segments = frozenset(segment for segment, own in members.items() if set(own) & set(units))
        together = {unit for segment in segments for unit in members[segment]}
        level = _following([levels.get(segment) for segment in segments], whole=together == set(units))
        if level is not None:
            found[region] = (level, segments)
    return found


def _following(levels: Sequence[int | None], whole: bool) -> int | None:
    known = [level for level in levels if level is not None]
    if not known or len(known) < len(levels):
        return None
    if not any(known):
        return 0
    if whole and max(known) <= _FOCI:
        return min(sum(known), _MOST_FOCI)
    # A segment that reaches beyond the region must be affected as a whole for the region to be so.
    return _TOP if min(known) >= (_HALF if whole else _WHOLE) else None
