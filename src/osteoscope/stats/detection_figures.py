"""All figures of an evaluation of detection, each with its interval by patient."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from osteoscope.stats.detection import CRITERIA, Criterion
from osteoscope.stats.detection_froc import LUNA_RATES, Marks, curve, marks, within
from osteoscope.stats.detection_pairs import KINDS, Found, found_from, scan_result
from osteoscope.stats.detection_record import Curve, Detection, KindTable, ScanResult
from osteoscope.stats.detection_scan import Counted, Scan, count_only
from osteoscope.stats.detection_size import size_figures
from osteoscope.stats.detection_strata import strata
from osteoscope.stats.detection_under import Under, owners, share_intervals
from osteoscope.stats.kappa import disagreement, kappa_of_tables
from osteoscope.stats.levels import bootstrap_interval
from osteoscope.stats.ratings import Statistic, Target
from osteoscope.stats.resampling import Floats, Resampling, drawn_sums


@dataclass(frozen=True)
class DetectionOptions:
    """How detection is evaluated.

    Args:
        rate: false positives per scan to give the sensitivity at; 0.62 is that of Noguchi 2022 (Eur Radiol 32:7976).
        confidence: findings from here on are used for all that needs one threshold.
        smallest_mm: lesions of the reference with a shorter long axis are ignored.
        resampling: of the intervals by patient.
    """

    rate: float = 0.62
    confidence: float = 0.0
    smallest_mm: float = 5.0
    resampling: Resampling = field(default_factory=Resampling)


_OVERLAPS = MappingProxyType(
    {
        "dice": "2 |A and B| / (|A| + |B|) (Dice 1945)",
        "surface_mm": "mean symmetric surface distance (Heimann 2009)",
        "hd95_mm": "Hausdorff distance, larger 95th centile of the two directions",
    }
)


def evaluate_detection(
    scans: Sequence[Scan], readers: tuple[str, str], options: DetectionOptions, unread: Sequence[Scan] = ()
) -> Detection:
    """FROC and all figures of scans.

    Args:
        scans: at least one.
        readers: names of the reference and of the reading.
        options: rate, threshold, ignored sizes, resampling.
        unread: scans without a reading; their lesions are missed in figures of their own beside the others.
    """
    lacking = tuple(count_only(scan, options.smallest_mm) for scan in unread)
    counted = tuple(count_only(scan, options.smallest_mm) for scan in scans)
    counts = [marks(counted, criterion) for criterion in CRITERIA]
    curves = [curve(m, c, options.rate, options.resampling) for m, c in zip(counts, CRITERIA, strict=True)]
    under = [_under(counted, drawn, c, readers, options) for drawn, c in zip(curves, CRITERIA, strict=True)]
    rows = tuple(
        scan_result(one, {u.criterion.name: u.found[number] for u in under}) for number, one in enumerate(counted)
    )
    statistics = [
        statistic
        for one, made in zip(under, counts, strict=True)
        for statistic in (
            *_counts(one),
            *_froc(made, one.target, options),
            *_with_unread(one, lacking),
            *_pairs(one, rows),
        )
    ]
    levels = tuple(stratum for one in under for stratum in strata(one))
    kinds = tuple(_kind_table(one) for one in under)
    left = tuple(scan_result(one, {}) for one in lacking)
    return Detection(rows, tuple(curves), tuple(statistics), levels, kinds, left)


def _under(
    scans: tuple[Counted, ...], drawn: Curve, criterion: Criterion, readers: tuple[str, str], options: DetectionOptions
) -> Under:
    strict = np.inf if drawn.confidence is None else drawn.confidence
    found, at_rate = (
        tuple(found_from(one, criterion, least) for one in scans) for least in (options.confidence, strict)
    )
    target = Target(criterion.name, readers, "lesions")
    return Under(criterion, scans, found, at_rate, owners(scans), target, options.resampling)


def _froc(found: Marks, target: Target, options: DetectionOptions) -> Iterator[Statistic]:
    rates, sensitivity = found.pooled()
    drawn = list(zip(*found.drawn(options.resampling), strict=True))
    short = rates[-1] < options.rate
    note = f"the reading has {rates[-1]:.3g} false positives per scan at most" if short else ""
    rows = (
        ("sensitivity_at_rate", (options.rate,), f"greatest within {options.rate:g} false positives per scan", note),
        ("mean_sensitivity", LUNA_RATES, "mean within 1/8, 1/4, 1/2, 1, 2, 4, 8 false positives per scan", ""),
    )
    for name, limits, method, remark in rows:
        value = float(within(rates, sensitivity, np.array(limits)).mean())
        values = np.array([within(r, s, np.array(limits)).mean() for r, s in drawn])
        known, patients = np.isfinite(value), int((found.lesions > 0).sum())
        intervals, undefined = bootstrap_interval(values) if known else ((), "undefined: no lesion")
        yield target.statistic(
            name, value, share_intervals(value, intervals, patients), method=method,
            observations=int(found.lesions.sum()), patients=patients, note="; ".join(filter(None, (remark, undefined))),
        )  # fmt: skip


def _counts(under: Under) -> Iterator[Statistic]:
    lesions = [len(one.lesions) for one in under.scans]
    surplus = [len(found.surplus) for found in under.found]
    hits = [len(found.pairs) for found in under.found]
    clear = [not (one.lesions or one.ignored) for one in under.scans]
    every = [1.0] * len(lesions)
    yield under.ratio("sensitivity", "share of lesions with a finding, one to one", hits, lesions)
    yield under.ratio("false_positives", "findings that hit no lesion, per scan", surplus, every)
    negative = [n * there for n, there in zip(surplus, clear, strict=True)]
    yield under.ratio("false_positives_negative", "the same, of scans without a lesion", negative, clear)
    splits = [found.splits for found in under.found]
    yield under.ratio("splits", "of these, findings on a lesion that another has, per scan", splits, every)
    found_any = [h + s for h, s in zip(hits, surplus, strict=True)]
    yield under.ratio("precision", "share of findings that hit a lesion", hits, found_any)


def _with_unread(under: Under, unread: Sequence[Counted]) -> Iterator[Statistic]:
    """The sensitivity of an honest denominator: a scan that was refused or not read found nothing."""
    if not unread:
        return
    wider = under.with_unread(unread)
    lesions = [len(one.lesions) for one in wider.scans]
    how = f"share of lesions with a finding, those of {len(unread)} scans without a reading missed"
    for name, found in (("sensitivity", wider.found), ("sensitivity_at_rate", wider.at_rate)):
        yield wider.ratio(f"{name}_with_unread", how, [len(one.pairs) for one in found], lesions)


def _pairs(under: Under, rows: Sequence[ScanResult]) -> Iterator[Statistic]:
    measured = [[pair for pair in row.pairs if pair.criterion == under.criterion.name] for row in rows]
    number = [len(pairs) for pairs in measured]
    for name, method in _OVERLAPS.items():
        sums = [sum(getattr(pair, name) for pair in pairs) for pairs in measured]
        yield under.ratio(name, f"{method}, mean over matched lesions", sums, number)
    matched = [[(a, b) for a, b, _ in found.pairs] for found in under.found]
    yield from size_figures(under.target, matched, under.owner, under.resampling)
    yield from _kinds(under)


def _typed(found: Found) -> list[tuple[int, int]]:
    return [
        (KINDS.index(a.kind), KINDS.index(b.kind)) for a, b, _ in found.pairs if a.kind in KINDS and b.kind in KINDS
    ]


def _tables(under: Under) -> Floats:
    """Types of pairs by scan, shape (scans, 3, 3)."""
    tables = np.zeros((len(under.found), len(KINDS), len(KINDS)))
    for table, found in zip(tables, under.found, strict=True):
        for row, column in _typed(found):
            table[row, column] += 1
    return tables


def _kinds(under: Under) -> Iterator[Statistic]:
    tables = _tables(under)
    exact, number = np.trace(tables, axis1=1, axis2=2), tables.sum(axis=(1, 2))
    yield under.ratio("kind_exact", "share of matched lesions of the same type", exact.tolist(), number.tolist())
    weights, by_patient = disagreement(len(KINDS), "none"), under.by_patient(tables.tolist())
    value = float(kappa_of_tables(by_patient.sum(axis=0), weights))
    drawn = kappa_of_tables(drawn_sums(by_patient, under.resampling), weights)
    intervals, note = bootstrap_interval(drawn) if np.isfinite(value) else ((), "undefined: one type throughout")
    yield under.target.statistic(
        "kind_kappa", value, intervals, method="Cohen's kappa of the type, no weights",
        observations=int(number.sum()), patients=int((by_patient.sum(axis=(1, 2)) > 0).sum()), note=note,
    )  # fmt: skip


def _kind_table(under: Under) -> KindTable:
    table = _tables(under).sum(axis=0).astype(int)
    pairs = sum(len(found.pairs) for found in under.found)
    counts = tuple(tuple(row) for row in table.tolist())
    return KindTable(under.criterion.name, KINDS, counts, pairs - int(table.sum()))
