"""The evaluation of CT readings as a report."""

from __future__ import annotations

from collections.abc import Sequence

from osteoscope.report import evaluation_tables as tables
from osteoscope.report.document import DISCLAIMER
from osteoscope.report.drawing import Drawing, in_report
from osteoscope.report.evaluation_wording import label, sentence
from osteoscope.report.parts import Document, Fact, Section, Table
from osteoscope.report.wording import count
from osteoscope.stats.detection import Criterion
from osteoscope.stats.detection_figures import DetectionOptions
from osteoscope.stats.detection_record import Detection
from osteoscope.stats.ratings import Statistic

_FEW = 30


def build_evaluation(
    detection: Detection,
    given: tuple[tuple[str, str], DetectionOptions, Sequence[Criterion]],
    adequacy: Sequence[Statistic],
    figures: Sequence[Drawing],
    faults: Table,
) -> Document:
    """The report of an evaluation.

    Args:
        detection: all figures.
        given: names of reference and reading, settings, criteria.
        adequacy: shares of a radiologist's marks; none where none were given.
        figures: FROC and sizes.
        faults: of the input.
    """
    readers, options, criteria = given
    rate = options.rate
    marks = (Section("Marks", (), (tables.adequacy(adequacy, rate),)),) if adequacy else ()
    strata = (*tables.strata(detection, criteria, rate), tables.kinds(detection, criteria))
    return Document(
        title="Detection of bone lesions on CT",
        disclaimer=DISCLAIMER,
        patient=_facts(detection, readers, options),
        asked="Which share of the lesions is found, with how many false positives, and how well are they measured?",
        summary=_summary(detection, criteria, rate),
        limits=_limits(detection, rate, len(faults.rows)),
        sections=(
            Section("Detection", in_report(figures[:1]), (tables.paper(detection, criteria, rate),)),
            Section("Sizes", in_report(figures[1:])),
            Section("By type, size and bone", (), strata),
            *marks,
            Section("Scans", (), (tables.scans(detection, criteria, options.confidence),)),
            Section("Input", (), (faults,)),
            Section("Methods", (), (tables.methods((*detection.statistics, *adequacy), rate),)),
        ),
    )


def _facts(detection: Detection, readers: tuple[str, str], options: DetectionOptions) -> tuple[Fact, ...]:
    patients = len({scan.patient for scan in detection.scans})
    lesions = [lesion for scan in detection.scans for lesion in scan.lesions]
    counted = sum(lesion.counts for lesion in lesions)
    without = sum(not scan.lesions for scan in detection.scans)
    unread = f"; {len(detection.unread)} more without a reading" if detection.unread else ""
    ignored = f"{len(lesions) - counted} below {options.smallest_mm:g} mm ignored"
    return (
        Fact("Reference", readers[0]),
        Fact("Reading", readers[1]),
        Fact("Scans", f"{len(detection.scans)} of {count(patients, 'patient')}, {without} without a lesion{unread}"),
        Fact("Lesions", f"{counted} counted, {ignored}"),
        Fact("Findings used", f"confidence {options.confidence:g} or more"),
    )


def _summary(detection: Detection, criteria: Sequence[Criterion], rate: float) -> tuple[str, ...]:
    return tuple(
        f"Match by {c.title}: {label('sensitivity_at_rate', rate).lower()} "
        f"{sentence(detection.find(c.name, 'sensitivity_at_rate'))}; of all findings used, sensitivity "
        f"{sentence(detection.find(c.name, 'sensitivity'))} at {sentence(detection.find(c.name, 'false_positives'))} "
        f"false positives per scan{_with_unread(detection, c)}; "
        f"Dice of matched lesions {sentence(detection.find(c.name, 'dice'))}."
        for c in criteria
    )


def _with_unread(detection: Detection, criterion: Criterion) -> str:
    found = detection.find(criterion.name, "sensitivity_with_unread")
    return f" ({sentence(found)} with lesions of scans without a reading as missed)" if found else ""


def _limits(detection: Detection, rate: float, problems: int) -> tuple[str, ...]:
    patients = len({scan.patient for scan in detection.scans})
    most = max((point.false_positives for curve in detection.curves[:1] for point in curve.points), default=rate)
    said = (
        (patients < _FEW, f"Only {count(patients, 'patient')}: intervals are wide and approximate."),
        (problems > 0, f"{count(problems, 'remark')} on the input: see Input."),
        (
            bool(detection.unread),
            f"{count(len(detection.unread), 'scan')} of the reference without a reading: their lesions are missed in "
            "the figures that say so; false positives are per scan read.",
        ),
        (most < rate, f"The reading has {most:.3g} false positives per scan at most, fewer than the {rate:g} asked."),
        (True, "The threshold that meets the asked false positives is chosen on these scans; on others it may not."),
    )
    return tuple(text for there, text in said if there)
