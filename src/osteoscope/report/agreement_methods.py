"""How the figures of a comparison of readers were made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from osteoscope.report.agreement_wording import LABELS
from osteoscope.report.parts import Cell, Column, Table
from osteoscope.stats.ratings import POOLED, POOLED_DISEASED, SHARED_TOTAL, TOTAL, Statistic
from osteoscope.stats.readers import Agreement

_BY_FIRST_WORD: Mapping[str, str] = MappingProxyType({"stratum": "total by burden", "total": "side of a cut"})


def methods(agreements: Sequence[Agreement]) -> Table:
    """How every figure and its intervals were made, of each thing that it is about."""
    made: dict[tuple[str, str], list[Statistic]] = {}
    for agreement in agreements:
        for statistic in agreement.statistics:
            if statistic.value is not None:
                made.setdefault((statistic.name, _about(statistic.target)), []).append(statistic)
    rows = tuple(
        (Cell(LABELS[name]), Cell(about), Cell(_each(s.method for s in given)), Cell(_intervals(given)))
        for name in LABELS
        for (figure, about), given in made.items()
        if figure == name
    )
    return Table("Methods", tuple(map(Column, ("Figure", "Of", "Method", "95 % interval"))), rows)


def _about(target: str) -> str:
    """The block of figures that a target belongs to."""
    if target in (POOLED, POOLED_DISEASED):
        return "levels of all segments, pooled"
    if target in (TOTAL, SHARED_TOTAL):
        return "total"
    return _BY_FIRST_WORD.get(target.partition(" ")[0], "levels of one segment")


def _each(words: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(words))


def _intervals(given: Sequence[Statistic]) -> str:
    """Ways of the intervals, those reported first before the others."""
    ranks = max(len(s.intervals) for s in given)
    return _each(s.intervals[rank].method for rank in range(ranks) for s in given if len(s.intervals) > rank)
