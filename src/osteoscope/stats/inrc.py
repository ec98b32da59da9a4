"""The skeletal mIBG component of the INRC 2017 and the relative score, with what stays open.

Rules (Park JR et al. J Clin Oncol 2017;35:2580, in the words of the NCI PDQ; docs/background/mibg.md S20, S9):

- CR: mIBG uptake of all bone sites has resolved (score 0).
- PR: absolute bone score down by half or more (relative score <= 0.5), no new lesion.
- PD: any new avid bone site, or a relative score of 1.2 or more.
- SD: none of these.
- NI ("not involved", choice): no uptake at baseline and none now; uptake after a baseline of 0 is new, so PD.

Relative score: score now over the score before treatment (Ady 1995, docs/background/mibg.md S15); undefined for a
baseline of 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

Category = Literal["CR", "PR", "SD", "PD", "NI"]
RESPONSE_AT, PROGRESSION_AT = 0.5, 1.2
CATEGORIES: tuple[Category, ...] = get_args(Category)


@dataclass(frozen=True)
class Score:
    """A total over segments.

    Args:
        value: sum of the levels that are known.
        interval: of these levels, by the uncertainties that their methods know of.
        missing: most that segments without a level could add.
    """

    value: int
    interval: tuple[int, int]
    missing: int = 0

    @property
    def range(self) -> tuple[int, int]:
        """The interval with the segments that are missing."""
        return self.interval[0], self.interval[1] + self.missing


@dataclass(frozen=True)
class NewSites:
    """Whether bone sites are new.

    Args:
        seen: a lesion that counts is new.
        sure: it is new without doubt: confident, at a place known on both dates, assessed before.
        possible: it cannot be excluded that a lesion is new: a faint one, one whose identity is not sure.
        hidden: a lesion could be new where a segment was not assessed on one of the dates.
    """

    seen: bool = False
    sure: bool = False
    possible: bool = False
    hidden: bool = False

    def options(self, with_doubt: bool) -> frozenset[bool]:
        """What may hold: by missing segments alone, or with the doubt about what was seen too."""
        certain = self.sure if with_doubt else self.seen
        open_ = self.seen or self.hidden or (with_doubt and self.possible)
        return frozenset({certain, open_ or certain})


@dataclass(frozen=True)
class Verdict:
    """A category and what else it could be.

    Args:
        category: None where missing segments could change it ("not evaluable").
        by_assessed: the category by the segments that have a level on both dates, at face value.
        possible: every category that intervals, missing segments and doubtful lesions allow.
        reason: why there is none, or "".
    """

    category: Category | None
    by_assessed: Category
    possible: tuple[Category, ...]
    reason: str = ""


@dataclass(frozen=True)
class Relative:
    """Score now over the score before.

    Args:
        value: None where the score before is 0, or where the dates differ in the segments that have a level.
        low, high: the range under the intervals of both, as if they erred independently; None for no bound.
        note: why there is no value, or "".
    """

    value: float | None
    low: float | None
    high: float | None
    note: str = ""


def category(before: int, now: int, new: bool) -> Category:
    """The category of two scores; ratios are compared in whole numbers, so that 1.2 and 0.5 themselves count.

    Args:
        before, now: absolute bone scores, at least 0.
        new: whether a bone site is new.
    """
    if before == 0 and now == 0 and not new:
        return "NI"
    if new or before == 0 or 5 * now >= 6 * before:
        return "PD"
    if now == 0:
        return "CR"
    return "PR" if 2 * now <= before else "SD"


def possible(before: tuple[int, int], now: tuple[int, int], new: Iterable[bool]) -> tuple[Category, ...]:
    """Every category of scores within these ranges (inclusive), in the order of `CATEGORIES`.

    A new site comes with a score of at least 1.
    """
    found = {
        category(b, n, fresh)
        for b in range(before[0], before[1] + 1)
        for fresh in new
        for n in range(max(now[0], int(fresh)), now[1] + 1)
    }
    return tuple(c for c in CATEGORIES if c in found)


def relative(before: Score, now: Score, same: bool = True) -> Relative:
    """The relative score with its range; missing segments widen the range.

    Args:
        before, now: totals.
        same: whether the same segments have a level on both dates; else there is a range alone.
    """
    (low_b, high_b), (low_n, high_n) = before.range, now.range
    if before.value == 0 and not before.missing:
        return Relative(None, None, None, "undefined: not involved at baseline")
    low, high = (low_n / high_b if high_b else None), (high_n / low_b if low_b else None)
    if not same:
        return Relative(None, low, high, "other segments have a level on the one date than on the other: a range alone")
    if before.value == 0:
        return Relative(None, low, high, "undefined: no uptake at baseline where it could be assessed")
    return Relative(now.value / before.value, low, high)


def judge(before: Score, now: Score, shared: tuple[int, int], new: NewSites, missing: str) -> Verdict:
    """The category of two dates.

    Args:
        before, now: totals.
        shared: their values over the segments that have a level on both dates.
        new: new bone sites.
        missing: which segments are missing when, "" where none is.
    """
    by_assessed = category(*shared, new.seen)
    spans = [(s.value, s.value + s.missing) for s in (before, now)]
    by_missing = possible(spans[0], spans[1], new.options(with_doubt=False)) or (by_assessed,)
    everything = possible(before.range, now.range, new.options(with_doubt=True))
    allowed = tuple(c for c in CATEGORIES if c in {*everything, *by_missing})
    if len(by_missing) > 1:
        return Verdict(None, by_assessed, allowed, f"not evaluable: {missing}; it could be {' or '.join(by_missing)}")
    return Verdict(by_missing[0], by_assessed, allowed)
