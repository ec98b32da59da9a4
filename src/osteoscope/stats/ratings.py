"""Levels of several readers on the same cases, with gaps where a segment was not read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from osteoscope.domain.anatomy import CURIE, SIOPEN
from osteoscope.errors import InvalidValueError
from osteoscope.stats.resampling import Floats

# What statistics are about, besides single sites: totals of cases read in full, of the segments that all read, ...
TOTAL, SHARED_TOTAL = "total", "total of shared segments"
POOLED, POOLED_DISEASED = "pooled", "pooled, reference not 0"


@dataclass(frozen=True)
class Scale:
    """A score made of levels 0..top per site.

    Args:
        name: "siopen" or "curie", as the measures of a Reading are named.
        title: for a reader.
        sites: ids of its segments or regions.
        top: highest level.
        focal: highest level that still means discrete foci; above it disease is diffuse.
        cuts: totals at or below which a case counts as low.
        strata: upper ends of the burden strata of the total.
    """

    name: str
    title: str
    sites: tuple[str, ...]
    top: int
    focal: int
    cuts: tuple[int, ...]
    strata: tuple[int, ...]


# Cuts: SIOPEN 3 after induction (S5), Curie 2 and 0 after induction, 12 at diagnosis: docs/background/mibg.md.
SCALES: Mapping[str, Scale] = MappingProxyType(
    {
        "siopen": Scale("siopen", "SIOPEN", tuple(SIOPEN), 6, 4, (3,), (0, 3, 12, 23, 48, 72)),
        "curie": Scale("curie", "Curie", tuple(CURIE), 3, 2, (2, 0, 12), (0, 2, 12, 30)),
    }
)


@dataclass(frozen=True, eq=False)
class Panel:
    """What the readers of a panel said of the same cases on one scale.

    Args:
        scale: the score.
        readers: their names; the first is the reference.
        cases: a label for every case.
        patients: the patient of every case; repeated scans of one patient share it.
        levels: shape (readers, cases, sites), NaN where a site was not read.

    Raises:
        InvalidValueError: shapes do not fit, readers are fewer than two or share a name, or a level is not an
            integer of the scale.
    """

    scale: Scale
    readers: tuple[str, ...]
    cases: tuple[str, ...]
    patients: tuple[str, ...]
    levels: Floats

    def __post_init__(self) -> None:
        shape = (len(self.readers), len(self.cases), len(self.scale.sites))
        if self.levels.shape != shape or len(self.patients) != len(self.cases):
            raise InvalidValueError("build a Panel", f"levels of shape {self.levels.shape}", f"Give {shape}")
        if len(set(self.readers)) < max(2, len(self.readers)):
            raise InvalidValueError("build a Panel", f"readers {self.readers}", "Give two or more, each named apart")
        known = self.levels[np.isfinite(self.levels)]
        if known.size and not np.isin(known, np.arange(self.scale.top + 1)).all():
            raise InvalidValueError("build a Panel", "levels off the scale", f"Give integers 0..{self.scale.top}")

    def of(self, readers: Sequence[str]) -> Floats:
        """Levels of some readers, shape (readers, cases, sites)."""
        return self.levels[[self.readers.index(reader) for reader in readers]]

    @property
    def owners(self) -> NDArray[np.intp]:
        """Number of the patient of every case, shape (cases,)."""
        return np.unique(np.asarray(self.patients), return_inverse=True)[1]

    def totals(self, readers: Sequence[str]) -> Floats:
        """Totals, shape (readers, cases): NaN where any site of the scale was not read, never a silent 0."""
        return np.asarray(self.of(readers).sum(axis=-1))

    def shared_totals(self, readers: Sequence[str]) -> Floats:
        """Totals over the sites that all these readers read in a case, shape (readers, cases); NaN where none."""
        levels = self.of(readers)
        shared = np.isfinite(levels).all(axis=0)
        sums = np.where(shared, levels, 0.0).sum(axis=-1)
        return np.asarray(np.where(shared.any(axis=-1), sums, np.nan))


@dataclass(frozen=True)
class Coverage:
    """How many cases of a reader have a level at a site, and how many do not, by reason."""

    reader: str
    site: str
    assessed: int
    not_acquired: int
    not_assessable: int
    not_read: int


@dataclass(frozen=True)
class Interval:
    """A 95 % interval and how it was made."""

    low: float
    high: float
    method: str


@dataclass(frozen=True)
class Statistic:
    """One figure of agreement.

    Args:
        scale, readers, target: of which score, between whom, on what ("total", "pooled", a site, ...).
        name: what it is, such as "kappa_quadratic".
        value: None where it is undefined; ``note`` then says why.
        intervals: 95 %, the one to report first; none where undefined.
        method: how the value was made.
        observations, patients: that it rests on.
        note: what limits it.
    """

    scale: str
    readers: tuple[str, ...]
    target: str
    name: str
    value: float | None
    intervals: tuple[Interval, ...]
    method: str
    observations: int
    patients: int
    note: str = ""


@dataclass(frozen=True)
class Target:
    """What a statistic is about: the score, the readers, the thing rated."""

    scale: str
    readers: tuple[str, ...]
    name: str

    def statistic(self, name: str, value: float, intervals: Iterable[Interval], **rest: Any) -> Statistic:
        """A Statistic of this target; a value that is not finite becomes None, such an interval is dropped."""
        known = tuple(i for i in intervals if np.isfinite((i.low, i.high)).all())
        finite = float(value) if np.isfinite(value) else None
        return Statistic(self.scale, self.readers, self.name, name, finite, known, **rest)
