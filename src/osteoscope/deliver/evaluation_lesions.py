"""Lesions and findings of an evaluation, one by one: hits, misses and false positives as the figures count them."""

from __future__ import annotations

from collections.abc import Iterator

from osteoscope.deliver.evaluation_record import Evaluation
from osteoscope.deliver.result_files import Rows
from osteoscope.stats.detection_record import LesionRow, ScanResult

_ABOUT = ("study", "patient", "reader", "id", "confidence", "kind", "site", "long_axis_mm", "volume_ml")


def lesion_rows(evaluation: Evaluation) -> Rows:
    """A row each, with what it was matched with under each criterion.

    "counts": a lesion that is not too small, a finding that is used (not below the confidence asked for) and met more
    than what is too small; such a one without a partner is a miss or a false positive. "scan_read": whether the scan
    has a reading; lesions of others are missed in the figures "..._with_unread" alone.
    """
    names = [criterion.name for criterion in evaluation.criteria]
    yield (*_ABOUT, "counts", "scan_read", *names)
    for scans, read in ((evaluation.detection.scans, True), (evaluation.detection.unread, False)):
        for scan in scans:
            for reader, row, counts in _listed(scan, evaluation.settings.confidence):
                partners = _partners(scan, reader, row.id)
                about = (row.id, row.confidence, row.kind, row.site, row.long_axis_mm, row.volume_ml, counts, read)
                yield (scan.study, scan.patient, reader, *about, *(partners.get(name, "") for name in names))


def _listed(scan: ScanResult, confidence: float) -> Iterator[tuple[str, LesionRow, bool]]:
    yield from (("reference", row, row.counts) for row in scan.lesions)
    yield from (("reading", row, row.counts and row.confidence >= confidence) for row in scan.findings)


def _partners(scan: ScanResult, reader: str, which: str) -> dict[str, str]:
    """By criterion, the id of what a lesion or finding was matched with."""
    if reader == "reference":
        return {pair.criterion: pair.finding for pair in scan.pairs if pair.lesion == which}
    return {pair.criterion: pair.lesion for pair in scan.pairs if pair.finding == which}
