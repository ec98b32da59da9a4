"""Sensitivity and false positives by type, size and bone of the lesion."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from osteoscope.stats.detection_pairs import STRATA, Found
from osteoscope.stats.detection_record import Stratum
from osteoscope.stats.detection_scan import Lesion
from osteoscope.stats.detection_under import Under
from osteoscope.stats.ratings import Statistic

_METHOD = "share of lesions with a finding, one to one"


def strata(under: Under) -> Iterator[Stratum]:
    """Every level that a lesion or a false positive has."""
    lesions = [lesion for one in under.scans for lesion in one.lesions]
    surplus = [finding for found in under.found for finding in found.surplus]
    for by, level_of in STRATA.items():
        for level in sorted({level_of(lesion) for lesion in (*lesions, *surplus)}, key=_by_size):
            among = _counter(level_of, level)
            yield Stratum(
                under.criterion.name, by, level, among(lesions),
                _share(under, "sensitivity", under.found, among),
                _share(under, "sensitivity_at_rate", under.at_rate, among),
                among(surplus),
            )  # fmt: skip


def _counter(level_of: Callable[[Lesion], str], level: str) -> Callable[[Sequence[Lesion]], int]:
    return lambda group: sum(level_of(lesion) == level for lesion in group)


def _share(under: Under, name: str, made: Sequence[Found], among: Callable[[Sequence[Lesion]], int]) -> Statistic:
    hits = [among([lesion for lesion, _, _ in found.pairs]) for found in made]
    return under.ratio(name, _METHOD, hits, [among(one.lesions) for one in under.scans])


def _by_size(level: str) -> tuple[int, str]:
    first = level.split(maxsplit=1)[0]
    return (int(first) if first.isdigit() else -1, level)
