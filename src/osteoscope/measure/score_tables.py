"""SIOPEN and Curie as tables: which units make a segment, and which finding reaches which level.

Sources: docs/background/mibg.md (SIOPEN: S1, S3, S4, S8; Curie: S3, S4, S14).
Where their wordings conflict, the choice is a field of `ScoreOptions`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

from osteoscope.domain.anatomy import CURIE, siopen_members
from osteoscope.errors import InvalidValueError

SchemeName = Literal["siopen", "curie"]
SCHEME_NAMES: tuple[SchemeName, ...] = get_args(SchemeName)


# What each number of `ScoreOptions` can be. Level 6 is more than level 5, which begins at half of a segment; so many
# unseen foci reach any level; an interval of a total is never narrower than of independent segments.
BOUNDS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "whole_above": (0.5, 1),
        "confluence": (0, 1),
        **dict.fromkeys(("accepted", "accepted_beside", "accepted_throughout"), (0, 1)),
        **dict.fromkeys(("missed", "missed_beside"), (0, 10)),
        "fraction_error": (0, 1),
        "together": (1, 10),
    }
)


@dataclass(frozen=True)
class ScoreOptions:
    """Every choice that the published wordings leave open; letters as in docs/background/mibg_protocol.md.

    Args:
        denominator: (a) fraction of the whole "segment", or of its most involved "unit" (nearest to "a bone").
        half_reaches_5: (b) exactly 50 % is SIOPEN level 5 rather than 4.
        whole_above: (c) SIOPEN level 6 above this fraction; 1.0 stands for "the entire bone".
        foci_beside_patch: (d) "apart": a patch is graded by its own fraction; "joined": the area of the
            foci beside it counts too.
        confluence: (e) None keeps the kind that the finder gave; a number calls a lesion diffuse when it is
            longer than that share of its unit's length, and focal when it is not.
        count_once: (f) a focus seen in both views counts once rather than once per view.
        sacrum: SIOPEN segment of the sacrum; Curie always counts it with the lumbar spine.
        level: "counted": by the ladder alone; "likeliest" (an old name): where all that was found in the child makes
            another level clearly the smaller expected error, one too low weighing more than one too high, that
            (`measure.level_head`), the counted one beside it.
        accepted, accepted_beside, accepted_throughout: a finding counts from this confidence; in a child with others in
            bone that do, from one between the second, where they are in few units, and the third, where they are in
            all, since faint uptake is likelier disease there.
        missed, missed_beside: foci of a segment that no finding shows, on average, in a child without other disease;
            and how many more where all other segments have disease.
        fraction_error: standard deviation of a measured diffuse fraction.
        together: how much wider the interval of a total is than if segments erred independently. These four were
            chosen on 160 simulated children (seeds 20000 and up), of whose totals the intervals then held 89 %.

    Raises:
        InvalidValueError: a number is beyond its `BOUNDS`.
    """

    denominator: Literal["segment", "unit"] = "segment"
    half_reaches_5: bool = True
    whole_above: float = 0.95
    foci_beside_patch: Literal["apart", "joined"] = "apart"
    confluence: float | None = None
    count_once: bool = True
    sacrum: Literal["spine", "pelvis"] = "spine"
    level: Literal["counted", "likeliest"] = "counted"
    accepted: float = 0.5
    accepted_beside: float = 0.35
    accepted_throughout: float = 0.1
    missed: float = 0.04
    missed_beside: float = 0.8
    fraction_error: float = 0.15
    together: float = 1.5

    def __post_init__(self) -> None:
        for name, (least, most) in BOUNDS.items():
            value = getattr(self, name)
            if value is not None and not least <= value <= most:
                remedy = f"Give a number from {least:g} to {most:g}"
                raise InvalidValueError("build ScoreOptions", f"{name} of {value:g}", remedy)


@dataclass(frozen=True)
class Rung:
    """A level and what reaches it: a number of sites, or a diffuse fraction.

    Args:
        level: the score.
        sites: at least so many; None where no number of sites reaches the level.
        fraction: the diffuse fraction is above it; None where no fraction reaches the level.
        inclusive: the fraction itself reaches the level too.
    """

    level: int
    sites: int | None = None
    fraction: float | None = None
    inclusive: bool = False

    def reached(self, sites: int, fraction: float) -> bool:
        """Whether so many sites or that diffuse fraction (0..1) reach this level."""
        by_number = self.sites is not None and sites >= self.sites
        by_extent = self.fraction is not None and (
            fraction > self.fraction or (fraction == self.fraction and self.inclusive)
        )
        return by_number or by_extent


@dataclass(frozen=True)
class Scheme:
    """A score: its segments, its ladder of levels, and whether a diffuse patch is one of the sites counted."""

    name: SchemeName
    members: Mapping[str, tuple[str, ...]]
    rungs: tuple[Rung, ...]
    patch_is_site: bool

    @property
    def top(self) -> int:
        """Highest level of a segment."""
        return self.rungs[-1].level

    def level(self, sites: int, fraction: float) -> int:
        """Level of a segment with so many sites and that diffuse fraction (0..1)."""
        return max((rung.level for rung in self.rungs if rung.reached(sites, fraction)), default=0)


def scheme(name: SchemeName, options: ScoreOptions) -> Scheme:
    """The table of a score under these options."""
    return _siopen(options) if name == "siopen" else _CURIE


def _siopen(options: ScoreOptions) -> Scheme:
    rungs = (
        Rung(1, sites=1),
        Rung(2, sites=2),
        Rung(3, sites=3),
        Rung(4, sites=4, fraction=0.0),
        Rung(5, fraction=0.5, inclusive=options.half_reaches_5),
        Rung(6, fraction=options.whole_above, inclusive=options.whole_above >= 1),
    )
    return Scheme("siopen", siopen_members(options.sacrum), rungs, patch_is_site=False)


_CURIE = Scheme("curie", CURIE, (Rung(1, sites=1), Rung(2, sites=2), Rung(3, fraction=0.5)), patch_is_site=True)
