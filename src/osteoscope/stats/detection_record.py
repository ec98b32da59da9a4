"""What an evaluation of detection says, as it is written to evaluation.json."""

from __future__ import annotations

from dataclasses import dataclass

from osteoscope.stats.ratings import Statistic


@dataclass(frozen=True)
class CurvePoint:
    """Findings of at least that confidence: how many false positives per scan, which share of the lesions."""

    confidence: float
    false_positives: float
    sensitivity: float


@dataclass(frozen=True)
class BandPoint:
    """The 95 % range of the sensitivity within that many false positives per scan."""

    false_positives: float
    low: float
    high: float


@dataclass(frozen=True)
class Curve:
    """FROC under one criterion.

    Args:
        criterion: its name.
        points: by falling confidence; () where there is no lesion.
        band: pointwise, by resampled patients.
        confidence: the least that stays within the asked false positives; None where no finding may be used.
    """

    criterion: str
    points: tuple[CurvePoint, ...]
    band: tuple[BandPoint, ...]
    confidence: float | None


@dataclass(frozen=True)
class Stratum:
    """Lesions of one type, size or bone under one criterion.

    Args:
        criterion, by, level: "kind" / "size" / "bone", and which.
        lesions: of the reference.
        sensitivity: of the findings used.
        at_rate: of those within the asked false positives.
        surplus: findings used that hit none, by their own type, size and bone.
    """

    criterion: str
    by: str
    level: str
    lesions: int
    sensitivity: Statistic
    at_rate: Statistic
    surplus: int


@dataclass(frozen=True)
class KindTable:
    """Types of matched pairs, counts: rows of the reference, columns of the reading."""

    criterion: str
    kinds: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    not_stated: int


@dataclass(frozen=True)
class LesionRow:
    """A lesion of the reference or a finding of the reading; ``counts`` is False where it was ignored."""

    id: str
    confidence: float
    kind: str
    site: str
    long_axis_mm: float
    volume_ml: float
    counts: bool


@dataclass(frozen=True)
class PairRow:
    """A lesion and the finding matched with it under a criterion."""

    criterion: str
    lesion: str
    finding: str
    iou: float
    dice: float
    surface_mm: float
    hd95_mm: float


@dataclass(frozen=True)
class ScanResult:
    """One scan: everything listed, and what was matched with what."""

    study: str
    patient: str
    lesions: tuple[LesionRow, ...]
    findings: tuple[LesionRow, ...]
    pairs: tuple[PairRow, ...]


@dataclass(frozen=True)
class Detection:
    """An evaluation of detection; statistics carry the criterion as their scale.

    Args:
        scans: with a reading.
        curves, statistics, strata, kinds: of those; statistics "..._with_unread" take in the others.
        unread: scans of the reference without a reading, whose lesions those count as missed.
    """

    scans: tuple[ScanResult, ...]
    curves: tuple[Curve, ...]
    statistics: tuple[Statistic, ...]
    strata: tuple[Stratum, ...]
    kinds: tuple[KindTable, ...]
    unread: tuple[ScanResult, ...] = ()

    def find(self, criterion: str, name: str) -> Statistic | None:
        """The statistic of that name under that criterion, if it was made."""
        return next((s for s in self.statistics if (s.scale, s.name) == (criterion, name)), None)
